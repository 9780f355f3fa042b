"""Mails leave: written, sent, and marked as sent."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from application.ports.clock import Clock
from application.ports.criteria import Order, Position
from application.ports.hooks import SealedSecrets
from application.ports.identity import OneTimeSecrets
from application.ports.invoicing import InvoicePrinter, Sheet, SheetKind
from application.ports.mail import Attachment, Invite, Invites, Letters, Links, Mailbox, Mailer, OutgoingMail
from application.ports.readers import Page, Readers
from application.ports.unit_of_work import Begin
from domain.invoicing import Bill, PaperKind, Seller, Shares, number_of
from domain.notifications import Mail, MailNotFailed, MailQueued, MailRefused, MailState, MailUnavailable, Template
from domain.shared.actors import SYSTEM, Actor
from domain.shared.errors import Forbidden, NotFound, Refusal
from domain.shared.ids import BookingId, MailId, OneTimeTokenId, PaperId, UserId
from domain.shared.money import Money
from domain.shared.time import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class MailView:
    """What became of one mail, for whoever looks after the house."""

    source: ClassVar[str] = "mails"
    id: MailId
    template: Template
    transition: str
    recipient_id: UserId | None
    to: str
    state: MailState
    attempts: int
    sent_at: datetime | None
    last_error: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MailToWrite:
    """A mail with the facts it is written from."""

    source: ClassVar[str] = "mails"
    id: MailId
    template: Template
    to: str
    context: dict[str, Any]
    state: MailState
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperToSend:
    """An invoice or credit note that travels with a mail."""

    source: ClassVar[str] = "papers"
    id: PaperId
    kind: PaperKind
    year: int
    sequence: int
    seller: Seller
    bill: Bill
    shares: Shares
    total: Money
    issued_on: date
    due_on: date | None
    corrects: str
    reason: str

    @property
    def number(self) -> str:
        """As people say it."""
        return number_of(self.kind, self.year, self.sequence)

    @property
    def sheet(self) -> Sheet:
        """What is printed of it."""
        return Sheet(
            kind=SheetKind(self.kind.value),
            number=self.number,
            seller=self.seller,
            bill=self.bill,
            shares=self.shares,
            total=self.total,
            issued_on=self.issued_on,
            until=self.due_on,
            corrects=self.corrects,
            reason=self.reason,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SendMail:
    """Write a queued mail and send it. Nobody answering leaves it queued, to be tried again; turned away for good, it
    has failed. Links that sign somebody in are made here and kept nowhere."""

    begin: Begin
    clock: Clock
    readers: Readers
    mailer: Mailer
    letters: Letters
    invites: Invites
    printer: InvoicePrinter
    links: Links
    sender: Mailbox
    one_time_secrets: OneTimeSecrets
    sealed_secrets: SealedSecrets
    refuses: ClassVar[tuple[type[Refusal], ...]] = (NotFound, MailUnavailable)

    async def __call__(self, actor: Actor, event: MailQueued) -> None:
        queued = await self.readers.one(actor, MailToWrite, event.mail_id)
        if queued.state is not MailState.QUEUED:
            return
        refusal = await self._send(queued)
        async with self.begin(actor) as work:
            mail = await work.mails.get(queued.id)
            if refusal is None:
                mail.delivered(now=self.clock.now())
            else:
                mail.gave_up(reason=refusal.message)

    async def _send(self, mail: MailToWrite) -> MailRefused | None:
        written = self.letters.write(mail.template, self._facts(mail))
        attachments = await self._attachments(mail)
        try:
            await self.mailer.send(
                OutgoingMail(
                    id=mail.id,
                    template=mail.template,
                    sender=self.sender,
                    to=mail.to,
                    subject=written.subject,
                    text=written.text,
                    html=written.html,
                    attachments=attachments,
                    created_at=mail.created_at,
                )
            )
        except MailRefused as refusal:
            return refusal
        return None

    def _facts(self, mail: MailToWrite) -> dict[str, Any]:
        facts = {**mail.context, "house": self.sender.name, "links": self.links}
        told = mail.context
        # A pay link is no one-time token, but it is made like one, of the id of the booking, quote or invoice itself.
        of = (
            told["booking"]["id"]
            if mail.template is Template.BOOKING_HELD
            else told.get("token_id", told.get("link_of"))
        )
        if of:
            facts["secret"] = self.one_time_secrets.secret(OneTimeTokenId(UUID(of)))
        elif sealed := told.get("sealed"):
            facts["secret"] = self.sealed_secrets.open(sealed)
        return facts

    async def _attachments(self, mail: MailToWrite) -> tuple[Attachment, ...]:
        if paper_id := mail.context.get("paper_id"):
            paper = await self.readers.one(SYSTEM, PaperToSend, UUID(paper_id))
            return (Attachment(f"{paper.number}.pdf", "application/pdf", await self.printer.print(paper.sheet)),)
        told = mail.context.get("calendar")
        return () if told is None else (self._invite(mail, told),)

    def _invite(self, mail: MailToWrite, told: str) -> Attachment:
        booking = mail.context["booking"]
        booking_id = BookingId(UUID(booking["id"]))
        url = self.links.booking(booking_id)
        invite = Invite(
            booking_id=booking_id,
            # a calendar ignores what is not newer than what it has, and the end is the last there is to tell
            sequence=booking["sequence"] + (told == "cancel"),
            cancelled=told == "cancel",
            span=Span(*(datetime.fromisoformat(booking[end]) for end in ("starts_at", "ends_at"))),
            title=f"{booking['title']} ({mail.context['counterpart']})",
            description=f"{booking['title']}\n{booking['reference']}\n{url}",
            place=booking["place"],
            url=url,
            organizer=self.sender,
            attendee=Mailbox(mail.context["recipient"], mail.to),
            stamped_at=mail.created_at,
        )
        return self.invites.write(invite)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListMails:
    """The mails of the house, newest first, on request only those in one state; for admins."""

    readers: Readers
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Forbidden,)

    async def __call__(
        self, actor: Actor, *, state: MailState | None = None, after: Position | None = None, limit: int = 20
    ) -> Page[MailView]:
        actor.must_be_admin()
        where: dict[str, object] = {} if state is None else {"state": state}
        order = Order("created_at", descending=True)
        return await self.readers.page(actor, MailView, where, order=order, after=after, limit=limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResendMail:
    """Send a mail that failed once more, when the cause has been mended; for admins."""

    begin: Begin
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Forbidden, NotFound, MailNotFailed)

    async def __call__(self, actor: Actor, mail_id: MailId) -> Mail:
        actor.must_be_admin()
        async with self.begin(actor) as work:
            mail = await work.mails.get(mail_id)
            mail.again()
            return work.answer(mail)
