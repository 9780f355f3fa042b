"""Shares: what has moved between the platform and a payee is asked of the gateway, and booked once."""

from dataclasses import dataclass
from datetime import datetime

from application.payments.settling import post
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.payees import Shares
from application.ports.payments import GatewayUnavailable
from application.ports.unit_of_work import Begin, Work
from domain.payments import GatewayShare, Payment, PaymentCaptured, RefundFailed, RefundSucceeded, share_entries
from domain.shared.actors import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowShare:
    """When a shared payment has come, or part of it has gone back, the gateway is asked what of it moved between the
    platform and the organization's account; whatever is not in the books yet is booked, whoever brought it about."""

    begin: Begin
    clock: Clock
    ids: Ids
    shares: Shares

    async def __call__(self, actor: Actor, event: PaymentCaptured | RefundSucceeded | RefundFailed) -> None:
        async with self.begin(actor) as work:
            payment = await work.payments.get(event.payment_id)
        if payment.share is None or payment.gateway_ref is None:
            return
        news = await self.shares.share(payment.gateway_ref)
        if not news.moved:
            # Half of what was captured would never come by itself: the event waits until the gateway shows the rest.
            raise GatewayUnavailable("the gateway does not show the transfer of that payment yet")
        async with self.begin(actor) as work:
            await post_share(work, await work.payments.get(event.payment_id), news, ids=self.ids, now=self.clock.now())


async def post_share(work: Work, payment: Payment, news: GatewayShare, *, ids: Ids, now: datetime) -> None:
    """Write into the ledger what of this share is not there yet; of two who do so at once the second runs again."""
    booked = {(entry.source_kind, entry.source_id) for entry in await work.ledger.find(payment_id=payment.id)}
    for movement in news.moved:
        if (movement.kind, f"{payment.gateway}:{movement.ref}") not in booked:
            post(work, share_entries(payment, movement, new=ids.new, now=now))
