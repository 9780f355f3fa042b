"""Issuing: drafts become papers with numbers, are sent to their buyers, and are corrected by further papers."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import ClassVar

from application.inputs import submitted
from application.invoicing.books import letterhead_of, must_keep_books, must_keep_books_of
from application.invoicing.drafts import BookingBill, LineDraft, lines_of
from application.invoicing.settling import count
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.unit_of_work import Begin, Work
from domain.bookings import Booking, BookingState
from domain.invoicing import (
    REMINDS,
    AlreadyInvoiced,
    Bill,
    BookingNotBillable,
    Buyer,
    Invoice,
    InvoiceReminderDue,
    InvoiceStateRefused,
    Letterhead,
    Line,
    MoreThanIsLeft,
    NobodyToWriteTo,
    NothingToBill,
    NotYourBooks,
    Paper,
    SettlementKind,
)
from domain.shared.actors import Actor
from domain.shared.errors import Invalid, NotFound, Refusal, Unauthenticated
from domain.shared.ids import BookingId, InvoiceId, PaperId
from domain.shared.time import zone

MORNING = time(9)
"""When reminders are sent, on the clocks of the organization."""


@submitted
class Crediting:
    """What of an invoice is not asked for after all, and why."""

    reason: str
    """Printed on the credit note."""

    lines: tuple[LineDraft, ...] = ()
    """What is taken back; leave it out to take back all that is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceBooking:
    """Begin the invoice of a confirmed or completed booking, for the price that was agreed on. There is one per
    booking; where the booking is paid already, so is the invoice once it is issued."""

    begin: Begin
    clock: Clock
    ids: Ids
    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        Unauthenticated,
        NotYourBooks,
        NotFound,
        BookingNotBillable,
        AlreadyInvoiced,
        Invalid,
    )

    async def __call__(self, actor: Actor, booking_id: BookingId, bill: BookingBill = BookingBill()) -> Invoice:
        async with self.begin(actor) as work:
            booking = await work.bookings.get(booking_id)
            if not (actor.is_user(booking.customer_id) or actor.is_user(booking.provider_id)):
                await _must_know(work, actor, booking)
            await must_keep_books(work, actor, booking.organization_id)
            billable = booking.state in (BookingState.CONFIRMED, BookingState.COMPLETED)
            if not billable or booking.price.is_zero:
                raise BookingNotBillable(booking.state.value)
            if any(not each.is_void for each in await work.invoices.find(booking_id=booking_id)):
                raise AlreadyInvoiced
            work.guard(booking)
            invoice = Invoice.draft(
                id=InvoiceId(self.ids.new()),
                organization_id=booking.organization_id,
                bill=await _bill_of_booking(work, booking, bill),
                due_days=bill.due_days,
                booking_id=booking_id,
                now=self.clock.now(),
            )
            work.invoices.add(invoice)
            return work.answer(invoice)


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueInvoice:
    """Ask for the money: the invoice gets the next number of its organization and year, its paper is written for good,
    and its reminders are set. From now on it is only paid or credited."""

    begin: Begin
    clock: Clock
    ids: Ids
    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        Unauthenticated,
        NotYourBooks,
        NotFound,
        InvoiceStateRefused,
        NothingToBill,
    )

    async def __call__(self, actor: Actor, invoice_id: InvoiceId) -> Paper:
        now = self.clock.now()
        async with self.begin(actor) as work:
            invoice = await work.invoices.get(invoice_id)
            await must_keep_books_of(work, actor, invoice)
            letterhead = await letterhead_of(work, invoice.organization_id, now=now)
            paper = invoice.issue(paper_id=PaperId(self.ids.new()), letterhead=letterhead, now=now)
            work.papers.add(paper)
            work.number(paper, "sequence", series=paper.series)
            await _settle_with_booking(work, invoice, letterhead, ids=self.ids, now=now)
            if invoice.awaits_payment:
                _set_reminders(work, invoice, letterhead, now=now)
            return work.answer(paper)


@dataclass(frozen=True, slots=True, kw_only=True)
class SendInvoice:
    """Mail an issued invoice to its buyer, with the PDF and a link to pay it; as often as asked."""

    begin: Begin
    clock: Clock
    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        Unauthenticated,
        NotYourBooks,
        NotFound,
        InvoiceStateRefused,
        NobodyToWriteTo,
    )

    async def __call__(self, actor: Actor, invoice_id: InvoiceId) -> Invoice:
        async with self.begin(actor) as work:
            invoice = await work.invoices.get(invoice_id)
            await must_keep_books_of(work, actor, invoice)
            invoice.send(now=self.clock.now())
            return work.answer(invoice)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditInvoice:
    """Take back part or all of an issued invoice by a credit note with a number of its own, never more than is left of
    each tax rate. What was paid too much by it goes back through the gateway, as far as it came that way."""

    begin: Begin
    clock: Clock
    ids: Ids
    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        Unauthenticated,
        NotYourBooks,
        NotFound,
        InvoiceStateRefused,
        MoreThanIsLeft,
        NothingToBill,
        Invalid,
    )

    async def __call__(self, actor: Actor, invoice_id: InvoiceId, crediting: Crediting) -> Paper:
        now = self.clock.now()
        async with self.begin(actor) as work:
            invoice = await work.invoices.get(invoice_id)
            await must_keep_books_of(work, actor, invoice)
            if invoice.paper_id is None:
                raise InvoiceStateRefused("credited", invoice.state.value)
            corrected = await work.papers.get(invoice.paper_id)
            note = invoice.credit(
                id=PaperId(self.ids.new()),
                lines=lines_of(crediting.lines),
                reason=crediting.reason,
                number=corrected.number,
                letterhead=await letterhead_of(work, invoice.organization_id, now=now),
                now=now,
            )
            work.papers.add(note)
            work.number(note, "sequence", series=note.series)
            return work.answer(note)


@dataclass(frozen=True, slots=True, kw_only=True)
class FallDue:
    """When the due date has passed, an invoice that still waits is overdue."""

    begin: Begin

    async def __call__(self, actor: Actor, event: InvoiceReminderDue) -> None:
        if REMINDS[event.reminder] <= 0:
            return
        async with self.begin(actor) as work:
            invoice = await work.invoices.get(event.invoice_id)
            invoice.fall_due()


async def _must_know(work: Work, actor: Actor, booking: Booking) -> None:
    """To those who do not even see the booking it does not exist."""
    membership = None
    if actor.user_id is not None:
        membership = await work.memberships.first(organization_id=booking.organization_id, user_id=actor.user_id)
    if membership is None and not (actor.is_admin or actor.is_system):
        raise NotFound.of("booking", booking.id)


async def _bill_of_booking(work: Work, booking: Booking, bill: BookingBill) -> Bill:
    customer = await work.users.get(booking.customer_id)
    profile = await work.profiles.first(id=booking.customer_id)
    local = booking.starts_at.astimezone(zone(booking.zone))
    each, rest = divmod(booking.price.amount_minor, booking.seats)
    return Bill(
        buyer=Buyer(
            name=(profile.name if profile else "") or customer.email or "Customer",
            email=customer.email or "",
            address=bill.address,
            tax_id=bill.tax_id,
            user_id=booking.customer_id,
        ),
        currency=booking.price.currency,
        lines=(
            Line(
                description=f"{booking.job_title}\n{local:%Y-%m-%d}, {booking.reference}",
                quantity_thousandths=1000 if rest else 1000 * booking.seats,
                unit_price_minor=booking.price.amount_minor if rest else each,
                tax_basis_points=bill.tax_basis_points,
            ),
        ),
        tax_included=True,
        note=bill.note,
    )


async def _settle_with_booking(
    work: Work, invoice: Invoice, letterhead: Letterhead, *, ids: Ids, now: datetime
) -> None:
    """What the booking's own payment has brought, and not given back, pays its invoice."""
    if invoice.booking_id is None:
        return
    booking = await work.bookings.get(invoice.booking_id)
    payment = await work.payments.first(id=booking.payment_id) if booking.payment_id and booking.paid else None
    if payment is None or payment.refundable.is_zero:
        return
    work.guard(payment)
    count(
        work,
        invoice,
        min(payment.refundable, invoice.left),
        SettlementKind.BOOKING,
        payment.id,
        received_on=letterhead.today(payment.captured_at or now),
        payment_id=booking.payment_id,
        ids=ids,
        now=now,
    )


def _set_reminders(work: Work, invoice: Invoice, letterhead: Letterhead, *, now: datetime) -> None:
    """Look at it again before and after it is due; what is in the past by now is left out."""
    assert invoice.due_on is not None
    for reminder, days in REMINDS.items():
        day = invoice.due_on + timedelta(days=days)
        at = datetime.combine(day, MORNING, tzinfo=zone(letterhead.zone)).astimezone(now.tzinfo)
        if at > now:
            work.schedule(InvoiceReminderDue(invoice_id=invoice.id, reminder=reminder), about=invoice, at=at)
