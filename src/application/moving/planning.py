"""What a move would mean, before anything is touched."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from application.moving.ends import Way, way
from application.ports.clock import Clock
from application.ports.moving import Destination, Origin
from domain.moving import AlreadyMoving, Leaving, NotEmpty, SamePlace, SchemaDiffers
from domain.shared.actors import Actor
from domain.shared.errors import Forbidden, Refusal, Unauthenticated, Unavailable

SAMPLE = 2_000
"""Rows read to see how fast it goes."""
WRITING = 3
"""How many times longer a move takes than reading alone: 1.6 was measured between two PostgreSQL of one machine, 2.7 to
a PostgREST; what is told beforehand is on the safe side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TablePlan:
    """One table: its rows and bytes where it is, and the rows that are there already."""

    table: str
    rows: int
    bytes: int
    there: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What would be moved, which way, and how long copying would about take; `rows_per_second` was measured on a sample
    (None: there are too few)."""

    way: Way
    revision: str | None
    rows: int
    bytes: int
    rows_per_second: int | None
    seconds: int | None
    tables: Sequence[TablePlan]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanMove:
    """See what moving the house would mean: whether both ends are fit for it, how much there is, and how long copying
    would take. Changes nothing."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        Unauthenticated,
        Forbidden,
        SamePlace,
        SchemaDiffers,
        NotEmpty,
        AlreadyMoving,
        Unavailable,
    )
    origin: Origin
    destination: Destination
    clock: Clock

    async def __call__(self, actor: Actor) -> Plan:
        actor.must_be_admin()
        here, there = await self.origin.standing(), await self.destination.standing()
        going = way(here, there)
        held = here.leaving
        own = there.arriving.id if there.arriving else None
        if held and held.state is not Leaving.STAYED and held.move != own:
            raise AlreadyMoving("another move leaves from here: end that one first, by `guildhall move rollback`")
        tables = [
            TablePlan(table=name, rows=size.rows, bytes=size.bytes, there=there.tables[name].rows)
            for name, size in here.tables.items()
        ]
        largest = max(tables, key=lambda table: table.rows)
        speed = await self._speed(largest.table)
        rows = sum(table.rows for table in tables)
        left = rows if going is Way.FRESH else sum(max(0, table.rows - table.there) for table in tables)
        return Plan(
            way=going,
            revision=here.revision,
            rows=rows,
            bytes=sum(table.bytes for table in tables),
            rows_per_second=speed,
            seconds=left // speed + 1 if speed else None,
            tables=tables,
        )

    async def _speed(self, table: str) -> int | None:
        """Rows per second, as far as reading tells."""
        began = self.clock.now()
        batch = await self.origin.batch(table, after=None, most=SAMPLE)
        took = (self.clock.now() - began).total_seconds()
        return round(len(batch.rows) / took / WRITING) if len(batch.rows) > SAMPLE // 10 and took > 0 else None
