"""News about bookings: who is told what, in one table."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from application.notifications.writing import Affair, Desk
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.unit_of_work import Begin
from domain.bookings import (
    Booking,
    BookingAccepted,
    BookingCancelled,
    BookingCompleted,
    BookingConfirmed,
    BookingDeclined,
    BookingExpired,
    BookingHeld,
    BookingMissed,
    BookingRequested,
    BookingRescheduled,
    BookingState,
    BookingUnplaceable,
    ReviewDue,
)
from domain.notifications import Template
from domain.shared.actors import Actor
from domain.shared.aggregate import Event
from domain.shared.terms import Side

BookingNews = (
    BookingRequested
    | BookingHeld
    | BookingAccepted
    | BookingDeclined
    | BookingConfirmed
    | BookingRescheduled
    | BookingCancelled
    | BookingCompleted
    | BookingMissed
    | BookingExpired
    | BookingUnplaceable
)


@dataclass(frozen=True, slots=True)
class Told:
    """What one side reads about one event, and the letter it gets besides."""

    title: str
    body: str
    letter: Template | None = None


NEWS: Mapping[type[Event], Mapping[Side, Told]] = {
    BookingRequested: {
        Side.CUSTOMER: Told("You asked for {title}", "{provider} will answer your request for {when}."),
        Side.PROVIDER: Told(
            "{customer} asks for {title}", "Accept or decline: {when}. {reference}", Template.BOOKING_REQUESTED
        ),
    },
    BookingHeld: {
        Side.CUSTOMER: Told(
            "Pay to confirm {title}", "{when} is held for you until it is paid: {price}.", Template.BOOKING_HELD
        ),
        Side.PROVIDER: Told("{customer} is booking {title}", "{when} is held until {customer} has paid."),
    },
    BookingAccepted: {
        Side.CUSTOMER: Told("{provider} accepted your request", "{title}, {when}."),
        Side.PROVIDER: Told("You accepted {customer}'s request", "{title}, {when}. {reference}"),
    },
    BookingDeclined: {
        Side.CUSTOMER: Told(
            "{provider} could not take {title}", "Your request for {when} was declined.", Template.BOOKING_DECLINED
        ),
        Side.PROVIDER: Told("You declined {customer}'s request", "{title}, {when}. {reference}"),
    },
    BookingConfirmed: {
        Side.CUSTOMER: Told(
            "{title} is confirmed", "{provider} expects you: {when}. {reference}", Template.BOOKING_CONFIRMED
        ),
        Side.PROVIDER: Told(
            "{customer} has booked {title}", "Confirmed: {when}. {reference}", Template.BOOKING_CONFIRMED
        ),
    },
    BookingRescheduled: {
        Side.CUSTOMER: Told("{title} has a new time", "Now: {when}. {reference}", Template.BOOKING_RESCHEDULED),
        Side.PROVIDER: Told(
            "{customer}'s booking has a new time", "{title}, now: {when}. {reference}", Template.BOOKING_RESCHEDULED
        ),
    },
    BookingCancelled: {
        Side.CUSTOMER: Told(
            "{title} was cancelled", "It was for {when}.{refunded} {reference}", Template.BOOKING_CANCELLED
        ),
        Side.PROVIDER: Told(
            "{customer}'s booking was cancelled",
            "{title}, {when}, is free again.{refunded} {reference}",
            Template.BOOKING_CANCELLED,
        ),
    },
    BookingCompleted: {
        Side.CUSTOMER: Told("{title} is done", "{provider} has marked it as completed. {reference}"),
        Side.PROVIDER: Told("{title} is done", "You completed {customer}'s booking of {when}. {reference}"),
    },
    BookingMissed: {
        Side.CUSTOMER: Told("You were missed at {title}", "{provider} waited: {when}.{refunded} {reference}"),
        Side.PROVIDER: Told("{customer} did not come", "{title}, {when}.{refunded} {reference}"),
    },
    BookingExpired: {
        Side.CUSTOMER: Told("{title} was not booked", "{when} was not {lacking} in time and is free again."),
        Side.PROVIDER: Told("{title} is free again", "{when}, asked for by {customer}, was not {lacking} in time."),
    },
    BookingUnplaceable: {
        Side.CUSTOMER: Told(
            "{title} could not be booked",
            "Your payment came when {when} was no longer to be had. All of it goes back to you. {reference}",
        ),
    },
}

STILL_TRUE: Mapping[Template, frozenset[BookingState]] = {
    Template.BOOKING_REQUESTED: frozenset({BookingState.REQUESTED}),
    Template.BOOKING_HELD: frozenset({BookingState.HELD}),
    Template.BOOKING_CONFIRMED: frozenset({BookingState.CONFIRMED, BookingState.COMPLETED, BookingState.NO_SHOW}),
    Template.BOOKING_RESCHEDULED: frozenset({BookingState.REQUESTED, BookingState.HELD, BookingState.CONFIRMED}),
    Template.BOOKING_CANCELLED: frozenset({BookingState.CANCELLED}),
    Template.BOOKING_DECLINED: frozenset({BookingState.CANCELLED}),
}
"""The states in which a letter is worth sending: nobody is asked to pay for what has meanwhile been paid or lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TellOfBooking:
    """Both sides of a booking hear what has happened to it: a line of news each, and a letter where it matters. News
    tells how things stand now, and a letter that events have overtaken is not sent."""

    begin: Begin
    clock: Clock
    ids: Ids

    async def __call__(self, actor: Actor, event: BookingNews) -> None:
        async with self.begin(actor) as work:
            booking = await work.bookings.get(event.booking_id)
            affair = await Affair.of(work, booking)
            desk = Desk(work=work, ids=self.ids, now=self.clock.now())
            words = affair.words()
            for side, told in NEWS[type(event)].items():
                user_id = affair.user_of(side)
                title, body = told.title.format_map(words), told.body.format_map(words)
                desk.notify(user_id, kind=event.name, title=title, body=body, about=booking.id)
                if told.letter and booking.state in STILL_TRUE[told.letter]:
                    facts = affair.facts(side) | _calendar(told.letter, booking)
                    await desk.mail(user_id, told.letter, transition=_transition(event, booking), context=facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskForReview:
    """A while after the work is done both sides are asked how it was, unless they have said so already; the customer
    by mail as well."""

    begin: Begin
    clock: Clock
    ids: Ids

    async def __call__(self, actor: Actor, event: ReviewDue) -> None:
        async with self.begin(actor) as work:
            booking = await work.bookings.get(event.booking_id)
            if booking.state is not BookingState.COMPLETED:
                return
            said = {review.side for review in await work.reviews.find(booking_id=booking.id)}
            affair = await Affair.of(work, booking)
            desk = Desk(work=work, ids=self.ids, now=self.clock.now())
            for side in (side for side in Side if side not in said):
                facts, user_id = affair.facts(side), affair.user_of(side)
                title, body = f"How was it with {facts['counterpart']}?", f"Review {booking.job_title}."
                desk.notify(user_id, kind=event.name, title=title, body=body, about=booking.id)
                if side is Side.CUSTOMER:
                    transition = f"booking:{booking.id}:review_due"
                    await desk.mail(user_id, Template.REVIEW_REQUEST, transition=transition, context=facts)


def _transition(event: BookingNews, booking: Booking) -> str:
    happened = event.name.removeprefix("booking.")
    return f"booking:{booking.id}:{happened}:{booking.sequence}"


def _calendar(letter: Template, booking: Booking) -> dict[str, Any]:
    """What the recipient's calendar is told: nothing about a booking that never stood."""
    if booking.confirmed_at is None:
        return {}
    match letter:
        case Template.BOOKING_CONFIRMED | Template.BOOKING_RESCHEDULED:
            return {"calendar": "request"}
        case Template.BOOKING_CANCELLED:
            return {"calendar": "cancel"}
        case _:
            return {}
