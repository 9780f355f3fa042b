"""Looking up what banks ask: disputes with their deadlines, and warnings of fraud."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from application.inputs import submitted
from application.payments.reading import given, known
from application.ports.criteria import Order, Position
from application.ports.readers import Page, Readers
from domain.payments import DisputeState, Evidence
from domain.shared.actors import Actor
from domain.shared.errors import NotFound, Refusal, Unauthenticated
from domain.shared.ids import (
    BookingId,
    DisputeId,
    FileId,
    FraudWarningId,
    InvoiceId,
    OrganizationId,
    PaymentId,
    RefundId,
    UserId,
)
from domain.shared.money import Money

_NEWEST = Order("created_at", descending=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeView:
    """A dispute as its provider and the organization's managers see it."""

    source: ClassVar[str] = "disputes"
    id: DisputeId
    version: int
    payment_id: PaymentId
    booking_id: BookingId | None
    invoice_id: InvoiceId | None
    provider_id: UserId | None
    organization_id: OrganizationId
    amount: Money
    taken: Money
    returned: Money
    fee: Money
    fee_returned: Money
    state: DisputeState
    reason: str
    due_at: datetime | None
    evidence: Evidence
    evidence_file_id: FileId | None
    submitting: bool
    submitted_at: datetime | None
    failure: str
    opened_at: datetime
    closed_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FraudWarningView:
    """A warning of fraud as the organization's managers see it; `refund_id` when it was heeded."""

    source: ClassVar[str] = "fraud_warnings"
    id: FraudWarningId
    version: int
    payment_id: PaymentId
    booking_id: BookingId | None
    invoice_id: InvoiceId | None
    organization_id: OrganizationId
    reason: str
    actionable: bool
    refund_id: RefundId | None
    warned_at: datetime
    created_at: datetime


@submitted
class DisputeFilter:
    """Which disputes to list; everything left out matches all."""

    payment_id: PaymentId | None = None
    """Only those of this payment."""

    organization_id: OrganizationId | None = None
    """Only those of this organization."""

    state: DisputeState | None = None
    """Only those that stand like this."""


@submitted
class FraudWarningFilter:
    """Which warnings to list; everything left out matches all."""

    payment_id: PaymentId | None = None
    """Only those of this payment."""

    organization_id: OrganizationId | None = None
    """Only those of this organization."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GetDispute:
    """How a dispute stands: what the bank asks, until when it is to be answered, and what we have to say."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, NotFound)
    readers: Readers

    async def __call__(self, actor: Actor, dispute_id: DisputeId) -> DisputeView:
        known(actor)
        return await self.readers.one(actor, DisputeView, dispute_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListDisputes:
    """Disputes about your work and those of organizations you manage, the newest first."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated,)
    readers: Readers

    async def __call__(
        self, actor: Actor, filter: DisputeFilter = DisputeFilter(), *, after: Position | None = None, limit: int
    ) -> Page[DisputeView]:
        known(actor)
        where = given(payment_id=filter.payment_id, organization_id=filter.organization_id, state=filter.state)
        return await self.readers.page(actor, DisputeView, where, order=_NEWEST, after=after, limit=limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFraudWarnings:
    """Warnings of fraud about payments to organizations you manage, the newest first."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated,)
    readers: Readers

    async def __call__(
        self,
        actor: Actor,
        filter: FraudWarningFilter = FraudWarningFilter(),
        *,
        after: Position | None = None,
        limit: int,
    ) -> Page[FraudWarningView]:
        known(actor)
        where = given(payment_id=filter.payment_id, organization_id=filter.organization_id)
        return await self.readers.page(actor, FraudWarningView, where, order=_NEWEST, after=after, limit=limit)
