"""Reading bookings: each side sees its own."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from application.inputs import submitted
from application.ports.criteria import AnyOf, Between, Order, Position
from application.ports.readers import Page, Readers
from domain.bookings import BookingState
from domain.shared.actors import Actor
from domain.shared.errors import NotFound, Refusal, Unauthenticated
from domain.shared.ids import BookingId, JobId, OrganizationId, PaymentId, UserId
from domain.shared.money import Money
from domain.shared.terms import Acceptance, CancellationPolicy, PaymentTerms, Side
from domain.shared.time import Span, instant


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingView:
    """A booking as its parties see it: buffers in minutes, `price` for all seats, `sequence` counting its times."""

    source: ClassVar[str] = "bookings"
    id: BookingId
    version: int
    reference: str
    job_id: JobId
    job_title: str
    organization_id: OrganizationId
    provider_id: UserId
    customer_id: UserId
    span: Span
    zone: str
    buffer_before: int
    buffer_after: int
    seats: int
    price: Money
    policy: CancellationPolicy
    terms: PaymentTerms
    acceptance: Acceptance
    note: str
    state: BookingState
    payment_id: PaymentId | None
    paid: bool
    expires_at: datetime | None
    sequence: int
    refund: Money | None
    cancelled_by: Side | None
    cancel_reason: str
    created_at: datetime
    confirmed_at: datetime | None
    cancelled_at: datetime | None
    completed_at: datetime | None


class BookingSort(StrEnum):
    """Latest made first, or by start: soonest or latest first."""

    NEWEST = "newest"
    START = "start"
    START_LATEST = "-start"


_ORDERS = {
    BookingSort.NEWEST: Order("created_at", descending=True),
    BookingSort.START: Order("starts_at"),
    BookingSort.START_LATEST: Order("starts_at", descending=True),
}


@submitted
class BookingFilter:
    """Which bookings to list."""

    side: Side | None = None
    """Those you booked (customer, unless you say otherwise) or those you perform (provider)."""
    organization_id: OrganizationId | None = None
    """Those of an organization you manage, whoever performs them; `side` is then left out."""
    states: tuple[BookingState, ...] = ()
    """Only those in one of these states; all when left out."""
    starts_from: datetime | None = None
    """Only those that start then or later."""
    starts_before: datetime | None = None
    """Only those that start earlier than that."""
    job_id: JobId | None = None
    """Only those of this job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GetBooking:
    """One booking, to its parties, the managers of its organization, and admins."""

    readers: Readers
    refuses: ClassVar[tuple[type[Refusal], ...]] = (NotFound,)

    async def __call__(self, actor: Actor, booking_id: BookingId) -> BookingView:
        return await self.readers.one(actor, BookingView, booking_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListBookings:
    """The bookings of one side, or of an organization, page by page. Admins who name neither see everybody's."""

    readers: Readers
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated,)

    async def __call__(
        self,
        actor: Actor,
        wanted: BookingFilter,
        *,
        sort: BookingSort = BookingSort.NEWEST,
        after: Position | None = None,
        limit: int = 20,
    ) -> Page[BookingView]:
        where = _of_whom(actor, wanted)
        if wanted.states:
            where["state"] = AnyOf(wanted.states)
        if wanted.starts_from or wanted.starts_before:
            where["starts_at"] = Between(_moment(wanted.starts_from), _moment(wanted.starts_before))
        if wanted.job_id:
            where["job_id"] = wanted.job_id
        return await self.readers.page(actor, BookingView, where, order=_ORDERS[sort], after=after, limit=limit)


def _moment(given: datetime | None) -> datetime | None:
    return None if given is None else instant(given)


def _of_whom(actor: Actor, wanted: BookingFilter) -> dict[str, object]:
    """Whose bookings are meant; which of them may be seen, the readers decide."""
    if wanted.organization_id:
        return {"organization_id": wanted.organization_id}
    if actor.is_admin and wanted.side is None:
        return {}
    column = "provider_id" if wanted.side is Side.PROVIDER else "customer_id"
    return {column: actor.signed_in()}
