"""The declared visibility as grants and row-level security policies."""

from collections.abc import Iterator

from adapters.persistence.schema import TABLES, VIEWS
from adapters.persistence.schema.tables import Latest, Table, View
from adapters.postgres.values import quoted
from application.visibility import (
    VISIBILITY,
    Addressed,
    Admin,
    Everyone,
    ManagerOf,
    MemberOf,
    Own,
    Participant,
    PublicWhen,
    Term,
)


def policies() -> Iterator[str]:
    """Every statement that says who may read which rows. Nobody but the house writes."""
    for table in TABLES.values():
        yield from _table(table, VISIBILITY[table.name])


def views() -> Iterator[str]:
    """Every view: it shows what its asker may see of the tables behind it."""
    for view in VIEWS.values():
        yield _view(view)
        readers = "service_role" if view.for_the_house else "anon, authenticated, service_role"
        yield f"revoke all on {view.name} from anon, authenticated, service_role, public"
        yield f"grant select on {view.name} to {readers}"


def condition(term: Term, table: str = "") -> str:
    """The term as SQL over the table's columns; asked once per statement wherever it asks a function."""
    prefix = f"{table}." if table else ""
    match term:
        case Everyone():
            return "true"
        case PublicWhen(column, value):
            return f"{prefix}{column} = '{value}'"
        case Own(column):
            return f"{prefix}{column} = (select welcome_user_id())"
        case Addressed(column):
            return f"{prefix}{column} = (select my_address())"
        case MemberOf(column):
            return f"{prefix}{column} = any ((select my_organizations())::uuid[])"
        case ManagerOf(column):
            return f"{prefix}{column} = any ((select my_managed_organizations())::uuid[])"
        case Participant(column):
            return f"{prefix}{column} = any ((select my_conversations())::uuid[])"
        case Admin():
            return "(select is_admin())"


def _table(table: Table, terms: tuple[Term, ...]) -> Iterator[str]:
    name = table.name
    yield f"alter table {name} enable row level security"
    yield f"revoke all on {name} from anon, authenticated, service_role, public"
    yield f"grant {', '.join(_verbs(table))} on {name} to service_role"
    yield f"create policy {name}_house on {name} to service_role using (true) with check (true)"
    shown = ", ".join(quoted(column.name) for column in table.columns if not column.private)
    public = [term for term in terms if isinstance(term, Everyone | PublicWhen)]
    for role, seen in (("anon", public), ("authenticated", list(terms))):
        if seen:
            yield f"grant select ({shown}) on {name} to {role}"
            using = " or ".join(condition(term) for term in seen)
            yield f"create policy {name}_{role} on {name} for select to {role} using ({using})"
    if table.append_only:
        yield (
            f"create trigger {name}_append_only before update or delete on {name} "
            f"for each row execute function refuse_rewriting({', '.join(repr(name) for name in table.fills)})"
        )


def _verbs(table: Table) -> tuple[str, ...]:
    if not table.append_only:
        return ("select", "insert", "update", "delete")
    return ("select", "insert", "update") if table.fills else ("select", "insert")


def _view(view: View) -> str:
    columns = [f"b.{column}" for column in view.columns]
    joins = []
    for index, join in enumerate(view.joins):
        alias = f"j{index}"
        columns += [f"{alias}.{column} as {name}" for name, column in join.columns.items()]
        if isinstance(join, Latest):
            chosen = ", ".join(join.columns.values())
            joins.append(
                f"left join lateral (select {chosen} from {join.table} t where t.{join.there} = b.{join.here} "
                f"order by t.{join.by} desc limit 1) {alias} on true"
            )
        else:
            joins.append(f"left join {join.table} {alias} on {alias}.{join.there} = b.{join.here}")
    shown = f"select {', '.join(columns)} from {view.base} b {' '.join(joins)}"
    return f"create view {view.name} with (security_invoker = true) as {shown}"
