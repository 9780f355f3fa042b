"""Telling the worker that there is something to do."""

from typing import Protocol


class Wake(Protocol):
    """A nudge: cheap, lossy, never waited for. The worker's own polling is the truth."""

    def poke(self) -> None:
        """Something was committed."""
        ...
