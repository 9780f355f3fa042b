"""Rows as one actor may see them: row-level security decides, by the key or token of who asks."""

import asyncio
from collections.abc import Sequence

from adapters.persistence.matching import sorted_rows
from adapters.persistence.schema.tables import Row
from adapters.persistence.shown import shown_to
from adapters.persistence.store import Views
from adapters.supabase.errors import unreadable
from adapters.supabase.questions import Question, answered, parts, question
from adapters.supabase.rest import Rest, rows
from application.ports.criteria import Criteria, Order, Position
from domain.shared.actors import Actor, Kind


class SupabaseViews(Views):
    """Tables and views of the project, seen by an actor."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    async def rows(
        self,
        actor: Actor,
        source: str,
        columns: Sequence[str],
        criteria: Criteria,
        *,
        order: Order,
        after: Position | None,
        limit: int,
    ) -> Sequence[Row]:
        if not shown_to(actor, source):
            return []
        wanted = tuple(dict.fromkeys((*columns, order.by, "id")))
        some = parts(question(source, wanted, criteria, order=order, after=after, limit=limit))
        found = await asyncio.gather(*(answered(part, lambda asked: self._seen(actor, asked)) for part in some))
        if len(found) == 1:
            return found[0]
        return sorted_rows((row for page in found for row in page), order, limit=limit)

    async def _seen(self, actor: Actor, asked: Question) -> Sequence[Row]:
        ask = rows(asked)
        try:
            match actor.kind:
                case Kind.ANONYMOUS:
                    return await self._rest.as_anybody(ask)
                case Kind.USER:
                    return await self._rest.as_user(actor.signed_in(), ask)
            return await self._rest.as_house(ask, again=True)
        except Exception as error:
            raise (unreadable(error) or error) from error
