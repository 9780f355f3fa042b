"""Whether both ends hold the same, and if not, where."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from application.moving.ends import apart
from application.ports.moving import Destination, Digest, House, Origin, Unwatched, Watching
from domain.moving import SamePlace, SchemaDiffers
from domain.shared.actors import Actor
from domain.shared.errors import Forbidden, Refusal, Unauthenticated, Unavailable

STRETCH = 20_000
"""Rows weighed at once."""
AT_ONCE = 3
"""Tables that are weighed at the same time."""
NAMED = 20
"""How many differing rows of a table are named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One table that is not the same: its rows here and there, and some of the rows that are missing, too many, or
    not alike, by their keys."""

    table: str
    rows: int
    there: int
    missing: Sequence[str] = ()
    too_many: Sequence[str] = ()
    unlike: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Tables and rows that were weighed, and what differs; `noted` changes were not carried over yet when it began."""

    tables: int
    rows: int
    noted: int
    differences: Sequence[Difference] = field(default=())

    @property
    def identical(self) -> bool:
        """Whether both ends hold the same."""
        return not self.differences


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyMove:
    """Weigh every row at both ends and compare; where they differ, name the table and the rows. While the house that is
    left still serves, what it changed meanwhile shows as a difference."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        Unauthenticated,
        Forbidden,
        SamePlace,
        SchemaDiffers,
        Unavailable,
    )
    origin: Origin
    destination: Destination

    async def __call__(self, actor: Actor, *, watching: Watching = Unwatched()) -> Verdict:
        actor.must_be_admin()
        here, there = await asyncio.gather(self.origin.standing(), self.destination.standing())
        apart(here, there)
        return await compared(self.origin, self.destination, list(here.tables), here.noted, watching)


async def compared(
    origin: Origin, destination: Destination, tables: Sequence[str], noted: int, watching: Watching
) -> Verdict:
    """The verdict on these tables."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(table: str) -> tuple[int, Difference | None]:
        async with turns:
            here, there = await asyncio.gather(weighed(origin, table), weighed(destination, table))
            same = (here.rows, here.sum) == (there.rows, there.sum)
            watching.told("weighed", table=table, rows=here.rows, same=same)
            if same:
                return here.rows, None
            return here.rows, await _located(origin, destination, table, here.rows, there.rows)

    found = await asyncio.gather(*map(one, tables))
    differences = [difference for _, difference in found if difference is not None]
    return Verdict(tables=len(tables), rows=sum(rows for rows, _ in found), noted=noted, differences=differences)


async def weighed(house: House, table: str) -> Digest:
    """All rows of a table, weighed together."""
    rows, total, after = 0, 0, None
    while True:
        stretch = await house.digest(table, after=after, most=STRETCH)
        rows, total = rows + stretch.rows, total + stretch.sum
        if stretch.rows < STRETCH:
            return Digest(rows=rows, sum=total, last=stretch.last or after)
        after = stretch.last


async def _located(origin: House, destination: House, table: str, rows: int, there: int) -> Difference:
    """Which rows differ, by walking both tables in the order of their keys."""
    one = {key: weight async for key, weight in _each(origin, table)}
    other = {key: weight async for key, weight in _each(destination, table)}
    return Difference(
        table=table,
        rows=rows,
        there=there,
        missing=[key for key in one if key not in other][:NAMED],
        too_many=[key for key in other if key not in one][:NAMED],
        unlike=[key for key, weight in one.items() if other.get(key, weight) != weight][:NAMED],
    )


async def _each(house: House, table: str) -> AsyncIterator[tuple[str, str]]:
    after = None
    while some := await house.digests(table, after=after, most=STRETCH):
        for pair in some:
            yield pair
        after = some[-1][0]
