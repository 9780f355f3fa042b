"""News about banks: a dispute with its deadline, how it ended, a warning of fraud; and money that is set aside."""

from dataclasses import dataclass

from application.notifications.wording import at
from application.notifications.writing import Desk, zone_of
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.unit_of_work import Begin, Work
from domain.organizations import MemberRole
from domain.payments import (
    CaptureFailed,
    Dispute,
    DisputeClosed,
    DisputeOpened,
    DisputeState,
    EvidenceDue,
    EvidenceRefused,
    FraudWarned,
    Payment,
    PaymentAuthorised,
)
from domain.shared.actors import Actor, Role
from domain.shared.ids import OrganizationId, UserId

DisputeNews = DisputeOpened | EvidenceDue | EvidenceRefused | DisputeClosed
MOST_ADMINS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class TellOfDispute:
    """Whoever performed what is disputed, and the owners and managers who answer for it, hear of a dispute, of its
    deadline while nobody has answered, of evidence that was not taken, and of what the bank decided."""

    begin: Begin
    clock: Clock
    ids: Ids

    async def __call__(self, actor: Actor, event: DisputeNews) -> None:
        async with self.begin(actor) as work:
            dispute = await work.disputes.get(event.dispute_id)
            if isinstance(event, EvidenceDue) and not dispute.is_answerable:
                return
            desk = Desk(work=work, ids=self.ids, now=self.clock.now())
            for user_id in await _concerned(work, dispute.organization_id, dispute.provider_id):
                title, body = _said(event, dispute, await zone_of(work, user_id))
                desk.notify(user_id, kind=event.name, title=title, body=body, about=dispute.payment_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class TellOfWarning:
    """The owners and managers of an organization, and the admins, hear that a card may be stolen: money that goes back
    now is not disputed later."""

    begin: Begin
    clock: Clock
    ids: Ids

    async def __call__(self, actor: Actor, event: FraudWarned) -> None:
        async with self.begin(actor) as work:
            warning = await work.fraud_warnings.get(event.warning_id)
            payment = await work.payments.get(event.payment_id)
            admins = await work.users.find(role=Role.ADMIN, limit=MOST_ADMINS)
            desk = Desk(work=work, ids=self.ids, now=self.clock.now())
            told = await _concerned(work, warning.organization_id, None)
            for user_id in dict.fromkeys((*told, *(UserId(admin.id) for admin in admins))):
                desk.notify(
                    user_id,
                    kind=event.name,
                    title=f"A bank warns of fraud: {payment.captured}",
                    body=f"The card may be stolen ({warning.reason}). Giving the money back now avoids a dispute.",
                    about=event.payment_id,
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class TellOfAuthorisation:
    """The provider's side hears that money is set aside, and until when it can be taken; and when it was not taken."""

    begin: Begin
    clock: Clock
    ids: Ids

    async def __call__(self, actor: Actor, event: PaymentAuthorised | CaptureFailed) -> None:
        async with self.begin(actor) as work:
            payment = await work.payments.get(event.payment_id)
            booking = await work.bookings.first(id=event.booking_id) if event.booking_id else None
            desk = Desk(work=work, ids=self.ids, now=self.clock.now())
            for user_id in await _concerned(work, payment.organization_id, booking.provider_id if booking else None):
                title, body = _set_aside(event, payment, await zone_of(work, user_id))
                desk.notify(user_id, kind=event.name, title=title, body=body, about=event.booking_id)


async def _concerned(work: Work, organization_id: OrganizationId, provider_id: UserId | None) -> list[UserId]:
    """Who performs the work, and who answers for the organization's money; each once."""
    members = await work.memberships.find(organization_id=organization_id)
    answering = [member.user_id for member in members if member.role is not MemberRole.MEMBER]
    return list(dict.fromkeys((*answering, *([provider_id] if provider_id else []))))


def _said(event: DisputeNews, dispute: Dispute, zone: str) -> tuple[str, str]:
    deadline = f" Answer by {at(dispute.due_at, zone)}." if dispute.due_at and dispute.is_answerable else ""
    why = f"The reason given: {dispute.reason}." if dispute.reason else ""
    match event:
        case DisputeOpened() if dispute.state is DisputeState.INQUIRY:
            return f"A bank asks about {dispute.amount}", f"No money has moved yet. {why}{deadline}"
        case DisputeOpened():
            return f"{dispute.amount} is disputed", f"The customer's bank has asked for the money back. {why}{deadline}"
        case EvidenceDue():
            return f"A dispute of {dispute.amount} is not answered", f"Unanswered it is lost. {why}{deadline}"
        case EvidenceRefused():
            return "Your evidence was not taken", f"The gateway says: {event.reason}.{deadline}"
        case DisputeClosed(won=True):
            return f"A dispute of {dispute.amount} is won", "The money stays yours."
    return f"A dispute of {dispute.amount} is lost", "The money is the customer's again."


def _set_aside(event: PaymentAuthorised | CaptureFailed, payment: Payment, zone: str) -> tuple[str, str]:
    if isinstance(event, CaptureFailed):
        return f"{payment.amount} was not taken", f"The gateway says: {event.reason}. You can try again."
    return f"{payment.amount} is set aside", f"Take it by {at(event.until, zone)}, and the booking stands."
