"""Delivering events: each reaction once in effect, whatever it takes in tries."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

import structlog

from application.commands import Command, Perform
from application.ports.clock import Clock
from application.ports.outbox import Delivery, Outbox
from domain.shared.actors import SYSTEM, Actor
from domain.shared.aggregate import Event
from domain.shared.errors import Refusal, StaleVersion, Unavailable

log = structlog.get_logger("worker")

LEASE = timedelta(seconds=60)
BATCH = 32
FIRST_PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(hours=1)
PATIENCE = 24
"""Tries before an event is given up; with the pauses between them about half a day."""
PATIENCE_WITH_REFUSALS = 5
"""Tries when the business itself says no: asking again rarely changes its mind."""


class Reaction(Protocol):
    """A use case that follows an event."""

    async def __call__(self, actor: Actor, event: Any) -> object: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliver:
    """Takes due events from the outbox through all their reactions."""

    outbox: Outbox
    reactions: Mapping[type[Event], Sequence[Reaction]]
    perform: Perform
    clock: Clock

    async def some(self) -> int:
        """Deliver one batch, different aggregates side by side; returns how many events were taken."""
        deliveries = await self.outbox.claim(lease=LEASE, limit=BATCH)
        await asyncio.gather(*(self.one(delivery) for delivery in deliveries))
        return len(deliveries)

    async def all(self, *, rounds: int = 1000) -> int:
        """Deliver until nothing is due; for commands and tests that wait for quiet."""
        taken = 0
        for _ in range(rounds):
            if not (some := await self.some()):
                return taken
            taken += some
        raise Unavailable("the outbox does not become empty", rounds=rounds)

    async def one(self, delivery: Delivery) -> None:
        """Run the event's reactions and settle it; a lost lease means that another worker has it now."""
        try:
            try:
                for reaction in self.reactions.get(type(delivery.event), ()):
                    await self._react(delivery, reaction)
            except Exception as error:
                await self._failed(delivery, error)
            else:
                await self.outbox.finish(delivery)
        except StaleVersion:
            log.info("lease lost", event_id=str(delivery.id), event_name=delivery.event.name)

    async def _react(self, delivery: Delivery, reaction: Reaction) -> None:
        command = Command(
            principal=SYSTEM.principal,
            operation=type(reaction).__name__,
            key=str(delivery.id),
            fingerprint="",
            life=None,
            asked_to_remember=delivery.attempts > 1,
        )
        await self.perform(command, lambda: reaction(SYSTEM, delivery.event))

    async def _failed(self, delivery: Delivery, error: Exception) -> None:
        refused = isinstance(error, Refusal) and not isinstance(error, Unavailable | StaleVersion)
        patience = PATIENCE_WITH_REFUSALS if refused else PATIENCE
        said = f"{type(error).__name__}: {error}"[:500]
        noted = log.bind(event_id=str(delivery.id), event_name=delivery.event.name, attempt=delivery.attempts)
        if delivery.attempts >= patience:
            noted.error("event given up", error=said)
            await self.outbox.bury(delivery, error=said)
            return
        noted.warning("reaction failed", error=said, exc_info=not isinstance(error, Refusal))
        pause = min(FIRST_PAUSE * 2 ** (delivery.attempts - 1), LONGEST_PAUSE)
        await self.outbox.postpone(delivery, until=self.clock.now() + pause, error=said)
