"""Looking a database over: what doctors ask, and what it means when it does not let us in."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from adapters.persistence.books import Books
from adapters.persistence.schema import TABLES
from adapters.postgres.errors import GONE
from domain.shared.errors import Unavailable

ROLES = ("anon", "authenticated", "service_role", "guildhall_app")
EXTENSIONS = ("btree_gist",)
OLDEST = 15
"""The first PostgreSQL that has what we use."""


class DatabaseShut(Unavailable):
    """The database is there and does not let us in."""

    code = "database.shut"


def explained(error: BaseException) -> Unavailable | None:
    """What stands in the way of a database, told in our words; None when it is something else."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, GONE):
            return Unavailable(f"the database does not answer: {found}")
        if isinstance(found, asyncpg.InvalidAuthorizationSpecificationError):
            return DatabaseShut(f"the database does not let us in: {found}")
        if isinstance(found, asyncpg.InvalidCatalogNameError | asyncpg.InsufficientPrivilegeError):
            return DatabaseShut(f"the database says: {found}")
        found = getattr(found, "orig", None) or found.__cause__
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """One of our roles, as the cluster has it."""

    name: str
    superuser: bool
    bypasses: bool
    logs_in: bool
    inherits: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a look at the catalogs showed. Lists of names are what is wrong, empty when all is well."""

    version: int
    now: datetime
    extensions_missing: tuple[str, ...]
    roles: tuple[Role, ...]
    unprotected: tuple[str, ...]
    """Tables of ours without row-level security, or without any policy."""
    writable: tuple[str, ...]
    """Tables that clients may write."""


async def examine(url: str) -> Findings:
    """The catalogs of the database at that address."""
    connection: Any = await asyncpg.connect(url, timeout=10)
    try:
        extensions = {row["extname"] for row in await connection.fetch("select extname from pg_extension")}
        roles = await connection.fetch(_ROLES, list(ROLES))
        return Findings(
            version=connection.get_server_version().major,
            now=await connection.fetchval("select clock_timestamp()"),
            extensions_missing=tuple(name for name in EXTENSIONS if name not in extensions),
            roles=tuple(
                Role(
                    name=row["rolname"],
                    superuser=row["rolsuper"],
                    bypasses=row["rolbypassrls"],
                    logs_in=row["rolcanlogin"],
                    inherits=row["rolinherit"],
                )
                for row in roles
            ),
            unprotected=tuple(row["name"] for row in await connection.fetch(_UNPROTECTED, list(TABLES))),
            writable=tuple(row["name"] for row in await connection.fetch(_WRITABLE, list(TABLES))),
        )
    finally:
        await connection.close()


async def look_into_books(url: str, *, at: datetime) -> Books:
    """The rows of the database at that address, by its owner."""
    connection: Any = await asyncpg.connect(url, timeout=10)
    try:
        entries, unbalanced = await connection.fetchrow(_LEDGER)
        return Books(entries=entries, unbalanced=unbalanced, oldest_due=await connection.fetchval(_OLDEST_DUE, at))
    finally:
        await connection.close()


_ROLES = """
select rolname, rolsuper, rolbypassrls, rolcanlogin, rolinherit from pg_roles where rolname = any($1::text[])
"""
_UNPROTECTED = """
select wanted.name from unnest($1::text[]) as wanted (name)
left join pg_class c on c.oid = to_regclass('public.' || quote_ident(wanted.name))
where c.oid is null or not c.relrowsecurity or not exists (select from pg_policy p where p.polrelid = c.oid)
order by 1
"""
_WRITABLE = """
select c.relname as name from pg_class c, unnest(array['anon', 'authenticated']) as client (role)
where c.relnamespace = 'public'::regnamespace and c.relname = any($1::text[])
  and exists (select from pg_roles r where r.rolname = client.role)
  and has_table_privilege(client.role, c.oid, 'insert, update, delete, truncate')
group by 1 order by 1
"""
_LEDGER = """
select coalesce(sum(entries), 0)::bigint as entries, count(*) filter (where balance <> 0) as unbalanced
from (select count(*) as entries, sum(amount_minor) as balance from ledger
      group by transaction_id, amount_currency) as transactions
"""
_OLDEST_DUE = """
select min(due_at) from outbox where finished_at is null and dead_at is null and due_at <= $1
"""
