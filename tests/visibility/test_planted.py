"""The matrix can fail: every policy, grant, view and function is weakened once, and each time it is noticed."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import orjson
import pytest

from adapters.persistence.schema import TABLES, VIEWS
from adapters.persistence.schema.tables import Row
from adapters.postgres.policies import condition
from adapters.postgres.pools import Pools
from adapters.postgres.values import quoted
from adapters.postgres.views import PostgresViews
from application.ports.criteria import Criteria, Order, Position
from application.visibility import VISIBILITY, Everyone, PublicWhen
from domain.shared.actors import Actor
from tests.visibility.expectations import PRIVATE
from tests.visibility.probe import SEARCH, complaints, misfits, touched
from tests.visibility.world import World

Planted = tuple[str, Sequence[str]]
"""A statement that does harm, and where to look for it."""

CLIENTS = ("anon", "authenticated")
PUBLIC = {table for table, terms in VISIBILITY.items() if any(isinstance(term, Everyone) for term in terms)}
ASKED = {table for table, terms in VISIBILITY.items() if terms}


async def unnoticed(
    owner: Any, here: World, planted: Iterator[Planted], *, reads: bool = True, writes: bool = False
) -> list[str]:
    """Which of these the matrix lets pass, looking at what is read, written or only granted; each is undone again."""
    passed, count = [], 0
    for statement, sources in planted:
        count += 1
        transaction = owner.transaction()
        await transaction.start()
        try:
            await owner.execute(statement)
            if not await noticed(owner, here, sources, reads, writes):
                passed.append(statement)
        finally:
            await transaction.rollback()
    assert count, "nothing was planted"
    return passed


async def noticed(owner: Any, here: World, sources: Sequence[str], reads: bool, writes: bool) -> bool:
    """Whether the matrix complains, or breaks altogether."""
    try:
        return bool(await complaints(owner, here, sources, reads=reads, writes=writes) or await misfits(owner))
    except asyncpg.PostgresError:
        return True


def policies() -> Iterator[tuple[str, str]]:
    """Every policy by table and role."""
    for table, terms in VISIBILITY.items():
        yield table, "service_role"
        if terms:
            yield table, "authenticated"
        if any(isinstance(term, Everyone | PublicWhen) for term in terms):
            yield table, "anon"


def name(table: str, role: str) -> str:
    return f"{table}_{'house' if role == 'service_role' else role}"


async def test_the_policies_here_are_all_there_are(owner: Any) -> None:
    found = await owner.fetch("select tablename, policyname from pg_policies where schemaname = 'public'")
    assert {(row[0], row[1]) for row in found} == {(table, name(table, role)) for table, role in policies()}


async def test_every_dropped_policy_is_noticed(owner: Any, here: World) -> None:
    drops = ((f"drop policy {name(table, role)} on {table}", touched(table)) for table, role in policies())
    assert await unnoticed(owner, here, drops) == []


async def test_every_policy_that_lets_everything_pass_is_noticed(owner: Any, here: World) -> None:
    open_doors = (
        (f"alter policy {name(table, role)} on {table} using (true)", touched(table))
        for table, role in policies()
        if role in CLIENTS and table not in PUBLIC
    )
    assert await unnoticed(owner, here, open_doors) == []


async def test_every_policy_that_lets_nothing_pass_is_noticed(owner: Any, here: World) -> None:
    shut_doors = (
        (f"alter policy {name(table, role)} on {table} using (false)", touched(table)) for table, role in policies()
    )
    assert await unnoticed(owner, here, shut_doors) == []


async def test_every_forgotten_term_of_a_policy_is_noticed(owner: Any, here: World) -> None:
    def forgotten() -> Iterator[Planted]:
        for table, terms in VISIBILITY.items():
            for term in terms if len(terms) > 1 else ():
                kept = " or ".join(condition(each) for each in terms if each != term)
                if not (term == terms[0] and table == "memberships"):  # Whoever is a member is their own colleague.
                    yield f"alter policy {table}_authenticated on {table} using ({kept})", touched(table)

    assert await unnoticed(owner, here, forgotten()) == []


async def test_a_policy_that_asks_for_less_is_noticed(owner: Any, here: World) -> None:
    """A member taken for a manager, a party for the public, an admin for anybody signed in."""

    def lax() -> Iterator[Planted]:
        for table, terms in VISIBILITY.items():
            said = " or ".join(condition(term) for term in terms)
            for strict, loose in (
                ("my_managed_organizations()", "my_organizations()"),
                ("(select is_admin())", "(select welcome_user_id()) is not null"),
                ("state = 'published'", "state <> 'draft'"),
                ("= (select welcome_user_id())", "is not null"),
            ):
                if strict in said:
                    yield (
                        f"alter policy {table}_authenticated on {table} using ({said.replace(strict, loose)})",
                        touched(table),
                    )

    assert await unnoticed(owner, here, lax()) == []


async def test_row_level_security_switched_off_is_noticed(owner: Any, here: World) -> None:
    off = ((f"alter table {table} disable row level security", touched(table)) for table in ASKED - PUBLIC)
    assert await unnoticed(owner, here, off) == []


async def test_every_grant_to_clients_is_noticed(owner: Any, here: World) -> None:
    def grants() -> Iterator[Planted]:
        for table in TABLES:
            for verb in ("insert", "update", "delete", "truncate"):
                for role in CLIENTS:
                    yield f"grant {verb} on {table} to {role}", (table,)
            if table not in ASKED:
                yield f"grant select on {table} to authenticated", (table,)
            column = quoted(TABLES[table].columns[-1].name)
            yield f"grant update ({column}) on {table} to authenticated", (table,)

    assert await unnoticed(owner, here, grants(), reads=False, writes=True) == []


async def test_every_private_column_shown_and_every_other_hidden_is_noticed(owner: Any, here: World) -> None:
    def shown() -> Iterator[Planted]:
        for table in TABLES:
            for column in TABLES[table].columns:
                column_name = quoted(column.name)
                if column.name in PRIVATE.get(table, ()):
                    yield f"grant select ({column_name}) on {table} to authenticated", (table,)
                elif table in ASKED:
                    yield f"revoke select ({column_name}) on {table} from authenticated", (table,)

    assert await unnoticed(owner, here, shown(), reads=False) == []


async def test_the_house_allowed_too_much_or_too_little_is_noticed(owner: Any, here: World) -> None:
    def house() -> Iterator[Planted]:
        for table, declared in TABLES.items():
            yield f"grant truncate on {table} to service_role", (table,)
            yield f"revoke insert on {table} from service_role", (table,)
            verb = (
                "grant delete on {} to service_role"
                if declared.append_only
                else "revoke delete on {} from service_role"
            )
            yield verb.format(table), (table,)

    assert await unnoticed(owner, here, house(), reads=False, writes=True) == []


async def test_a_view_that_looks_with_its_owners_eyes_is_noticed(owner: Any, here: World) -> None:
    def views() -> Iterator[Planted]:
        for view, declared in VIEWS.items():
            if declared.for_the_house:
                yield f"grant select on {view} to authenticated", (view,)
            else:
                yield f"alter view {view} set (security_invoker = false)", (view,)
                yield f"revoke select on {view} from authenticated", (view,)

    assert await unnoticed(owner, here, views()) == []


async def test_a_function_that_tells_too_much_is_noticed(owner: Any, here: World) -> None:
    sources: dict[str, str] = {
        row["proname"]: row["source"]
        for row in await owner.fetch(
            "select proname, pg_get_functiondef(oid) as source from pg_proc "
            "where pronamespace = 'public'::regnamespace and proname = any ($1)",
            [
                "welcome_user_id",
                "is_admin",
                "my_organizations",
                "my_managed_organizations",
                "my_conversations",
                "search_jobs",
            ],
        )
    }

    def changed(function: str, before: str, after: str) -> str:
        assert before in sources[function], function
        return sources[function].replace(before, after)

    def functions() -> Iterator[Planted]:
        yield changed("welcome_user_id", "and u.suspended_at is null", ""), touched("bookings")
        yield changed("welcome_user_id", "session is null or", "true or"), touched("bookings")
        yield changed("welcome_user_id", "and s.user_id = me", ""), touched("bookings")
        yield changed("welcome_user_id", "and s.revoked_at is null", ""), touched("bookings")
        yield changed("welcome_user_id", "and s.epoch = u.epoch", ""), touched("bookings")
        yield changed("is_admin", "and u.role = 'admin'", ""), touched("users")
        yield changed("my_organizations", "where m.user_id = me", ""), touched("jobs")
        yield changed("my_managed_organizations", "and m.role in ('owner', 'manager')", ""), touched("payments")
        yield changed("my_managed_organizations", "m.user_id = me and", ""), touched("payments")
        yield changed("my_conversations", "where p.user_id = me", ""), touched("messages")
        for definer, table in (
            ("is_admin", "users"),
            ("my_organizations", "jobs"),
            ("my_managed_organizations", "payments"),
            ("my_conversations", "messages"),
        ):
            yield changed(definer, "public.welcome_user_id()", "public.current_user_id()"), touched(table)
        yield changed("search_jobs", "j.state = ''published''", "j.state <> ''draft''"), (SEARCH,)
        yield changed("search_jobs", "j.state = ''published''", "true"), (SEARCH,)
        yield "grant execute on function must(boolean, text) to anon", ()
        yield "alter function is_admin() reset search_path", ()
        yield "alter function my_organizations() owner to current_user", ()
        yield "create function peek() returns bigint language sql as 'select count(*) from public.users'", ()

    assert await unnoticed(owner, here, functions()) == []


class Leaking(PostgresViews):
    """Planted: the claims of who asked stay on the connection, for whoever comes next."""

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
        claims = orjson.dumps({"sub": str(actor.user_id)}).decode()
        async with self._pools.users.connection() as connection:
            await connection.execute("select set_config('request.jwt.claims', $1, false)", claims)
        return await super().rows(actor, source, columns, criteria, order=order, after=after, limit=limit)


@asynccontextmanager
async def pools_of(url: str) -> AsyncIterator[Pools]:
    pools = Pools.of(url, house=1, public=1, users=1)
    yield pools
    await pools.close()


async def left_behind(views: PostgresViews, pools: Pools, here: World) -> int:
    """How many bookings the next one sees who says nothing about themselves, after Ann has looked at hers."""
    ann = Actor(user_id=here.people["ann"])  # type: ignore[arg-type]
    seen = await views.rows(ann, "bookings", ("id",), {}, order=Order(), after=None, limit=10)
    assert len(seen) == 2
    async with pools.users.connection() as connection:
        assert await connection.fetchval("select current_user") == "authenticated"
        return int(await connection.fetchval("select count(*) from bookings"))


async def test_nobody_inherits_the_claims_of_who_asked_before(furnished: str, here: World) -> None:
    async with pools_of(furnished) as pools:
        assert await left_behind(PostgresViews(pools), pools, here) == 0


async def test_claims_that_are_not_reset_are_noticed(furnished: str, here: World) -> None:
    async with pools_of(furnished) as pools:
        assert await left_behind(Leaking(pools), pools, here) == 2


@pytest.mark.parametrize("criteria", [{"id": "not an id"}, {"no_such_column": 1}])
async def test_nor_after_an_error(criteria: Criteria, furnished: str, here: World) -> None:
    async with pools_of(furnished) as pools:
        views = PostgresViews(pools)
        ann = Actor(user_id=here.people["ann"])  # type: ignore[arg-type]
        with pytest.raises(Exception, match=r"."):
            await views.rows(ann, "bookings", ("id",), criteria, order=Order(), after=None, limit=10)
        assert await left_behind(views, pools, here) == 0
