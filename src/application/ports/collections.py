"""Collections: aggregates by their plural noun, loaded whole and watched until the block is left."""

from typing import Protocol, TypeVar
from uuid import UUID

from application.ports.criteria import Order


class Identified(Protocol):
    """Anything stored under an id."""

    @property
    def id(self) -> UUID: ...


A = TypeVar("A", bound=Identified)


class Collection(Protocol[A]):
    """All aggregates of one kind, in one unit of work. What it hands out is watched; changes are written on leaving."""

    async def get(self, id: UUID) -> A:
        """The aggregate of that id, the same object each time within a block; refuses with `NotFound`."""
        ...

    async def find(self, *, order: Order = Order(), limit: int | None = None, **criteria: object) -> list[A]:
        """Those stored that match (see `criteria`); queries see the store, never what the block has not yet written."""
        ...

    async def first(self, *, order: Order = Order(), **criteria: object) -> A | None:
        """The first that matches, or None."""
        ...

    def add(self, thing: A) -> None:
        """Store a new one on leaving the block."""
        ...

    def remove(self, thing: A) -> None:
        """Delete a loaded one on leaving the block."""
        ...
