"""The states of a booking, and every step there is between them."""

from enum import StrEnum


class BookingState(StrEnum):
    """Held and confirmed bookings take the provider's time; the others do not."""

    REQUESTED = "requested"
    HELD = "held"
    CONFIRMED = "confirmed"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    NO_SHOW = "no_show"
    EXPIRED = "expired"


ACTIVE = frozenset({BookingState.HELD, BookingState.CONFIRMED})
"""Those that take time and seats."""

PATHS: dict[BookingState, frozenset[BookingState]] = {
    BookingState.REQUESTED: frozenset(
        {BookingState.HELD, BookingState.CONFIRMED, BookingState.CANCELLED, BookingState.EXPIRED}
    ),
    BookingState.HELD: frozenset({BookingState.CONFIRMED, BookingState.CANCELLED, BookingState.EXPIRED}),
    BookingState.CONFIRMED: frozenset({BookingState.COMPLETED, BookingState.NO_SHOW, BookingState.CANCELLED}),
    # The one way back: a payment that arrives after its hold has lapsed takes the slot again if it is still free.
    BookingState.EXPIRED: frozenset({BookingState.CONFIRMED}),
    BookingState.COMPLETED: frozenset(),
    BookingState.CANCELLED: frozenset(),
    BookingState.NO_SHOW: frozenset(),
}
"""From each state, where a booking may go next. It begins requested, held or confirmed."""
