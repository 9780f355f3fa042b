"""How a use case's input is declared: a frozen dataclass that refuses unknown keys and documents each field."""

from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

C = TypeVar("C")


@dataclass_transform(frozen_default=True, kw_only_default=True)
def submitted(cls: type[C]) -> type[C]:
    """Make `cls` the input of a use case: it feeds the REST body, the command line's options and the docs."""
    cls = dataclass(frozen=True, slots=True, kw_only=True)(cls)
    cls.__pydantic_config__ = {"extra": "forbid", "use_attribute_docstrings": True}  # type: ignore[attr-defined]
    return cls
