"""What commands say: tables for people, JSON for programs, refusals as one line on standard error."""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import orjson
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from domain.shared.errors import Refusal, Unavailable
from domain.shared.money import Money
from domain.shared.time import Span

Column = str | tuple[str, Callable[[Any], object]]
"""A column of a table: the name of what is shown, or a title and what to make of the row."""

_UNSEEN_WIDTH = 200
"""Columns where nobody looks: a pipe or a file gets whole lines."""


def out() -> Console:
    """Standard output, as wide as the terminal."""
    return Console(width=None if sys.stdout.isatty() else _UNSEEN_WIDTH, highlight=False)


def err() -> Console:
    """Standard error."""
    return Console(stderr=True, width=None if sys.stderr.isatty() else _UNSEEN_WIDTH, highlight=False)


def show_json(value: object) -> None:
    """One JSON document. Moments are RFC 3339 in UTC, money is minor units and currency, as by REST."""
    sys.stdout.write(as_json(value) + "\n")
    sys.stdout.flush()


def as_json(value: object) -> str:
    """The same as text."""
    option = orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS
    return orjson.dumps(value, option=option, default=str).decode()


def show_rows(items: Sequence[object], columns: Sequence[Column], *, more: bool = False) -> None:
    """A table for people."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for column in columns:
        title = column if isinstance(column, str) else column[0]
        table.add_column(title.replace("_", " "), no_wrap=title == "id" or title.endswith("_id"), overflow="fold")
    for item in items:
        table.add_row(*(Text(cell(_taken(item, column))) for column in columns))
    console = out()
    console.print(table if items else "nothing")
    if more:
        console.print("there are more: --limit shows as many as you like, --all all of them")


def show_thing(thing: object) -> None:
    """One thing, field by field."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in _named(thing):
        table.add_row(name.replace("_", " "), Text(cell(value)))
    out().print(table)


def cell(value: object, *, inside: bool = False) -> str:
    """A value as people read it; `inside` another one it stays on its line."""
    if value is None or value in ((), [], {}):
        return "-"
    if is_dataclass(value) and not isinstance(value, type | Money | Span):
        parts = [f"{name.replace('_', ' ')} {cell(each, inside=True)}" for name, each in _named(value)]
        return (", " if inside else "\n").join(parts)
    match value:
        case bool():
            return "yes" if value else "no"
        case datetime():
            return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"
        case Span():
            return f"{cell(value.starts_at)} to {cell(value.ends_at)}"
        case Enum():
            return str(value.value)
        case Mapping():
            return ", ".join(f"{key} {cell(each, inside=True)}" for key, each in value.items())
        case list() | tuple():
            return ("; " if inside else "\n").join(cell(each, inside=True) for each in value)
    return str(value)


def show_refusal(refusal: Refusal, *, json: bool, details: bool = False) -> None:
    """Why not, with its code."""
    if json:
        told = {"code": refusal.code, "message": refusal.message, **refusal.details}
        sys.stderr.write(orjson.dumps({"error": told}, default=str).decode() + "\n")
        return
    word = "not now" if isinstance(refusal, Unavailable) else "refused"
    line = Text.assemble((word, "bold red"), f": {refusal.message} ", (f"({refusal.code})", "dim"))
    err().print(line, soft_wrap=True)
    if details:
        for name, value in refusal.details.items():
            err().print(Text(f"  {name}: {cell(value)}"), soft_wrap=True)


def projected(thing: object, view: type[Any]) -> dict[str, object]:
    """Of a thing just changed, what a view of it would show: never more."""
    return {field.name: getattr(thing, field.name) for field in fields(view) if hasattr(thing, field.name)}


def with_columns(item: object, columns: Iterable[Column]) -> object:
    """The item for JSON, with what its table shows beside its fields."""
    if not is_dataclass(item) or isinstance(item, type):
        return item
    known = {field.name for field in fields(item)}
    also = [name for name in columns if isinstance(name, str) and name not in known]
    if not also:
        return item
    return {name: getattr(item, name) for name in (*(field.name for field in fields(item)), *also)}


def _taken(item: object, column: Column) -> object:
    if not isinstance(column, str):
        return column[1](item)
    return item.get(column) if isinstance(item, Mapping) else getattr(item, column)


def _named(thing: object) -> Iterable[tuple[str, object]]:
    if isinstance(thing, Mapping):
        return thing.items()
    assert is_dataclass(thing)
    return [(field.name, getattr(thing, field.name)) for field in fields(thing) if not field.name.startswith("_")]
