"""Booking a slot, and all that becomes of a booking."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Query, Response
from pydantic import ConfigDict

from application.bookings import (
    AcceptBooking,
    BookingFilter,
    BookingSort,
    BookSlot,
    CancelBooking,
    Cancellation,
    CompleteBooking,
    DeclineBooking,
    Declining,
    GetBooking,
    ListBookings,
    MarkNoShow,
    RescheduleBooking,
    Rescheduling,
    Reservation,
)
from domain.bookings import BookingState
from domain.shared.ids import BookingId, JobId, OrganizationId, PaymentId, UserId
from domain.shared.money import Money
from domain.shared.terms import Acceptance, CancellationPolicy, PaymentTerms, Side
from domain.shared.time import Span
from entrypoints.rest.asking import Somebody
from entrypoints.rest.cursors import Asked, Paged
from entrypoints.rest.once import Commanded, CommandedByKey
from entrypoints.rest.out import Out
from entrypoints.rest.queries import asked
from entrypoints.rest.routing import api_router
from entrypoints.rest.speaks import speaks
from entrypoints.rest.versions import BY_HEADER, WelcomeVersion, tagged
from entrypoints.use_cases import UseCases

_SHOWN: Any = {
    "id": "019ceb29-8d00-7c7b-a3f2-2f1f0a4c9d11",
    "version": 2,
    "reference": "K7QM-3XTR",
    "job_id": "019ceb29-8d00-7a10-8a41-4a0f9e3bb7c2",
    "job_title": "Guitar lesson for beginners",
    "organization_id": "019ceb29-8d00-7b01-9a57-e1c5b6f0d9aa",
    "provider_id": "019ceb29-8d00-7e44-b0cb-0a7d6b2f7a31",
    "customer_id": "019ceb29-8d00-7f52-8c3e-51f2c8a4d0be",
    "span": {"starts_at": "2026-03-30T08:00:00Z", "ends_at": "2026-03-30T09:00:00Z"},
    "zone": "Europe/Lisbon",
    "buffer_before": 0,
    "buffer_after": 15,
    "seats": 1,
    "price": {"amount_minor": 4500, "currency": "EUR"},
    "policy": {"tiers": [{"hours_before": 24, "refund_percent": 100}], "no_show_percent": 0},
    "terms": "prepaid",
    "acceptance": "instant",
    "note": "I have a guitar of my own.",
    "state": "confirmed",
    "payment_id": "019ceb29-8d00-7d03-bb6e-7a9f0c1e2d34",
    "paid": True,
    "expires_at": None,
    "sequence": 0,
    "refund": None,
    "cancelled_by": None,
    "cancel_reason": "",
    "created_at": "2026-03-20T10:15:00Z",
    "confirmed_at": "2026-03-20T10:17:31Z",
    "cancelled_at": None,
    "completed_at": None,
}
WANTED: Any = {
    "slot": {
        "summary": "One of the starts the job's slots list",
        "value": {"job_id": _SHOWN["job_id"], "starts_at": "2026-03-30T09:00:00+01:00", "note": _SHOWN["note"]},
    }
}


class BookingOut(Out):
    """A booking as its parties see it: buffers in minutes, `price` for all seats, `sequence` counting its times, and
    `expires_at` the end of a hold or of a request."""

    model_config = ConfigDict(json_schema_extra={"examples": [_SHOWN]})

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


def bookings(use: UseCases) -> APIRouter:
    """Routes under /v1/bookings."""
    router = api_router("/bookings", tag="bookings")
    book, accept_booking, decline_booking = use(BookSlot), use(AcceptBooking), use(DeclineBooking)
    reschedule_booking, cancel_booking = use(RescheduleBooking), use(CancelBooking)
    complete_booking, mark_no_show = use(CompleteBooking), use(MarkNoShow)
    get_booking, list_bookings = use(GetBooking), use(ListBookings)

    @router.post("", status_code=201, **speaks(BookSlot))
    async def create(
        actor: Somebody, reservation: Annotated[Reservation, Body(openapi_examples=WANTED)], once: CommandedByKey
    ) -> BookingOut:
        return BookingOut.of(await once(lambda: book(actor, reservation)))

    @router.get("", **speaks(ListBookings))
    async def search(
        actor: Somebody,
        filter: Annotated[BookingFilter, Depends(asked(BookingFilter))],
        page: Asked,
        sort: Annotated[BookingSort, Query(description=" ".join((BookingSort.__doc__ or "").split()))] = (
            BookingSort.NEWEST
        ),
    ) -> Paged[BookingOut]:
        found = await list_bookings(actor, filter, sort=sort, after=page.after, limit=page.limit)
        return page.project(found, BookingOut)

    @router.get("/{booking_id}", **speaks(GetBooking))
    async def read(actor: Somebody, booking_id: BookingId, response: Response) -> BookingOut:
        booking = await get_booking(actor, booking_id)
        tagged(response, booking)
        return BookingOut.of(booking)

    @router.post("/{booking_id}/accept", **speaks(AcceptBooking))
    async def accept(actor: Somebody, booking_id: BookingId, once: Commanded) -> BookingOut:
        return BookingOut.of(await once(lambda: accept_booking(actor, booking_id)))

    @router.post("/{booking_id}/decline", **speaks(DeclineBooking))
    async def decline(
        actor: Somebody, booking_id: BookingId, once: Commanded, declining: Declining = Declining()
    ) -> BookingOut:
        return BookingOut.of(await once(lambda: decline_booking(actor, booking_id, declining)))

    @router.post("/{booking_id}/reschedule", **speaks(RescheduleBooking))
    async def reschedule(
        actor: Somebody,
        booking_id: BookingId,
        rescheduling: Annotated[Rescheduling, BY_HEADER],
        expected: WelcomeVersion,
        once: Commanded,
    ) -> BookingOut:
        rescheduling = replace(rescheduling, expected_version=expected)
        return BookingOut.of(await once(lambda: reschedule_booking(actor, booking_id, rescheduling)))

    @router.post("/{booking_id}/cancel", **speaks(CancelBooking))
    async def cancel(
        actor: Somebody,
        booking_id: BookingId,
        expected: WelcomeVersion,
        once: Commanded,
        cancellation: Annotated[Cancellation, BY_HEADER] = Cancellation(),
    ) -> BookingOut:
        cancellation = replace(cancellation, expected_version=expected)
        return BookingOut.of(await once(lambda: cancel_booking(actor, booking_id, cancellation)))

    @router.post("/{booking_id}/complete", **speaks(CompleteBooking))
    async def complete(actor: Somebody, booking_id: BookingId, once: Commanded) -> BookingOut:
        return BookingOut.of(await once(lambda: complete_booking(actor, booking_id)))

    @router.post("/{booking_id}/no-show", **speaks(MarkNoShow))
    async def no_show(actor: Somebody, booking_id: BookingId, once: Commanded) -> BookingOut:
        return BookingOut.of(await once(lambda: mark_no_show(actor, booking_id)))

    return router
