"""Collections over any store: rows become aggregates, and what they were is remembered."""

from dataclasses import dataclass
from typing import Generic, TypeVar, cast
from uuid import UUID

from adapters.persistence.mapping import Kept
from adapters.persistence.schema.tables import Row
from adapters.persistence.store import Store
from application.ports.collections import Collection, Identified
from application.ports.criteria import Order
from domain.shared.errors import NotFound

A = TypeVar("A", bound=Identified)


@dataclass(slots=True)
class Tracked(Generic[A]):
    """One aggregate in a block, and the image it was loaded with (None: it is new). `next` is the version it has after
    the commit, once the changes are known."""

    thing: A
    was: Row | None
    removed: bool = False
    next: int | None = None


class StoredCollection(Collection[A]):
    """All aggregates of one kind in one block; each row is handed out as one object."""

    def __init__(self, kept: Kept, store: Store) -> None:
        self.kept = kept
        self._store = store
        self.tracked: dict[UUID, Tracked[A]] = {}

    async def get(self, id: UUID) -> A:
        if (known := self.tracked.get(id)) and not known.removed:
            return known.thing
        found = await self.find(id=id)
        if not found:
            raise NotFound.of(self.kept.word, id)
        return found[0]

    async def find(self, *, order: Order = Order(), limit: int | None = None, **criteria: object) -> list[A]:
        rows = await self._store.load(self.kept.table.name, criteria, order=order, limit=limit)
        return [self._track(row) for row in rows]

    async def first(self, *, order: Order = Order(), **criteria: object) -> A | None:
        found = await self.find(order=order, limit=1, **criteria)
        return found[0] if found else None

    def add(self, thing: A) -> None:
        self.tracked[thing.id] = Tracked(thing, None)

    def remove(self, thing: A) -> None:
        self.tracked[thing.id].removed = True

    def _track(self, row: Row) -> A:
        if known := self.tracked.get(row["id"]):
            return known.thing
        thing = cast(A, self.kept.mapper.build(row))
        self.tracked[thing.id] = Tracked(thing, self.kept.mapper.image(thing))
        return thing
