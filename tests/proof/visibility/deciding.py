"""Random small worlds, and who of everybody in them sees which row: decided by row level security in PostgreSQL, by the
memory store behind the API's own judgement of tokens, and by a third reading."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID

import orjson

from adapters.memory.store import MemoryStore
from adapters.memory.views import Eyes, MemoryViews
from adapters.persistence.accounts import StoredAccounts
from adapters.persistence.schema import TABLES
from adapters.persistence.schema.tables import Row
from adapters.postgres.values import quoted
from domain.shared.actors import ANONYMOUS, Actor
from domain.shared.ids import SessionId, UserId
from domain.shared.time import Span
from tests.proof.visibility.reading import Asker, Reading
from tests.visibility.crowds import crowd
from tests.visibility.probe import key
from tests.visibility.rows import Rows

SCRIPT = """
create function probe.everybody(askers jsonb, statements text[]) returns jsonb language plpgsql as $$
declare asker jsonb; told jsonb[] := '{}';
begin
  for asker in select * from jsonb_array_elements(askers) loop
    perform set_config('role', asker ->> 'role', true), set_config('request.jwt.claims', asker::text, true);
    told := told || probe.listed(statements);
  end loop;
  perform set_config('role', 'none', true);
  return to_jsonb(told);
end $$
"""
"""Beside what `furnish` brings: one question answers for everybody, and all of their rows."""

PEOPLE, THINGS = 9, 10
"""In each world: few enough for everybody to have to do with everybody."""

MakeEyes = Callable[[MemoryStore, Actor], Eyes]


@dataclass(slots=True)
class Decided:
    """How often somebody was judged to see a row or not, how often they do, and where the three readings differ."""

    worlds: int = 0
    decisions: int = 0
    shown: int = 0
    differences: list[str] = field(default_factory=list)

    def add(self, other: "Decided") -> None:
        """These too."""
        self.worlds += other.worlds
        self.decisions += other.decisions
        self.shown += other.shown
        self.differences += other.differences


async def decide(connection: Any, seed: int, *, harm: str = "", eyes: MakeEyes = Eyes) -> Decided:
    """One world, judged three times; with harm done to the database before, or other eyes in memory."""
    rows, store = crowd(seed, people=PEOPLE, things=THINGS), MemoryStore()
    await store.commit(rows.changes)
    reading, askers = Reading(rows), list(_askers(rows, Random(seed)))
    tables = [table for table in TABLES if table != "tallies"]
    told = await _in_postgres(connection, rows, askers, tables, harm)
    views = StoredAccounts(MemoryViews(store))
    decided = Decided(worlds=1)
    for asker, by_table in zip(askers, told, strict=True):
        actor = await _admitted(views, rows, asker)
        look, user = eyes(store, actor), reading.whom(asker)
        for table, seen in zip(tables, by_table, strict=True):
            _compare(decided, asker, table, store, frozenset(seen or ()), look, reading, user)
    return decided


def _compare(
    decided: Decided,
    asker: Asker,
    table: str,
    store: MemoryStore,
    seen: frozenset[str],
    look: Eyes,
    reading: Reading,
    user: Row | None,
) -> None:
    for row in store.tables[table].rows.values():
        decisions = (str(row["id"]) in seen, look.see(table, row), reading.sees(user, table, row))
        decided.decisions += 1
        decided.shown += decisions[0]
        if len(set(decisions)) > 1:
            told = dict(zip(("PostgreSQL", "memory", "the words"), decisions, strict=True))
            decided.differences.append(f"{table} {row['id']} to {asker}: {told}")


def _askers(rows: Rows, chance: Random) -> Iterator[Asker]:
    """Everybody, by a token of each kind; and strangers."""
    users = [row["id"] for row in rows.of("users")]
    for user in users:
        yield Asker(user)
    for session in rows.of("sessions"):
        yield Asker(session["user_id"], session["id"])
        if chance.random() < 0.1:
            yield Asker(chance.choice(users), session["id"])
    for known in rows.of("external_identities"):
        yield Asker(subject=known["subject"])
        if chance.random() < 0.2:
            yield Asker(subject=known["subject"], issuer="https://other.example")
    yield Asker(rows.new_id())
    yield Asker(users[0], rows.new_id())
    yield Asker(subject=str(users[0]))
    yield Asker()


async def _admitted(accounts: StoredAccounts, rows: Rows, asker: Asker) -> Actor:
    """The actor the API makes of that token: nobody, where it refuses."""
    user_id: UUID | None = asker.user_id
    if asker.subject is not None:
        named = (asker.issuer, asker.subject)
        known = [row for row in rows.of("external_identities") if (row["issuer"], row["subject"]) == named]
        user_id = next((row["user_id"] for row in known if row["ended_at"] is None), None)
    if user_id is None:
        return ANONYMOUS
    if asker.session_id is not None:
        state = await accounts.account(UserId(user_id), SessionId(asker.session_id))
        if state.revoked or state.suspended:
            return ANONYMOUS
    return Actor(user_id=UserId(user_id))


async def _in_postgres(
    connection: Any, rows: Rows, askers: list[Asker], tables: list[str], harm: str
) -> list[list[list[str] | None]]:
    transaction = connection.transaction()
    await transaction.start()
    try:
        for table in tables:
            if made := rows.of(table):
                names = ", ".join(quoted(column.name) for column in TABLES[table].columns)
                await connection.execute(
                    f"insert into {table} ({names}) select {names} from jsonb_populate_recordset(null::{table}, $1)",
                    orjson.dumps(made, default=_span, option=orjson.OPT_PASSTHROUGH_DATACLASS).decode(),
                )
        if harm:
            await connection.execute(harm)
        statements = [f"select {key(table)}::text from {table}" for table in tables]
        claims = orjson.dumps([asker.claims for asker in askers]).decode()
        told = await connection.fetchval("select probe.everybody($1, $2)", claims, statements)
        answer: list[list[list[str] | None]] = orjson.loads(told)
        return answer
    finally:
        await transaction.rollback()


def _span(value: object) -> str:
    assert isinstance(value, Span), value
    return f"[{value.starts_at.isoformat()},{value.ends_at.isoformat()})"
