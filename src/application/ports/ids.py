"""Fresh ids and references."""

from typing import Protocol
from uuid import UUID


class Ids(Protocol):
    """The one source of identity and chance in the application."""

    def new(self) -> UUID:
        """A fresh UUIDv7: ids made later sort later."""
        ...

    def reference(self) -> str:
        """A fresh reference for people to read out: eight characters without look-alikes, such as "K7QM-3XTR"."""
        ...
