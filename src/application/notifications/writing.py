"""What every piece of news is made of: who the parties are, the facts of the booking, a line of news, a mail."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from application.notifications.wording import when
from application.ports.ids import Ids
from application.ports.unit_of_work import Work
from domain.bookings import Booking
from domain.identity import User
from domain.notifications import LONGEST_BODY, LONGEST_TITLE, Mail, Notification, Template
from domain.shared.ids import MailId, NotificationId, UserId
from domain.shared.money import Money
from domain.shared.terms import Acceptance, Side

NAMELESS = "somebody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where news is written, within one unit of work."""

    work: Work
    ids: Ids
    now: datetime

    def notify(self, user_id: UserId, *, kind: str, title: str, body: str, about: UUID | None) -> None:
        """A line in that user's list."""
        self.work.notifications.add(
            Notification.post(
                id=NotificationId(self.ids.new()),
                user_id=user_id,
                kind=kind,
                title=clipped(title, LONGEST_TITLE),
                body=clipped(body, LONGEST_BODY),
                about=about,
                now=self.now,
            )
        )

    async def mail(self, user_id: UserId, template: Template, *, transition: str, context: dict[str, Any]) -> None:
        """A mail to that user about this turn of events, unless they have had it, or have no address."""
        user: User = await self.work.users.get(user_id)
        if user.email is not None:
            await self.letter(user.email, template, recipient_id=user_id, transition=transition, context=context)

    async def letter(
        self, to: str, template: Template, *, recipient_id: UserId | None, transition: str, context: dict[str, Any]
    ) -> None:
        """The same to an address, whoever reads it."""
        if await self.work.mails.first(template=template, transition=transition, to=to):
            return
        self.work.mails.add(
            Mail.queue(
                id=MailId(self.ids.new()),
                template=template,
                transition=transition,
                recipient_id=recipient_id,
                to=to,
                context=context,
                now=self.now,
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Affair:
    """A booking with the names of its parties and its place, as news tells of it."""

    booking: Booking
    customer: str
    provider: str
    organization: str
    place: str

    @classmethod
    async def of(cls, work: Work, booking: Booking) -> "Affair":
        """The booking's affair, as things stand now."""
        organization = await work.organizations.get(booking.organization_id)
        job = await work.jobs.get(booking.job_id)
        return cls(
            booking=booking,
            customer=await name_of(work, booking.customer_id),
            provider=await name_of(work, booking.provider_id),
            organization=organization.name,
            place=job.place or ("online" if job.remote else ""),
        )

    def user_of(self, side: Side) -> UserId:
        """Who stands on that side."""
        return self.booking.customer_id if side is Side.CUSTOMER else self.booking.provider_id

    def words(self) -> dict[str, str]:
        """What a sentence about it may name."""
        booking = self.booking
        refund = booking.refund
        return {
            "title": booking.job_title,
            "reference": booking.reference,
            "when": when(booking.span, booking.zone),
            "customer": self.customer,
            "provider": self.provider,
            "price": str(booking.price),
            "refunded": f" {refund} goes back to the customer." if refund is not None and refund.amount_minor else "",
            "lacking": "answered" if booking.payment_id is None else "paid for",
        }

    def facts(self, side: Side) -> dict[str, Any]:
        """What a letter to that side is written from: plain values."""
        booking = self.booking
        ours = side is Side.CUSTOMER
        return {
            "side": side.value,
            "recipient": self.customer if ours else self.provider,
            "counterpart": self.provider if ours else self.customer,
            "customer": self.customer,
            "provider": self.provider,
            "organization": self.organization,
            "booking": {
                "id": str(booking.id),
                "reference": booking.reference,
                "title": booking.job_title,
                "starts_at": booking.span.starts_at.isoformat(),
                "ends_at": booking.span.ends_at.isoformat(),
                "zone": booking.zone,
                "sequence": booking.sequence,
                "seats": booking.seats,
                "price": plain_money(booking.price),
                "place": self.place,
                "note": booking.note,
                "expires_at": None if booking.expires_at is None else booking.expires_at.isoformat(),
            },
            "accepted": booking.acceptance is Acceptance.REQUEST,
            "cancelled_by": None if booking.cancelled_by is None else booking.cancelled_by.value,
            "reason": booking.cancel_reason,
            "refund": None if booking.refund is None else plain_money(booking.refund),
            "calendar": None,
        }


async def name_of(work: Work, user_id: UserId) -> str:
    """The name that user shows, or a word for somebody without one."""
    profile = await work.profiles.first(id=user_id)
    return (profile.name if profile else "") or NAMELESS


async def zone_of(work: Work, user_id: UserId) -> str:
    """The zone that user lives by; UTC for somebody who has not said."""
    profile = await work.profiles.first(id=user_id)
    return (profile.zone if profile else "") or "UTC"


def plain_money(money: Money) -> dict[str, int | str]:
    """An amount as a mail's context keeps it."""
    return {"amount_minor": money.amount_minor, "currency": money.currency}


def clipped(text: str, longest: int) -> str:
    """The text, or its beginning and an ellipsis."""
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"
