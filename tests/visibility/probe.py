"""Asking a real database, as everybody there is, for everything, by SQL; and complaining where it answers wrongly."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import orjson

from adapters.persistence.schema import TABLES, VIEWS
from adapters.postgres.pools import Pool
from adapters.postgres.store import PostgresStore
from tests.visibility.expectations import (
    FUNCTIONS,
    MARKS,
    OF_THE_OWNER,
    PRIVATE,
    SEEN_BY,
    VIEWS_SHOW,
    WRITES,
    may_ask,
    may_write,
    seen,
    sources,
)
from tests.visibility.world import Identity, World

REFUSED = "42501"
NOT_FOR_WRITING = {"55000", "42809"}
"""What a view of several tables says to every write."""

# Run as whoever asks: each statement by itself, so that one refusal does not end the others.
_SCRIPT = """
create schema probe;
grant usage on schema probe to public;
create function probe.listed(statements text[]) returns jsonb language plpgsql as $$
declare statement text; found jsonb; answer jsonb := '[]';
begin
  foreach statement in array statements loop
    begin
      execute 'select coalesce(jsonb_agg(found.key), ''[]'') from (' || statement || ') as found(key)' into found;
    exception when insufficient_privilege then found := 'null';
    end;
    answer := answer || jsonb_build_array(found);
  end loop;
  return answer;
end $$;
create function probe.tried(statements text[]) returns text[] language plpgsql as $$
declare statement text; answer text[] := '{}';
begin
  foreach statement in array statements loop
    begin
      execute statement;
      answer := answer || 'done'::text;
    exception when others then answer := answer || sqlstate::text;
    end;
  end loop;
  return answer;
end $$;
"""

_FOUND = "select id_::text from search_jobs({}, 'newest', null, null, null, null)"
SEARCH = "search_jobs"
"""The one function that shows rows: the same to everybody."""

_PRIVILEGES = """
select c.relname as source, r.role, p.verb, a.attname as column
from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
cross join unnest(array['anon', 'authenticated', 'guildhall_app']) as r(role)
cross join unnest(array['select', 'insert', 'update', 'references']) as p(verb)
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'v', 'm', 'p', 'f')
  and c.relname = any ($1) and has_column_privilege(r.role, c.oid, a.attnum, p.verb)
"""
_COLUMNS = """
select c.relname as source, a.attname as column from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relnamespace = 'public'::regnamespace and c.relname = any ($1)
"""
_FUNCTIONS = """
select p.proname as name, p.prosecdef as definer, p.proowner::regrole::text as owner, p.proconfig as settings,
  array(select r from unnest(array['anon', 'authenticated', 'service_role']) r
        where has_function_privilege(r, p.oid, 'execute')) as callers
from pg_proc p where p.pronamespace = 'public'::regnamespace
  and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
"""


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Any]:
    """A connection of the database's owner, who can be anybody."""
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def furnish(url: str, here: World) -> None:
    """Put the world into this database as the house does, and make it ready for asking."""
    pool = Pool(url, role="service_role", size=1)
    await PostgresStore(pool).commit(here.rows.changes)
    await pool.close()
    async with connected(url) as connection:
        await connection.execute(_SCRIPT)


@asynccontextmanager
async def asking(connection: Any, identity: Identity) -> AsyncIterator[None]:
    """Be that one for a while; whatever is done meanwhile is undone."""
    claims = identity.claims if identity.role == "authenticated" else None
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(
            "select set_config('role', $1, true), set_config('request.jwt.claims', $2, true)",
            identity.role,
            orjson.dumps(claims).decode() if claims else "",
        )
        yield
    finally:
        await transaction.rollback()


async def complaints(
    connection: Any,
    here: World,
    wanted: Iterable[str] | None = None,
    *,
    reads: bool = True,
    writes: bool = True,
    identities: Sequence[Identity] = (),
) -> list[str]:
    """What is otherwise than expected, over these sources or all of them: the matrix, cell by cell; as everybody, or
    as these."""
    names = tuple(wanted if wanted is not None else (*sources(), SEARCH))
    found: list[str] = []
    for identity in identities or here.identities:
        async with asking(connection, identity):
            if reads:
                found += await _misread(connection, here, identity, names)
            if writes:
                found += await _miswritten(connection, identity, [name for name in names if name != SEARCH])
    return found + await _misgranted(connection, names)


async def misfits(connection: Any) -> list[str]:
    """Functions of ours that somebody may call who should not, or that do not guard what they may do themselves."""
    found = []
    callers = {"everybody": {"anon", "authenticated", "service_role"}, "house": {"service_role"}}
    functions = await connection.fetch(_FUNCTIONS)
    for function in functions:
        name, whom = function["name"], FUNCTIONS.get(function["name"])
        if whom is None:
            found.append(f"function {name}: nobody has said who may call it")
        elif whom != "trigger" and set(function["callers"]) != callers[whom]:
            found.append(f"function {name}: called by {sorted(function['callers'])}, expected {whom}")
        path = [setting for setting in function["settings"] or () if setting.startswith("search_path=")]
        whose = function["owner"] == "service_role" or name in OF_THE_OWNER
        if function["definer"] and not (whose and path):
            found.append(f"function {name}: acts as {function['owner']} with search path {path}")
    missing = FUNCTIONS.keys() - {function["name"] for function in functions}
    return found + [f"function {name}: is not there" for name in sorted(missing)]


def key(source: str) -> str:
    """The column that names a row."""
    return {"tallies": "name", "alembic_version": "version_num"}.get(source, "id")


async def _misread(connection: Any, here: World, identity: Identity, names: Sequence[str]) -> list[str]:
    answers = orjson.loads(await connection.fetchval("select probe.listed($1)", [_listing(name) for name in names]))
    found = []
    for name, answer in zip(names, answers, strict=True):
        if name == SEARCH:
            expected = None if identity.name == "login" else _published(here)
        else:
            expected = seen(here, identity, name) if may_ask(identity, name) else None
        got = None if answer is None else frozenset(answer)
        if got != expected:
            found.append(f"{identity.name} select {name}: {_difference(got, expected)}")
    return found


async def _miswritten(connection: Any, identity: Identity, names: Sequence[str]) -> list[str]:
    cells = [(name, verb) for name in names for verb in WRITES]
    answers = await connection.fetchval("select probe.tried($1)", [_write(name, verb) for name, verb in cells])
    found = []
    for (name, verb), answer in zip(cells, answers, strict=True):
        expected = {"done"} if may_write(identity, name, verb) else {REFUSED}
        if name in VIEWS_SHOW:
            expected |= NOT_FOR_WRITING
        if answer not in expected:
            found.append(f"{identity.name} {verb} {name}: {answer}, expected {' or '.join(sorted(expected))}")
    return found


async def _misgranted(connection: Any, names: Sequence[str]) -> list[str]:
    """Columns that can be read or written by clients though they should not, or cannot though they should."""
    granted = {tuple(row.values()) for row in await connection.fetch(_PRIVILEGES, list(names))}
    due = set()
    for source, column in await connection.fetch(_COLUMNS, list(names)):
        if source in MARKS or column in PRIVATE.get(source, ()):
            continue
        for role in _readers(source):
            due.add((source, role, "select", column))
    return [
        *(f"{role} {verb} {source}.{column}: granted" for source, role, verb, column in sorted(granted - due)),
        *(f"{role} {verb} {source}.{column}: not granted" for source, role, verb, column in sorted(due - granted)),
    ]


def _readers(source: str) -> tuple[str, ...]:
    """The roles that may ask there for themselves or for the rows' public part."""
    if source in VIEWS_SHOW:
        return () if VIEWS_SHOW[source][1] == "nobody" else ("anon", "authenticated")
    words = " ".join(said for name, said in SEEN_BY.items() if name.split()[0] == source)
    return ("anon", "authenticated") if "everybody" in words else ("authenticated",) if words else ()


def _listing(name: str) -> str:
    if name == SEARCH:
        return _FOUND.format(", ".join(["null"] * 11))
    return f"select {key(name)}::text from {name}"


def _write(name: str, verb: str) -> str:
    column, type = key(name), "uuid" if key(name) == "id" else "text"
    return {
        "insert": f"insert into {name} ({column}) select null::{type} where false",
        "update": f"update {name} set {column} = null where false",
        "delete": f"delete from {name} where false",
        "truncate": f"truncate {name}",
    }[verb]


def _published(here: World) -> frozenset[str]:
    return frozenset(placed.id for placed in here.placed["jobs"] if placed.kind == "published")


def _difference(got: frozenset[str] | None, expected: frozenset[str] | None) -> str:
    if got is None or expected is None:
        return "may not ask" if got is None else "may ask"
    return f"{len(got - expected)} rows too many, {len(expected - got)} too few"


def touched(table: str) -> tuple[str, ...]:
    """The table, and every view that shows something of it."""
    assert table in TABLES
    views = (v.name for v in VIEWS.values() if table == v.base or table in {join.table for join in v.joins})
    return (table, *views)
