"""Rows as one actor may see them, by the same declared visibility that PostgreSQL enforces."""

from collections.abc import Sequence
from typing import Any

from adapters.memory.store import MemoryStore
from adapters.memory.values import copied
from adapters.persistence.matching import matches, sorted_rows
from adapters.persistence.schema import TABLES, VIEWS, columns_of
from adapters.persistence.schema.tables import Latest, Row, View
from adapters.persistence.shown import HOUSE, private, shown_to
from adapters.persistence.store import Views
from adapters.persistence.values import asked, placed
from application.ports.criteria import Criteria, Order, Position
from application.visibility import (
    VISIBILITY,
    Addressed,
    Admin,
    Everyone,
    ManagerOf,
    MemberOf,
    Own,
    Participant,
    PublicWhen,
    Term,
)
from domain.shared.actors import Actor, Kind


class MemoryViews(Views):
    """Tables and views of a memory store, seen by an actor."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

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
        wanted = {*columns, order.by, "id"}
        if not shown_to(actor, source):
            return []
        if actor.kind not in HOUSE and (refused := private(source) & {*wanted, *criteria}):
            raise PermissionError(f"{', '.join(sorted(refused))} of {source}: for the house only")
        declared = columns_of(source)
        asked(declared, criteria)
        placed(declared[order.by], after)
        eyes = Eyes(self._store, actor)
        if source in TABLES:
            rows: list[Row] = [
                row
                for row in self._store.candidates(source, criteria)
                if matches(row, criteria) and eyes.see(source, row)
            ]
        else:
            rows = [row for row in self._joined(VIEWS[source], eyes, criteria) if matches(row, criteria)]
        ordered = sorted_rows(rows, order, after=after, limit=limit)
        return [{column: copied(declared[column], row[column]) for column in wanted} for row in ordered]

    def _joined(self, view: View, eyes: "Eyes", criteria: Criteria) -> list[Row]:
        base_columns = {column: wanted for column, wanted in criteria.items() if column in view.columns}
        return [
            joined(self._store, view, row, eyes)
            for row in self._store.candidates(view.base, base_columns)
            if matches(row, base_columns) and eyes.see(view.base, row)
        ]


def joined(store: MemoryStore, view: View, base: Row, eyes: "Eyes") -> Row:
    """A base row as the view shows it, with what is visible of the rows beside it."""
    row = {column: base[column] for column in view.columns}
    for join in view.joins:
        others = [
            other
            for other in store.candidates(join.table, {join.there: base[join.here]})
            if other[join.there] == base[join.here] and eyes.see(join.table, other)
        ]
        if isinstance(join, Latest):
            others = sorted(others, key=lambda other: other[join.by])[-1:]
        found = others[0] if others else None
        row.update({name: found[column] if found else None for name, column in join.columns.items()})
    return row


class Eyes:
    """What one actor sees: the house and its operators everything, others by the declared terms. Who is suspended is
    nobody."""

    def __init__(self, store: MemoryStore, actor: Actor) -> None:
        self._store = store
        self._all = actor.kind in HOUSE
        self._me: Any = None
        self._admin = False
        self._address: str | None = None
        self._member: frozenset[Any] = frozenset()
        self._manager: frozenset[Any] = frozenset()
        self._talks: frozenset[Any] = frozenset()
        user = store.tables["users"].rows.get(actor.user_id) if actor.kind is Kind.USER else None
        if user is not None and user["suspended_at"] is None:
            self._me, self._admin = user["id"], user["role"] == "admin"
            self._address = user["email"] if user["email_verified_at"] is not None else None
            self._look_up()

    def see(self, table: str, row: Row) -> bool:
        """Whether this actor may see that row."""
        return self._all or any(self._by(term, row) for term in VISIBILITY[table])

    def _look_up(self) -> None:
        mine = list(self._store.candidates("memberships", {"user_id": self._me}))
        mine = [row for row in mine if row["user_id"] == self._me]
        self._member = frozenset(row["organization_id"] for row in mine)
        self._manager = frozenset(row["organization_id"] for row in mine if row["role"] in ("owner", "manager"))
        talks = self._store.candidates("participants", {"user_id": self._me})
        self._talks = frozenset(row["conversation_id"] for row in talks if row["user_id"] == self._me)

    def _by(self, term: Term, row: Row) -> bool:
        match term:
            case Everyone():
                return True
            case PublicWhen(column, value):
                return bool(row[column] == value)
            case Own(column):
                return self._me is not None and row[column] == self._me
            case Addressed(column):
                return self._address is not None and row[column] == self._address
            case MemberOf(column):
                return row[column] in self._member
            case ManagerOf(column):
                return row[column] in self._manager
            case Participant(column):
                return row[column] in self._talks
            case Admin():
                return self._admin
