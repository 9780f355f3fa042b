"""Carrying the rows over while the house serves: first all of them, then what has changed meanwhile."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from application.moving.ends import Way, way
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.moving import Destination, Load, News, Origin, Unwatched, Watching, key_of
from domain.moving import (
    AlreadyMoving,
    Leaving,
    Move,
    MoveId,
    MoveState,
    NotEmpty,
    SamePlace,
    SchemaDiffers,
    TakenOver,
    Unfit,
)
from domain.shared.actors import Actor
from domain.shared.errors import Forbidden, Refusal, Unauthenticated, Unavailable

BATCH = 2_000
"""Rows that are carried at once."""
NEWS = 2_000
"""Changes of a table that are carried at once."""
TRIES = 8
"""How often changes that do not fit are read again, each time four times as many: part of them may need the rest."""
NEAR = 500
"""How many changes may wait when a run ends, or when the house is shut: they are carried while nobody is served."""
PAUSE = 1.0
"""Seconds between two looks for changes while a run follows them."""
LEASE = timedelta(seconds=30)
"""How long a mover that says nothing is believed to be alive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Where the move stands after this run: rows copied by it, changes carried, and those that still wait."""

    move: MoveId
    way: Way
    state: MoveState
    copied: int
    changes: int
    behind: int
    seconds: float


class Carrier:
    """One mover at work between two ends."""

    def __init__(self, origin: Origin, destination: Destination, clock: Clock, move: Move) -> None:
        self._origin, self._destination, self._clock = origin, destination, clock
        self.move = move
        self.copied = self.changes = 0

    async def copy(self, table: str, watching: Watching, *, of: int) -> None:
        """This table to its end, from where it was left."""
        while not self.move.reached(table).done:
            await self._batch(table)
            reached = self.move.reached(table)
            watching.told("copied", table=table, rows=reached.rows, of=max(of, reached.rows))

    async def catch_up(self, watching: Watching, *, until_left: int = 0) -> int:
        """Carry changes until no more than so many wait; how many do."""
        while True:
            news = await self._carry()
            left = max(0, news.left - len(news.seen))
            watching.told("tail", behind=left, carried=news.behind)
            if left <= until_left:
                return left

    async def release(self) -> None:
        """Let another mover take the move up at once."""
        now = self._clock.now()
        await self._destination.receive(self.move, {}, at=now, until=now)

    async def _batch(self, table: str) -> None:
        """The next rows of the table. Where they do not fit, something they stand on has changed since the rest was
        copied: then with all that has changed up to now."""
        batch = await self._origin.batch(table, after=self.move.reached(table).after, most=BATCH)
        self.move.copied(table, len(batch.rows), last=batch.last, done=len(batch.rows) < BATCH)
        try:
            await self._receive({table: Load(rows=batch.rows)} if batch.rows else {})
        except Unfit:
            await self._carry(along={table: Load(rows=batch.rows)})
        self.copied += len(batch.rows)

    async def _carry(self, along: Mapping[str, Load] = {}) -> News:
        """What has changed among the rows already there, with rows just read that it may overrule. Part of it may not
        fit without the rest: then more of it."""
        reached = {name: None if it.done else it.after for name, it in self.move.progress.items()}
        reached = {name: after for name, after in reached.items() if after is not None or self.move.reached(name).done}
        for attempt in range(TRIES):
            news = await self._origin.news(reached, most=NEWS * 4**attempt)
            try:
                await self._receive(overruled(along, news.loads))
            except Unfit:
                if attempt == TRIES - 1:
                    raise
            else:
                await self._origin.forget(news.seen)
                self.changes += news.behind
                return news
        raise AssertionError

    async def _receive(self, loads: Mapping[str, Load]) -> None:
        now = self._clock.now()
        await self._destination.receive(self.move, loads, at=now, until=now + LEASE)


def overruled(loads: Mapping[str, Load], later: Mapping[str, Load]) -> Mapping[str, Load]:
    """These loads, but for the rows that later ones tell anew, and the later ones."""
    told = dict(later)
    for table, load in loads.items():
        new = later.get(table, Load())
        known = {key_of(row) for row in new.rows} | set(new.gone)
        kept = [row for row in load.rows if key_of(row) not in known]
        told[table] = Load(rows=[*kept, *new.rows], gone=new.gone)
    return told


@dataclass(frozen=True, slots=True, kw_only=True)
class RunMove:
    """Carry the house over while it goes on serving: every row once, then what changes meanwhile, until little is left
    to do; with `follow` until it is stopped. Run again it goes on where it stopped, however it was stopped. Only one
    mover at a time does so."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        Unauthenticated,
        Forbidden,
        SamePlace,
        SchemaDiffers,
        NotEmpty,
        AlreadyMoving,
        TakenOver,
        Unfit,
        Unavailable,
    )
    origin: Origin
    destination: Destination
    clock: Clock
    ids: Ids

    async def __call__(
        self, actor: Actor, *, take_over: bool = False, follow: bool = False, watching: Watching = Unwatched()
    ) -> Outcome:
        actor.must_be_admin()
        began = self.clock.now()
        here, there = await self.origin.standing(), await self.destination.standing()
        going = way(here, there)
        known = there.arriving if going is Way.RESUMED else None
        move = known or Move(id=MoveId(self.ids.new()), origin=here.identity)
        move = await self.destination.open(move, at=began, until=began + LEASE, take_over=take_over)
        await self.origin.leave(move.id, Leaving.WATCHED, at=began)
        carrier = Carrier(self.origin, self.destination, self.clock, move)
        if going is Way.BACK:
            move.skip_copying(here.tables)
        for table, size in here.tables.items():
            await carrier.copy(table, watching, of=size.rows)
        move.enter(MoveState.TAILING)
        behind = await carrier.catch_up(watching, until_left=NEAR)
        while follow:
            await asyncio.sleep(PAUSE)
            behind = await carrier.catch_up(watching, until_left=NEAR)
        await carrier.release()
        return Outcome(
            move=move.id,
            way=going,
            state=move.state,
            copied=carrier.copied,
            changes=carrier.changes,
            behind=behind,
            seconds=(self.clock.now() - began).total_seconds(),
        )
