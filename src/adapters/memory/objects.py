"""Bytes in memory, forgotten on exit."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

from application.ports.clock import Clock
from application.ports.files import DirectAccess, Directions, ObjectFacts, ObjectMissing, Objects

PIECE = 256 * 1024


class MemoryObjects(Objects, DirectAccess):
    """Whole objects by key. There is no way to them but through this process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[str, tuple[bytes, datetime]] = {}

    async def put(self, key: str, content: AsyncIterator[bytes], *, size: int, content_type: str) -> None:
        taken = b"".join([piece async for piece in content])
        if len(taken) != size:
            raise ValueError(f"{key}: {len(taken)} bytes instead of {size}")
        self._kept[key] = taken, self._clock.now()

    async def read(self, key: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        if key not in self._kept:
            raise ObjectMissing(key)
        content = self._kept[key][0][start:end]
        for at in range(0, len(content), PIECE):
            yield content[at : at + PIECE]

    async def facts(self, key: str) -> ObjectFacts | None:
        if key not in self._kept:
            return None
        content, modified_at = self._kept[key]
        return ObjectFacts(key, len(content), modified_at)

    async def remove(self, keys: Sequence[str]) -> None:
        for key in keys:
            self._kept.pop(key, None)

    async def walk(self) -> AsyncIterator[ObjectFacts]:
        for key, (content, modified_at) in sorted(self._kept.items()):
            yield ObjectFacts(key, len(content), modified_at)

    async def to_put(
        self, key: str, *, size: int, content_type: str, now: datetime, until: datetime
    ) -> Directions | None:
        return None

    async def to_get(self, key: str, *, life: timedelta) -> str | None:
        return None
