"""Waiting a little, by chance, so that those who collided do not collide again."""

from typing import Protocol


class Chance(Protocol):
    """The source of jitter between tries."""

    async def pause(self, attempt: int) -> None:
        """Wait a short random while that grows with the attempt (milliseconds, not seconds)."""
        ...
