"""What time it is."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """The one source of the present."""

    def now(self) -> datetime:
        """This instant, aware, in UTC."""
        ...
