"""Moving a house from one storage to another: where a move stands, what it may do next, and what it refuses.

The journal of a move is kept in the house it arrives in, so that whoever resumes it finds it beside the rows. The house
that is left keeps a mark of its own: whether its changes are noted, and whether it still takes any."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import NewType
from uuid import UUID

from domain.shared.errors import Conflict, Unavailable

MoveId = NewType("MoveId", UUID)


class MoveState(StrEnum):
    """How far the house that is moved into has come. It takes no writes but the mover's until it is `cut_over`."""

    PLANNED = "planned"
    COPYING = "copying"
    TAILING = "tailing"
    FROZEN = "frozen"
    CUT_OVER = "cut_over"
    ROLLED_BACK = "rolled_back"
    CLOSED = "closed"


class Leaving(StrEnum):
    """What becomes of the house that is left: its changes are noted while it serves, then it takes no more, then it is
    left for good; or it stays where it was."""

    WATCHED = "watched"
    FROZEN = "frozen"
    LEFT = "left"
    STAYED = "stayed"


_FROM: Mapping[MoveState, frozenset[MoveState]] = {
    MoveState.COPYING: frozenset((MoveState.PLANNED, MoveState.COPYING)),
    MoveState.TAILING: frozenset((MoveState.PLANNED, MoveState.COPYING, MoveState.TAILING, MoveState.FROZEN)),
    MoveState.FROZEN: frozenset((MoveState.TAILING, MoveState.FROZEN)),
    MoveState.CUT_OVER: frozenset((MoveState.FROZEN, MoveState.CUT_OVER)),
    MoveState.ROLLED_BACK: frozenset(
        (MoveState.PLANNED, MoveState.COPYING, MoveState.TAILING, MoveState.FROZEN, MoveState.CUT_OVER)
    ),
    MoveState.CLOSED: frozenset((MoveState.CUT_OVER, MoveState.CLOSED)),
}
"""Each state, and those it may follow."""


class BeingMoved(Unavailable):
    """This house takes no changes now: it is being moved, or has been, and serves elsewhere soon."""

    code = "being_moved"

    def __init__(self) -> None:
        super().__init__("the house is being moved and takes no changes now; ask again in a moment", retry_after=5)


class SamePlace(Conflict):
    """Both ends are the same house."""

    code = "move.same_place"

    def __init__(self) -> None:
        super().__init__("both ends of this move are the same database")


class SchemaDiffers(Conflict):
    """The two ends are not at the same revision, so their rows are not the same shape."""

    code = "move.schema_differs"

    def __init__(self, origin: str | None, destination: str | None) -> None:
        old, new = sorted((("origin", origin), ("destination", destination)), key=lambda end: end[1] or "")
        super().__init__(
            f"the {old[0]} is at revision {old[1] or 'none'}, the {new[0]} at {new[1] or 'none'}: "
            f"run `guildhall migrate` on the {old[0]} first, with the version that serves the {new[0]}",
            origin=origin,
            destination=destination,
        )


class NotEmpty(Conflict):
    """The house moved into holds rows that no move of this one brought there."""

    code = "move.target_not_empty"

    def __init__(self, tables: Mapping[str, int]) -> None:
        held = ", ".join(f"{name} {rows}" for name, rows in tables.items())
        super().__init__(f"somebody lives there already ({held}): move into an empty database", tables=dict(tables))


class AlreadyMoving(Conflict):
    """Somebody else moves this house, or moves into that one."""

    code = "move.already_under_way"


class TakenOver(Conflict):
    """Another mover has taken this move over; what this one still had in hand was not written."""

    code = "move.taken_over"

    def __init__(self) -> None:
        super().__init__("another mover has taken this move over")


class Unfit(Conflict):
    """The rows do not fit those that are there: a constraint stands against it. Nothing of them was written."""

    code = "move.unfit"

    def __init__(self, constraint: str) -> None:
        super().__init__(f"rows do not fit those of the destination ({constraint})", constraint=constraint)


class NotUnderWay(Conflict):
    """There is no such move, or it is not as far as this needs."""

    code = "move.not_under_way"


class NotIdentical(Conflict):
    """Both ends do not hold the same."""

    code = "move.not_identical"

    def __init__(self, tables: Iterable[str]) -> None:
        named = list(tables)
        super().__init__(f"the two ends differ in {', '.join(named)}: see `guildhall move verify`", tables=named)


class HasWrites(Conflict):
    """The house moved into has taken writes of its own, which going back would lose."""

    code = "move.target_has_writes"

    def __init__(self, writes: int) -> None:
        super().__init__(
            f"the new house has taken {writes} changes of its own, which rolling back would lose: move back instead, "
            "with --from and --to exchanged",
            writes=writes,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """How far one table is copied: past which key, whether to its end, and how many rows."""

    after: str | None = None
    done: bool = False
    rows: int = 0


@dataclass(eq=False, slots=True, kw_only=True)
class Move:
    """One move, as the house moved into knows it. `fence` is raised whenever a mover takes it up: what a former one
    still has in flight is refused."""

    id: MoveId
    origin: str
    fence: int = 0
    state: MoveState = MoveState.PLANNED
    progress: dict[str, Reached] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        """Whether it needs no mover any more."""
        return self.state in (MoveState.CUT_OVER, MoveState.ROLLED_BACK, MoveState.CLOSED)

    def reached(self, table: str) -> Reached:
        """How far this table is copied."""
        return self.progress.get(table, Reached())

    def copied(self, table: str, rows: int, *, last: str | None, done: bool) -> None:
        """A batch of this table has been written, its last key this one."""
        self.enter(MoveState.COPYING)
        before = self.reached(table)
        self.progress[table] = replace(before, after=last or before.after, done=done, rows=before.rows + rows)

    def skip_copying(self, tables: Iterable[str]) -> None:
        """The rows are there already, all but what has changed since."""
        self.progress = {table: Reached(done=True) for table in tables}

    def enter(self, state: MoveState) -> None:
        """Go on to this state, if it may follow the present one."""
        if self.state not in _FROM[state]:
            raise NotUnderWay(f"a move that is {self.state} cannot become {state}", state=self.state)
        self.state = state
