"""A change set as one statement: locks, tallies, guards and writes in one fixed order, each waiting for the one before.

Sibling parts of one statement have no order of their own, so every part asks for the count of the part before it and
stops the whole through `must` when that is not what it should be. Rows of one table and kind arrive as arrays: the
statement's text depends on the kinds of change only, and each kind of change set is prepared once per connection."""

from functools import lru_cache
from typing import Any

from adapters.persistence.schema import TABLES
from adapters.persistence.steps import Part, columns, steps
from adapters.persistence.store import Changes
from adapters.postgres.values import cast, quoted, sent


def statement(changes: Changes) -> tuple[str, list[Any]]:
    """The SQL of this kind of change set, and its arguments: for each part a count, and one array per column."""
    parts: list[Part] = []
    arguments: list[Any] = []
    for step in steps(changes):
        parts.append(step.part)
        arguments.append(len(step.rows))
        arguments += [[sent(value) for value in column] for column in zip(*step.rows, strict=True)]
    return _sql(tuple(parts)), arguments


@lru_cache(maxsize=2048)
def _sql(parts: tuple[Part, ...]) -> str:
    tallies = {part[0]: f"part{index}" for index, part in enumerate(parts) if part[0] in ("raise", "lower")}
    raised = tallies.get("raise", "")
    ctes: list[str] = []
    before = ""
    position = 0
    for index, part in enumerate(parts):
        count, position = f"${position + 1}", position + 1
        types = [cast(column) for column in columns(part)]
        arrays = [f"${position + offset + 1}::{name}[]" for offset, name in enumerate(types)]
        position += len(types)
        name = f"part{index}"
        ctes.append(f"{name} as {_cte(part, arrays, before or 'true').replace('@raised', raised)}")
        all_done = f"(select count(*) from {name}) = {count}::bigint"
        before = f"(select must({all_done}, {_stop(part, name, arrays, all_done)}))"
    moved = " union all ".join(f"select name, value from {name}" for name in tallies.values())
    numbers = f"(select json_object_agg(name, value)::text from ({moved}) as moved)" if moved else "null::text"
    return f"with {', '.join(ctes)} select {before} as done, {numbers} as numbers"


def _stop(part: Part, name: str, arrays: list[str], all_done: str) -> str:
    """What is said when a part did not do all of its work; of tallies, the first that did not move."""
    kind, table = part
    if kind != "raise":
        return f"'{kind}:{table}'"
    left = f"select min(wanted) from unnest({arrays[0]}) as wanted where wanted not in (select name from {name})"
    return f"case when {all_done} then '' else 'raise:' || ({left}) end"


def _cte(part: Part, arrays: list[str], before: str) -> str:
    kind, table = part
    rows = f"unnest({', '.join(arrays)})"
    match kind:
        case "lock":
            return f"materialized (select pg_advisory_xact_lock(hashtextextended(key, 0)) as held from {rows} as key)"
        case "raise":
            return (
                "(insert into tallies as t (name, value, ceiling) select w.name, w.by, w.ceiling "
                f"from {rows} as w(name, by, ceiling) where {before} and (w.ceiling is null or w.by <= w.ceiling) "
                "order by w.name on conflict (name) do update set value = t.value + excluded.value, "
                "ceiling = excluded.ceiling where excluded.ceiling is null "
                "or t.value + excluded.value <= excluded.ceiling returning t.name, t.value)"
            )
        case "lower":
            return (
                f"(update tallies t set value = t.value + w.by from {rows} as w(name, by) "
                f"where t.name = w.name and {before} returning t.name, t.value)"
            )
        case "guard":
            # A plain select would see the snapshot from before the wait on the lock; `for share` sees the row as it is.
            return (
                f"materialized (select 1 from {table} t join {rows} as w(id, version) "
                f"on t.id = w.id and t.version = w.version where {before} for share of t)"
            )
        case "delete":
            return (
                f"(delete from {table} t using {rows} as w(id, version) "
                f"where t.id = w.id and t.version = w.version and {before} returning 1)"
            )
    return _write_cte(kind, table, rows, before)


def _write_cte(kind: str, table: str, rows: str, before: str) -> str:
    names = tuple(quoted(name) for name in TABLES[table].names)
    listed = ", ".join(names)
    if kind == "update":
        assigned = ", ".join(f"{name} = w.{name}" for name in names if name != "id")
        return (
            f"(update {table} t set {assigned} from {rows} as w(expected, {listed}) "
            f"where t.id = w.id and t.version = w.expected and {before} returning 1)"
        )
    if kind == "insert":
        return f"(insert into {table} ({listed}) select {listed} from {rows} as w({listed}) where {before} returning 1)"
    if table == "receipts":
        number = "(select value from @raised where name = w.series)"
        chosen = [
            f"case when w.series is null then w.answer else w.answer || jsonb_build_object(w.field, {number}) end"
            if name == "answer"
            else f"w.{name}"
            for name in names
        ]
        columns = f"{listed}, field, series"
    else:
        numbered = TABLES[table].numbered
        chosen = [
            f"coalesce((select value from @raised where name = w.{name}_series), w.{name})"
            if name in numbered
            else f"w.{name}"
            for name in names
        ]
        columns = ", ".join([listed, *(f"{name}_series" for name in numbered)])
    return (
        f"(insert into {table} ({listed}) select {', '.join(chosen)} from {rows} as w({columns}) "
        f"where {before} returning 1)"
    )
