"""Readers answer lists, details and searches with views, and only with what the actor may see."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from application.ports.criteria import Criteria, Order, Position
from domain.shared.actors import Actor

V = TypeVar("V")
W = TypeVar("W")


@dataclass(frozen=True, slots=True)
class Page(Generic[V]):
    """Some rows, and where to go on; `next` is None on the last page."""

    items: list[V]
    next: Position | None = None

    def map(self, each: Callable[[V], W]) -> "Page[W]":
        """The same page of other things."""
        return Page([each(item) for item in self.items], self.next)


class Readers(Protocol):
    """Rows of a table or view as dataclasses. A view class names its source in `source: ClassVar[str]`; its fields
    are columns of that source."""

    async def one(self, actor: Actor, view: type[V], id: UUID) -> V:
        """The row of that id; `NotFound` when there is none that this actor may see."""
        ...

    async def page(
        self,
        actor: Actor,
        view: type[V],
        where: Criteria,
        *,
        order: Order,
        after: Position | None = None,
        limit: int,
    ) -> Page[V]:
        """The next `limit` rows this actor may see that match, in order, after that position."""
        ...
