"""What a collection or reader can be asked: equality by plain value, or one of these."""

from collections.abc import Mapping
from dataclasses import dataclass

from domain.shared.time import Span


@dataclass(frozen=True, slots=True)
class AnyOf:
    """The column holds one of these values; none match an empty tuple."""

    values: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Between:
    """`at_least <= column < below`; either end may be open (None)."""

    at_least: object = None
    below: object = None


@dataclass(frozen=True, slots=True)
class Overlaps:
    """The column's span shares an instant with this one."""

    span: Span


@dataclass(frozen=True, slots=True)
class Present:
    """The column is not empty (equality with None means that it is)."""


Criteria = Mapping[str, object]
"""Column name to a plain value, or to one of the classes above; all must hold."""


@dataclass(frozen=True, slots=True)
class Order:
    """Sorted by one column, ties broken by id in the same direction."""

    by: str = "id"
    descending: bool = False


Position = tuple[object, ...]
"""Where a page ended: the last row's sort value and id. Pages go on after it, whatever was inserted meanwhile."""
