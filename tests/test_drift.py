"""One schema in three places: declared as data, written by migrations, filled by dataclasses. They say the same."""

import asyncio
import importlib
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import pytest

import application
from adapters.persistence.events import EVENTS
from adapters.persistence.mapper import Mapper
from adapters.persistence.mapping import KEPT
from adapters.persistence.schema import RANK, TABLES, VIEWS, columns_of
from adapters.persistence.schema.tables import Check, Excludes, References, Type, Unique
from adapters.postgres import ddl
from adapters.postgres.migrations import head, migrate, offline_sql
from adapters.postgres.versions import newest, present, revision
from application.visibility import VISIBILITY, Admin, Everyone
from domain.shared.aggregate import Aggregate, Event
from domain.shared.money import Money
from domain.shared.time import Span
from tests.contracts.stores import connected

CATALOG = """
with house as (
  select c.* from pg_class c
  where c.relnamespace = 'public'::regnamespace and c.relname not like 'alembic%'
)
select 'table ' || relname || ' ' || relkind::text || ' rls ' || relrowsecurity || ' ' || relforcerowsecurity
  || ' options ' || coalesce(reloptions::text, '') from house where relkind in ('r', 'v', 'm', 'S', 'p', 'f')
union all
select 'column ' || h.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
  || case when a.attnotnull then ' not null' else '' end || ' generated "' || a.attgenerated::text || '" default '
  || coalesce(pg_get_expr(d.adbin, d.adrelid), '') || ' collation ' || a.attcollation::regcollation
  from house h join pg_attribute a on a.attrelid = h.oid and a.attnum > 0 and not a.attisdropped
  left join pg_attrdef d on d.adrelid = h.oid and d.adnum = a.attnum where h.relkind in ('r', 'v')
union all
select 'constraint ' || h.relname || '.' || k.conname || ' ' || pg_get_constraintdef(k.oid)
  || ' deferrable ' || k.condeferrable || ' valid ' || k.convalidated
  from house h join pg_constraint k on k.conrelid = h.oid where k.contype <> 'n'
union all
select 'index ' || pg_get_indexdef(i.indexrelid) || ' valid ' || i.indisvalid
  from house h join pg_index i on i.indrelid = h.oid
union all
select 'policy ' || tablename || '.' || policyname || ' ' || permissive || ' ' || roles::text || ' ' || cmd
  || ' using ' || coalesce(qual, '') || ' check ' || coalesce(with_check, '')
  from pg_policies where schemaname = 'public'
union all
select 'grant ' || h.relname || ' ' || g.grantee::regrole || ' ' || g.privilege_type || ' ' || g.is_grantable
  from house h, aclexplode(h.relacl) g where g.grantee <> h.relowner
union all
select 'column grant ' || h.relname || '.' || a.attname || ' ' || g.grantee::regrole || ' ' || g.privilege_type
  from house h join pg_attribute a on a.attrelid = h.oid, aclexplode(a.attacl) g
union all
select 'function ' || p.oid::regprocedure || ' owner ' || p.proowner::regrole || ' definer ' || p.prosecdef || ' '
  || p.provolatile::text || ' config ' || coalesce(p.proconfig::text, '') || ' acl '
  || coalesce((select string_agg(g.grantee::regrole || '=' || g.privilege_type, ',' order by g.grantee::regrole::text)
               from aclexplode(p.proacl) g), 'public') || ' ' || pg_get_function_result(p.oid) || ' ' || p.prosrc
  from pg_proc p left join pg_depend e on e.objid = p.oid and e.deptype = 'e'
  where p.pronamespace = 'public'::regnamespace and e.objid is null
union all
select 'trigger ' || pg_get_triggerdef(t.oid) || ' ' || t.tgenabled::text
  from house h join pg_trigger t on t.tgrelid = h.oid where not t.tgisinternal
union all
select 'view ' || h.relname || ' owner ' || h.relowner::regrole || ' ' || pg_get_viewdef(h.oid)
  from house h where h.relkind = 'v'
union all
select 'type ' || t.typname || ' ' || t.typtype::text from pg_type t left join house h on h.oid = t.typrelid
  left join pg_depend e on e.objid = t.oid and e.deptype = 'e'
  where t.typnamespace = 'public'::regnamespace and t.typtype <> 'b' and h.oid is null and e.objid is null
  and t.typname not like 'alembic%'
union all
select 'extension ' || extname || ' in ' || extnamespace::regnamespace from pg_extension
union all
select 'schema public ' || g.grantee::regrole || ' ' || g.privilege_type
  from pg_namespace n, aclexplode(n.nspacl) g where n.nspname = 'public'
"""

CLIENTS = ("anon", "authenticated")
POSTGRES = pytest.mark.parametrize("postgres_server", ["18", "15"], indirect=True)


async def catalog(connection: Any) -> set[str]:
    """All that the database knows of the house's schema, a line for each thing."""
    return {row[0] for row in await connection.fetch(CATALOG)}


async def catalog_of(url: str) -> set[str]:
    async with connected(url) as owner:
        return await catalog(owner)


# --- Migrations and the declared schema -------------------------------------------------------------------------------


@POSTGRES
async def test_migrations_make_what_the_schema_declares(database: str, empty_database: str) -> None:
    async with connected(empty_database) as owner:
        await owner.execute(ddl.script())
        declared = await catalog(owner)
    migrated = await catalog_of(database)
    assert migrated - declared == set()
    assert declared - migrated == set()
    assert len(declared) > 1000


@pytest.mark.parametrize(
    "change",
    [
        "alter table users drop constraint users_email_lower",
        "alter table bookings drop constraint bookings_no_overlap",
        "alter table users alter column role drop not null",
        "alter table users alter column epoch set default 1",
        "alter table outbox alter column attempts type int",
        "drop index bookings_waiting",
        "create policy bookings_anon on bookings for select to anon using (true)",
        "drop policy jobs_anon on jobs",
        "alter policy users_authenticated on users using (true)",
        "alter table users disable row level security",
        "grant update on users to authenticated",
        "grant select (phone) on profiles to anon",
        "grant select on accounts to authenticated",
        "grant create on schema public to anon",
        "alter function is_admin() security invoker",
        "alter function my_organizations() owner to postgres",
        "alter function current_user_id() reset search_path",
        "grant execute on function must(boolean, text) to anon",
        "create or replace function is_admin() returns boolean language sql stable security definer "
        "set search_path = '' as 'select true'",
        "drop trigger ledger_append_only on ledger",
        "alter table audit disable trigger audit_append_only",
        "alter view members set (security_invoker = false)",
        "create table forgotten (id uuid)",
        "create sequence forgotten",
        "create type forgotten as enum ('a')",
    ],
)
async def test_any_difference_would_be_seen(module_database: str, change: str) -> None:
    async with connected(module_database) as owner:
        before = await catalog(owner)
        attempt = owner.transaction()
        await attempt.start()
        try:
            await owner.execute(change)
            assert await catalog(owner) != before
        finally:
            await attempt.rollback()
        assert await catalog(owner) == before


@POSTGRES
async def test_migrating_again_changes_nothing(database: str) -> None:
    mark = "select xmin::text || ctid::text from alembic_version"
    async with connected(database) as owner:
        before = await catalog(owner), await owner.fetchval(mark)
        await asyncio.to_thread(migrate, database)
        assert (await catalog(owner), await owner.fetchval(mark)) == before
    assert await present(database)


async def test_two_who_migrate_at_once_wait_for_each_other(database: str, empty_database: str) -> None:
    program = "import sys; from adapters.postgres.migrations import migrate; migrate(sys.argv[1])"
    source = str(Path(ddl.__file__).parents[2])
    command = (sys.executable, "-c", program, empty_database)
    both = [await asyncio.create_subprocess_exec(*command, cwd=source, stderr=subprocess.PIPE) for _ in range(2)]
    for one in both:
        _, said = await one.communicate()
        assert one.returncode == 0, said.decode()
    assert await catalog_of(empty_database) == await catalog_of(database)
    async with connected(empty_database) as owner:
        assert await owner.fetch("select version_num from alembic_version") == [(head(),)]


@POSTGRES
async def test_the_upgrade_can_be_run_by_hand(database: str, empty_database: str) -> None:
    async with connected(empty_database) as owner:
        await owner.execute(offline_sql())
    assert await catalog_of(empty_database) == await catalog_of(database)
    assert await revision(empty_database) == head()


async def test_an_empty_database_has_no_revision(empty_database: str) -> None:
    assert await revision(empty_database) is None
    assert not await present(empty_database)


def test_the_newest_revision_is_the_one_migrations_lead_to() -> None:
    assert head() == newest()


# --- Who may what -----------------------------------------------------------------------------------------------------


@POSTGRES
async def test_nobody_but_the_house_writes(database: str) -> None:
    query = """
      select c.relname, r.role, p.privilege from pg_class c,
        unnest(array['anon', 'authenticated', 'guildhall_app', 'public']) r(role),
        unnest(array['insert', 'update', 'delete', 'truncate', 'references', 'trigger']) p(privilege)
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'v')
        and case when r.role = 'public' then c.relacl::text ~ '[{,]=[a-zA-Z]*[awdDxt]' else
          has_table_privilege(r.role, c.oid, p.privilege)
          or (p.privilege in ('insert', 'update', 'references')
              and has_any_column_privilege(r.role, c.oid, p.privilege))
        end
    """
    async with connected(database) as owner:
        assert await owner.fetch(query) == []
        await owner.execute("grant insert (id) on users to authenticated")
        found = await owner.fetch(query)
    assert ("users", "authenticated", "insert") in [tuple(row) for row in found]


@POSTGRES
async def test_the_applications_login_has_nothing_of_its_own(database: str) -> None:
    async with connected(database) as owner:
        readable = await owner.fetch(
            "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'v') "
            "and has_any_column_privilege('guildhall_app', oid, 'select')"
        )
        roles = await owner.fetch(
            "select rolname, rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication as mighty, "
            "rolinherit, rolcanlogin from pg_roles "
            "where rolname in ('anon', 'authenticated', 'service_role', 'guildhall_app') order by rolname"
        )
    assert readable == []
    assert [tuple(role) for role in roles] == [
        ("anon", False, True, False),
        ("authenticated", False, True, False),
        ("guildhall_app", False, False, True),
        ("service_role", False, True, False),
    ]


@POSTGRES
async def test_every_table_is_under_row_level_security(database: str) -> None:
    async with connected(database) as owner:
        bare = await owner.fetch(
            "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' "
            "and not relrowsecurity and relname <> 'alembic_version'"
        )
    assert bare == []


@POSTGRES
async def test_private_columns_are_granted_to_no_client(database: str) -> None:
    async with connected(database) as owner:
        for table in TABLES.values():
            for column in table.columns:
                for role in CLIENTS:
                    granted = await owner.fetchval(
                        "select has_column_privilege($1, $2, $3, 'select')", role, table.name, column.name
                    )
                    assert not (granted and column.private), f"{role} reads {table.name}.{column.name}"


@POSTGRES
async def test_every_function_has_a_fixed_search_path_and_definers_belong_to_the_house(database: str) -> None:
    async with connected(database) as owner:
        functions = await owner.fetch(
            "select p.proname, p.prosecdef, p.proowner::regrole::text as owner, p.proconfig::text as config, "
            "has_function_privilege('anon', p.oid, 'execute') as open from pg_proc p "
            "left join pg_depend e on e.objid = p.oid and e.deptype = 'e' "
            "where p.pronamespace = 'public'::regnamespace and e.objid is null"
        )
    assert [f["proname"] for f in functions if "search_path" not in (f["config"] or "")] == []
    definers = {f["proname"] for f in functions if f["prosecdef"]}
    of_the_owner = {name.partition("(")[0] for name in ddl.OF_THE_OWNER}
    assert definers == {name.partition("(")[0] for name in (*ddl.DEFINERS, "search_jobs()")} | of_the_owner
    assert {f["owner"] for f in functions if f["prosecdef"]} - {"service_role"} == {
        f["owner"] for f in functions if f["proname"] in of_the_owner
    }
    assert not [f["proname"] for f in functions if f["proname"] in of_the_owner and f["open"]]
    assert not [f["proname"] for f in functions if f["proname"] == "must" and f["open"]]


# --- The declared schema itself ---------------------------------------------------------------------------------------


def test_every_table_says_who_may_see_it() -> None:
    assert VISIBILITY.keys() == TABLES.keys()
    for name, terms in VISIBILITY.items():
        for term in terms:
            if not isinstance(term, Everyone | Admin):
                assert term.column in TABLES[name].names


def test_references_lead_back_to_tables_written_before() -> None:
    for name, table in TABLES.items():
        for constraint in table.constraints:
            if isinstance(constraint, References):
                assert RANK[constraint.table] < RANK[name], f"{name} is written before {constraint.table}"


def test_constraints_name_columns_that_are_there_and_carry_their_tables_name() -> None:
    names: list[str] = []
    for table in TABLES.values():
        for constraint in table.constraints:
            assert constraint.name.startswith(f"{table.name}_"), constraint.name
            names.append(constraint.name)
            match constraint:
                case Unique(columns=columns):
                    used = set(columns)
                case References(column=column):
                    used = {column}
                case Excludes(equal=equal, differ=differ, overlap=overlap):
                    used = {equal, differ, overlap}
                case Check():
                    used = set()
            assert used <= set(table.names)
        names += [index.name for index in table.indexes]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("cls", KEPT, ids=lambda cls: cls.__name__)
def test_fields_are_columns(cls: type) -> None:
    """Every field has its column and every column its field, of the same type, and empty only where it may be."""
    kept = KEPT[cls]
    assert sorted(kept.mapper.columns) == sorted(kept.table.names)
    hints = get_type_hints(cls)
    expected = dict(_columns({f.name: hints[f.name] for f in fields(cls) if f.name != "_events"}))
    for column in kept.table.columns:
        if column.derived:
            hint = get_type_hints(getattr(cls, column.name).fget)["return"]
            ((_, wanted),) = _columns({column.name: hint})
        else:
            wanted = expected[column.name]
        assert (column.type, column.nullable) == wanted, f"{cls.__name__}.{column.name}"


def test_every_aggregate_is_kept() -> None:
    assert set(_subclasses(Aggregate)) <= KEPT.keys()


def test_every_event_can_be_read_again_by_its_name() -> None:
    published = [event for event in _subclasses(Event) if hasattr(event, "name")]
    assert {event.name: event for event in published} == EVENTS
    assert len(published) == len(EVENTS), "two events share a name"


def test_views_show_columns_that_are_there() -> None:
    shown = list(_views())
    assert len(shown) > 15
    for view in shown:
        columns = columns_of(view.source)  # type: ignore[attr-defined]
        assert set(Mapper(view).columns) <= columns.keys(), view.__name__


def test_views_join_columns_that_are_there() -> None:
    for name, view in VIEWS.items():
        assert set(view.columns) <= set(TABLES[view.base].names), name
        shown = list(view.columns)
        for join in view.joins:
            assert join.here in TABLES[view.base].names
            assert {join.there, *join.columns.values()} <= set(TABLES[join.table].names)
            shown += join.columns
        assert len(shown) == len(set(shown)), name


def _columns(hints: dict[str, Any]) -> Iterator[tuple[str, tuple[Type, bool]]]:
    """The columns that fields of these types need."""
    plain: dict[type, Type] = {
        UUID: Type.UUID,
        str: Type.TEXT,
        bool: Type.BOOLEAN,
        int: Type.BIGINT,
        datetime: Type.INSTANT,
        date: Type.DATE,
        Span: Type.SPAN,
    }
    for name, hint in hints.items():
        kind, nullable = _bare(hint)
        if kind is Money:
            yield f"{name}_minor", (Type.BIGINT, nullable)
            yield f"{name}_currency", (Type.TEXT, nullable)
        elif kind in plain:
            yield name, (plain[kind], nullable)
        elif isinstance(kind, type) and issubclass(kind, StrEnum):
            yield name, (Type.TEXT, nullable)
        else:
            yield name, (Type.JSON, nullable)


def _bare(hint: Any) -> tuple[Any, bool]:
    while hasattr(hint, "__supertype__"):
        hint = hint.__supertype__
    if get_origin(hint) in (Union, UnionType):
        (rest,) = (each for each in get_args(hint) if each is not NoneType)
        return _bare(rest)[0], True
    return hint, False


def _subclasses(cls: Any) -> Iterator[Any]:
    """The classes of the domain that stand on this one, but for what dataclasses with slots leave of their makings."""
    for sub in cls.__subclasses__():
        if sub.__module__.startswith("domain.") and getattr(sys.modules[sub.__module__], sub.__name__) is sub:
            yield sub
        yield from _subclasses(sub)


def _views() -> Iterator[type]:
    """Every class of the application that readers fill."""
    seen: set[type] = set()
    for module in pkgutil.walk_packages(application.__path__, "application."):
        for thing in vars(importlib.import_module(module.name)).values():
            if isinstance(thing, type) and is_dataclass(thing) and isinstance(getattr(thing, "source", None), str):
                seen.add(thing)
    yield from seen
