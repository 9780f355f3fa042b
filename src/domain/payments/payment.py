"""A payment: what one booking, or a part of one invoice, costs one customer, from the asking to the last refund."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.payments.events import (
    AuthorisationEnded,
    CaptureFailed,
    CaptureRequested,
    PaymentAuthorised,
    PaymentCaptured,
    PaymentFailed,
    PaymentRequested,
    PaymentStrayed,
    ReleaseRequested,
)
from domain.payments.refusals import (
    AlreadyPaid,
    CaptureTooLarge,
    CaptureUnderWay,
    GatewayDisagrees,
    NotAuthorised,
    NothingToPay,
    NotPayable,
    PaymentCalledOff,
    PaymentDisputed,
    RefundTooLarge,
)
from domain.payments.share import FeeBack, Share
from domain.shared.aggregate import Aggregate
from domain.shared.errors import Invalid
from domain.shared.ids import BookingId, InvoiceId, OrganizationId, PaymentId, UserId
from domain.shared.money import Money


class PaymentState(StrEnum):
    """How a payment stands. `requested`: stored by us, not yet open at a gateway; `open`: waiting for the customer;
    `unknown`: we asked and got no answer, so the gateway must be asked again; `authorised`: set aside on the customer's
    card, to be taken or let go by us."""

    REQUESTED = "requested"
    UNKNOWN = "unknown"
    OPEN = "open"
    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    FAILED = "failed"
    AUTHORISED = "authorised"
    CANCELLED = "cancelled"
    CAPTURED = "captured"


_RANK = {
    PaymentState.REQUESTED: 0,
    PaymentState.UNKNOWN: 0,
    PaymentState.OPEN: 1,
    PaymentState.REQUIRES_ACTION: 2,
    PaymentState.PROCESSING: 3,
    PaymentState.FAILED: 4,
    PaymentState.AUTHORISED: 5,
    PaymentState.CANCELLED: 6,
    PaymentState.CAPTURED: 7,
}
"""News only moves an attempt up this ladder, so whatever the order it comes in, the last word is the same."""

_UNASKED = (PaymentState.REQUESTED, PaymentState.UNKNOWN)
_MONEY_MOVES = (PaymentState.PROCESSING, PaymentState.CAPTURED)
_ALIVE = (
    PaymentState.OPEN,
    PaymentState.REQUIRES_ACTION,
    PaymentState.PROCESSING,
    PaymentState.FAILED,
    PaymentState.AUTHORISED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayPayment:
    """How a gateway says one attempt of one of our payments stands at the moment of asking. `captured` is the total so
    far; `payment_id` and `attempt` are empty when the gateway's object is not one of ours. What is set aside lapses at
    `authorised_until`."""

    gateway: str
    ref: str
    payment_id: PaymentId | None
    attempt: int = 0
    state: PaymentState
    amount: Money
    captured: Money
    client_secret: str | None = None
    failure: str = ""
    payee_ref: str | None = None
    """To whose account it goes, where that is not the platform's; then `fee` is what the platform keeps."""
    fee: Money | None = None
    authorised_until: datetime | None = None


@dataclass(eq=False, slots=True, kw_only=True)
class Payment(Aggregate):
    """Money one customer owes for one booking, or pays of one invoice: exactly one of the two. `captured`, `refunding`
    (under way), `refunded` and `disputed` (taken by customers' banks) are totals in the currency of `amount`; `attempt`
    counts how often the customer began anew. One with `capture_later` is set aside first; `capturing` is what we have
    decided to take of that. While there are `open_disputes`, nothing is given back. `share` is what was agreed on with
    the organization when it was asked for; without one the platform takes it in."""

    id: PaymentId
    booking_id: BookingId | None = None
    invoice_id: InvoiceId | None = None
    customer_id: UserId | None = None
    organization_id: OrganizationId
    amount: Money
    captured: Money
    refunding: Money
    refunded: Money
    disputed: Money
    open_disputes: int = 0
    state: PaymentState = PaymentState.REQUESTED
    capture_later: bool = False
    capturing: Money | None = None
    authorised_until: datetime | None = None
    attempt: int = 1
    gateway: str = ""
    gateway_ref: str | None = None
    client_secret: str | None = None
    failure: str = ""
    created_at: datetime
    captured_at: datetime | None = None
    share: Share | None = None

    def __post_init__(self) -> None:
        nothing = Money.zero(self.amount.currency)
        sound = (
            nothing < self.amount
            and nothing <= self.refunding
            and nothing <= self.refunded
            and nothing <= self.disputed
            and self.refunded + self.refunding <= self.captured <= self.amount
        )
        if (self.booking_id is None) == (self.invoice_id is None):
            raise Invalid("a payment is for a booking or of an invoice", payment=str(self.id))
        if not sound:
            raise Invalid("no more is refunded than captured, no more captured than asked for", payment=str(self.id))

    @classmethod
    def request(
        cls,
        *,
        id: PaymentId,
        booking_id: BookingId | None = None,
        invoice_id: InvoiceId | None = None,
        customer_id: UserId | None,
        organization_id: OrganizationId,
        amount: Money,
        share: Share | None = None,
        capture_later: bool = False,
        now: datetime,
    ) -> "Payment":
        """Ask a customer for money, or to set it aside; the gateway hears of it once this is stored. With a `share` it
        goes to the organization's own account, less the platform's fee; what is set aside first is never shared."""
        nothing = Money.zero(amount.currency)
        if amount <= nothing:
            raise NothingToPay("there is nothing to pay", field="amount", amount=amount.amount_minor)
        payment = cls(
            id=id,
            booking_id=booking_id,
            invoice_id=invoice_id,
            customer_id=customer_id,
            organization_id=organization_id,
            amount=amount,
            captured=nothing,
            refunding=nothing,
            refunded=nothing,
            share=share,
            disputed=nothing,
            capture_later=capture_later,
            created_at=now,
        )
        payment._ask()
        return payment

    @property
    def is_captured(self) -> bool:
        """Whether the customer's money has arrived."""
        return self.state is PaymentState.CAPTURED

    @property
    def is_payable(self) -> bool:
        """Whether the customer can pay it at the gateway now."""
        return self.state in (PaymentState.OPEN, PaymentState.REQUIRES_ACTION, PaymentState.FAILED) and bool(
            self.client_secret
        )

    @property
    def refundable(self) -> Money:
        """What can be given back now: nothing while a bank decides about it."""
        return self._none if self.open_disputes else max(self._left - self.disputed, self._none)

    def start(self, share: Share | None = None) -> None:
        """The customer wants to pay: a failed or unanswered attempt is followed by a new one, shared as things stand
        now; a live one goes on."""
        match self.state:
            case PaymentState.CAPTURED:
                raise AlreadyPaid("this is already paid")
            case PaymentState.CANCELLED:
                raise PaymentCalledOff("this payment was called off; book again")
            case PaymentState.FAILED | PaymentState.UNKNOWN:
                self.attempt += 1
                self.share = None if self.capture_later else share
                self.state = PaymentState.REQUESTED
                self.client_secret = None
                self.failure = ""
                self._ask()

    def must_be_payable(self) -> None:
        """Refuse when the customer cannot pay it at the gateway now."""
        if self.is_captured:
            raise AlreadyPaid("this is already paid")
        if self.state is PaymentState.CANCELLED:
            raise PaymentCalledOff("this payment was called off; book again")
        if not self.is_payable:
            raise NotPayable(self.state.value)

    def settle(self, news: GatewayPayment, *, now: datetime) -> Money:
        """Follow what the gateway says, forward only, however often and in whatever order it is told.
        Answers how much was captured by this news."""
        nothing = Money.zero(self.amount.currency)
        if news.amount != self.amount:
            raise GatewayDisagrees("amount", self.amount, news.amount)
        if not self._heeds(news):
            return nothing
        if self.state is PaymentState.CANCELLED and self.gateway_ref is None and news.state in _ALIVE:
            self._record(PaymentStrayed(payment_id=self.id, booking_id=self.booking_id, invoice_id=self.invoice_id))
        if _RANK[news.state] > _RANK[self.state] or news.attempt != self.attempt or self.gateway_ref is None:
            self.gateway, self.gateway_ref = news.gateway, news.ref
            self.client_secret = news.client_secret or self.client_secret
            self.attempt = news.attempt or self.attempt
        if _RANK[news.state] <= _RANK[self.state]:
            return nothing
        was, self.state = self.state, news.state
        self.failure = news.failure if news.state is PaymentState.FAILED else ""
        match news.state:
            case PaymentState.CAPTURED:
                return self._capture(news, now=now)
            case PaymentState.FAILED:
                self._failed()
            case PaymentState.AUTHORISED:
                self._authorised(news, now=now)
            case PaymentState.CANCELLED if was is PaymentState.AUTHORISED:
                self.capturing = None
                self._record(AuthorisationEnded(payment_id=self.id, booking_id=self.booking_id))
        return nothing

    def capture(self, amount: Money, *, now: datetime) -> None:
        """Take this much of what is set aside; the rest is the customer's again. Deciding the same twice is deciding
        it once."""
        self._must_be_authorised(now)
        if not self._none < amount <= self.amount:
            raise CaptureTooLarge(amount, self.amount)
        if self.capturing is None:
            self.capturing = amount
            self._record(CaptureRequested(payment_id=self.id, booking_id=self.booking_id, amount=amount))
        elif self.capturing != amount:
            raise CaptureUnderWay(self.capturing)

    def refuse_capture(self, reason: str) -> None:
        """The gateway would not take it like that; we may decide anew."""
        if self.state is PaymentState.AUTHORISED and self.capturing is not None:
            self.capturing, self.failure = None, reason
            self._record(CaptureFailed(payment_id=self.id, booking_id=self.booking_id, reason=reason))

    def let_go(self, *, now: datetime) -> None:
        """Give up what is set aside, as long as we have not decided to take it."""
        self._must_be_authorised(now)
        if self.capturing is not None:
            raise CaptureUnderWay(self.capturing)
        self._record(ReleaseRequested(payment_id=self.id, booking_id=self.booking_id))

    def contest(self, *, taken: Money, opened: int) -> None:
        """A bank took this much back (negative: returned it), and so many more of its disputes are open (negative:
        fewer)."""
        self.disputed += taken
        self.open_disputes += opened
        self.__post_init__()

    def contradicts(self, news: GatewayPayment) -> bool:
        """Whether the gateway captured the same money a second time, under another reference."""
        return self.is_captured and news.state is PaymentState.CAPTURED and news.ref != self.gateway_ref

    def knows(self, news: GatewayPayment) -> bool:
        """Whether following this news would change nothing."""
        if self.contradicts(news) or news.amount != self.amount:
            return False
        if not self._heeds(news):
            return True
        return _RANK[news.state] <= _RANK[self.state] and news.attempt == self.attempt and self.gateway_ref is not None

    def decline(self, reason: str) -> None:
        """The gateway refused to open this attempt."""
        if self.state in _UNASKED:
            self.state = PaymentState.FAILED
            self.failure = reason
            self._failed()

    def doubt(self) -> bool:
        """The gateway was asked to open this attempt and did not answer. Whether that is still worth asking about."""
        if self.state in _UNASKED:
            self.state = PaymentState.UNKNOWN
        return self.state is PaymentState.UNKNOWN

    def withdraw(self) -> None:
        """Call it off where nothing at the gateway can be paid: what is open there is closed there first."""
        if self.state in _UNASKED:
            self.gateway_ref = self.client_secret = None
        if self.gateway_ref is None and self.state in (*_UNASKED, PaymentState.FAILED):
            self.state = PaymentState.CANCELLED

    def reserve(self, amount: Money) -> None:
        """Set part of what was captured aside for a refund."""
        left = self._left
        if not Money.zero(amount.currency) < amount <= left:
            raise RefundTooLarge(amount, left)
        self.refunding += amount

    def must_be_undisputed(self) -> None:
        """Refuse to give back what a bank decides about, or has taken back already."""
        if self.open_disputes or (self._none < self.disputed and self.refundable.is_zero):
            raise PaymentDisputed

    def release(self, amount: Money) -> None:
        """A refund came to nothing; what was set aside for it is free again."""
        self.refunding -= amount
        self.__post_init__()

    def give_back(self, amount: Money) -> None:
        """A refund that was set aside has left."""
        self.refunding -= amount
        self.refunded += amount
        self.__post_init__()

    def take_back(self, amount: Money) -> None:
        """A refund that had left was returned by the customer's bank."""
        self.refunded -= amount
        self.__post_init__()

    @property
    def _left(self) -> Money:
        return self.captured - self.refunded - self.refunding

    @property
    def _none(self) -> Money:
        return Money.zero(self.amount.currency)

    def _heeds(self, news: GatewayPayment) -> bool:
        """News of another attempt counts only where money moves: an earlier one may have been paid after all."""
        if self.is_captured:
            return False
        if news.state is PaymentState.CAPTURED:
            return True
        if news.attempt != self.attempt:
            return news.state in _MONEY_MOVES and self.state in _UNASKED
        return self.gateway_ref in (None, news.ref) or self.state in _UNASKED

    def _must_be_authorised(self, now: datetime) -> None:
        lapsed = self.authorised_until is not None and self.authorised_until <= now
        if self.state is not PaymentState.AUTHORISED or lapsed:
            raise NotAuthorised("lapsed" if lapsed else self.state.value)

    def _authorised(self, news: GatewayPayment, *, now: datetime) -> None:
        self.authorised_until = news.authorised_until or now
        self._record(PaymentAuthorised(payment_id=self.id, booking_id=self.booking_id, until=self.authorised_until))

    def _shared(self, news: GatewayPayment) -> Share | None:
        """As the captured attempt was opened: an earlier one may have been shared otherwise; gateways round fees."""
        if news.payee_ref is None:
            return None
        agreed = self.share
        if agreed is not None and (agreed.payee_ref, agreed.fee) == (news.payee_ref, news.fee):
            return agreed
        back = self.share.back if self.share else FeeBack.IN_PROPORTION
        return Share(payee_ref=news.payee_ref, fee=news.fee or Money.zero(self.amount.currency), back=back)

    def _capture(self, news: GatewayPayment, *, now: datetime) -> Money:
        total = news.captured
        if total > self.amount or (total != self.amount and not self.capture_later):
            raise GatewayDisagrees("captured amount", self.amount, total)
        gained = total - self.captured
        self.share = self._shared(news)
        self.captured, self.capturing = total, None
        self.captured_at = now
        self.__post_init__()
        self._record(
            PaymentCaptured(payment_id=self.id, booking_id=self.booking_id, invoice_id=self.invoice_id, amount=total)
        )
        return gained

    def _ask(self) -> None:
        self._record(
            PaymentRequested(
                payment_id=self.id, booking_id=self.booking_id, invoice_id=self.invoice_id, attempt=self.attempt
            )
        )

    def _failed(self) -> None:
        self._record(
            PaymentFailed(
                payment_id=self.id, booking_id=self.booking_id, invoice_id=self.invoice_id, reason=self.failure
            )
        )
