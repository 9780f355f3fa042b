"""Inputs of use cases as options: the same dataclass that REST takes as a body, its docs included."""

import inspect
import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import orjson
import typer
from pydantic import TypeAdapter, ValidationError

from domain.shared.errors import Refusal
from domain.shared.ids import UserId
from domain.shared.money import EXPONENTS, Money

_METAVARS: dict[Any, str] = {
    datetime: "MOMENT",
    date: "DATE",
    UUID: "ID",
    Money: "MONEY",
    str: "TEXT",
    int: "NUMBER",
    float: "NUMBER",
}
_MONEY = re.compile(
    r"^\s*(?:(?P<before>[A-Za-z]{3})\s*)?(?P<amount>-?[0-9][0-9,_]*(?:\.[0-9]+)?)\s*(?P<after>[A-Za-z]{3})?\s*$"
)
_HINTS: dict[Any, str] = {
    datetime: 'Such as "2026-03-02T09:00+01:00".',
    date: 'Such as "2026-03-02".',
    Money: 'Such as "45.00 EUR".',
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One parameter of a command: which value of the use case it becomes, and what that shall be. `into` names the
    input dataclass's parameter; empty for a parameter of its own."""

    name: str
    hint: Any
    into: str = ""

    @property
    def option(self) -> str:
        """How it is spelled on the command line."""
        return "--" + self.name.replace("_", "-")

    @property
    def key(self) -> str:
        """What the command calls it inside; inputs may share names with parameters."""
        return f"{self.into}__{self.name}" if self.into else self.name

    def of(self, hint: Any) -> bool:
        """Whether it is of that very type, or nothing."""
        return self.hint == hint or hint in get_args(self.hint)


def is_input(hint: Any) -> bool:
    """Whether this is a dataclass whose fields are asked for one by one."""
    return is_dataclass(hint) and isinstance(hint, type) and hint is not Money


def fields_of(input: type[Any], *, into: str, helps: Mapping[str, str]) -> list[tuple[Asked, inspect.Parameter]]:
    """The options of an input dataclass; `helps` speaks for fields that do not themselves."""
    hints = get_type_hints(input)
    described = TypeAdapter(input).json_schema()["properties"]
    asked = []
    for field in fields(input):
        required = field.default is MISSING and field.default_factory is MISSING
        one = Asked(field.name, hints[field.name], into)
        help = described[field.name].get("description") or helps.get(field.name, "")
        default = None if required or not field.default else field.default
        asked.append((one, option(one, help=help, required=required, default=default)))
    return asked


def option(asked: Asked, *, help: str, required: bool = False, default: object = None) -> inspect.Parameter:
    """That parameter as an option."""
    kind, inner = _kind(asked.hint)
    spelled = f"{asked.option}/--no-{asked.option[2:]}" if kind is bool else asked.option
    info = typer.Option(
        spelled,
        help=_helped(help, inner),
        metavar=None if kind is bool or _is_enum(inner) else _metavar(inner),
        show_default=_shown(default) if default is not None else False,
    )
    annotation = Annotated[kind if required else kind | None, info]  # type: ignore[valid-type]
    return inspect.Parameter(
        asked.key,
        inspect.Parameter.KEYWORD_ONLY,
        annotation=annotation,
        default=inspect.Parameter.empty if required else None,
    )


def argument(asked: Asked, *, help: str = "") -> inspect.Parameter:
    """That parameter as a positional argument."""
    _, inner = _kind(asked.hint)
    who = " E-mail address or id." if asked.of(UserId) else ""
    info = typer.Argument(metavar=asked.name.upper(), help=_helped(help, inner) + who, show_default=False)
    return inspect.Parameter(asked.key, inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[str, info])


def collected(asked: list[Asked], values: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of the use case: every value read, those of inputs gathered into them."""
    arguments: dict[str, Any] = {}
    for one in asked:
        value = values.get(one.key)
        into = arguments.setdefault(one.into, {}) if one.into else arguments
        if value is not None and value != []:
            into[one.name] = _read(one, value)
    return arguments


def validated(hint: Any, value: object, *, place: str) -> Any:
    """The value in the shape the use case takes, by the rules REST has too: what cannot be is a usage error, what the
    business refuses is its refusal."""
    try:
        return TypeAdapter(hint).validate_python(value)
    except ValidationError as error:
        for each in error.errors():
            if isinstance(refusal := each.get("ctx", {}).get("error"), Refusal):
                raise refusal from error
        raise typer.BadParameter("; ".join(_told(each, place) for each in error.errors())) from error


def _told(error: Any, place: str) -> str:
    where = next((f"--{str(part).replace('_', '-')}" for part in error["loc"]), place.upper())
    return f"{where}: {error['msg']}"


def _read(asked: Asked, value: Any) -> Any:
    """What was typed, one step closer to what is meant."""
    _, inner = _kind(asked.hint)
    if isinstance(value, list) and is_dataclass(inner):
        return tuple(_structured(asked, each) for each in value)
    if isinstance(value, list):
        return tuple(part.strip() for each in value for part in each.split(",") if part.strip())
    if not isinstance(value, str):
        return value
    if inner is Money:
        return _money(asked, value)
    if is_dataclass(inner):
        return _structured(asked, value)
    return value


def _money(asked: Asked, value: str) -> Any:
    if value.lstrip().startswith("{"):
        return _structured(asked, value)
    found = _MONEY.match(value)
    currency = found and (found["before"] or found["after"])
    if not found or not currency:
        raise typer.BadParameter(f'{asked.option}: an amount and its currency, such as "45.00 EUR", not {value!r}')
    currency = currency.upper()
    try:
        minor = Decimal(found["amount"].replace(",", "").replace("_", "")).scaleb(EXPONENTS.get(currency, 0))
    except InvalidOperation:
        raise typer.BadParameter(f"{asked.option}: {value!r} is no amount") from None
    if minor != minor.to_integral_value():
        raise typer.BadParameter(f"{asked.option}: {currency} has {EXPONENTS.get(currency, 0)} decimal places")
    return {"amount_minor": int(minor), "currency": currency}


def _structured(asked: Asked, value: str) -> Any:
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise typer.BadParameter(f"{asked.option}: that is not JSON ({error})") from error


def _kind(hint: Any) -> tuple[Any, Any]:
    """The type the command line parses, and the type that is meant."""
    inner = _inner(hint)
    if get_origin(inner) is tuple:
        return list[str], _inner(get_args(inner)[0])
    if inner in (bool, int, float) or _is_enum(inner):
        return inner, inner
    return str, inner


def _inner(hint: Any) -> Any:
    """A type without its alternatives of nothing, and without the name a new type gives it."""
    if get_origin(hint) in (Union, UnionType):
        hint = next(each for each in get_args(hint) if each is not NoneType)
    return getattr(hint, "__supertype__", hint)


def _is_enum(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Enum)


def _metavar(inner: Any) -> str:
    return _METAVARS.get(inner, "JSON" if is_dataclass(inner) else "TEXT")


def _helped(help: str, inner: Any) -> str:
    hint = "As JSON." if is_dataclass(inner) and inner is not Money else _HINTS.get(inner, "")
    return " ".join([*help.split(), hint] if hint and "such as" not in help else help.split())


def _shown(default: object) -> str:
    return str(default.value if isinstance(default, Enum) else default).lower()
