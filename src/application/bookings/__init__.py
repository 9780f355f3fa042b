"""Booking, and all that becomes of a booking. Whatever takes a provider's time passes the gate."""

from application.bookings.ending import CancelBooking, Cancellation, CompleteBooking, MarkNoShow
from application.bookings.lapsing import ExpireHold, SweepHolds
from application.bookings.making import (
    AcceptBooking,
    BookSlot,
    DeclineBooking,
    Declining,
    RescheduleBooking,
    Rescheduling,
    Reservation,
)
from application.bookings.reading import BookingFilter, BookingSort, BookingView, GetBooking, ListBookings
from application.bookings.settling import EndHold, SecureBooking, SettleBooking

__all__ = [
    "AcceptBooking",
    "BookSlot",
    "BookingFilter",
    "BookingSort",
    "BookingView",
    "CancelBooking",
    "Cancellation",
    "CompleteBooking",
    "DeclineBooking",
    "Declining",
    "EndHold",
    "ExpireHold",
    "GetBooking",
    "ListBookings",
    "MarkNoShow",
    "RescheduleBooking",
    "Rescheduling",
    "Reservation",
    "SecureBooking",
    "SettleBooking",
    "SweepHolds",
]
