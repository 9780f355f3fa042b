"""News about plans: the welcome of who bought one, and what owners hear of their subscriptions."""

from dataclasses import dataclass

from application.notifications.writing import Desk, zone_of
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.unit_of_work import Begin
from domain.billing import PurchaseProvisioned, SubscriptionMoved, SubscriptionState, TrialEnding
from domain.notifications import Template
from domain.organizations import MemberRole
from domain.shared.actors import Actor

_SAID: dict[SubscriptionState, tuple[str, str]] = {
    SubscriptionState.PAST_DUE: ("A payment is late", "We could not collect for your plan. Please look at your card."),
    SubscriptionState.UNPAID: ("Your plan rests", "Its payment did not arrive. It goes on when it is paid."),
    SubscriptionState.PAUSED: ("Your plan rests", "It was paused, and goes on when you resume it."),
    SubscriptionState.CANCELED: ("Your plan has ended", "What was made with it stays yours."),
}
"""States worth a word to an organization's owners."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WelcomeBuyer:
    """Who bought a business is welcomed by mail, with a link that signs them in. The mail keeps the link's id; the link
    itself is made on sending."""

    begin: Begin
    clock: Clock
    ids: Ids

    async def __call__(self, actor: Actor, event: PurchaseProvisioned) -> None:
        if event.token_id is None:
            return
        async with self.begin(actor) as work:
            token = await work.one_time_tokens.get(event.token_id)
            organization = await work.organizations.get(event.organization_id)
            desk = Desk(work=work, ids=self.ids, now=self.clock.now())
            await desk.mail(
                event.user_id,
                Template.BUSINESS_READY,
                transition=f"purchase:{event.purchase_id}:provisioned",
                context={
                    "token_id": str(event.token_id),
                    "organization": organization.name,
                    "expires_at": token.expires_at.isoformat(),
                    "zone": await zone_of(work, event.user_id),
                },
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class TellOfSubscription:
    """An organization's owners hear when its plan stands otherwise than they would expect, or a trial ends soon."""

    begin: Begin
    clock: Clock
    ids: Ids

    async def __call__(self, actor: Actor, event: SubscriptionMoved | TrialEnding) -> None:
        if isinstance(event, TrialEnding):
            title, body = "Your trial ends soon", "The first payment follows when it is over."
        elif event.state in _SAID:
            title, body = _SAID[event.state]
        else:
            return
        async with self.begin(actor) as work:
            desk = Desk(work=work, ids=self.ids, now=self.clock.now())
            owners = await work.memberships.find(organization_id=event.organization_id, role=MemberRole.OWNER)
            for owner in owners:
                desk.notify(owner.user_id, kind=event.name, title=title, body=body, about=event.organization_id)
