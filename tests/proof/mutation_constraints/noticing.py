"""Dropping one thing at a time, inside a transaction, and looking who notices."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import asyncpg

from adapters.memory.store import MemoryStore
from adapters.persistence.schema import TABLES
from adapters.persistence.schema.tables import Row
from adapters.persistence.store import Changes, Insert
from adapters.postgres.values import cast, quoted, sent
from domain.shared.errors import Refusal
from tests.contracts.rows import Rows
from tests.proof.mutation_constraints.catalogue import Held
from tests.proof.mutation_constraints.probes import Probe, declared, probe, same_key, without
from tests.test_drift import catalog
from tests.visibility.probe import complaints, misfits, touched
from tests.visibility.world import World

SILENT = ""
BY_MATRIX = "the visibility matrix"
BY_PROBE = "a row that it alone refuses"
BY_REWRITING = "rewriting what is kept"
BY_CATALOGUE = "the catalogue compared with the schema"
IMPLIED = {
    "ratings_count": "`total between count and 5 * count` leaves no room for a negative count",
    "reviews_author": "the author is the customer or the provider, and both are references already",
}
"""Constraints that no row can break alone, and why: whoever drops one is told by the catalogue only. So it is with row
level security where nothing is granted, or everything shown to everybody."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Who noticed that something was gone; nobody, when `by` is empty, and then `why`."""

    held: Held
    by: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Bench:
    """A furnished database: a connection that speaks JSON as Python values, a plain one, and who lives there."""

    connection: Any
    plain: Any
    here: World


async def judge(bench: Bench, held: Held) -> Verdict:
    """Whether somebody notices when this is dropped. Undone before it returns."""
    match held.kind:
        case "policy" | "row level security":
            verdict = await _by_the_matrix(bench.plain, bench.here, held)
        case "trigger":
            verdict = await _by_rewriting(bench.connection, held)
        case _:
            verdict = await _by_a_row(bench.connection, held)
    if held.name not in IMPLIED and held.kind != "row level security":
        return verdict
    if held.name in IMPLIED and verdict.by:
        return Verdict(held, SILENT, "it is said to be implied by others, and is not")
    return verdict if verdict.by else await _by_the_catalogue(bench.plain, held)


def probes_of(held: Held) -> Iterator[Probe]:
    """Rows that this constraint may be the only one to refuse, the likeliest first."""
    if held.kind == "primary key":
        yield same_key(TABLES[held.table])
    elif held.kind == "not null":
        yield from without(TABLES[held.table], TABLES[held.table].column(held.name))
    elif (found := declared(held.name)) and (tried := probe(*found)):
        yield tried


async def refusal(connection: Any, tried: Probe) -> str | None:
    """The constraint that refuses the probe's row, or the column that may not be empty; None when it is taken."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        for each in tried.accepted:
            await insert(connection, each.table, each.row)
        await insert(connection, tried.table, tried.refused)
    except asyncpg.NotNullViolationError as error:
        return str(error.column_name)
    except asyncpg.IntegrityConstraintViolationError as error:
        return str(error.constraint_name)
    else:
        return None
    finally:
        await transaction.rollback()


async def refused_in_memory(tried: Probe) -> bool:
    """Whether the memory store minds it too; numbers are handed out there by other means."""
    if tried.table == "tallies":
        return True
    store = MemoryStore()
    await store.commit(Changes(writes=tried.accepted))
    try:
        await store.commit(Changes(writes=(Insert(tried.table, tried.refused),)))
    except Refusal:
        return True
    return False


async def insert(connection: Any, table: str, row: Row) -> None:
    """One row, as the database takes it."""
    columns = TABLES[table].columns
    places = ", ".join(f"${number}::{cast(column)}" for number, column in enumerate(columns, 1))
    names = ", ".join(quoted(column.name) for column in columns)
    values = [sent(row[column.name]) for column in columns]
    await connection.execute(f"insert into {quoted(table)} ({names}) values ({places})", *values)


async def _by_a_row(connection: Any, held: Held) -> Verdict:
    why = "no row was found that it alone refuses"
    for tried in probes_of(held):
        before = await refusal(connection, tried)
        if before != held.name:
            return Verdict(held, SILENT, f"its probe {tried.refused} is refused by {before}")
        if not await refused_in_memory(tried):
            return Verdict(held, SILENT, f"the memory store takes {tried.refused}")
        after = await _without(connection, held, tried)
        if after is None:
            return Verdict(held, BY_PROBE)
        why = f"then {after} refuses {tried.refused}"
    return Verdict(held, SILENT, why)


async def _without(connection: Any, held: Held, tried: Probe) -> str | None:
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(held.dropped)
        return await refusal(connection, tried)
    finally:
        await transaction.rollback()


async def _by_the_catalogue(connection: Any, held: Held) -> Verdict:
    """What is said twice on purpose: tests/test_drift.py compares the catalogue with the schema."""
    before = await catalog(connection)
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(held.dropped)
        after = await catalog(connection)
    finally:
        await transaction.rollback()
    return Verdict(held, BY_CATALOGUE) if before != after else Verdict(held, SILENT, "nobody sees it")


async def _by_the_matrix(connection: Any, here: World, held: Held) -> Verdict:
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(held.dropped)
        sources = touched(held.table)
        found = await complaints(connection, here, sources, writes=False, identities=here.witnesses)
        found += await misfits(connection)
        if not found:
            found = await complaints(connection, here, sources, reads=False, identities=here.witnesses)
        return Verdict(held, BY_MATRIX if found else SILENT, "" if found else "the matrix has no complaint")
    except asyncpg.PostgresError as error:
        return Verdict(held, BY_MATRIX, f"{error}")
    finally:
        await transaction.rollback()


async def _by_rewriting(connection: Any, held: Held) -> Verdict:
    """Rows of an append-only table are refused to be changed and removed; without the trigger they are not."""
    statements = (f"update {held.table} set id = gen_random_uuid()", f"delete from {held.table}")
    before = [await _refuses(connection, held, statement) for statement in statements]
    if before != [True, True]:
        return Verdict(held, SILENT, "rows can be rewritten beside it")
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(held.dropped)
        after = [await _refuses(connection, held, statement) for statement in statements]
    finally:
        await transaction.rollback()
    return Verdict(held, SILENT if any(after) else BY_REWRITING, f"still refused: {after}" if any(after) else "")


async def _refuses(connection: Any, held: Held, statement: str) -> bool:
    transaction = connection.transaction()
    await transaction.start()
    try:
        for each in Rows("kept").inserts(held.table):
            await insert(connection, each.table, each.row)
        await connection.execute(statement)
    except asyncpg.PostgresError as error:
        return getattr(error, "sqlstate", "") == "GH002"
    else:
        return False
    finally:
        await transaction.rollback()
