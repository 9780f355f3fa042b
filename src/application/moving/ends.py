"""What the two ends of a move are to one another."""

from enum import StrEnum

from application.ports.moving import Destination, Origin, Standing
from domain.moving import Leaving, Move, MoveState, NotEmpty, NotUnderWay, SamePlace, SchemaDiffers


class Way(StrEnum):
    """How the rows get there: all of them anew, the rest of a move begun before, or back to where they came from, where
    only what has changed since is missing."""

    FRESH = "fresh"
    RESUMED = "resumed"
    BACK = "back"


def way(origin: Standing, destination: Standing) -> Way:
    """How a move between these two would go, or why it must not."""
    apart(origin, destination)
    arriving, left = destination.arriving, destination.leaving
    known = arriving is not None and arriving.origin == origin.identity
    if arriving and known and not arriving.is_over:
        return Way.RESUMED
    came = origin.arriving
    if came and came.state is MoveState.CUT_OVER and left and (left.move, left.state) == (came.id, Leaving.LEFT):
        return Way.BACK
    if arriving and known and arriving.state is not MoveState.CLOSED:
        raise NotUnderWay(f"this move is over: it is {arriving.state}", state=arriving.state)
    if held := {name: size.rows for name, size in destination.tables.items() if size.rows}:
        raise NotEmpty(held)
    return Way.FRESH


def apart(origin: Standing, destination: Standing) -> None:
    """Refuse two ends that are one, or that do not speak of the same tables."""
    if origin.identity == destination.identity:
        raise SamePlace
    if origin.revision != destination.revision:
        raise SchemaDiffers(origin.revision, destination.revision)


async def under_way(origin: Origin, destination: Destination) -> Move:
    """The move between these two, wherever it stands."""
    here, there = await origin.standing(), await destination.standing()
    apart(here, there)
    if there.arriving is None or there.arriving.origin != here.identity:
        raise NotUnderWay("nothing is being moved from there to here: `guildhall move run` begins")
    return there.arriving
