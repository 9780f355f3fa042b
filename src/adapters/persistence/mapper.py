"""Between a dataclass and its row: derived once from type hints, so that a field is never named twice."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from functools import lru_cache
from operator import attrgetter, itemgetter
from types import NoneType, UnionType
from typing import Any, Generic, TypeVar, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import orjson
from cattrs import Converter

from adapters.persistence.schema.tables import Row
from domain.shared.money import Money
from domain.shared.time import Span

A = TypeVar("A")
_AS_THEY_ARE = (UUID, str, int, bool, datetime, date, Span)
_OWN = frozenset({"_events"})


def _converter() -> Converter:
    """JSON-ready values in and out: ids, instants and dates as text, everything else by its fields."""
    converter = Converter(unstruct_collection_overrides={tuple: list})
    converter.register_unstructure_hook(UUID, str)
    converter.register_structure_hook(UUID, lambda value, _: UUID(value))
    converter.register_unstructure_hook(datetime, lambda value: value.isoformat())
    converter.register_structure_hook(datetime, lambda value, _: datetime.fromisoformat(value))
    converter.register_unstructure_hook(date, lambda value: value.isoformat())
    converter.register_structure_hook(date, lambda value, _: date.fromisoformat(value))
    return converter


JSON = _converter()
"""The one codec of jsonb columns and event payloads."""


@dataclass(frozen=True, slots=True)
class _Field:
    """One field of the class: how it leaves for its columns, and how it comes back. Most do both as they are."""

    name: str
    columns: tuple[str, ...]
    write: Callable[[Any, Row], None]
    read: Callable[[Mapping[str, Any]], Any]
    plain: bool = False


class Mapper(Generic[A]):
    """Rows of one class. `derived` names properties that are written beside the fields and never read back."""

    def __init__(self, cls: type[A], *, derived: tuple[str, ...] = ()) -> None:
        hints = get_type_hints(cls)
        self.cls = cls
        own = tuple(_field(f.name, hints[f.name]) for f in fields(cls) if f.name not in _OWN)  # type: ignore[arg-type]
        returns = {name: get_type_hints(getattr(cls, name).fget)["return"] for name in derived}
        self._derived = tuple(_field(name, hint) for name, hint in returns.items())
        self.columns = tuple(c for f in (*own, *self._derived) for c in f.columns)
        """The columns this class fills, in the order of its fields."""
        self._turned = tuple(f for f in own if not f.plain)
        self._plain = tuple(f.name for f in own if f.plain)
        self._plain_of_row, self._plain_of_thing = _getters(self._plain)

    def image(self, thing: A) -> Row:
        """What its fields say, without derived columns: two equal images are the same object, stored or not."""
        row: Row = dict(zip(self._plain, self._plain_of_thing(thing), strict=True))
        for f in self._turned:
            f.write(getattr(thing, f.name), row)
        return row

    def row(self, thing: A) -> Row:
        """The whole row of this object, derived columns included."""
        return self.completed(self.image(thing), thing)

    def completed(self, image: Row, thing: A) -> Row:
        """This image of the object, made its whole row."""
        for f in self._derived:
            f.write(getattr(thing, f.name), image)
        return image

    def build(self, row: Mapping[str, Any]) -> A:
        """The object of a row; timeless invariants are checked again on the way."""
        given = dict(zip(self._plain, self._plain_of_row(row), strict=True))
        for f in self._turned:
            given[f.name] = f.read(row)
        return self.cls(**given)


def _getters(names: tuple[str, ...]) -> tuple[Callable[[Any], tuple[Any, ...]], Callable[[Any], tuple[Any, ...]]]:
    """All of these at once, of a row and of an object."""
    if len(names) > 1:
        return itemgetter(*names), attrgetter(*names)
    return lambda row: tuple(row[name] for name in names), lambda thing: tuple(getattr(thing, name) for name in names)


def _field(name: str, hint: Any) -> _Field:
    kind, optional = _bare(hint)
    if kind is Money:
        return _money(name)
    if isinstance(kind, type) and issubclass(kind, Enum):
        members = {member.value: member for member in kind}
        return _Field(
            name,
            (name,),
            _writer(name, lambda value: value.value, optional),
            _reader(name, members.__getitem__, optional),
        )
    if kind in _AS_THEY_ARE:
        return _Field(name, (name,), lambda value, row: row.__setitem__(name, value), lambda row: row[name], plain=True)
    return _Field(
        name,
        (name,),
        _writer(name, lambda value: JSON.unstructure(value, kind), optional),
        _reader(name, _structurer(kind), optional),
    )


def _structurer(kind: Any) -> Callable[[Any], Any]:
    """From JSON values to this kind. Values that never change are built once for all rows that hold the same."""
    if not _never_changes(kind):
        return lambda value: JSON.structure(value, kind)

    @lru_cache(maxsize=4096)
    def known(text: bytes) -> Any:
        return JSON.structure(orjson.loads(text), kind)

    return lambda value: known(orjson.dumps(value))


def _never_changes(kind: Any) -> bool:
    kind, _ = _bare(kind)
    if get_origin(kind) is tuple:
        return all(each is Ellipsis or _never_changes(each) for each in get_args(kind))
    if kind in _AS_THEY_ARE or kind is Money or (isinstance(kind, type) and issubclass(kind, Enum)):
        return True
    frozen = is_dataclass(kind) and getattr(kind, "__dataclass_params__").frozen  # noqa: B009 - nobody declares it
    return frozen and all(map(_never_changes, get_type_hints(kind).values()))


def _money(name: str) -> _Field:
    minor, currency = f"{name}_minor", f"{name}_currency"

    def write(value: Money | None, row: Row) -> None:
        row[minor], row[currency] = (None, None) if value is None else (value.amount_minor, value.currency)

    def read(row: Mapping[str, Any]) -> Money | None:
        return None if row[minor] is None else Money(row[minor], row[currency])

    return _Field(name, (minor, currency), write, read)


def _writer(name: str, turn: Callable[[Any], Any], optional: bool) -> Callable[[Any, Row], None]:
    def write(value: Any, row: Row) -> None:
        row[name] = None if optional and value is None else turn(value)

    return write


def _reader(name: str, turn: Callable[[Any], Any], optional: bool) -> Callable[[Mapping[str, Any]], Any]:
    def read(row: Mapping[str, Any]) -> Any:
        value = row[name]
        return None if optional and value is None else turn(value)

    return read


def _bare(hint: Any) -> tuple[Any, bool]:
    """The type behind NewType and Optional, and whether nothing is allowed."""
    while hasattr(hint, "__supertype__"):
        hint = hint.__supertype__
    if get_origin(hint) in (Union, UnionType):
        rest = [each for each in get_args(hint) if each is not NoneType]
        if len(rest) == 1:
            return _bare(rest[0])[0], True
    return hint, False


def _register_span() -> None:
    JSON.register_unstructure_hook(
        Span, lambda span: {"starts_at": span.starts_at.isoformat(), "ends_at": span.ends_at.isoformat()}
    )
    JSON.register_structure_hook(
        Span,
        lambda value, _: Span(datetime.fromisoformat(value["starts_at"]), datetime.fromisoformat(value["ends_at"])),
    )


_register_span()
