"""What Supabase's linter would say of the migrated database, asked of the catalogue itself: each lint by the name it
has there, with the query that finds what offends it. What is found is to be mended; nothing is excused but the
functions named here."""

import re
from collections.abc import Iterator
from typing import Any

DEFINERS = {
    "my_foreign_user_id": "who the asker is here",
    "welcome_user_id": "who the asker is here, while they are welcome",
    "my_organizations": "where the asker belongs",
    "my_managed_organizations": "what the asker manages",
    "my_conversations": "where the asker takes part",
    "my_address": "the mail address the asker has confirmed",
    "is_admin": "whether the asker is an admin",
    "search_jobs": "jobs that are published",
}
"""The functions that may look with the eyes of the house, and what each tells; none can be asked about anybody else."""

_OURS = "n.nspname = 'public' and not exists (select from pg_depend d where d.objid = {} and d.deptype = 'e')"
_CLIENTS = "unnest(array['anon', 'authenticated']) r(role)"
_TABLES = "pg_class c join pg_namespace n on n.oid = c.relnamespace and " + _OURS.format("c.oid")
_FUNCTIONS = "pg_proc p join pg_namespace n on n.oid = p.pronamespace and " + _OURS.format("p.oid")
_POLICIES = "pg_policy p join pg_class c on c.oid = p.polrelid join pg_namespace n on n.oid = c.relnamespace"
_SAID = (
    "coalesce(pg_get_expr(p.polqual, p.polrelid), '') || ' ' || coalesce(pg_get_expr(p.polwithcheck, p.polrelid), '')"
)

LINTS = {
    "unindexed_foreign_keys": """
        select f.conrelid::regclass || '.' || f.conname from pg_constraint f
        where f.contype = 'f' and f.connamespace = 'public'::regnamespace and not exists (
          select from pg_index i where i.indrelid = f.conrelid and i.indpred is null and i.indisvalid
            and (i.indkey::int2[])[0:cardinality(f.conkey) - 1] @> f.conkey
        )""",
    "auth_users_exposed": """
        select distinct v.oid::regclass::text from pg_depend d
        join pg_rewrite w on w.oid = d.objid and d.classid = 'pg_rewrite'::regclass
        join pg_class v on v.oid = w.ev_class and v.relnamespace = 'public'::regnamespace
        join pg_class t on t.oid = d.refobjid and t.relname = 'users'
        join pg_namespace n on n.oid = t.relnamespace and n.nspname = 'auth'""",
    "no_primary_key": f"""
        select c.relname from {_TABLES}
        where c.relkind = 'r' and not exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary)""",
    "multiple_permissive_policies": f"""
        select c.relname || ' for ' || r.role || ' to ' || v.verb from {_POLICIES}
        cross join unnest(array['anon', 'authenticated', 'service_role']) r(role)
        cross join (values ('select', 'r'), ('insert', 'a'), ('update', 'w'), ('delete', 'd')) v(verb, letter)
        where n.nspname = 'public' and p.polpermissive and p.polcmd::text in ('*', v.letter)
          and (p.polroles = '{{0}}' or r.role::regrole = any (p.polroles))
        group by c.relname, r.role, v.verb having count(*) > 1""",
    "policy_exists_rls_disabled": f"""
        select c.relname || '.' || p.polname from {_POLICIES} where n.nspname = 'public' and not c.relrowsecurity""",
    "rls_enabled_no_policy": f"""
        select c.relname from {_TABLES}
        where c.relkind = 'r' and c.relrowsecurity and not exists (select from pg_policy p where p.polrelid = c.oid)""",
    "rls_disabled_in_public": f"""
        select c.relname from {_TABLES} cross join {_CLIENTS}
        where c.relkind in ('r', 'p') and not c.relrowsecurity
          and (c.relname <> 'alembic_version' or has_any_column_privilege(r.role, c.oid, 'select'))""",
    "duplicate_index": """
        select min(i.indexrelid::regclass::text) from pg_index i
        join pg_class c on c.oid = i.indrelid and c.relnamespace = 'public'::regnamespace
        group by i.indrelid, i.indkey::text, i.indclass::text, i.indoption::text,
          pg_get_expr(i.indpred, i.indrelid), pg_get_expr(i.indexprs, i.indrelid)
        having count(*) > 1""",
    "security_definer_view": f"""
        select distinct c.relname from {_TABLES} cross join {_CLIENTS}
        where c.relkind = 'v' and has_any_column_privilege(r.role, c.oid, 'select')
          and not coalesce(c.reloptions::text ~ 'security_invoker=(true|on|yes|1)', false)""",
    "function_search_path_mutable": f"""
        select p.proname from {_FUNCTIONS}
        where p.prokind = 'f' and not coalesce(p.proconfig::text like '%search_path=%', false)""",
    "extension_in_public": """
        select extname from pg_extension where extnamespace = 'public'::regnamespace""",
    "rls_references_user_metadata": f"""
        select c.relname || '.' || p.polname from {_POLICIES}
        where n.nspname = 'public' and {_SAID} like '%user_metadata%'""",
    "materialized_view_in_api": f"""
        select distinct c.relname from {_TABLES} cross join {_CLIENTS}
        where c.relkind = 'm' and has_any_column_privilege(r.role, c.oid, 'select')""",
    "foreign_table_in_api": f"""
        select distinct c.relname from {_TABLES} cross join {_CLIENTS}
        where c.relkind = 'f' and has_any_column_privilege(r.role, c.oid, 'select')""",
    "sensitive_columns_exposed": f"""
        select c.relname || '.' || a.attname from {_TABLES}
        join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped cross join {_CLIENTS}
        where a.attname ~ '(password|secret|token_hash|address_hash|api_key|private_key)'
          and has_column_privilege(r.role, c.oid, a.attnum, 'select')""",
    "rls_policy_always_true": f"""
        select c.relname || '.' || p.polname from {_POLICIES}
        where n.nspname = 'public' and p.polpermissive and p.polcmd <> 'r'
          and (p.polroles = '{{0}}' or p.polroles && array['anon'::regrole::oid, 'authenticated'::regrole::oid])
          and btrim({_SAID}) in ('true', 'true true', '')""",
    "security_definer_function_executable": f"""
        select distinct p.proname from {_FUNCTIONS} cross join {_CLIENTS}
        where p.prosecdef and not p.proname = any ($1) and has_function_privilege(r.role, p.oid, 'execute')""",
}
"""Every lint but one, by name; `auth_rls_initplan` reads the conditions themselves."""

INITPLAN = "auth_rls_initplan"
_CONDITIONS = f"""
select c.relname || '.' || p.polname as policy, {_SAID} as said from {_POLICIES} where n.nspname = 'public'
"""
_CALL = re.compile(r"[a-z_.]*[a-z_]\(")


async def offences(connection: Any) -> dict[str, list[str]]:
    """What each lint finds; those that find nothing are not told."""
    found = {}
    for name, query in LINTS.items():
        arguments = [list(DEFINERS)] if "$1" in query else []
        found[name] = [str(row[0]) for row in await connection.fetch(query, *arguments)]
    conditions = await connection.fetch(_CONDITIONS)
    found[INITPLAN] = [row["policy"] for row in conditions if _CALL.search(_outside_selects(row["said"]))]
    return {name: told for name, told in found.items() if told}


def _outside_selects(said: str) -> str:
    """A condition without what it asks once per statement."""
    return "".join(_pieces(said)).replace("ANY (", "ANY ")


def _pieces(said: str) -> Iterator[str]:
    while (begin := said.find("( SELECT ")) >= 0:
        yield said[:begin]
        end, depth = begin + 1, 1
        while depth:
            depth += {"(": 1, ")": -1}.get(said[end], 0)
            end += 1
        said = said[end:]
    yield said
