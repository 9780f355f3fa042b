"""The store on a Supabase project: a load is a request, a commit is one function call, and that is one transaction."""

import asyncio
from collections.abc import Awaitable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from adapters.persistence.matching import sorted_rows
from adapters.persistence.schema import TABLES
from adapters.persistence.schema.tables import Row
from adapters.persistence.steps import Step, steps
from adapters.persistence.store import Changes, Numbers, Store
from adapters.supabase.errors import refused, undone, unreadable
from adapters.supabase.questions import answered, parts, question
from adapters.supabase.rest import Rest, call, number, rows
from adapters.supabase.values import received, told
from application.ports.criteria import Criteria, Order, Position
from domain.shared.errors import Conflict

T = TypeVar("T")

TRIES = 3


class SupabaseStore(Store):
    """Reads and commits as the house itself, by the project's secret key."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    async def load(
        self,
        table: str,
        criteria: Criteria,
        *,
        order: Order = Order(),
        after: Position | None = None,
        limit: int | None = None,
    ) -> Sequence[Row]:
        if table == "tallies" and order.by == "id":
            order = Order("name", order.descending)
        whole = question(table, TABLES[table].names, criteria, order=order, after=after, limit=limit)
        some = parts(whole)
        found = await asyncio.gather(
            *(answered(part, lambda asked: self._asked(self._rest.as_house(rows(asked), again=True))) for part in some)
        )
        if len(found) == 1:
            return found[0]
        return sorted_rows((row for page in found for row in page), order, limit=limit)

    async def count(self, table: str, criteria: Criteria) -> int:
        whole = question(table, (), criteria, order=Order(), after=None, limit=None)
        if whole.aside:
            return len(await self.load(table, criteria))
        counts = (self._asked(self._rest.as_house(number(part), again=True)) for part in parts(whole))
        return sum(await asyncio.gather(*counts))

    async def commit(self, changes: Changes) -> Numbers:
        if changes == Changes():
            return {}
        arguments = {"changes": [_told(step) for step in steps(changes)]}
        for _ in range(TRIES):
            try:
                answer = await self._rest.as_house(call("commit_changes", arguments), again=False)
            except Exception as error:
                raise (refused(error) or error) from error
            if "numbers" in answer:
                return dict(answer["numbers"])
            if "refused" in answer:
                raise undone(answer)
        raise Conflict("too many at once; try again")

    async def claim(self, *, now: datetime, lease: timedelta, limit: int) -> Sequence[Row]:
        arguments = {"due": now.isoformat(), "lease_until": (now + lease).isoformat(), "most": limit}
        claimed = await self._asked(self._rest.as_house(call("claim_events", arguments), again=False))
        leased = [received("outbox", row) for row in claimed]
        return sorted(leased, key=lambda row: (row["due_at"], row["id"]))

    async def _asked(self, asking: Awaitable[T]) -> T:
        try:
            return await asking
        except Exception as error:
            raise (unreadable(error) or error) from error


def _told(step: Step) -> dict[str, Any]:
    """The step as `commit_changes` takes it: its values in lists, and once what they are called."""
    kind, table = step.part
    part: dict[str, Any] = {
        "kind": kind,
        "table": table,
        "rows": [[told(column, value) for column, value in zip(step.columns, row, strict=True)] for row in step.rows],
    }
    if kind in ("insert", "number", "update"):
        part["columns"] = TABLES[table].names
    if kind == "number":
        part["numbered"] = TABLES[table].numbered
    return part
