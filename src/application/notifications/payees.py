"""News about an organization's own account at the gateway, for its owners."""

from dataclasses import dataclass

from application.notifications.writing import Desk
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.unit_of_work import Begin
from domain.organizations import MemberRole
from domain.payments import PayeeMoved, PayeeState, PayoutFailed, PayoutPaid
from domain.shared.actors import Actor

_SAID: dict[PayeeState, tuple[str, str]] = {
    PayeeState.ENABLED: (
        "Payments go to your own account now",
        "What customers pay from now on is paid out to your bank.",
    ),
    PayeeState.RESTRICTED: (
        "The payment gateway has questions",
        "Payouts rest until they are answered. Please open your account's page.",
    ),
    PayeeState.REJECTED: (
        "Payments cannot go to your own account",
        "The payment gateway has turned it down. We take your payments as before; write to us.",
    ),
}
"""States worth a word to an organization's owners."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TellOfPayee:
    """An organization's owners hear when its account at the gateway is open, when the gateway wants something of them,
    and what became of a payout."""

    begin: Begin
    clock: Clock
    ids: Ids

    async def __call__(self, actor: Actor, event: PayeeMoved | PayoutPaid | PayoutFailed) -> None:
        match event:
            case PayeeMoved() if event.state in _SAID:
                title, body = _SAID[event.state]
            case PayoutPaid():
                title, body = f"{event.amount} paid out", "It is at your bank."
            case PayoutFailed():
                title = f"A payout of {event.amount} did not arrive"
                body = f"Your bank did not take it ({event.reason}). Please check your bank account's details."
            case _:
                return
        async with self.begin(actor) as work:
            desk = Desk(work=work, ids=self.ids, now=self.clock.now())
            owners = await work.memberships.find(organization_id=event.organization_id, role=MemberRole.OWNER)
            for owner in owners:
                desk.notify(owner.user_id, kind=event.name, title=title, body=body, about=event.organization_id)
