"""What `guildhall migrate --sql` prints, run by hand in a project: its owner is no superuser, its roles are there
already and are not the owner's to give, and whatever is new is granted to everybody."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from adapters.persistence.store import Changes, Insert
from adapters.postgres.migrations import head, offline_sql
from adapters.supabase.examination import revision
from adapters.supabase.rest import PATIENCE, Rest
from adapters.supabase.store import SupabaseStore
from adapters.supabase.tokens import MintedTokens
from adapters.system.clock import SystemClock
from domain.shared.errors import Unavailable
from tests.contracts.rows import Rows
from tests.contracts.stores import connected, until
from tests.support.postgrest import SECRET, PostgREST, postgrest

NOTICE = "notify pgrst, 'reload schema'"


@pytest.fixture
async def owner_of_project(database: str, empty_database: str) -> AsyncIterator[str]:
    """The address of the owner of an empty project; its roles were made with the other database's schema."""
    name = urlsplit(empty_database).path[1:]
    owner = f"owner_of_{name}"
    async with connected(empty_database) as mighty:
        me = await mighty.fetchval("select current_user")
        await mighty.execute(f"""
            create role {owner} login createrole bypassrls password 'of-the-tests';
            grant anon, authenticated, service_role to {owner};
            alter database {name} owner to {owner};
            create schema extensions authorization {owner};
            alter database {name} set search_path = "$user", public, extensions;
            alter default privileges for role {owner} in schema public
              grant all on tables to anon, authenticated, service_role;
            alter default privileges for role {owner} in schema public
              grant all on functions to anon, authenticated, service_role;
        """)
        parts = urlsplit(empty_database)
        yield parts._replace(netloc=f"{owner}:of-the-tests@{parts.netloc.rpartition('@')[2]}").geturl()
        await mighty.execute(f"alter database {name} owner to {me}; drop owned by {owner}; drop role {owner}")


def asking(rest: PostgREST, patience: float = PATIENCE) -> Rest:
    return Rest(rest.project(), MintedTokens(SECRET, SystemClock()), transport=rest.transport(), patience=patience)


async def run(url: str, sql: str) -> None:
    async with connected(url) as owner:
        await owner.execute(sql)


@pytest.mark.parametrize("postgres_server", ["18", "15"], indirect=True)
async def test_a_project_that_got_its_schema_by_hand_works(owner_of_project: str, empty_database: str) -> None:
    with postgrest(empty_database) as counterpart:
        rest = asking(counterpart)
        try:
            assert await revision(rest) is None
            await run(owner_of_project, offline_sql())
            assert await until(lambda: revision(rest)) == head()
            event = Rows("by hand").row("outbox")
            await SupabaseStore(rest).commit(Changes(writes=(Insert("outbox", event),)))
            assert await SupabaseStore(rest).load("outbox", {}) == [event]
        finally:
            await rest.close()
    async with connected(empty_database) as mighty:
        assert await written_by_clients(mighty) == []
        assert [
            name for name in await called_by_clients(mighty) if name.startswith(("commit_", "claim_", "must"))
        ] == []


async def written_by_clients(connection: Any) -> list[Any]:
    return list(
        await connection.fetch("""
            select c.relname, r.role from pg_class c, unnest(array['anon', 'authenticated']) r (role)
            where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'v')
              and has_table_privilege(r.role, c.oid, 'insert, update, delete, truncate')
        """)
    )


async def called_by_clients(connection: Any) -> set[str]:
    found = await connection.fetch("""
        select distinct p.proname from pg_proc p left join pg_depend e on e.objid = p.oid and e.deptype = 'e',
          unnest(array['anon', 'authenticated']) r (role)
        where p.pronamespace = 'public'::regnamespace and e.objid is null
          and has_function_privilege(r.role, p.oid, 'execute')
    """)
    return {row["proname"] for row in found}


async def test_without_the_notice_the_project_would_not_know(owner_of_project: str, empty_database: str) -> None:
    sql = offline_sql()
    assert sql.count(NOTICE) == 1
    with postgrest(empty_database) as counterpart:
        rest = asking(counterpart, patience=0.3)
        commit = Changes(writes=(Insert("outbox", Rows("no notice").row("outbox")),))
        try:
            await run(owner_of_project, sql.replace(NOTICE, "select 1"))
            with pytest.raises(Unavailable):
                await SupabaseStore(rest).commit(commit)
            await run(owner_of_project, NOTICE)
            await until(lambda: committed(rest, commit))
        finally:
            await rest.close()


async def committed(rest: Rest, commit: Changes) -> bool:
    try:
        await SupabaseStore(rest).commit(commit)
    except Unavailable:
        return False
    return True


async def test_nobody_but_the_house_commits(database: str) -> None:
    for role in ("anon", "authenticated"):
        async with connected(database, role) as client:
            for call in ("commit_changes('[]')", "claim_events(now(), now(), 1)", "commit_statement('[]')"):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await client.execute(f"select {call}")
