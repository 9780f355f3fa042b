"""The day of the move: shutting the house that is left, opening the other; and going back."""

from dataclasses import dataclass
from typing import ClassVar

from application.moving.carrying import LEASE, NEAR, Carrier
from application.moving.ends import under_way
from application.moving.verifying import Verdict, compared
from application.ports.clock import Clock
from application.ports.moving import Destination, Origin, Unwatched, Watching
from domain.moving import (
    AlreadyMoving,
    HasWrites,
    Leaving,
    Move,
    MoveId,
    MoveState,
    NotIdentical,
    NotUnderWay,
    SamePlace,
    SchemaDiffers,
    TakenOver,
    Unfit,
)
from domain.shared.actors import Actor
from domain.shared.errors import Forbidden, Refusal, Unauthenticated, Unavailable

_REFUSES: tuple[type[Refusal], ...] = (
    Unauthenticated,
    Forbidden,
    SamePlace,
    SchemaDiffers,
    NotUnderWay,
    AlreadyMoving,
    TakenOver,
    Unavailable,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """The cut-over: for how many seconds neither house took changes, what was carried in them, and the verdict."""

    move: MoveId
    state: MoveState
    frozen_seconds: float
    changes: int
    verdict: Verdict | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CutOver:
    """Move in: the house that is left takes no more changes, the last ones are carried over, both are weighed, and only
    if they are the same is the new one opened. If anything stands against it, the old house serves on."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (*_REFUSES, NotIdentical, Unfit)
    origin: Origin
    destination: Destination
    clock: Clock

    async def __call__(self, actor: Actor, *, take_over: bool = False, watching: Watching = Unwatched()) -> Cut:
        actor.must_be_admin()
        move = await under_way(self.origin, self.destination)
        if move.state is MoveState.CUT_OVER:
            # The new house is open: all that can be missing is the mark on the old one.
            await self.origin.leave(move.id, Leaving.LEFT, at=self.clock.now())
            return Cut(move=move.id, state=move.state, frozen_seconds=0.0, changes=0, verdict=None)
        if move.state not in (MoveState.TAILING, MoveState.FROZEN):
            raise NotUnderWay(f"the rows are not all there yet ({move.state}): `guildhall move run` goes on")
        move = await _held(self.destination, self.clock, move, take_over=take_over)
        carrier = Carrier(self.origin, self.destination, self.clock, move)
        await carrier.catch_up(watching, until_left=NEAR)
        shut = self.clock.now()
        watching.told("shutting")
        try:
            verdict = await self._moved_in(carrier, watching)
        except Refusal:
            await self._reopened(carrier)
            raise
        opened = self.clock.now()
        await self.origin.leave(move.id, Leaving.LEFT, at=opened)
        seconds = (opened - shut).total_seconds()
        watching.told("opened", frozen_seconds=seconds)
        return Cut(
            move=move.id,
            state=MoveState.CUT_OVER,
            frozen_seconds=seconds,
            changes=carrier.changes,
            verdict=verdict,
        )

    async def _moved_in(self, carrier: Carrier, watching: Watching) -> Verdict:
        move = carrier.move
        await self.origin.leave(move.id, Leaving.FROZEN, at=self.clock.now())
        watching.told("shut")
        move.enter(MoveState.FROZEN)
        await carrier.catch_up(watching)
        verdict = await compared(self.origin, self.destination, list(move.progress), 0, watching)
        if not verdict.identical:
            raise NotIdentical(difference.table for difference in verdict.differences)
        move.enter(MoveState.CUT_OVER)
        await self.destination.arrive(move, MoveState.CUT_OVER, at=self.clock.now())
        return verdict

    async def _reopened(self, carrier: Carrier) -> None:
        """The old house serves on, unless the new one was opened after all."""
        await carrier.release()
        mark = (await self.origin.standing()).leaving
        journal = (await self.destination.standing()).arriving
        opened = journal is not None and journal.state is MoveState.CUT_OVER
        if mark is not None and mark.state is Leaving.FROZEN and not opened:
            await self.origin.leave(carrier.move.id, Leaving.WATCHED, at=self.clock.now())


@dataclass(frozen=True, slots=True, kw_only=True)
class RollBack:
    """Stay after all: the new house is shut and abandoned, and the old one takes changes again. Refused once the new
    one has taken changes of its own: then move back, which carries them home. If the new one is `lost`, the old one
    alone is opened again, with what it had when it was shut."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (*_REFUSES, HasWrites)
    origin: Origin
    destination: Destination
    clock: Clock

    async def __call__(self, actor: Actor, *, take_over: bool = False, lost: bool = False) -> MoveId:
        actor.must_be_admin()
        if lost:
            mark = (await self.origin.standing()).leaving
            if mark is None:
                raise NotUnderWay("nothing is being moved from there")
            await self.origin.leave(mark.move, Leaving.STAYED, at=self.clock.now())
            return mark.move
        move = await under_way(self.origin, self.destination)
        if move.state is not MoveState.ROLLED_BACK:
            move = await _held(self.destination, self.clock, move, take_over=take_over)
            move.enter(MoveState.ROLLED_BACK)
            await self.destination.arrive(move, MoveState.ROLLED_BACK, at=self.clock.now())
        await self.origin.leave(move.id, Leaving.STAYED, at=self.clock.now())
        return move.id


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseMove:
    """Settle in: the new house notes its changes no longer, so that from now on there is no rolling back and no moving
    back but a move of everything. The old one stays shut."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = _REFUSES
    origin: Origin
    destination: Destination
    clock: Clock

    async def __call__(self, actor: Actor) -> MoveId:
        actor.must_be_admin()
        move = await under_way(self.origin, self.destination)
        if move.state is not MoveState.CLOSED:
            move = await _held(self.destination, self.clock, move, take_over=False)
            move.enter(MoveState.CLOSED)
            await self.destination.arrive(move, MoveState.CLOSED, at=self.clock.now())
        return move.id


async def _held(destination: Destination, clock: Clock, move: Move, *, take_over: bool) -> Move:
    now = clock.now()
    return await destination.open(move, at=now, until=now + LEASE, take_over=take_over)
