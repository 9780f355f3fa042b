"""Messages that never got here are fetched, and go the way of all others."""

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from application.payments.hearing import Inbox
from application.ports.clock import Clock
from application.ports.criteria import AnyOf
from application.ports.ids import Ids
from application.ports.payments import GatewayUnavailable
from application.ports.reconciling import GatewayRecords, Sheet, Unheard
from application.ports.unit_of_work import Begin
from domain.shared.actors import Actor
from domain.shared.errors import Forbidden, Refusal, Unauthenticated
from domain.shared.time import Span

REMEMBERED = timedelta(days=30)
"""How long a gateway keeps what it could not deliver."""
A_MOMENT = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Fetched:
    """How many messages the gateway had not got through, and how many of them were new to us."""

    looked_at: int = 0
    fetched: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchWebhooks:
    """Fetch the messages of the last thirty days that the gateway could not deliver. They go into the same inbox, so
    that one which arrives after all changes nothing."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, Forbidden, GatewayUnavailable)
    begin: Begin
    clock: Clock
    ids: Ids
    gateway_records: GatewayRecords

    async def __call__(self, actor: Actor) -> Fetched:
        actor.must_be_admin()
        came, after = Fetched(), None
        while True:
            sheet = await self.sheet(after)
            new = await self.take_in(actor, sheet)
            came = Fetched(came.looked_at + len(sheet.items), came.fetched + new)
            if (after := sheet.next) is None:
                return came

    async def sheet(self, after: str | None) -> Sheet[Unheard]:
        """The next of them, the newest first."""
        now = self.clock.now()
        return await self.gateway_records.unheard(Span(now - REMEMBERED, now + A_MOMENT), after)

    async def take_in(self, actor: Actor, sheet: Sheet[Unheard]) -> int:
        """Keep those of these messages that we have not got; how many there were."""
        inbox, sender = Inbox(begin=self.begin, clock=self.clock, ids=self.ids), self.gateway_records.name
        among = AnyOf(tuple(told.notice.external_id for told in sheet.items))
        async with self.begin(actor) as work:
            here = {each.external_id for each in await work.webhooks.find(sender=sender, external_id=among)}
        missing = [told for told in sheet.items if told.notice.external_id not in here]
        kept = [await inbox.keep(actor, told.notice, sender, told.payload) for told in missing]
        return sum(new for _, new in kept)
