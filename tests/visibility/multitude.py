"""A marketplace of realistic size, made in the database itself: so many bookings, messages and jobs that a plan without
an index would show."""

from typing import Any

from adapters.persistence.schema import TABLES
from adapters.postgres.values import cast, quoted, sent
from tests.visibility.rows import Rows

PEOPLE, ORGANIZATIONS, CONVERSATIONS = 2_000, 200, 1_000
ME = "md5('person 7')::uuid"
"""Somebody who books, works for an organization, and takes part in conversations, as everybody here does."""


def person(number: str) -> str:
    """The id of a person, by an SQL expression for their number."""
    return f"md5('person ' || ({number}) % {PEOPLE})::uuid"


async def gather(connection: Any, size: int) -> None:
    """All of it, with so many bookings, jobs, messages and notifications; past triggers and references, for which who
    writes by the million has no time."""
    organization = f"md5('organization ' || g % {ORGANIZATIONS})::uuid"
    conversation = f"md5('conversation ' || g % {CONVERSATIONS})::uuid"
    moment = "timestamptz '2026-03-02 09:00Z' + g * interval '1 second'"
    provider = person(f"g % {ORGANIZATIONS} * 3 + 1")
    await connection.execute("set session_replication_role = replica")
    await _many(connection, "users", PEOPLE, id=person("g"), email="'p' || g || '@example.org'")
    await _many(connection, "profiles", PEOPLE, id=person("g"))
    await _many(connection, "organizations", ORGANIZATIONS, id=organization)
    role = "case when g < 200 then 'owner' else 'member' end"
    of = {"organization_id": organization, "user_id": person("g"), "role": role}
    await _many(connection, "memberships", PEOPLE, **of)
    words = "'lesson w' || g % 5000 || ' town' || g % 50"
    state = "case when g % 10 = 0 then 'draft' else 'published' end"
    await _many(
        connection,
        "jobs",
        size,
        id="md5('job ' || g)::uuid",
        organization_id=organization,
        provider_id=provider,
        state=state,
        created_at=moment,
        published_at=moment,
        words=words,
        title_words=words,
        place_words="'town' || g % 50",
    )
    await _many(connection, "ratings", size, id="md5('job ' || g)::uuid", provider_id=provider)
    await _many(
        connection,
        "bookings",
        size,
        reference="'R' || g",
        job_id="md5('job ' || g)::uuid",
        organization_id=organization,
        provider_id=provider,
        customer_id=person("g * 7 + 2"),
        created_at=moment,
    )
    await _many(connection, "conversations", CONVERSATIONS, id=conversation, pair="'pair ' || g")
    for side in (0, 1):
        who = {"id": f"md5('participant {side} ' || g)::uuid", "user_id": person(f"g + {side}")}
        await _many(connection, "participants", CONVERSATIONS, **who, conversation_id=conversation)
    sequence = f"g / {CONVERSATIONS} + 1"
    await _many(connection, "messages", size, conversation_id=conversation, sequence=sequence)
    await _many(connection, "notifications", size, user_id=person("g"), created_at=moment)
    await connection.execute("reset session_replication_role")
    await connection.execute("analyze")


async def _many(connection: Any, table: str, count: int, **said: str) -> None:
    """So many rows: these columns by expressions over the number g, an id of its own, and the others as usual."""
    rows = Rows()
    rows.add(table)
    usual = rows.of(table)[0]
    said = {"id": "gen_random_uuid()", **said}
    rest = [column for column in TABLES[table].columns if column.name not in said]
    values = [f"${number}::{cast(column)}" for number, column in enumerate(rest, 1)]
    names = ", ".join(quoted(name) for name in (*said, *(column.name for column in rest)))
    made = f"select {', '.join((*said.values(), *values))} from generate_series(0, {count - 1}) g"
    await connection.execute(f"insert into {table} ({names}) {made}", *(sent(usual[column.name]) for column in rest))
