"""Readers over any store's views: rows become view dataclasses, pages end where the next begins."""

from typing import Any, TypeVar
from uuid import UUID

from adapters.persistence.mapper import Mapper
from adapters.persistence.mapping import BY_TABLE
from adapters.persistence.schema import VIEWS
from adapters.persistence.store import Views
from application.ports.criteria import Criteria, Order, Position
from application.ports.readers import Page, Readers
from domain.shared.actors import Actor
from domain.shared.errors import NotFound

V = TypeVar("V")


class StoredReaders(Readers):
    """Pages and single rows of any table or view, as an actor may see them."""

    def __init__(self, views: Views) -> None:
        self._views = views

    async def one(self, actor: Actor, view: type[V], id: UUID) -> V:
        page = await self.page(actor, view, {"id": id}, order=Order(), limit=1)
        if not page.items:
            raise NotFound.of(_word(view), id)
        return page.items[0]

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
        mapper, source = _mapper(view), str(view.source)  # type: ignore[attr-defined]
        rows = await self._views.rows(
            actor,
            source,
            mapper.columns,
            where,
            order=order,
            after=after,
            limit=limit + 1,
        )
        more = len(rows) > limit
        shown = rows[:limit]
        end = (shown[-1][order.by], shown[-1]["id"]) if more else None
        return Page([mapper.build(row) for row in shown], end)


_MAPPERS: dict[type[Any], Mapper[Any]] = {}


def _mapper(view: type[Any]) -> Mapper[Any]:
    if view not in _MAPPERS:
        _MAPPERS[view] = Mapper(view)
    return _MAPPERS[view]


def _word(view: type[Any]) -> str:
    base = VIEWS[view.source].base if view.source in VIEWS else view.source
    kept = BY_TABLE.get(base)
    return kept.word if kept else str(base)
