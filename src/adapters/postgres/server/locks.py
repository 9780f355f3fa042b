"""Locks that end with the processes holding them, however those end."""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Self

STEP_SECONDS = 0.005


class FileLock:
    """An flock on one open file.

    Processes that inherit the descriptor hold the lock together, and the kernel lifts it when the last of them is gone:
    unlike a process id in a file it is never out of date.
    """

    def __init__(self, path: Path) -> None:
        self.descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def exclusive(self) -> bool:
        """Take it alone, now; False when somebody else holds it."""
        return self._take(fcntl.LOCK_EX)

    def shared(self) -> bool:
        """Take it together with others, now; False when somebody holds it alone."""
        return self._take(fcntl.LOCK_SH)

    def release(self) -> None:
        """Lift it for every process that inherited it."""
        fcntl.flock(self.descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of it here; processes that inherited it keep it."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def _take(self, mode: int) -> bool:
        try:
            fcntl.flock(self.descriptor, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def patience(seconds: float) -> Iterator[None]:
    """Turns to look at something that another process does, a few milliseconds apart, for about so many seconds."""
    pause = Event()
    yield
    for _ in range(round(seconds / STEP_SECONDS)):
        pause.wait(STEP_SECONDS)
        yield
