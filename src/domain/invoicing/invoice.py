"""An invoice: drafted, issued under a number, paid in parts, and corrected only by credit notes."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from domain.invoicing.bill import ONE, Bill, Line, Shares, TaxShare, shares_of, total_of
from domain.invoicing.letterhead import LONGEST_DUE_DAYS, Letterhead
from domain.invoicing.paper import Paper, PaperKind
from domain.invoicing.refusals import (
    InvoiceStateRefused,
    MoreThanIsLeft,
    MoreThanIsOwed,
    NobodyToWriteTo,
    NothingToBill,
    NotReceivedByHand,
)
from domain.invoicing.settlement import Settlement, SettlementKind
from domain.shared.aggregate import Aggregate, Event
from domain.shared.errors import Invalid
from domain.shared.ids import BookingId, InvoiceId, OrganizationId, PaperId, QuoteId, UserId
from domain.shared.money import Money
from domain.shared.text import text


class InvoiceState(StrEnum):
    """A draft is ours alone and may be made void; an issued one is paid, in part or whole, or credited altogether."""

    DRAFT = "draft"
    VOID = "void"
    ISSUED = "issued"
    PARTLY_PAID = "partly_paid"
    PAID = "paid"
    CREDITED = "credited"


class Reminder(StrEnum):
    """When a buyer is reminded: a few days before it is due, the day after, and once more."""

    SOON = "soon"
    OVERDUE = "overdue"
    STILL_OVERDUE = "still_overdue"


REMINDS = {Reminder.SOON: -3, Reminder.OVERDUE: 1, Reminder.STILL_OVERDUE: 15}
"""Days from the due date to each reminder."""

_OPEN = (InvoiceState.ISSUED, InvoiceState.PARTLY_PAID)
_INSIDE = (InvoiceState.DRAFT, InvoiceState.VOID)


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceIssued(Event):
    """It has a number, and stays as it is."""

    name: ClassVar[str] = "invoice.issued"
    invoice_id: InvoiceId


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceSent(Event):
    """The buyer is to be sent the paper; `sending` counts how often."""

    name: ClassVar[str] = "invoice.sent"
    invoice_id: InvoiceId
    sending: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceSettled(Event):
    """An amount was counted as paid (negative: no longer counted); `source` names what moved it."""

    name: ClassVar[str] = "invoice.settled"
    invoice_id: InvoiceId
    source: str
    kind: SettlementKind
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoicePaid(Event):
    """Nothing is left to pay."""

    name: ClassVar[str] = "invoice.paid"
    invoice_id: InvoiceId


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceOverpaid(Event):
    """More was paid than is owed: what is too much goes back."""

    name: ClassVar[str] = "invoice.overpaid"
    invoice_id: InvoiceId


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceOverdue(Event):
    """It should have been paid by now."""

    name: ClassVar[str] = "invoice.overdue"
    invoice_id: InvoiceId


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceReminderDue(Event):
    """Scheduled: look whether the buyer is to be reminded."""

    name: ClassVar[str] = "invoice.reminder_due"
    invoice_id: InvoiceId
    reminder: Reminder


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditNoteIssued(Event):
    """Part or all of the invoice is not asked for after all."""

    name: ClassVar[str] = "credit_note.issued"
    invoice_id: InvoiceId
    credit_note_id: PaperId


@dataclass(eq=False, slots=True, kw_only=True)
class Invoice(Aggregate):
    """What a buyer owes an organization. `paid` is what its settlements add up to, `paid_by_hand` the part of it that
    came past the gateway; `credited` is what its credit notes add up to, by tax rate in `credited_shares`."""

    id: InvoiceId
    organization_id: OrganizationId
    booking_id: BookingId | None = None
    quote_id: QuoteId | None = None
    paper_id: PaperId | None = None
    bill: Bill
    total: Money
    due_days: int = 14
    state: InvoiceState = InvoiceState.DRAFT
    paid: Money
    paid_by_hand: Money
    credited: Money
    credited_shares: Shares = ()
    issued_on: date | None = None
    due_on: date | None = None
    overdue: bool = False
    sendings: int = 0
    sent_at: datetime | None = None
    created_at: datetime

    def __post_init__(self) -> None:
        if type(self.due_days) is not int or not 0 <= self.due_days <= LONGEST_DUE_DAYS:
            raise Invalid(f"due_days is 0 to {LONGEST_DUE_DAYS} whole days", field="due_days", most=LONGEST_DUE_DAYS)
        nothing = self.nothing
        if not (nothing <= self.credited <= self.total and nothing <= self.paid):
            raise Invalid("no more is credited than was asked for, no less than nothing paid", invoice=str(self.id))

    @classmethod
    def draft(
        cls,
        *,
        id: InvoiceId,
        organization_id: OrganizationId,
        bill: Bill,
        due_days: int,
        booking_id: BookingId | None = None,
        quote_id: QuoteId | None = None,
        now: datetime,
    ) -> "Invoice":
        """Begin one; nobody else sees it yet, and it has no number."""
        nothing = Money.zero(bill.currency)
        return cls(
            id=id,
            organization_id=organization_id,
            booking_id=booking_id,
            quote_id=quote_id,
            bill=bill,
            total=bill.total,
            due_days=due_days,
            paid=nothing,
            paid_by_hand=nothing,
            credited=nothing,
            created_at=now,
        )

    @property
    def nothing(self) -> Money:
        """No money, in its currency."""
        return Money.zero(self.bill.currency)

    @property
    def left(self) -> Money:
        """What is still to be paid; negative while too much was paid."""
        return self.total - self.credited - self.paid

    @property
    def is_issued(self) -> bool:
        """Whether it has left the house."""
        return self.state not in _INSIDE

    @property
    def is_void(self) -> bool:
        """Whether it was given up as a draft."""
        return self.state is InvoiceState.VOID

    @property
    def awaits_payment(self) -> bool:
        """Whether it is issued, and something is left to pay."""
        return self.state in _OPEN

    @property
    def reader_id(self) -> UserId | None:
        """The user it is addressed to, once it is issued."""
        return self.bill.buyer.user_id if self.is_issued else None

    @property
    def reader_email(self) -> str:
        """The mail address it is addressed to, once it is issued."""
        return self.bill.buyer.email if self.is_issued else ""

    def revise(self, *, bill: Bill, due_days: int) -> None:
        """Write it anew, while it is a draft."""
        self._allow("revised", InvoiceState.DRAFT)
        nothing = Money.zero(bill.currency)
        self.bill, self.total, self.due_days = bill, bill.total, due_days
        self.paid = self.paid_by_hand = self.credited = nothing
        self.__post_init__()

    def void(self) -> None:
        """Give a draft up. What was issued is not made void but credited."""
        self._allow("made void", InvoiceState.DRAFT)
        self.state = InvoiceState.VOID

    def issue(self, *, paper_id: PaperId, letterhead: Letterhead, now: datetime) -> Paper:
        """Ask for the money: the paper says what, and from now on neither changes."""
        self._allow("issued", InvoiceState.DRAFT)
        if self.total.is_zero:
            raise NothingToBill
        self.issued_on = letterhead.today(now)
        self.due_on = self.issued_on + timedelta(days=self.due_days)
        self.paper_id, self.state = paper_id, InvoiceState.ISSUED
        self._record(InvoiceIssued(invoice_id=self.id))
        return Paper.issue(
            id=paper_id,
            kind=PaperKind.INVOICE,
            invoice_id=self.id,
            organization_id=self.organization_id,
            seller=letterhead.seller,
            bill=self.bill,
            shares=self.bill.shares,
            issued_on=self.issued_on,
            due_on=self.due_on,
            now=now,
        )

    def send(self, *, now: datetime) -> None:
        """Send the paper to its buyer, as often as asked."""
        self._issued("sent")
        if not self.bill.buyer.email:
            raise NobodyToWriteTo
        self.sendings += 1
        self.sent_at = now
        self._record(InvoiceSent(invoice_id=self.id, sending=self.sendings))

    def record(self, amount: Money) -> None:
        """Judge money received by hand: no more than is left. A negative amount takes back what was recorded so."""
        self._issued("paid")
        if self.nothing < amount and not amount <= self.left:
            raise MoreThanIsOwed(amount, self.left)
        if amount < self.nothing and self.paid_by_hand < -amount:
            raise NotReceivedByHand(-amount, self.paid_by_hand)

    def settle(self, settlement: Settlement) -> None:
        """Count this as paid, or as gone back."""
        self._issued("paid")
        was_open = self.awaits_payment
        self.paid += settlement.amount
        if settlement.kind is SettlementKind.BY_HAND:
            self.paid_by_hand += settlement.amount
        self._stand()
        self._record(
            InvoiceSettled(invoice_id=self.id, source=settlement.source, kind=settlement.kind, amount=settlement.amount)
        )
        if was_open and not self.awaits_payment:
            self._record(InvoicePaid(invoice_id=self.id))
        if self.left < self.nothing:
            self._record(InvoiceOverpaid(invoice_id=self.id))

    def credit(
        self,
        *,
        id: PaperId,
        lines: tuple[Line, ...],
        reason: str,
        number: str,
        letterhead: Letterhead,
        now: datetime,
    ) -> Paper:
        """Take back part of what was asked for, or all that is left when no lines are given, by a paper of its own.
        Whatever the parts, together they reverse the invoice to the last minor unit."""
        self._issued("credited")
        reason = text(reason, field="reason", longest=500, lines=True)
        lines = lines or self._rest(number)
        after = self._credited_with(lines)
        shares = tuple(share - before for share, before in zip(after, self._credited(), strict=True))
        shares = tuple(share for share in shares if share.amount_minor)
        total = total_of(shares, self.bill.currency)
        if total.is_zero:
            raise NothingToBill
        was_open = self.awaits_payment
        self.credited_shares, self.credited = after, self.credited + total
        self._stand()
        self._record(CreditNoteIssued(invoice_id=self.id, credit_note_id=id))
        if was_open and not self.awaits_payment:
            self._record(InvoicePaid(invoice_id=self.id))
        if self.left < self.nothing:
            self._record(InvoiceOverpaid(invoice_id=self.id))
        return Paper.issue(
            id=id,
            kind=PaperKind.CREDIT_NOTE,
            invoice_id=self.id,
            organization_id=self.organization_id,
            seller=letterhead.seller,
            bill=Bill(
                buyer=self.bill.buyer, currency=self.bill.currency, lines=lines, tax_included=self.bill.tax_included
            ),
            shares=shares,
            issued_on=letterhead.today(now),
            corrects=number,
            reason=reason,
            now=now,
        )

    def fall_due(self) -> None:
        """Note that it should have been paid by now, if it still waits."""
        if self.awaits_payment and not self.overdue:
            self.overdue = True
            self._record(InvoiceOverdue(invoice_id=self.id))

    def _stand(self) -> None:
        if self.nothing < self.left:
            self.state = InvoiceState.PARTLY_PAID if self.nothing < self.paid else InvoiceState.ISSUED
        else:
            self.state = InvoiceState.PAID if self.nothing < self.paid else InvoiceState.CREDITED
            self.overdue = False

    def _credited(self) -> Shares:
        """What was credited so far, for each of its tax rates."""
        known = {share.tax_basis_points: share for share in self.credited_shares}
        rates = [share.tax_basis_points for share in self.bill.shares]
        return tuple(known.get(rate) or TaxShare.of(rate, 0, included=self.bill.tax_included) for rate in rates)

    def _credited_with(self, lines: tuple[Line, ...]) -> Shares:
        """What is credited once these lines are: tax is figured on the sum, so that parts leave no odd cent."""
        asked = {share.tax_basis_points: share for share in shares_of(lines, included=self.bill.tax_included)}
        after = []
        for share, before in zip(self.bill.shares, self._credited(), strict=True):
            rate, more = share.tax_basis_points, asked.pop(share.tax_basis_points, None)
            amount = before.amount_minor + (more.amount_minor if more else 0)
            if amount > share.amount_minor:
                raise self._too_much(rate, more.amount_minor if more else 0, share.amount_minor - before.amount_minor)
            after.append(TaxShare.of(rate, amount, included=self.bill.tax_included))
        for rate, more in asked.items():
            raise self._too_much(rate, more.amount_minor, 0)
        return tuple(after)

    def _too_much(self, rate: int, asked: int, left: int) -> MoreThanIsLeft:
        currency = self.bill.currency
        return MoreThanIsLeft(rate, Money(asked, currency), Money(left, currency))

    def _rest(self, number: str) -> tuple[Line, ...]:
        """Lines for all that is not credited yet: its own, or what is left of each tax rate."""
        if not self.credited_shares:
            return self.bill.lines
        pairs = zip(self.bill.shares, self._credited(), strict=True)
        rest = ((share.tax_basis_points, (share - gone).amount_minor) for share, gone in pairs)
        return tuple(
            Line(
                description=f"The rest of {number}", quantity_thousandths=ONE, unit_price_minor=left, tax_basis_points=r
            )
            for r, left in rest
            if left
        )

    def _issued(self, step: str) -> None:
        if not self.is_issued:
            raise InvoiceStateRefused(step, self.state.value)

    def _allow(self, step: str, *states: InvoiceState) -> None:
        if self.state not in states:
            raise InvoiceStateRefused(step, self.state.value)
