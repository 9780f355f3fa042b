"""The clocks of simulated machines: one present for the world, and for each process its own idea of it."""

from datetime import datetime, timedelta

from adapters.simulation.loop import SimulatedLoop
from application.ports.clock import Clock
from domain.shared.time import instant


class SimulatedClock(Clock):
    """The loop's time, counted from `start`, and wrong by `skew`, which may jump."""

    def __init__(self, loop: SimulatedLoop, start: datetime) -> None:
        self._loop, self._start = loop, instant(start)
        self._read_at, self._seen = -1.0, start
        self._skew = timedelta()

    def now(self) -> datetime:
        """This instant as this clock shows it."""
        read_at = self._loop._now
        if read_at != self._read_at:
            self._read_at = read_at
            self._seen = self._start + self._skew + timedelta(microseconds=round(read_at * 1e6))
        return self._seen

    def jump(self, skew: timedelta) -> None:
        """Be wrong by that much from now on."""
        self._skew, self._read_at = skew, -1.0
