"""Ids and references, from a clock's instant and a source of randomness."""

from datetime import UTC, datetime, timedelta
from random import Random, SystemRandom
from threading import Lock
from uuid import UUID

from application.ports.clock import Clock
from application.ports.ids import Ids

# Without 0 and O, 1, I and L, B (8), S (5), Z (2) and U (V): nobody mistakes one of the rest for another.
ALPHABET = "23456789ACDEFGHJKMNPQRTVWXY"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_RANDOM_BITS = 74
_LARGEST_STEP_BITS = 32


class SystemIds(Ids):
    """UUIDv7 by RFC 9562, sorting in the order they were made within a process, whatever its clock does."""

    def __init__(self, clock: Clock, *, chance: Random | None = None) -> None:
        self._clock = clock
        self._chance = chance or SystemRandom()
        self._last = -1
        self._lock = Lock()

    def new(self) -> UUID:
        """A fresh UUIDv7: the clock's millisecond, then 74 random bits, counted up within a millisecond."""
        with self._lock:
            return UUID(int=_laid_out(self._next()))

    def reference(self) -> str:
        """A fresh reference such as "K7QM-3XTR", of characters that nobody mistakes for one another."""
        drawn = "".join(self._chance.choices(ALPHABET, k=8))
        return f"{drawn[:4]}-{drawn[4:]}"

    def _next(self) -> int:
        # One number of 48 + 74 bits: a step within the same millisecond carries over into the next by itself.
        fresh = ((self._clock.now() - _EPOCH) // _MILLISECOND << _RANDOM_BITS) + self._chance.getrandbits(_RANDOM_BITS)
        if fresh >> _RANDOM_BITS <= self._last >> _RANDOM_BITS:
            fresh = self._last + 1 + self._chance.getrandbits(_LARGEST_STEP_BITS)
        self._last = fresh
        return fresh


class SeededIds(SystemIds):
    """The same ids again for the same seed and the same clock: for tests and simulations, never for a real business."""

    def __init__(self, clock: Clock, *, seed: int | str) -> None:
        super().__init__(clock, chance=Random(seed))


def _laid_out(number: int) -> int:
    milliseconds = number >> _RANDOM_BITS
    random_a = number >> 62 & 0xFFF
    random_b = number & (1 << 62) - 1
    return milliseconds << 80 | 0x7 << 76 | random_a << 64 | 0b10 << 62 | random_b
