"""The bytes of files moved from one store of files to another, and weighed there."""

import asyncio
import hashlib
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, TypeVar
from uuid import UUID

from application.ports.files import ObjectFacts, Objects
from application.ports.moving import Origin, Unwatched, Watching
from domain.shared.actors import Actor
from domain.shared.errors import Forbidden, Refusal, Unauthenticated, Unavailable

T = TypeVar("T")

AT_ONCE = 16
"""How many objects are on their way at the same time: what takes time is asking, not the bytes."""
ROWS = 2_000
"""Rows of files that are read at once, for their types."""
UNKNOWN = "application/octet-stream"
"""The type of an object that no row of a file tells of."""

_REFUSES: tuple[type[Refusal], ...] = (Unauthenticated, Forbidden, Unavailable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """Objects there are, those copied now with their bytes, and those that were there already."""

    objects: int = 0
    copied: int = 0
    bytes: int = 0
    there: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesVerdict:
    """Objects whose bytes were compared; the keys of those missing, too many, and not alike."""

    objects: int
    missing: Sequence[str] = field(default=())
    too_many: Sequence[str] = field(default=())
    unlike: Sequence[str] = field(default=())

    @property
    def identical(self) -> bool:
        """Whether both hold the same."""
        return not (self.missing or self.too_many or self.unlike)


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveFiles:
    """Copy every file's bytes to where the other installation keeps its own. What is there in its whole length is not
    copied again, so that a second run does what is left; nothing is removed anywhere."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = _REFUSES
    origin: Origin
    objects: Objects
    other_objects: Objects

    async def __call__(self, actor: Actor, *, watching: Watching = Unwatched()) -> Copied:
        actor.must_be_admin()
        types = await _types(self.origin)
        total = Copied()
        async for one, new in _each(self.objects, lambda one: self._copy(one, types)):
            total = Copied(
                objects=total.objects + 1,
                copied=total.copied + new,
                bytes=total.bytes + new * one.size,
                there=total.there + (not new),
            )
            watching.told("files", rows=total.objects, bytes=total.bytes)
        return total

    async def _copy(self, one: ObjectFacts, types: Mapping[UUID, str]) -> bool:
        """Whether it had to be copied."""
        there = await self.other_objects.facts(one.key)
        if there is not None and there.size == one.size:
            return False
        content = self.objects.read(one.key)
        await self.other_objects.put(one.key, content, size=one.size, content_type=_type(one.key, types))
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyFiles:
    """Read every file's bytes at both installations and compare their hashes; name what differs."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = _REFUSES
    objects: Objects
    other_objects: Objects

    async def __call__(self, actor: Actor, *, watching: Watching = Unwatched()) -> FilesVerdict:
        actor.must_be_admin()
        seen: set[str] = set()
        missing: list[str] = []
        unlike: list[str] = []
        async for one, (here, there) in _each(
            self.objects, lambda one: _hashes(one.key, self.objects, self.other_objects)
        ):
            seen.add(one.key)
            if there is None:
                missing.append(one.key)
            elif here != there:
                unlike.append(one.key)
            watching.told("files weighed", rows=len(seen))
        too_many = [one.key async for one in self.other_objects.walk() if one.key not in seen]
        return FilesVerdict(objects=len(seen), missing=missing, too_many=too_many, unlike=unlike)


async def _each(objects: Objects, do: Callable[[ObjectFacts], Awaitable[T]]) -> AsyncIterator[tuple[ObjectFacts, T]]:
    """Every object in turn, and what doing this with it came to; as many at once as may be, none waiting for the
    slowest of a few. What goes wrong with one ends it, and those under way are let go."""
    under_way: deque[tuple[ObjectFacts, asyncio.Task[T]]] = deque()
    try:
        async for one in objects.walk():
            under_way.append((one, asyncio.ensure_future(do(one))))
            if len(under_way) == AT_ONCE:
                first, task = under_way.popleft()
                yield first, await task
        while under_way:
            first, task = under_way.popleft()
            yield first, await task
    finally:
        for _, task in under_way:
            task.cancel()
        await asyncio.gather(*(task for _, task in under_way), return_exceptions=True)


async def _hashes(key: str, here: Objects, there: Objects) -> tuple[str, str | None]:
    known = await there.facts(key)
    if known is None:
        return "", None
    one, other = await asyncio.gather(_hash(here, key), _hash(there, key))
    return one, other


async def _hash(objects: Objects, key: str) -> str:
    digest = hashlib.sha256()
    async for piece in objects.read(key):
        digest.update(piece)
    return digest.hexdigest()


async def _types(origin: Origin) -> Mapping[UUID, str]:
    """Of each file its type, as its row tells it."""
    if "files" not in (await origin.standing()).tables:
        return {}
    types: dict[UUID, str] = {}
    after = None
    while (batch := await origin.batch("files", after=after, most=ROWS)).rows:
        types |= {UUID(row["id"]): row.get("found_type") or row["content_type"] for row in batch.rows}
        after = batch.last
    return types


def _type(key: str, types: Mapping[UUID, str]) -> str:
    """The type of the file whose id the key holds."""
    for part in key.split("/"):
        try:
            return types.get(UUID(part), UNKNOWN)
        except ValueError:
            continue
    return UNKNOWN
