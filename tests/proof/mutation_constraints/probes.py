"""For each constraint, rows that it alone refuses: found by trying values until no other rule minds."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice, product
from typing import Any
from uuid import UUID

from adapters.persistence.schema import TABLES
from adapters.persistence.schema.tables import Check, Column, Excludes, References, Row, Table, Type, Unique
from adapters.persistence.store import Insert
from domain.shared.time import Span
from tests.contracts.rows import HOUR, LATER, VARIANTS, Rows
from tests.contracts.stores import NOW

NOBODY = UUID(int=99)
MOST_TRIES = 50_000
ABOUT_A_BOOKING: Row = {"kind": "booking", "pair": None}
"""The other kind of conversation."""
_NUMBERS = re.compile(r"-?\b\d+\b")
_WORDS = re.compile(r"'([^']*)'")
_USUAL: dict[Type, tuple[Any, ...]] = {
    Type.BIGINT: (-1, 0, 1, 2, 10**12),
    Type.TEXT: ("", "Ünusual@Example.org", "x" * 20_001, "USD"),
    Type.BOOLEAN: (True, False),
    Type.INSTANT: (NOW, LATER, NOW - timedelta(hours=1)),
    Type.SPAN: (HOUR, Span(LATER, LATER + timedelta(hours=1)), Span(NOW, NOW + timedelta(minutes=5))),
    Type.UUID: (NOBODY,),
    Type.DATE: (NOW.date(),),
    Type.JSON: ({},),
}


@dataclass(frozen=True, slots=True)
class Probe:
    """Rows the database takes, and one it must refuse."""

    table: str
    accepted: tuple[Insert, ...]
    refused: Row


def probe(table: Table, constraint: Check | Unique | References | Excludes) -> Probe | None:
    """What only this constraint refuses, by the reading of stores that interpret it; None when there is nothing."""
    match constraint:
        case Check():
            return _breaking(table, constraint)
        case Unique():
            return _twice(table, constraint)
        case Excludes():
            return _overlapping(table, constraint)
        case References():
            return _dangling(table, constraint)


def without(table: Table, column: Column) -> Iterator[Probe]:
    """Rows that leave this column empty: one as it comes, as SQL lets unknown checks pass; and one no check minds."""
    rows = Rows(table.name)
    row = rows.row(table.name)
    yield Probe(table.name, tuple(rows.parents), {**row, column.name: None})
    if found := _found(table, [column], lambda tried: not _broken(table, tried), fixed={column.name: None}):
        yield found


def same_key(table: Table) -> Probe:
    """Two rows of one key."""
    rows = Rows("key")
    first, second = rows.row(table.name), rows.row(table.name)
    key = "id" if "id" in table.names else "name"
    return Probe(table.name, (*rows.parents, Insert(table.name, first)), {**second, key: first[key]})


def _breaking(table: Table, check: Check) -> Probe | None:
    return _found(table, _named(table, check), lambda tried: _broken(table, tried) == [check.name])


def _found(
    table: Table, columns: list[Column], wanted: Callable[[Row], bool], *, fixed: Row | None = None
) -> Probe | None:
    """A row of which that is true, by trying values in these columns; then also in those that checks tie to them. What
    is fixed has that value."""
    told = fixed or {}
    for tried_columns in (columns, _tied(table, columns)):
        for variant in ({}, *VARIANTS.get(table.name, ())):
            rows = Rows(table.name)
            row = rows.row(table.name, **variant)
            choices = [
                [told[each.name]] if each.name in told else _candidates(table, each, row) for each in tried_columns
            ]
            for values in islice(product(*choices), MOST_TRIES):
                tried = row | dict(zip((column.name for column in tried_columns), values, strict=True))
                if wanted(tried):
                    return Probe(table.name, tuple(rows.parents), tried)
    return None


def _named(table: Table, check: Check) -> list[Column]:
    return [column for column in table.columns if re.search(rf"\b{column.name}\b", check.sql)]


def _tied(table: Table, columns: list[Column]) -> list[Column]:
    checks = [_named(table, check) for check in table.constraints if isinstance(check, Check)]
    others = [column for named in checks for column in named if any(each in columns for each in named)]
    return list(dict.fromkeys([*columns, *others]))


def _candidates(table: Table, column: Column, row: Row) -> list[Any]:
    checks = [check for check in table.constraints if isinstance(check, Check) and column in _named(table, check)]
    said = " ".join(check.sql for check in checks)
    found = [row[column.name]]
    if column.nullable:
        found.append(None)
    refers = {each.column: each.table for each in table.constraints if isinstance(each, References)}
    if column.name in refers:
        return found + [row[other] for other, there in refers.items() if there == refers[column.name]]
    found += _USUAL[column.type]
    if column.type is Type.BIGINT:
        found += [int(number) + off for number in _NUMBERS.findall(said) for off in (-1, 0, 1)]
    if column.type is Type.TEXT:
        found += _WORDS.findall(said)
    return list(dict.fromkeys(found)) if column.type is not Type.JSON else found


def _broken(table: Table, row: Row) -> list[str]:
    """The checks this row fails, by the reading of stores that interpret them."""
    return [check.name for check in table.constraints if isinstance(check, Check) and not _holds(check, row)]


def _holds(check: Check, row: Row) -> bool:
    try:
        return bool(check.holds(row))
    except (TypeError, AttributeError):
        return True  # about an empty column: SQL calls that unknown, and lets it pass


def _twice(table: Table, unique: Unique) -> Probe | None:
    for variant in ({}, *VARIANTS.get(table.name, ()), ABOUT_A_BOOKING):
        rows = Rows(unique.name)
        shared = dict(variant)
        if variant is ABOUT_A_BOOKING:
            if table.name != "conversations":
                break
            booking = rows.row("bookings")
            rows.parents.append(Insert("bookings", booking))
            shared["booking_id"] = booking["id"]
        first, again = rows.row(table.name, **shared), rows.row(table.name, **shared)
        second = again | {column: first[column] for column in unique.columns}
        counted = unique.where is None or unique.where.holds(first)
        if counted and None not in [first[column] for column in unique.columns] and not _broken(table, second):
            return Probe(table.name, (*rows.parents, Insert(table.name, first)), second)
    return None


def _overlapping(table: Table, excludes: Excludes) -> Probe | None:
    rows = Rows(excludes.name)
    first = rows.row(table.name)
    second = rows.row(table.name) | {name: first[name] for name in (excludes.equal, excludes.overlap)}
    holds = excludes.where.holds(first) and excludes.where.holds(second)
    holds = holds and first[excludes.differ] != second[excludes.differ]
    return Probe(table.name, (*rows.parents, Insert(table.name, first)), second) if holds else None


def _dangling(table: Table, references: References) -> Probe | None:
    column = table.column(references.column)
    return _found(table, [column], lambda tried: not _broken(table, tried), fixed={column.name: NOBODY})


def declared(name: str) -> tuple[Table, Check | Unique | References | Excludes] | None:
    """The table and constraint of that name."""
    for table in TABLES.values():
        for constraint in table.constraints:
            if constraint.name == name:
                return table, constraint
    return None
