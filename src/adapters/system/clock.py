"""Clocks: the machine's own, one that an operator can move, and one that stands still until told."""

import fcntl
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from application.ports.clock import Clock
from domain.shared.time import instant


class SystemClock(Clock):
    """The machine's clock."""

    def now(self) -> datetime:
        """This instant, aware, in UTC."""
        return datetime.now(UTC)


class StandingClock(Clock):
    """Stands at one instant until it is advanced or set: for tests and simulations."""

    def __init__(self, moment: datetime) -> None:
        self._moment = instant(moment)

    def now(self) -> datetime:
        """The instant it stands at."""
        return self._moment

    def advance(self, by: timedelta) -> datetime:
        """Move forward; returns the new present."""
        return self.set(self._moment + _forward(by))

    def set(self, moment: datetime) -> datetime:
        """Stand at that instant from now on."""
        self._moment = instant(moment)
        return self._moment


class MovableClock(Clock):
    """The machine's clock plus an offset kept in a file, so that API, worker and command line move together.

    It goes on ticking after it was moved. Only demos and tests may have one; the settings refuse it in production.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "clock-offset"
        self._lock = folder / "clock-offset.lock"
        self._seen: tuple[int, int] | None = None
        self._offset = timedelta()

    def now(self) -> datetime:
        """This instant as moved, aware, in UTC."""
        return datetime.now(UTC) + self._current()

    def advance(self, by: timedelta) -> datetime:
        """Move forward by that much, for every process that shares the folder; returns the new present."""
        with _exclusively(self._lock):
            return self._keep(self._current() + _forward(by))

    def set(self, moment: datetime) -> datetime:
        """Make it that instant now; returns the new present."""
        with _exclusively(self._lock):
            return self._keep(instant(moment) - datetime.now(UTC))

    def _current(self) -> timedelta:
        # Each move replaces the file, so a new inode or time of change tells that somebody moved the clock.
        try:
            status = self._file.stat()
            seen = (status.st_ino, status.st_mtime_ns)
            if seen != self._seen:
                self._offset = timedelta(microseconds=int(self._file.read_text()))
                self._seen = seen
        except FileNotFoundError:
            self._offset, self._seen = timedelta(), None
        return self._offset

    def _keep(self, offset: timedelta) -> datetime:
        present = instant(datetime.now(UTC) + offset)
        fresh = self._file.with_suffix(f".{os.getpid()}")
        fresh.write_text(str(offset // timedelta(microseconds=1)))
        fresh.replace(self._file)
        return present


class _exclusively:  # noqa: N801 - reads as a verb: `with _exclusively(file):`
    """Hold a file's lock against every other process for the length of a block."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __enter__(self) -> None:
        self._handle = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._handle, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        os.close(self._handle)


def _forward(by: timedelta) -> timedelta:
    if by < timedelta():
        raise ValueError("a clock is advanced forwards; use set to go back")
    return by
