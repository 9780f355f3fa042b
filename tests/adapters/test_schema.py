"""The schema says the same twice: what memory interprets and what PostgreSQL enforces refuse the same rows.

Every table is fed valid rows, rows with one column bent in every way its type allows, and rows bent in several columns
at random. Both stores must say the same to each, and every constraint must have refused at least one."""

import re
from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest

from adapters.persistence import refusals
from adapters.persistence.schema import TABLES
from adapters.persistence.schema.tables import Check, Constraint, Excludes, References, Row, Table, Type, Unique
from adapters.persistence.store import Delete, Insert
from domain.shared.time import EARLIEST, LATEST, Span
from tests.contracts.rows import HOUR, LATER, PLAIN, VARIANTS, Rows
from tests.contracts.stores import (
    EMBEDDED,
    FIFTEEN,
    NOW,
    Backend,
    backend,
    connected,
    in_memory,
    on_postgres,
    outcome,
    server_of,
    told,
)
from tests.support.servers import Servers

__all__ = ["backend"]

BENT_AT_RANDOM = 40
NOBODY = UUID(int=404)
WIDE = 2**62
"""As far as sums of two columns still are 64-bit integers."""

TOGETHER: dict[str, tuple[Row, ...]] = {
    "purchases": ({"state": "provisioned", "provisioned_at": NOW, "user_id": None},),
    "payments": ({"booking_id": None, "invoice_id": NOBODY},),
    "refunds": ({"booking_id": None, "invoice_id": NOBODY},),
    "ledger": ({"booking_id": None, "invoice_id": NOBODY},),
    "balances": ({"books": "organization", "organization_id": NOBODY}, {"books": "nobody's", "organization_id": None}),
    "reviews": (
        {"side": "neither", "author_id": NOBODY, "provider_id": NOBODY},
        {"side": "provider", "author_id": NOBODY, "provider_id": NOBODY},
        {"side": "customer", "author_id": NOBODY, "customer_id": NOBODY},
    ),
    "conversations": (
        {"kind": "chat", "pair": None},
        {"kind": "booking", "pair": None, "booking_id": NOBODY},
    ),
}
"""Rows that must be bent in several columns at once to meet just the constraint in question."""

SHADOWED = {told(refusals.violation("reviews_author")), told(refusals.violation("invoices_total"))}
"""An author is always one of two users whose own references are judged before; an invoice of less than nothing is one
that was credited by more than its total."""

NAMED = [(name, table) for name, table in TABLES.items() if name != "tallies"]


class Twins:
    """Two stores that are told the same."""

    def __init__(self, one: Backend, other: Backend) -> None:
        self.one, self.other = one, other

    async def both_say(self, *inserts: Insert | Delete) -> str:
        """What both say to this commit; fails when they disagree."""
        said = await outcome(self.one.commit(*inserts))
        other = await outcome(self.other.commit(*inserts))
        assert said == other, f"{self.one.name} says {said}, {self.other.name} says {other}, to {inserts[-1]}"
        return said


@pytest.mark.parametrize("name", [name for name, _ in NAMED])
@pytest.mark.parametrize("store", [EMBEDDED, FIFTEEN])
async def test_the_same_constraint_refuses_on_every_store(store: str, name: str, postgres_servers: Servers) -> None:
    with server_of(postgres_servers, store).clone() as url:
        async with on_postgres(url, store, size=1) as postgres:
            await _agree(name, Twins(in_memory(), postgres))


async def test_a_store_that_forgets_a_constraint_is_found(database: str) -> None:
    memory = in_memory()
    memory.store.tables["users"]._checks.clear()  # type: ignore[attr-defined]
    async with on_postgres(database, size=1) as postgres:
        with pytest.raises(AssertionError, match="memory says done, postgres-18 says Violation"):
            await _agree("users", Twins(memory, postgres))
        async with connected(database) as owner:
            await owner.execute("alter table organizations drop constraint organizations_owners")
        with pytest.raises(AssertionError, match="postgres-18 says done"):
            await _agree("organizations", Twins(in_memory(), postgres))


async def test_a_constraint_that_no_row_meets_is_found(database: str) -> None:
    memory = in_memory()
    memory.store.tables["organizations"]._checks.clear()  # type: ignore[attr-defined]
    async with on_postgres(database, size=1) as postgres:
        async with connected(database) as owner:
            await owner.execute("alter table organizations drop constraint organizations_owners")
        with pytest.raises(AssertionError, match=r"nothing broke .*organizations_owners"):
            await _agree("organizations", Twins(memory, postgres))


async def test_a_row_that_others_refer_to_stays(backend: Backend) -> None:
    rows = Rows("referred to")
    for name, table in NAMED:
        for reference in (c for c in table.constraints if isinstance(c, References)):
            row = rows.row(name)
            if reference.name == "reviews_author":
                continue
            if reference.column != "id":
                parent = rows.row(reference.table)
                rows.parents.append(Insert(reference.table, parent))
                row[reference.column] = parent["id"]
            if reference.name == "reviews_customer":
                row |= {"side": "provider", "author_id": row["provider_id"]}
            if reference.name == "conversations_booking":
                row |= {"kind": "booking", "pair": None}
            if reference.column == "invoice_id" and "booking_id" in row:
                row["booking_id"] = None
            if reference.name == "balances_organization":
                row["books"] = "organization"
            await backend.commit(*rows.parents, Insert(name, row))
            rows.parents.clear()
            gone = Delete(reference.table, row[reference.column], 1)
            assert await outcome(backend.commit(gone)) == told(refusals.violation(reference.name))


def test_every_table_has_a_row_to_begin_with() -> None:
    assert PLAIN.keys() == TABLES.keys()


async def _agree(name: str, twins: Twins) -> None:
    """Feed the table's rows to both; every constraint must have refused some."""
    table, rows = TABLES[name], Rows(name)
    heard: set[str] = set()
    for number, row in enumerate(_candidates(table, rows)):
        if rows.parents:
            assert await twins.both_say(*rows.parents) == "done"
            rows.parents.clear()
        heard.add(said := await twins.both_say(Insert(name, row)))
        assert said == "done" or number > len(VARIANTS.get(name, ())), f"{said}, to a valid {name}: {row}"
    stored = [await each.rows(name) for each in (twins.one, twins.other)]
    assert stored[0] == stored[1]
    expected = {_refusal_of(table, constraint) for constraint in _constraints(table)} - SHADOWED
    assert expected <= heard, f"nothing broke {expected - heard}"


def _candidates(table: Table, rows: Rows) -> Iterator[Row]:
    """Rows to try, valid ones first."""
    variants = ({}, *VARIANTS.get(table.name, ()))
    for variant in variants:
        yield rows.row(table.name, **variant)
    for variant in variants:
        for column in table.columns:
            for value in _values(table, column.name):
                yield rows.row(table.name, **{**variant, column.name: value})
    yield from _twice(table, rows)
    for bend in TOGETHER.get(table.name, ()):
        yield rows.row(table.name, **bend)
    chance = Random(table.name)
    for _ in range(BENT_AT_RANDOM):
        variant = chance.choice(variants)
        bent = chance.sample(table.columns, k=chance.randint(2, 4))
        row = rows.row(table.name, **variant)
        yield row | {column.name: chance.choice(_values(table, column.name)) for column in bent}


def _twice(table: Table, rows: Rows) -> Iterator[Row]:
    """Rows that clash with one that is there: the same key, the same unique columns, the same time."""
    for variant in ({}, *VARIANTS.get(table.name, ())):
        first = rows.row(table.name, **variant)
        yield first
        yield rows.row(table.name, **variant) | {"id": first["id"]}
        for constraint in table.constraints:
            if isinstance(constraint, Unique):
                yield rows.row(table.name, **{**variant, **{column: first[column] for column in constraint.columns}})
            if isinstance(constraint, Excludes):
                same = {column: first[column] for column in (constraint.equal, constraint.overlap)}
                yield rows.row(table.name, **{**variant, **same})
                yield rows.row(table.name, **{**variant, **same, constraint.differ: first[constraint.differ]})


def _values(table: Table, column: str) -> list[Any]:
    """What to put into a column: nothing, the ends of its type, and whatever the table's checks speak of."""
    said = " ".join(c.sql for c in table.constraints if isinstance(c, Check) and re.search(rf"\b{column}\b", c.sql))
    match table.column(column).type:
        case Type.TEXT:
            words = re.findall(r"'([^']*)'", said)
            lengths = [int(found) for found in re.findall(r"char_length\(.*?\) between \d+ and (\d+)", said)]
            texts = [n * "x" for length in lengths for n in (length, length + 1)]
            return [None, "", "Ada@Example.org", "É@example.org", "ß\U0001f3b8", "EUR", "USD", *words, *texts]
        case Type.BIGINT:
            numbers = {int(found) + step for found in re.findall(r"-?\d+", said) for step in (-1, 0, 1)}
            return [None, -WIDE, -1, 0, 1, 2, 4500, 4501, WIDE, *sorted(numbers)]
        case Type.BOOLEAN:
            return [None, True, False]
        case Type.INSTANT:
            return [None, EARLIEST, NOW, NOW + timedelta(microseconds=1), LATER, LATEST]
        case Type.SPAN:
            half = timedelta(minutes=30)
            wide = Span(HOUR.starts_at - half, HOUR.ends_at + half)
            return [None, HOUR, wide, Span(NOW + half, LATER), Span(NOW, NOW + half), Span(EARLIEST, LATEST)]
        case Type.UUID:
            return [None, *(Rows(n).id() for n in range(2))]
        case Type.DATE:
            return [None, NOW.date()]
        case Type.JSON:
            return [None, {}, [], [[], {}], {"a": [1, None, "ä"]}, "text", 0, True]
    raise AssertionError(table.column(column).type)


def _constraints(table: Table) -> Iterator[Constraint | str]:
    """All that may refuse a row: the declared constraints, the key, and columns that are never empty."""
    yield from table.constraints
    yield f"{table.name}_pkey"
    yield from (f"{table.name}_{column.name}_not_null" for column in table.columns if not column.nullable)


def _refusal_of(table: Table, constraint: Constraint | str) -> str:
    match constraint:
        case Unique(name) | Excludes(name):
            refusal = refusals.duplicate(name)
        case Check(name) | References(name):
            refusal = refusals.violation(name)
        case str(name) if name.endswith("_pkey"):
            refusal = refusals.duplicate(name)
        case str(name):
            refusal = refusals.violation(name)
    return told(refusal)
