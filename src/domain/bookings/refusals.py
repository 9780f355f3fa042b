"""Why a booking cannot be made, moved or ended.

Conflict   SlotTaken  SoldOut  NotOffered  JobNotBookable          the slot is not to be had
           BookingStateRefused  HoldLapsed  StillHeld              the booking is past, or short of, that
           AlreadyStarted  NotStarted  Unmoved  WrongAmount
Forbidden  OwnJob  WrongSide                                       that is for the other side to do
Invalid    TooManySeats                                            it never fits
"""

from datetime import datetime

from domain.bookings.states import BookingState
from domain.shared.errors import Conflict, Forbidden, Invalid
from domain.shared.money import Money
from domain.shared.terms import Side


class SlotTaken(Conflict):
    """Somebody else holds the provider's time, buffers included."""

    code = "booking.slot_taken"

    def __init__(self, message: str = "somebody else has just taken this time", **details: object) -> None:
        super().__init__(message, **details)


class SoldOut(Conflict):
    """The session has fewer seats left than were asked for."""

    code = "booking.sold_out"

    def __init__(self, message: str = "there are not enough seats left", **details: object) -> None:
        super().__init__(message, **details)


class NotOffered(Conflict):
    """The provider does not offer that start: closed, too soon, too far ahead, or between two starts."""

    code = "booking.not_offered"

    def __init__(self, starts_at: datetime) -> None:
        super().__init__("the provider does not offer this time", starts_at=starts_at.isoformat())


class JobNotBookable(Conflict):
    """The job is not published, so nothing new is booked onto it and nothing is moved."""

    code = "booking.job_not_bookable"

    def __init__(self) -> None:
        super().__init__("this job takes no bookings at present")


class BookingStateRefused(Conflict):
    """The state machine has no such step."""

    code = "booking.wrong_state"

    def __init__(self, verb: str, state: BookingState) -> None:
        super().__init__(f"a booking that is {state.value.replace('_', ' ')} cannot be {verb}", state=state.value)


class HoldLapsed(Conflict):
    """The time to pay, or to answer, is over."""

    code = "booking.hold_lapsed"

    def __init__(self, expired_at: datetime) -> None:
        super().__init__(f"this was held until {expired_at:%d %b %H:%M} UTC", expired_at=expired_at.isoformat())


class StillHeld(Conflict):
    """A hold is not ended before its time."""

    code = "booking.still_held"

    def __init__(self, expires_at: datetime) -> None:
        super().__init__(f"this is held until {expires_at:%d %b %H:%M} UTC", expires_at=expires_at.isoformat())


class AlreadyStarted(Conflict):
    """What has begun can only be completed."""

    code = "booking.already_started"

    def __init__(self, starts_at: datetime) -> None:
        super().__init__("this has already started", starts_at=starts_at.isoformat())


class NotStarted(Conflict):
    """Nothing is complete, and nobody missing, before it starts."""

    code = "booking.not_started"

    def __init__(self, starts_at: datetime) -> None:
        super().__init__("this has not started yet", starts_at=starts_at.isoformat())


class Unmoved(Conflict):
    """A booking is rescheduled to another time, not to its own."""

    code = "booking.unmoved"

    def __init__(self, starts_at: datetime) -> None:
        super().__init__("this is the time it has already", starts_at=starts_at.isoformat())


class WrongAmount(Conflict):
    """What was captured is not what was agreed; a person has to look at it."""

    code = "booking.wrong_amount"

    def __init__(self, price: Money, paid: Money) -> None:
        super().__init__(
            f"{price} was agreed and {paid} was paid",
            price_minor=price.amount_minor,
            price_currency=price.currency,
            paid_minor=paid.amount_minor,
            paid_currency=paid.currency,
        )


class OwnJob(Forbidden):
    """A provider is not their own customer."""

    code = "booking.own_job"

    def __init__(self) -> None:
        super().__init__("this is your own job")


class WrongSide(Forbidden):
    """That is for the other side of the booking to do."""

    code = "booking.wrong_side"

    def __init__(self, only: Side) -> None:
        super().__init__(f"only the {only.value} may do this", only=only.value)


class TooManySeats(Invalid):
    """More seats than one session has will never fit."""

    code = "booking.too_many_seats"

    def __init__(self, seats: int, capacity: int) -> None:
        super().__init__(f"a booking takes 1 to {capacity} seats", field="seats", seats=seats, capacity=capacity)
