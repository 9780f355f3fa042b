"""Events on their way to their reactions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from domain.shared.aggregate import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One leased event: `fence` must still stand when it is settled, `attempts` counts this one."""

    id: UUID
    event: Event
    fence: int
    attempts: int


class Outbox(Protocol):
    """Committed events, each handed to one worker at a time, in order per aggregate. Settling refuses with
    `StaleVersion` when the lease was lost meanwhile."""

    async def claim(self, *, lease: timedelta, limit: int) -> Sequence[Delivery]:
        """Lease events that are due."""
        ...

    async def finish(self, delivery: Delivery) -> None:
        """All its reactions are done."""
        ...

    async def postpone(self, delivery: Delivery, *, until: datetime, error: str) -> None:
        """Try it again then; later events of its aggregate wait for it."""
        ...

    async def bury(self, delivery: Delivery, *, error: str) -> None:
        """Give it up until an operator replays or skips it; later events of its aggregate wait."""
        ...

    async def revive(self, id: UUID, *, skip: bool) -> None:
        """Let a dead event run again, or (skip) count it as done without its reactions."""
        ...
