"""A use case's filter as query parameters: the same dataclass, its docs included."""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import MISSING, fields
from datetime import datetime
from typing import Annotated, Any, TypeVar, get_type_hints

from fastapi import Query
from pydantic import TypeAdapter

from domain.shared.errors import Invalid
from domain.shared.time import instant

F = TypeVar("F")


def asked(filter: type[F]) -> Callable[..., Awaitable[F]]:
    """A dependency that reads this filter from the query."""

    async def read(**values: Any) -> F:
        return filter(**{name: _moment(value, name) for name, value in values.items()})

    read.__signature__ = inspect.Signature(_parameters(filter))  # type: ignore[attr-defined]
    return read


def _moment(value: Any, name: str) -> Any:
    """Moments in UTC, everything else as it is."""
    if not isinstance(value, datetime):
        return value
    if value.tzinfo is None:
        raise Invalid("a moment needs an offset from UTC", field=name)
    return instant(value)


def _parameters(filter: type[Any]) -> list[inspect.Parameter]:
    hints = get_type_hints(filter, include_extras=True)
    properties = TypeAdapter(filter).json_schema()["properties"]
    described = {name: told.get("description") for name, told in properties.items()}
    return [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if field.default is MISSING else field.default,
            annotation=Annotated[hints[field.name], Query(description=described.get(field.name))],
        )
        for field in fields(filter)
    ]
