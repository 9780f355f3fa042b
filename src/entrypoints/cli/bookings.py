"""`guildhall booking`: what customers booked, and what becomes of it."""

from application.bookings import (
    AcceptBooking,
    BookingView,
    BookSlot,
    CancelBooking,
    CompleteBooking,
    DeclineBooking,
    GetBooking,
    ListBookings,
    MarkNoShow,
    RescheduleBooking,
)
from domain.shared.time import zone
from entrypoints.cli.commands import Group

group = Group("Bookings: made, moved, called off, done.")
app = group.app


def _when(booking: BookingView) -> str:
    local = booking.span.starts_at.astimezone(zone(booking.zone))
    return f"{local:%a %Y-%m-%d %H:%M} {booking.zone}"


group.lists(
    "list",
    ListBookings,
    "id",
    "reference",
    "state",
    ("when", _when),
    "job_title",
    "price",
    helps={"sort": "Latest made first, or by start: soonest (start) or latest (-start) first."},
    examples=("guildhall booking list --states held,confirmed", "guildhall booking list --as ana@town.example --json"),
)
group.asks("show", GetBooking)
group.does(
    "book",
    BookSlot,
    BookingView,
    examples=("guildhall booking book --as ana@town.example --job-id ID --starts-at 2026-03-02T09:00+00:00",),
)
group.does("accept", AcceptBooking, BookingView)
group.does("decline", DeclineBooking, BookingView)
group.does("reschedule", RescheduleBooking, BookingView)
group.does(
    "cancel",
    CancelBooking,
    BookingView,
    examples=('guildhall booking cancel ID --reason "the piano is out of tune"',),
)
group.does("complete", CompleteBooking, BookingView)
group.does("no-show", MarkNoShow, BookingView)
