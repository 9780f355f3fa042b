"""What a migrated database really holds, each with the statement that takes it away."""

from dataclasses import dataclass
from typing import Any

_OBJECTS = """
select case contype when 'c' then 'check' when 'u' then 'unique' when 'x' then 'exclude' when 'p' then 'primary key'
                    else 'reference' end as kind,
       conrelid::regclass::text as "table", conname as name,
       format('alter table %s drop constraint %I cascade', conrelid::regclass, conname) as dropped
from pg_constraint where connamespace = 'public'::regnamespace and contype in ('c', 'u', 'x', 'p', 'f')
union all
select 'unique', indrelid::regclass::text, c.relname, format('drop index %I', c.relname)
from pg_index i join pg_class c on c.oid = i.indexrelid
where indisunique and c.relnamespace = 'public'::regnamespace
  and not exists (select from pg_constraint where conindid = i.indexrelid)
union all
select 'policy', tablename, policyname, format('drop policy %I on %I', policyname, tablename)
from pg_policies where schemaname = 'public'
union all
select 'trigger', tgrelid::regclass::text, tgname, format('drop trigger %I on %s', tgname, tgrelid::regclass)
from pg_trigger t join pg_class c on c.oid = t.tgrelid
where not tgisinternal and c.relnamespace = 'public'::regnamespace
union all
select 'row level security', relname, relname, format('alter table %I disable row level security', relname)
from pg_class where relnamespace = 'public'::regnamespace and relrowsecurity
union all
select 'not null', c.relname, attname, format('alter table %I alter column %I drop not null', c.relname, attname)
from pg_attribute a join pg_class c on c.oid = a.attrelid
where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and attnum > 0 and attnotnull and not attisdropped
  and not exists (select from pg_constraint where conrelid = c.oid and contype = 'p' and attnum = any (conkey))
order by 1, 2, 3
"""


@dataclass(frozen=True, slots=True)
class Held:
    """Something the database holds on to."""

    kind: str
    table: str
    name: str
    dropped: str
    """The statement that takes it away."""

    def __str__(self) -> str:
        return f"{self.kind} {self.table}.{self.name}"


async def catalogue(connection: Any) -> list[Held]:
    """All of it, but for Alembic's own table."""
    rows = await connection.fetch(_OBJECTS)
    return [Held(**row) for row in rows if row["table"] != "alembic_version"]
