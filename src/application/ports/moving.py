"""The two ends of a move."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from domain.moving import Leaving, Move, MoveId, MoveState

Record = dict[str, Any]
"""A row on its way, as JSON says it: the same words on every storage."""


def key_of(record: Record) -> str:
    """By what a row is known: its id, or its name where it has none."""
    return str(record["id"] if "id" in record else record["name"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much one table holds."""

    rows: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """The mark a house keeps of leaving: under which move, and how far that is."""

    move: MoveId
    state: Leaving


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a house says of itself. `identity` is its own and no other's; `arriving` is the last move into it,
    `leaving` its mark of the last move out of it; `noted` counts changes noted and not yet carried over."""

    identity: str
    revision: str | None
    tables: Mapping[str, Size]
    arriving: Move | None
    leaving: Mark | None
    noted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Some rows of a table in the order of their keys, and the key of the last."""

    rows: Sequence[Record]
    last: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is to be true of a table's rows: these are there just so, and those are gone."""

    rows: Sequence[Record] = ()
    gone: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What has changed, as it is now, all of one moment; `seen` are the notes that said so, `left` how many there are
    in all, `behind` how many rows this brings up to date."""

    seen: Sequence[str] = ()
    loads: Mapping[str, Load] = field(default_factory=dict)
    left: int = 0

    @property
    def behind(self) -> int:
        """How many rows this brings up to date."""
        return sum(len(load.rows) + len(load.gone) for load in self.loads.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """Rows of one stretch of keys, weighed together in no order: equal rows weigh the same on every storage."""

    rows: int
    sum: int
    last: str | None


class House(Protocol):
    """Either end. `Unavailable` when it does not answer."""

    async def standing(self) -> Standing:
        """What the house says of itself."""
        ...

    async def digest(self, table: str, *, after: str | None, most: int) -> Digest:
        """The next rows after that key, weighed together."""
        ...

    async def digests(self, table: str, *, after: str | None, most: int) -> Sequence[tuple[str, str]]:
        """The next rows after that key: each key, and what the row weighs."""
        ...


class Origin(House, Protocol):
    """The house that is left."""

    async def batch(self, table: str, *, after: str | None, most: int) -> Batch:
        """The next rows after that key."""
        ...

    async def news(self, reached: Mapping[str, str | None], *, most: int) -> News:
        """What has changed among rows already copied: of each table named up to its key, None for all of it; at most
        so many changes of a table."""
        ...

    async def forget(self, seen: Sequence[str]) -> None:
        """These notes have been carried over."""
        ...

    async def leave(self, move: MoveId, state: Leaving, *, at: datetime) -> None:
        """Become that. From `WATCHED` on every change is noted; once `FROZEN` is said, no change is or comes under way
        that is not noted; `STAYED` undoes both. `AlreadyMoving` when another move leaves from here."""
        ...


class Destination(House, Protocol):
    """The house that is moved into, and the journal of the move."""

    async def open(self, move: Move, *, at: datetime, until: datetime, take_over: bool) -> Move:
        """Take the move up for this mover until then: the journal as it stands, with a new fence. The house takes no
        other writes from now on. `AlreadyMoving` while another mover holds it, unless that one is to be taken over."""
        ...

    async def receive(self, move: Move, loads: Mapping[str, Load], *, at: datetime, until: datetime) -> None:
        """Make this true, all at once and together with the journal. `Unfit` and nothing done when a constraint stands
        against it; `TakenOver` when the fence is not this mover's any more."""
        ...

    async def arrive(self, move: Move, state: MoveState, *, at: datetime) -> None:
        """Become that. `CUT_OVER` opens the house to everybody and notes what they change from then on; `ROLLED_BACK`
        shuts it; `CLOSED` ends the noting."""
        ...


class Watching(Protocol):
    """Whoever looks on."""

    def told(self, event: str, **figures: Any) -> None:
        """Something went on: a table's batch, the tail, the freeze; with its figures."""
        ...


class Unwatched(Watching):
    """Nobody looks."""

    def told(self, event: str, **figures: Any) -> None:
        """Nothing."""
