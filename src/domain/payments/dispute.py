"""A dispute: a customer's bank asks for the money of a payment back. We answer once, in time, with what shows that it
was earned; the bank decides."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar

from domain.payments.payment import Payment
from domain.payments.refusals import DisputeOver, EvidenceTooLate, GatewayDisagrees, NothingToSay
from domain.shared.aggregate import Aggregate, Event
from domain.shared.ids import BookingId, DisputeId, FileId, InvoiceId, OrganizationId, PaymentId, UserId
from domain.shared.money import Money
from domain.shared.text import text

LONGEST_EVIDENCE = 20_000
LONGEST_FACT = 500
REMINDED = timedelta(days=2)
"""How long before the deadline those who have not answered are reminded."""
ASKED_AFTER = timedelta(hours=1)
"""How long after the deadline the gateway is asked."""


class DisputeState(StrEnum):
    """How a dispute stands. `inquiry`: the bank only asks, and no money has moved; `under_review`: it has our evidence,
    or waits for none; `won`: the money is ours, or never moved; `lost`: it is the customer's."""

    INQUIRY = "inquiry"
    NEEDS_RESPONSE = "needs_response"
    UNDER_REVIEW = "under_review"
    WON = "won"
    LOST = "lost"


_RANK = {state: rank for rank, state in enumerate(DisputeState)}
"""News only moves a dispute up this ladder, so whatever the order it comes in, the last word is the same."""

_CONTESTED = (DisputeState.NEEDS_RESPONSE, DisputeState.UNDER_REVIEW)
_ANSWERABLE = (DisputeState.INQUIRY, DisputeState.NEEDS_RESPONSE)
_DECIDED = (DisputeState.WON, DisputeState.LOST)


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeOpened(Event):
    """A customer's bank disputes a payment, or makes a dispute of what it had only asked about."""

    name: ClassVar[str] = "dispute.opened"
    dispute_id: DisputeId
    payment_id: PaymentId
    booking_id: BookingId | None
    invoice_id: InvoiceId | None
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeClosed(Event):
    """The bank has decided."""

    name: ClassVar[str] = "dispute.closed"
    dispute_id: DisputeId
    payment_id: PaymentId
    booking_id: BookingId | None
    invoice_id: InvoiceId | None
    amount: Money
    won: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceSubmitted(Event):
    """The gateway is to be given our evidence."""

    name: ClassVar[str] = "dispute.evidence_submitted"
    dispute_id: DisputeId
    payment_id: PaymentId
    booking_id: BookingId | None
    invoice_id: InvoiceId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRefused(Event):
    """The gateway did not take our evidence: a person must look."""

    name: ClassVar[str] = "dispute.evidence_refused"
    dispute_id: DisputeId
    payment_id: PaymentId
    booking_id: BookingId | None
    invoice_id: InvoiceId | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceDue(Event):
    """Scheduled: the deadline comes near; whoever has not answered is reminded."""

    name: ClassVar[str] = "dispute.evidence_due"
    dispute_id: DisputeId
    payment_id: PaymentId
    booking_id: BookingId | None
    invoice_id: InvoiceId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeDue(Event):
    """Scheduled: the deadline has passed; the gateway is asked what became of it, should nobody have told."""

    name: ClassVar[str] = "dispute.due"
    dispute_id: DisputeId


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What we say for ourselves, each in plain text: what happened, what was sold and when it was done, who the
    customer is, and what they had agreed to."""

    explanation: str = ""
    service: str = ""
    service_date: str = ""
    customer_name: str = ""
    customer_email: str = ""
    cancellation_policy: str = ""

    def __post_init__(self) -> None:
        for name, longest in (
            ("explanation", LONGEST_EVIDENCE),
            ("service", LONGEST_EVIDENCE),
            ("cancellation_policy", LONGEST_EVIDENCE),
            ("service_date", LONGEST_FACT),
            ("customer_name", LONGEST_FACT),
            ("customer_email", LONGEST_FACT),
        ):
            lines = longest == LONGEST_EVIDENCE
            said = text(getattr(self, name), field=name, shortest=0, longest=longest, lines=lines)
            object.__setattr__(self, name, said)

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing that could persuade anybody."""
        return not (self.explanation or self.service or self.cancellation_policy)


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayDispute:
    """How a gateway says a dispute stands at the moment of asking. `taken` and `returned` are what was moved so far,
    either way; `fee` and `fee_returned` what the gateway charged for it, at times in another currency."""

    gateway: str
    ref: str
    payment_ref: str
    state: DisputeState
    reason: str
    amount: Money
    taken: Money
    returned: Money
    fee: Money
    fee_returned: Money
    due_at: datetime | None
    opened_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What was moved by one piece of news."""

    taken: Money
    returned: Money
    fee: Money
    fee_returned: Money


@dataclass(eq=False, slots=True, kw_only=True)
class Dispute(Aggregate):
    """A dispute of a payment. `taken` and `returned`, `fee` and `fee_returned` are what was moved so far, in as many
    `moves`; `submitting` says that the gateway is being given the evidence, `submitted_at` when it took it.
    `provider_id` performed what was booked."""

    id: DisputeId
    payment_id: PaymentId
    booking_id: BookingId | None = None
    invoice_id: InvoiceId | None = None
    provider_id: UserId | None = None
    organization_id: OrganizationId
    amount: Money
    taken: Money
    returned: Money
    fee: Money
    fee_returned: Money
    moves: int = 0
    state: DisputeState = DisputeState.INQUIRY
    reason: str
    gateway: str
    gateway_ref: str
    due_at: datetime | None = None
    evidence: Evidence = Evidence()
    evidence_file_id: FileId | None = None
    submitting: bool = False
    submitted_at: datetime | None = None
    failure: str = ""
    opened_at: datetime
    closed_at: datetime | None = None
    created_at: datetime

    @classmethod
    def adopt(
        cls, *, id: DisputeId, payment: Payment, provider_id: UserId | None, news: GatewayDispute, now: datetime
    ) -> "Dispute":
        """Take into our books what a bank has begun; how it stands is settled next."""
        dispute = cls(
            id=id,
            payment_id=payment.id,
            booking_id=payment.booking_id,
            invoice_id=payment.invoice_id,
            provider_id=provider_id,
            organization_id=payment.organization_id,
            amount=news.amount,
            taken=Money.zero(news.amount.currency),
            returned=Money.zero(news.amount.currency),
            fee=Money.zero(news.fee.currency),
            fee_returned=Money.zero(news.fee.currency),
            reason=news.reason,
            gateway=news.gateway,
            gateway_ref=news.ref,
            opened_at=news.opened_at,
            created_at=now,
        )
        dispute._opened()
        return dispute

    @property
    def is_contested(self) -> bool:
        """Whether a bank decides about the money now."""
        return self.state in _CONTESTED

    @property
    def is_answerable(self) -> bool:
        """Whether evidence is still waited for."""
        return self.state in _ANSWERABLE and not self.submitting and self.submitted_at is None

    def prepare(self, evidence: Evidence, file_id: FileId | None, *, now: datetime) -> None:
        """Write down what we have to say; it can be rewritten until it is submitted."""
        self._must_be_answerable(now)
        self.evidence, self.evidence_file_id = evidence, file_id

    def submit(self, *, now: datetime) -> None:
        """Give the bank what is written down. It counts once, and there is no second word."""
        self._must_be_answerable(now)
        if self.evidence.is_empty and self.evidence_file_id is None:
            raise NothingToSay("say what happened, or add a document", field="explanation")
        self.submitting, self.failure = True, ""
        self._record(EvidenceSubmitted(**self._about()))

    def taken_note_of(self, *, now: datetime) -> None:
        """The gateway has our evidence; being told so twice changes nothing."""
        if self.submitting:
            self.submitting, self.submitted_at = False, now

    def refuse_evidence(self, reason: str) -> None:
        """The gateway did not take it; while there is time, it can be submitted again."""
        if self.submitting:
            self.submitting, self.failure = False, reason
            self._record(EvidenceRefused(**self._about(), reason=reason))

    def _must_be_answerable(self, now: datetime) -> None:
        if not self.is_answerable:
            raise DisputeOver("answered" if self.state in _ANSWERABLE else self.state.value)
        if self.due_at is not None and self.due_at <= now:
            raise EvidenceTooLate(self.due_at)

    def _count(self, news: GatewayDispute) -> Moved:
        """What was moved since we last looked; older news moves nothing."""
        if self.fee.is_zero and self.fee_returned.is_zero:
            self.fee = self.fee_returned = Money.zero(news.fee.currency)  # now we know what the gateway charges in
        moved = Moved(
            taken=_more(self.taken, news.taken),
            returned=_more(self.returned, news.returned),
            fee=_more(self.fee, news.fee),
            fee_returned=_more(self.fee_returned, news.fee_returned),
        )
        if any(not each.is_zero for each in (moved.taken, moved.returned, moved.fee, moved.fee_returned)):
            self.moves += 1
        self.taken += moved.taken
        self.returned += moved.returned
        self.fee += moved.fee
        self.fee_returned += moved.fee_returned
        return moved

    def _reach(self, state: DisputeState, *, now: datetime) -> None:
        escalated = self.version > 0 and self.state is DisputeState.INQUIRY and state in _CONTESTED
        self.state = state
        if escalated:
            self._opened()
        if state in _DECIDED:
            self.closed_at = now
            self._record(DisputeClosed(**self._about(), amount=self.amount, won=state is DisputeState.WON))

    def _opened(self) -> None:
        self._record(DisputeOpened(**self._about(), amount=self.amount))

    def _about(self) -> dict[str, Any]:
        return {
            "dispute_id": self.id,
            "payment_id": self.payment_id,
            "booking_id": self.booking_id,
            "invoice_id": self.invoice_id,
        }


def settle_dispute(dispute: Dispute, payment: Payment, news: GatewayDispute, *, now: datetime) -> Moved:
    """Move a dispute and its payment's figures together, forward only, as the gateway says, however often and in
    whatever order it is told. Answers what was moved by this news."""
    if news.amount.currency != payment.amount.currency:
        raise GatewayDisagrees("dispute", dispute.amount, news.amount)
    was_contested = dispute.is_contested
    moved = dispute._count(news)
    if _RANK[news.state] > _RANK[dispute.state]:
        dispute._reach(news.state, now=now)
    if news.due_at is not None and dispute.is_answerable:
        dispute.due_at = news.due_at
    payment.contest(taken=moved.taken - moved.returned, opened=dispute.is_contested - was_contested)
    return moved


def _more(before: Money, told: Money) -> Money:
    return max(told - before, Money.zero(before.currency))
