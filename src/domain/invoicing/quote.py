"""A quote: what work would cost, offered for a while, and taken up once."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from domain.invoicing.bill import Bill
from domain.invoicing.refusals import NobodyToWriteTo, NothingToBill, QuoteStateRefused
from domain.shared.aggregate import Aggregate, Event
from domain.shared.errors import Invalid
from domain.shared.ids import InvoiceId, OrganizationId, QuoteId, UserId
from domain.shared.money import Money
from domain.shared.text import text

LONGEST_VALIDITY = 365


class QuoteState(StrEnum):
    """A draft is ours alone; a sent one waits for an answer until it expires."""

    DRAFT = "draft"
    SENT = "sent"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteSent(Event):
    """The buyer is to be told of the offer; `sending` counts how often."""

    name: ClassVar[str] = "quote.sent"
    quote_id: QuoteId
    sending: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteAccepted(Event):
    """The offer is taken up: it becomes the invoice of that id."""

    name: ClassVar[str] = "quote.accepted"
    quote_id: QuoteId
    invoice_id: InvoiceId


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteDeclined(Event):
    """The buyer does not want it."""

    name: ClassVar[str] = "quote.declined"
    quote_id: QuoteId


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteExpired(Event):
    """Nobody answered in time."""

    name: ClassVar[str] = "quote.expired"
    quote_id: QuoteId


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteDue(Event):
    """Scheduled: the time to answer is over."""

    name: ClassVar[str] = "quote.due"
    quote_id: QuoteId


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteReminderDue(Event):
    """Scheduled: the time to answer is nearly over."""

    name: ClassVar[str] = "quote.reminder_due"
    quote_id: QuoteId


@dataclass(eq=False, slots=True, kw_only=True)
class Quote(Aggregate):
    """An offer to a buyer, good for `valid_days` from its sending. `sequence` numbers an organization's quotes of a
    year."""

    id: QuoteId
    organization_id: OrganizationId
    year: int
    sequence: int = 0
    bill: Bill
    total: Money
    valid_days: int = 30
    due_days: int = 14
    state: QuoteState = QuoteState.DRAFT
    sendings: int = 0
    sent_at: datetime | None = None
    expires_at: datetime | None = None
    answered_at: datetime | None = None
    answered_by: str = ""
    invoice_id: InvoiceId | None = None
    created_at: datetime

    def __post_init__(self) -> None:
        _days(self.valid_days, least=1, field="valid_days")
        _days(self.due_days, least=0, field="due_days")

    @classmethod
    def draft(
        cls,
        *,
        id: QuoteId,
        organization_id: OrganizationId,
        year: int,
        bill: Bill,
        valid_days: int,
        due_days: int,
        now: datetime,
    ) -> "Quote":
        """Begin one; nobody else sees it yet."""
        return cls(
            id=id,
            organization_id=organization_id,
            year=year,
            bill=bill,
            total=bill.total,
            valid_days=valid_days,
            due_days=due_days,
            created_at=now,
        )

    @property
    def reference(self) -> str:
        """As people say it: Q2026-0001."""
        return quote_reference(self.year, self.sequence)

    @property
    def series(self) -> str:
        """The tally its number is drawn from."""
        return f"quotes:{self.organization_id}:{self.year}"

    @property
    def reader_id(self) -> UserId | None:
        """The user it is offered to, once it has been sent."""
        return None if self.state is QuoteState.DRAFT else self.bill.buyer.user_id

    @property
    def reader_email(self) -> str:
        """The mail address it is offered to, once it has been sent."""
        return "" if self.state is QuoteState.DRAFT else self.bill.buyer.email

    def revise(self, *, bill: Bill, valid_days: int, due_days: int) -> None:
        """Write it anew, while nobody has seen it."""
        self._allow("revised", QuoteState.DRAFT)
        self.bill, self.total, self.valid_days, self.due_days = bill, bill.total, valid_days, due_days
        self.__post_init__()

    def discard(self) -> None:
        """Refuse to throw away what somebody has seen."""
        self._allow("discarded", QuoteState.DRAFT)

    def send(self, *, now: datetime) -> None:
        """Offer it; sending it again tells the buyer again and changes no date."""
        self._allow("sent", QuoteState.DRAFT, QuoteState.SENT)
        if not self.bill.buyer.email:
            raise NobodyToWriteTo
        if self.total.is_zero:
            raise NothingToBill
        if self.state is QuoteState.DRAFT:
            self.state, self.sent_at, self.expires_at = QuoteState.SENT, now, now + timedelta(days=self.valid_days)
        elif self.lapsed(now):
            raise QuoteStateRefused("sent", QuoteState.EXPIRED.value)
        self.sendings += 1
        self._record(QuoteSent(quote_id=self.id, sending=self.sendings))

    def lapsed(self, now: datetime) -> bool:
        """Whether it waits for an answer whose time is over."""
        return self.state is QuoteState.SENT and self.expires_at is not None and self.expires_at <= now

    def accept(self, *, invoice_id: InvoiceId, by: str, now: datetime) -> None:
        """Take it up: it becomes one invoice. Accepting what is accepted changes nothing."""
        if self.state is QuoteState.ACCEPTED:
            return
        self._answer("accepted", QuoteState.ACCEPTED, by, now)
        self.invoice_id = invoice_id
        self._record(QuoteAccepted(quote_id=self.id, invoice_id=invoice_id))

    def decline(self, *, by: str, now: datetime) -> None:
        """Say no. Declining what is declined changes nothing."""
        if self.state is QuoteState.DECLINED:
            return
        self._answer("declined", QuoteState.DECLINED, by, now)
        self._record(QuoteDeclined(quote_id=self.id))

    def expire(self) -> None:
        """Its time is over."""
        self._allow("expired", QuoteState.SENT)
        self.state = QuoteState.EXPIRED
        self._record(QuoteExpired(quote_id=self.id))

    def _answer(self, step: str, state: QuoteState, by: str, now: datetime) -> None:
        self._allow(step, QuoteState.SENT)
        if self.lapsed(now):
            raise QuoteStateRefused(step, QuoteState.EXPIRED.value)
        self.state, self.answered_at = state, now
        self.answered_by = text(by, field="by", shortest=0, longest=200)

    def _allow(self, step: str, *states: QuoteState) -> None:
        if self.state not in states:
            raise QuoteStateRefused(step, self.state.value)


def quote_reference(year: int, sequence: int) -> str:
    """A quote's number as people say it."""
    return f"Q{year}-{sequence:04d}"


def _days(value: int, *, least: int, field: str) -> None:
    if type(value) is not int or not least <= value <= LONGEST_VALIDITY:
        raise Invalid(f"{field} is {least} to {LONGEST_VALIDITY} whole days", field=field, most=LONGEST_VALIDITY)
