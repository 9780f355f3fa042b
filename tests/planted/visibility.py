"""Harm done to policies, grants, views and functions, one statement at a time: every kind of it, wherever it can be
done. The matrix must notice each."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from adapters.persistence.schema import TABLES, VIEWS
from adapters.postgres.policies import condition
from adapters.postgres.values import quoted
from application.visibility import VISIBILITY, Everyone, PublicWhen
from tests.visibility.expectations import FUNCTIONS, MARKS, PRIVATE
from tests.visibility.probe import SEARCH, touched

CLIENTS = ("anon", "authenticated")
PUBLIC = {table for table, terms in VISIBILITY.items() if any(isinstance(term, Everyone) for term in terms)}
ASKED = {table for table, terms in VISIBILITY.items() if terms}
IMPLIED = {
    "memberships": "whoever is a member is a colleague of theirs, and so sees their own membership without its own term"
}
"""Terms that may be forgotten without anybody seeing more or less, and why."""


@dataclass(frozen=True, slots=True)
class Harm:
    """A statement that does harm, where to look for it, and whether it shows in what is read, written or granted."""

    statement: str
    sources: tuple[str, ...]
    reads: bool = True
    writes: bool = False
    devices: bool = False
    """Whether it shows only by tokens that name their session or another issuer."""


def policies() -> Iterator[tuple[str, str]]:
    """Every policy by table and role."""
    for table, terms in VISIBILITY.items():
        yield table, "service_role"
        if terms:
            yield table, "authenticated"
        if any(isinstance(term, Everyone | PublicWhen) for term in terms):
            yield table, "anon"


def name(table: str, role: str) -> str:
    """A policy's name."""
    return f"{table}_{'house' if role == 'service_role' else role}"


def dropped() -> Iterator[Harm]:
    """Every policy."""
    for table, role in policies():
        yield Harm(f"drop policy {name(table, role)} on {table}", touched(table))


def opened() -> Iterator[Harm]:
    """Every policy that does not let everything pass, doing so."""
    for table, role in policies():
        if role in CLIENTS and table not in PUBLIC:
            yield Harm(f"alter policy {name(table, role)} on {table} using (true)", touched(table))


def shut() -> Iterator[Harm]:
    """Every policy, letting nothing pass."""
    for table, role in policies():
        yield Harm(f"alter policy {name(table, role)} on {table} using (false)", touched(table))


def forgotten() -> Iterator[Harm]:
    """Every term of a policy."""
    for table, terms in VISIBILITY.items():
        for term in terms if len(terms) > 1 else ():
            if not (term == terms[0] and table in IMPLIED):
                kept = " or ".join(condition(each) for each in terms if each != term)
                yield Harm(f"alter policy {table}_authenticated on {table} using ({kept})", touched(table))


def relaxed() -> Iterator[Harm]:
    """A member taken for a manager, somebody for anybody, the suspended for welcome, an admin for whoever signed in."""
    for table, terms in VISIBILITY.items():
        said = " or ".join(condition(term) for term in terms)
        for strict, loose in (
            ("my_managed_organizations()", "my_organizations()"),
            ("(select is_admin())", "(select welcome_user_id()) is not null"),
            ("state = 'published'", "state <> 'draft'"),
            ("= (select welcome_user_id())", "is not null"),
            ("(select welcome_user_id())", "(select current_user_id())"),
        ):
            if strict in said:
                loosened = said.replace(strict, loose)
                yield Harm(f"alter policy {table}_authenticated on {table} using ({loosened})", touched(table))


def switched_off() -> Iterator[Harm]:
    """Row level security, table by table."""
    for table in TABLES:
        yield Harm(f"alter table {table} disable row level security", touched(table))


def granted() -> Iterator[Harm]:
    """Every right to write, to everybody who has none; whole, and for one column."""
    for table in TABLES:
        for role in CLIENTS:
            for verb in ("insert", "update", "delete", "truncate"):
                yield Harm(f"grant {verb} on {table} to {role}", (table,), reads=False, writes=True)
            column = quoted(TABLES[table].columns[-1].name)
            yield Harm(f"grant update ({column}) on {table} to {role}", (table,), reads=False, writes=True)


def widened() -> Iterator[Harm]:
    """Every right to read some columns, made one to read them all; and where there is none, one."""
    for table in TABLES:
        for role in CLIENTS:
            if table not in ASKED or PRIVATE.get(table) or (role == "anon" and not _public(table)):
                yield Harm(f"grant select on {table} to {role}", (table,), reads=False)
    for table in MARKS:
        yield Harm(f"grant select on {table} to authenticated", (table,), reads=False)


def columns() -> Iterator[Harm]:
    """Every private column shown, and every other hidden."""
    for table in TABLES:
        for column in TABLES[table].columns:
            quoted_name = quoted(column.name)
            for role in CLIENTS if _public(table) else ("authenticated",):
                if column.name in PRIVATE.get(table, ()):
                    yield Harm(f"grant select ({quoted_name}) on {table} to {role}", (table,), reads=False)
                elif table in ASKED:
                    yield Harm(f"revoke select ({quoted_name}) on {table} from {role}", (table,), reads=False)


def revoked() -> Iterator[Harm]:
    """What Supabase grants by default, left as it was: to clients, to the house, and to whoever calls a function."""
    for table in (*TABLES, *MARKS):
        for role in CLIENTS:
            yield Harm(f"grant all on {table} to {role}", (table,), reads=False, writes=True)
    for view, declared in VIEWS.items():
        if declared.for_the_house:
            for role in CLIENTS:
                yield Harm(f"grant all on {view} to {role}", (view,))
    for function in (name for name, whom in FUNCTIONS.items() if whom == "house"):
        for role in (*CLIENTS, "public"):
            yield Harm(f"grant execute on function {function} to {role}", ())


def house() -> Iterator[Harm]:
    """The house allowed too much, or too little."""
    for table, declared in TABLES.items():
        removing = "grant delete on {} to" if declared.append_only else "revoke delete on {} from"
        for statement in ("grant truncate on {} to", "revoke insert on {} from", removing):
            yield Harm(f"{statement.format(table)} service_role", (table,), reads=False, writes=True)


def views() -> Iterator[Harm]:
    """Every view, looking with its owner's eyes, or not to be looked at."""
    for view, declared in VIEWS.items():
        if declared.for_the_house:
            yield Harm(f"grant select on {view} to authenticated", (view,))
        else:
            yield Harm(f"alter view {view} set (security_invoker = false)", (view,))
            yield Harm(f"revoke select on {view} from authenticated", (view,))


def functions(sources: Mapping[str, str]) -> Iterator[Harm]:
    """Every function that policies ask, telling more; given its source."""

    def changed(function: str, before: str, after: str) -> str:
        assert before in sources[function], function
        return sources[function].replace(before, after)

    for before, after in (
        ("and u.suspended_at is null", ""),
        ("session is null or", "true or"),
        ("and s.user_id = me", ""),
        ("and s.revoked_at is null", ""),
        ("and s.epoch = u.epoch", ""),
    ):
        yield Harm(changed("welcome_user_id", before, after), touched("bookings"), devices=True)
    for before, after in (
        ("e.issuer = claims.said ->> 'iss' and", ""),
        ("and e.subject = claims.said ->> 'sub'", ""),
    ):
        yield Harm(changed("my_foreign_user_id", before, after), touched("notifications"), devices=True)
    taken = changed("current_user_id", "public.my_foreign_user_id()", "(said ->> 'sub')::uuid")
    yield Harm(taken, touched("notifications"), devices=True)
    yield Harm(changed("current_session_id", "claims.sid::uuid", "null::uuid"), touched("bookings"), devices=True)
    for function, condition_of_it, table in (
        ("is_admin", "and u.role = 'admin'", "users"),
        ("my_organizations", "where m.user_id = me", "jobs"),
        ("my_managed_organizations", "and m.role in ('owner', 'manager')", "payments"),
        ("my_managed_organizations", "m.user_id = me and", "payments"),
        ("my_conversations", "where p.user_id = me", "messages"),
    ):
        yield Harm(changed(function, condition_of_it, ""), touched(table))
        for statement in (
            changed(function, "public.welcome_user_id()", "public.current_user_id()"),
            f"alter function {function}() reset search_path",
            f"alter function {function}() owner to current_user",
        ):
            yield Harm(statement, touched(table))
    for lax in ("j.state <> ''draft''", "true"):
        yield Harm(changed(SEARCH, "j.state = ''published''", lax), (SEARCH,))
    peeking = "create function peek() returns bigint language sql"
    yield Harm(f"{peeking} as 'select count(*) from public.users'", ())
    yield Harm(f"{peeking} security definer set search_path = '' as 'select count(*) from public.users'", ())


KINDS: dict[str, Callable[[], Iterator[Harm]]] = {
    "policies dropped": dropped,
    "policies opened": opened,
    "policies shut": shut,
    "terms forgotten": forgotten,
    "terms relaxed": relaxed,
    "row level security switched off": switched_off,
    "rights to write granted": granted,
    "whole tables granted": widened,
    "columns shown or hidden": columns,
    "revokes forgotten": revoked,
    "rights of the house changed": house,
    "views": views,
}
"""Every kind of harm but that to functions, which needs to know them."""


def _public(table: str) -> bool:
    return any(isinstance(term, Everyone | PublicWhen) for term in VISIBILITY[table])
