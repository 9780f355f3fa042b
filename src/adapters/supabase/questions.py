"""Criteria as PostgREST's filters, and the pages in which it answers them."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from adapters.persistence.matching import matches
from adapters.persistence.schema import columns_of, may_be_empty
from adapters.persistence.schema.tables import Column, Row, Type
from adapters.persistence.values import asked, placed
from adapters.supabase.values import written
from application.ports.criteria import AnyOf, Between, Criteria, Order, Overlaps, Position, Present

Filter = tuple[str, str, str]
"""A column, an operator and a value; or "or", nothing, and a list of alternatives."""

LONGEST = 4_000
"""Characters that one criterion may take of an address. Gateways cut off somewhere above 8,000."""
FEWEST = 100
"""A shorter page ended by itself. A longer one may have been cut: a project answers so many rows and no more, 1,000
unless somebody set that otherwise, and does not say that there would have been others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of a table or view. `aside` are criteria that do not fit an address, and are judged here."""

    source: str
    columns: tuple[str, ...]
    criteria: Criteria
    aside: Criteria
    order: Order
    after: Position | None = None
    limit: int | None = None

    @property
    def tie(self) -> str:
        """The column that no two rows share."""
        return "name" if self.source == "tallies" else "id"

    def filters(self) -> list[Filter]:
        """What must hold of a row."""
        columns = columns_of(self.source)
        found = [one for name, wanted in self.criteria.items() for one in _filters(columns[name], name, wanted)]
        return found + list(self._beyond(columns))

    def orders(self) -> tuple[str, ...]:
        """The columns to sort by."""
        return tuple(dict.fromkeys((self.order.by, self.tie)))

    def _beyond(self, columns: Mapping[str, Column]) -> Iterator[Filter]:
        """The rows after a position. Empty values come last in ascending order and first in descending order."""
        if self.after is None:
            return
        by, tie, further = self.order.by, self.tie, "lt" if self.order.descending else "gt"
        id = written(columns[tie], self.after[-1])
        if by == tie:
            yield tie, further, id
            return
        if self.after[0] is None:
            here = f"and({by}.is.null,{tie}.{further}.{_quoted(id)})"
            yield "or", "", f"{here},{by}.not.is.null" if self.order.descending else here
            return
        value = written(columns[by], self.after[0])
        beyond = [f"{by}.{further}.{_quoted(value)}", f"and({by}.eq.{_quoted(value)},{tie}.{further}.{_quoted(id)})"]
        if not self.order.descending and may_be_empty(self.source, by) and by not in self.criteria:
            beyond.append(f"{by}.is.null")
        else:
            # Says nothing new, but an index can begin there.
            yield by, f"{further}e", value
        yield "or", "", ",".join(beyond)


def question(
    source: str, columns: Sequence[str], criteria: Criteria, *, order: Order, after: Position | None, limit: int | None
) -> Question:
    """The question in these words; values that no row could have are refused."""
    declared = columns_of(source)
    asked(declared, criteria)
    placed(declared[order.by], after)
    aside = {name: wanted for name, wanted in criteria.items() if _is_too_long(declared[name], wanted)}
    return Question(
        source=source,
        columns=tuple(dict.fromkeys((*columns, *aside))),
        criteria={name: wanted for name, wanted in criteria.items() if name not in aside},
        aside=aside,
        order=order,
        after=after,
        limit=limit,
    )


def parts(whole: Question) -> list[Question]:
    """The question, or several of the same kind where one of its lists is longer than an address; their answers
    together are its answer."""
    declared = columns_of(whole.source)
    for name, wanted in whole.criteria.items():
        if isinstance(wanted, AnyOf):
            shorter = list(_shorter(declared[name], wanted))
            if len(shorter) != 1:
                return [replace(whole, criteria={**whole.criteria, name: some}) for some in shorter]
    return [whole]


async def answered(asked: Question, ask: Callable[[Question], Awaitable[Sequence[Row]]]) -> list[Row]:
    """All rows that answer it, however many pages they come in."""
    rows: list[Row] = []
    while True:
        wanted = asked.limit if asked.aside or asked.limit is None else asked.limit - len(rows)
        page = await ask(replace(asked, limit=None if asked.aside else wanted))
        rows += [row for row in page if matches(row, asked.aside)] if asked.aside else page
        if len(page) < FEWEST or (asked.limit is not None and len(rows) >= asked.limit):
            return rows[: asked.limit]
        asked = replace(asked, after=(page[-1][asked.order.by], page[-1][asked.tie]))


def _filters(column: Column, name: str, wanted: object) -> Iterator[Filter]:
    match wanted:
        case None:
            yield name, "is", "null"
        case Present() | Between(None, None):
            yield name, "not.is", "null"
        case AnyOf(values):
            yield name, "in", f"({','.join(_quoted(written(column, value)) for value in values if value is not None)})"
        case Between(at_least, below):
            if at_least is not None:
                yield name, "gte", written(column, at_least)
            if below is not None:
                yield name, "lt", written(column, below)
        case Overlaps(span):
            yield name, "ov", written(column, span)
        case _:
            yield name, "eq", written(column, wanted)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _length(column: Column, value: Any) -> int:
    return 0 if value is None else len(quote(_quoted(written(column, value)))) + 1


def _is_too_long(column: Column, wanted: object) -> bool:
    """Only texts are ever that long."""
    if column.type not in (Type.TEXT, Type.JSON):
        return False
    values = wanted.values if isinstance(wanted, AnyOf) else (wanted,)
    if isinstance(wanted, Between):
        values = (wanted.at_least, wanted.below)
    return any(_length(column, value) > LONGEST for value in values if not isinstance(value, Present))


def _shorter(column: Column, wanted: AnyOf) -> Iterator[AnyOf]:
    some: list[object] = []
    room = LONGEST
    for value in dict.fromkeys(wanted.values):
        if value is None:
            continue
        length = _length(column, value)
        if length > room:
            yield AnyOf(tuple(some))
            some, room = [], LONGEST
        some.append(value)
        room -= length
    if some:
        yield AnyOf(tuple(some))
