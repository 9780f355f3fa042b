"""Supabase's linter finds nothing in the migrated database, and would find what is careless."""

from typing import Any

import pytest

from tests.support.servers import VERSIONS
from tests.visibility.lints import INITPLAN, LINTS, offences

versions = pytest.mark.parametrize("furnished", VERSIONS, indirect=True)

PLANTED = {
    "unindexed_foreign_keys": "drop index messages_by_sender",
    "auth_users_exposed": "create schema auth; create table auth.users (id uuid); "
    "create view people as select id from auth.users",
    "no_primary_key": "alter table tallies drop constraint tallies_pkey",
    "multiple_permissive_policies": "create policy more on bookings for select to authenticated using (false)",
    "policy_exists_rls_disabled": "alter table bookings disable row level security",
    "rls_enabled_no_policy": "drop policy tallies_house on tallies",
    "rls_disabled_in_public": "create table forgotten (id uuid primary key)",
    "duplicate_index": "create index twice on messages (sender_id)",
    "security_definer_view": "alter view inbox reset (security_invoker)",
    "function_search_path_mutable": "alter function must(boolean, text) reset search_path",
    "extension_in_public": "alter extension btree_gist set schema public",
    "rls_references_user_metadata": "alter policy jobs_anon on jobs using "
    "((select current_setting('request.jwt.claims')::jsonb -> 'user_metadata' ->> 'role') = 'admin')",
    "materialized_view_in_api": "create materialized view lately as select id from jobs; "
    "grant select on lately to anon",
    "foreign_table_in_api": "create foreign data wrapper far; create server away foreign data wrapper far; "
    "create foreign table distant (id uuid) server away; grant select on distant to anon",
    "sensitive_columns_exposed": "grant select (client_secret) on payments to authenticated",
    "rls_policy_always_true": "create policy lax on jobs for update to authenticated using (true)",
    "security_definer_function_executable": "create function peek() returns bigint language sql security definer "
    "set search_path = '' as 'select count(*) from public.users'",
    INITPLAN: "alter policy bookings_authenticated on bookings using (customer_id = welcome_user_id())",
}


@versions
async def test_nothing_is_found(owner: Any) -> None:
    assert await offences(owner) == {}


@pytest.mark.parametrize("name", [*LINTS, INITPLAN])
async def test_each_would_be_found(name: str, owner: Any) -> None:
    await owner.execute(PLANTED[name])
    assert name in await offences(owner)


async def test_a_condition_that_asks_the_settings_row_by_row_is_found(owner: Any) -> None:
    for said in (
        "customer_id = (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid",
        "organization_id = any (my_organizations()) or (select is_admin())",
    ):
        await owner.execute(f"alter policy bookings_authenticated on bookings using ({said})")
        assert (await offences(owner))[INITPLAN] == ["bookings.bookings_authenticated"]


async def test_an_index_that_begins_otherwise_serves_no_reference(owner: Any) -> None:
    await owner.execute("drop index messages_by_sender; create index other on messages (sent_at, sender_id)")
    assert (await offences(owner))["unindexed_foreign_keys"] == ["messages.messages_sender"]
