"""The whole database as one script, from the schema, the visibility and the functions beside this file.

`python -m adapters.postgres.ddl` prints it. A migration is written from it once and then stands by itself; a test holds
the two together."""

import sys
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from adapters.postgres import claims, search
from adapters.postgres.metadata import metadata
from adapters.postgres.policies import policies, views

SQL = Path(__file__).parent / "sql"
CALLS = ("commit_changes(jsonb)", claims.SIGNATURE)
"""What is called by those who have no connection of their own."""
_OF_COMMITS = (
    "commit_columns(text)",
    "commit_rows(bigint, text[], text[])",
    "commit_part(jsonb, text[], text, text, text)",
    "commit_statement(jsonb)",
)
MOVING = (
    "moved_tables()",
    "move_standing()",
    "move_batch(text, text, bigint)",
    "move_news(jsonb, bigint)",
    "move_forget(uuid[])",
    "move_digest(text, text, bigint)",
    "move_digests(text, text, bigint)",
    "move_triggers(boolean, boolean, text[])",
    "move_leave(uuid, text, timestamptz, text[])",
    "move_open(uuid, text, timestamptz, timestamptz, boolean, text[])",
    "move_receive(uuid, bigint, text, jsonb, jsonb, timestamptz, timestamptz)",
    "move_arrive(uuid, bigint, text, timestamptz, text[])",
)
"""What moves a house; for the house alone."""
OF_THE_OWNER = ("move_standing()", "move_triggers(boolean, boolean, text[])", "note_change()", "refuse_while_moving()")
"""What runs as the owner of the tables: it reads the mark of migrations, or makes triggers. Not for clients."""
DEFINERS = (
    "my_foreign_user_id()",
    "welcome_user_id()",
    "my_organizations()",
    "my_managed_organizations()",
    "my_conversations()",
    "my_address()",
    "is_admin()",
)


def script() -> str:
    """Everything an empty database needs, in order, as one text."""
    return ";\n\n".join(part.strip().rstrip(";") for part in _parts()) + ";\n"


def _parts() -> Iterator[str]:
    yield (SQL / "roles.sql").read_text()
    yield "grant usage on schema public to anon, authenticated, service_role"
    yield "create schema if not exists extensions"
    yield "create extension if not exists btree_gist schema extensions"
    yield (SQL / "functions.sql").read_text()
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    tables = metadata().sorted_tables
    for table in tables:
        yield str(CreateTable(table).compile(dialect=dialect)).strip()
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            yield str(CreateIndex(index).compile(dialect=dialect)).strip()
    yield (SQL / "definers.sql").read_text()
    yield from views()
    yield search.function()
    yield "grant create on schema public to service_role"
    for definer in (*DEFINERS, search.SIGNATURE):
        yield f"alter function {definer} owner to service_role"
        yield f"revoke all on function {definer} from public"
        yield f"grant execute on function {definer} to anon, authenticated, service_role"
    yield "revoke create on schema public from service_role"
    yield (SQL / "commits.sql").read_text()
    yield claims.function()
    for own in ("must(boolean, text)", *_OF_COMMITS, *CALLS):
        yield f"revoke all on function {own} from anon, authenticated, public"
        yield f"grant execute on function {own} to service_role"
    yield from policies()
    yield from _moving()


def _moving() -> Iterator[str]:
    yield (SQL / "moving.sql").read_text()
    for function in MOVING:
        yield f"revoke all on function {function} from anon, authenticated, public"
        yield f"grant execute on function {function} to service_role"
    for trigger in OF_THE_OWNER[2:]:
        yield f"revoke all on function {trigger} from anon, authenticated, public"


if __name__ == "__main__":
    sys.stdout.write(script())
