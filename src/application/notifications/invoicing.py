"""News about quotes and invoices: letters to the buyer, who need not be a user, and lines for who keeps the books."""

from dataclasses import dataclass
from typing import Any

from application.notifications.writing import Desk, plain_money
from application.ports.clock import Clock
from application.ports.criteria import AnyOf
from application.ports.ids import Ids
from application.ports.unit_of_work import Begin, Work
from domain.invoicing import (
    Buyer,
    CreditNoteIssued,
    Invoice,
    InvoiceOverdue,
    InvoiceReminderDue,
    InvoiceSent,
    InvoiceSettled,
    Paper,
    Quote,
    QuoteAccepted,
    QuoteDeclined,
    QuoteExpired,
    QuoteReminderDue,
    QuoteSent,
    QuoteState,
    Reminder,
    SettlementKind,
)
from domain.notifications import Template
from domain.organizations import MemberRole
from domain.payments import RefundFailed
from domain.shared.actors import Actor
from domain.shared.ids import OrganizationId
from domain.shared.money import Money
from domain.shared.time import zone

QuoteNews = QuoteSent | QuoteReminderDue | QuoteAccepted | QuoteDeclined | QuoteExpired
InvoiceNews = InvoiceSent | InvoiceReminderDue | InvoiceOverdue | InvoiceSettled | CreditNoteIssued | RefundFailed

_ANSWERED = {
    QuoteAccepted: ("accepted", "The draft of its invoice is waiting for you."),
    QuoteDeclined: ("declined", "There is nothing more to do."),
    QuoteExpired: ("not answered in time", "You can write another."),
}
_RECEIVED = (SettlementKind.GATEWAY, SettlementKind.BY_HAND)


@dataclass(frozen=True, slots=True, kw_only=True)
class TellOfQuote:
    """A buyer gets the quote by mail, and a reminder before it expires; how it was answered is told to those who keep
    the books."""

    begin: Begin
    clock: Clock
    ids: Ids

    async def __call__(self, actor: Actor, event: QuoteNews) -> None:
        async with self.begin(actor) as work:
            quote = await work.quotes.get(event.quote_id)
            desk = Desk(work=work, ids=self.ids, now=self.clock.now())
            if isinstance(event, QuoteSent | QuoteReminderDue):
                if quote.state is QuoteState.SENT and not quote.lapsed(desk.now):
                    await _offer(work, desk, quote, event)
                return
            how, next_step = _ANSWERED[type(event)]
            title = f"{quote.reference} was {how}"
            body = f"{quote.bill.buyer.name}, {quote.total}. {next_step}"
            await _tell_keepers(work, desk, quote.organization_id, event.name, title, body, quote)


@dataclass(frozen=True, slots=True, kw_only=True)
class TellOfInvoice:
    """A buyer gets invoices and credit notes by mail with the PDF, reminders while something is left to pay, and a
    receipt for what they paid; those who keep the books learn what was paid, and what is overdue."""

    begin: Begin
    clock: Clock
    ids: Ids

    async def __call__(self, actor: Actor, event: InvoiceNews) -> None:
        if event.invoice_id is None:
            return  # the refund of a booking
        async with self.begin(actor) as work:
            invoice = await work.invoices.get(event.invoice_id)
            if invoice.paper_id is None:
                return
            paper = await work.papers.get(invoice.paper_id)
            desk = Desk(work=work, ids=self.ids, now=self.clock.now())
            news = _News(work=work, desk=desk, invoice=invoice, paper=paper)
            match event:
                case InvoiceSent(sending=sending):
                    await news.write(Template.INVOICE, f"sent:{sending}", paper_id=str(paper.id))
                case InvoiceReminderDue(reminder=reminder):
                    await news.remind(reminder)
                case InvoiceOverdue():
                    await news.tell(event.name, f"{paper.number} is overdue", f"{invoice.left} is left to pay.")
                case InvoiceSettled():
                    await news.settled(event)
                case CreditNoteIssued(credit_note_id=credit_note_id):
                    note = await work.papers.get(credit_note_id)
                    facts = {"corrected": paper.number, "number": note.number, "total": plain_money(note.total)}
                    await news.write(Template.CREDIT_NOTE, f"credited:{note.id}", paper_id=str(note.id), **facts)
                case RefundFailed(amount=amount, reason=reason):
                    said = f"For {paper.number}: {reason}. Please give it back another way."
                    await news.tell(event.name, f"A refund of {amount} failed", said)


@dataclass(frozen=True, slots=True, kw_only=True)
class _News:
    """One invoice, as news tells of it."""

    work: Work
    desk: Desk
    invoice: Invoice
    paper: Paper

    async def write(self, template: Template, turn: str, **facts: Any) -> None:
        """A letter to its buyer, where there is an address."""
        invoice, buyer = self.invoice, self.invoice.bill.buyer
        if not buyer.email:
            return
        told = {
            "recipient": buyer.name,
            "seller": self.paper.seller.name,
            "number": self.paper.number,
            "total": plain_money(self.paper.total),
            "left": plain_money(invoice.left),
            "due_on": None if self.paper.due_on is None else self.paper.due_on.isoformat(),
            "waits": invoice.awaits_payment,
            "invoice_id": str(invoice.id),
            "link_of": str(invoice.id),
        }
        await _letter(self.desk, buyer, template, f"invoice:{invoice.id}:{turn}", told | facts)

    async def tell(self, kind: str, title: str, body: str) -> None:
        """A line for those who keep the books."""
        buyer = self.invoice.bill.buyer.name
        await _tell_keepers(
            self.work, self.desk, self.invoice.organization_id, kind, title, f"{buyer}: {body}", self.invoice
        )

    async def remind(self, reminder: Reminder) -> None:
        """Only while something is left to pay, and of what is true by now."""
        invoice, due_on = self.invoice, self.paper.due_on
        if not invoice.awaits_payment or due_on is None:
            return
        letterhead = await self.work.letterheads.first(id=invoice.organization_id)
        today = self.desk.now.astimezone(zone(letterhead.zone if letterhead else "UTC")).date()
        if reminder is Reminder.SOON and today > due_on:
            return
        turn, facts = f"reminder:{reminder.value}", {"reminder": reminder.value, "paper_id": str(self.paper.id)}
        await self.write(Template.INVOICE_REMINDER, turn, **facts)

    async def settled(self, event: InvoiceSettled) -> None:
        """Money came, or went back."""
        amount, came = event.amount, Money.zero(event.amount.currency) < event.amount
        if (event.kind in _RECEIVED and came) or event.kind is SettlementKind.REFUND:
            facts = {"amount": plain_money(amount if came else -amount), "returned": not came}
            await self.write(Template.INVOICE_RECEIPT, event.source, **facts)
        if event.kind is SettlementKind.GATEWAY:
            left = "Nothing is left to pay." if not self.invoice.awaits_payment else f"{self.invoice.left} is left."
            await self.tell(event.name, f"{amount} received for {self.paper.number}", left)


async def _offer(work: Work, desk: Desk, quote: Quote, event: QuoteSent | QuoteReminderDue) -> None:
    letterhead = await work.letterheads.first(id=quote.organization_id)
    organization = await work.organizations.get(quote.organization_id)
    reminds = isinstance(event, QuoteReminderDue)
    turn = "reminder" if isinstance(event, QuoteReminderDue) else f"sent:{event.sending}"
    told = {
        "recipient": quote.bill.buyer.name,
        "seller": letterhead.seller.name if letterhead else organization.name,
        "number": quote.reference,
        "total": plain_money(quote.total),
        "lines": [line.description for line in quote.bill.lines],
        "expires_at": None if quote.expires_at is None else quote.expires_at.isoformat(),
        "zone": letterhead.zone if letterhead else "UTC",
        "reminds": reminds,
        "quote_id": str(quote.id),
        "link_of": str(quote.id),
    }
    await _letter(desk, quote.bill.buyer, Template.QUOTE, f"quote:{quote.id}:{turn}", told)


async def _letter(desk: Desk, buyer: Buyer, template: Template, transition: str, context: dict[str, Any]) -> None:
    await desk.letter(buyer.email, template, recipient_id=buyer.user_id, transition=transition, context=context)


async def _tell_keepers(
    work: Work, desk: Desk, organization_id: OrganizationId, kind: str, title: str, body: str, about: Invoice | Quote
) -> None:
    """A line for each owner and manager of the organization."""
    keeps = AnyOf((MemberRole.OWNER, MemberRole.MANAGER))
    for membership in await work.memberships.find(organization_id=organization_id, role=keeps):
        desk.notify(membership.user_id, kind=kind, title=title, body=body, about=about.id)
