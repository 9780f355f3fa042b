"""Either end of a move, by the functions that migration 0008 made: over whatever wire they are called."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from adapters.persistence.schema import MOVED
from application.ports.moving import Batch, Destination, Digest, Load, Mark, News, Origin, Size, Standing
from domain.moving import (
    AlreadyMoving,
    HasWrites,
    Leaving,
    Move,
    MoveId,
    MoveState,
    NotUnderWay,
    Reached,
    TakenOver,
    Unfit,
)
from domain.shared.errors import Refusal

Call: TypeAlias = Callable[..., Awaitable[Any]]
"""Calls a function of the database by its name, with its arguments by theirs; a `Rejected` when it raises."""

BUSY = "55P03"
"""The condition of a lock that was not to be had in time."""
SHUT = "PT503"
"""The condition of a write to a house that is shut; PostgREST answers it as 503."""

RANKED = ["tallies", *(name for name in MOVED if name != "tallies")]
"""Tables in the order in which a commit takes hold of them."""


class Rejected(Exception):
    """The database raised this condition; `told` is its constraint or its message."""

    def __init__(self, condition: str, told: str) -> None:
        super().__init__(f"{condition}: {told}")
        self.condition, self.told = condition, told

    @property
    def refusal(self) -> Refusal | None:
        """What it means for a move; None when it means nothing we know."""
        if self.condition.startswith("23"):
            return Unfit(self.told)
        if self.condition == "GH005":
            return AlreadyMoving(f"{self.told}: end that one first, by `guildhall move rollback` or `move close`")
        if self.condition == "GH007":
            return NotUnderWay(f"{self.told}: `guildhall move run` into an empty database begins another")
        if self.condition == "GH006":
            return HasWrites(int(self.told))
        return None


class CalledHouse(Origin, Destination):
    """A house whose functions are called."""

    def __init__(self, call: Call) -> None:
        self._wire = call

    async def standing(self) -> Standing:
        found = await self._call("move_standing")
        arriving, leaving = found["arriving"], found["leaving"]
        return Standing(
            identity=found["identity"],
            revision=found["revision"],
            tables={name: Size(**found["tables"][name]) for name in MOVED if name in found["tables"]},
            arriving=arriving and journal(arriving),
            leaving=leaving and Mark(move=MoveId(UUID(leaving["id"])), state=Leaving(leaving["state"])),
            noted=found["noted"],
        )

    async def batch(self, table: str, *, after: str | None, most: int) -> Batch:
        found = await self._call("move_batch", source=table, after=after, most=most)
        return Batch(rows=found["rows"], last=found["last"])

    async def news(self, reached: Mapping[str, str | None], *, most: int) -> News:
        found = await self._call("move_news", reached=dict(reached), most=most)
        loads = {name: Load(rows=load["rows"], gone=load["gone"]) for name, load in found["loads"].items()}
        return News(seen=found["seen"], loads=loads, left=found["left"])

    async def forget(self, seen: Sequence[str]) -> None:
        await self._call("move_forget", seen=list(seen))

    async def leave(self, move: MoveId, state: Leaving, *, at: datetime) -> None:
        await self._call("move_leave", move=move, state=state.value, at=at, ranked=RANKED)

    async def digest(self, table: str, *, after: str | None, most: int) -> Digest:
        found = await self._call("move_digest", source=table, after=after, most=most)
        return Digest(rows=found["rows"], sum=int(found["sum"]), last=found["last"])

    async def digests(self, table: str, *, after: str | None, most: int) -> Sequence[tuple[str, str]]:
        return [(key, hash) for key, hash in await self._call("move_digests", source=table, after=after, most=most)]

    async def open(self, move: Move, *, at: datetime, until: datetime, take_over: bool) -> Move:
        found = await self._call(
            "move_open", move=move.id, origin=move.origin, at=at, until=until, take_over=take_over, ranked=RANKED
        )
        if found is None:
            raise AlreadyMoving("another mover is at it; if that one is dead, take over with --take-over")
        return journal(found)

    async def receive(self, move: Move, loads: Mapping[str, Load], *, at: datetime, until: datetime) -> None:
        told = {name: {"rows": list(load.rows), "gone": list(load.gone)} for name, load in loads.items()}
        progress = {name: asdict(reached) for name, reached in move.progress.items()}
        written = await self._call(
            "move_receive",
            move=move.id,
            fence=move.fence,
            state=move.state.value,
            progress=progress,
            loads=told,
            at=at,
            until=until,
        )
        if not written:
            raise TakenOver

    async def arrive(self, move: Move, state: MoveState, *, at: datetime) -> None:
        arrived = await self._call(
            "move_arrive", move=move.id, fence=move.fence, state=state.value, at=at, ranked=RANKED
        )
        if not arrived:
            raise TakenOver

    async def _call(self, function: str, **arguments: Any) -> Any:
        try:
            return await self._wire(function, **arguments)
        except Rejected as rejected:
            if refusal := rejected.refusal:
                raise refusal from rejected
            raise


def journal(row: Mapping[str, Any]) -> Move:
    """A row of `moves`, as JSON says it."""
    return Move(
        id=MoveId(UUID(row["id"])),
        origin=row["origin"],
        fence=row["version"],
        state=MoveState(row["state"]),
        progress={name: Reached(**reached) for name, reached in row["progress"].items()},
    )
