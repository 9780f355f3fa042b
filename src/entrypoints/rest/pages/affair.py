"""What every page about a payment shows: the booking, when it is, its price, and what went wrong."""

from typing import Annotated, Any

from fastapi import Query
from fastapi.responses import HTMLResponse

from application.notifications.wording import at, when
from application.payments import ToPay
from domain.bookings import BookingState
from domain.payments import PaymentState
from entrypoints.rest.pages.rendering import page

PAY = "/bookings/{booking_id}/pay"
Token = Annotated[str, Query(max_length=500)]
FAILURES = {
    "card_declined": "The card was declined.",
    "insufficient_funds": "There is not enough money on the card.",
    "authentication_failed": "The payment was not approved.",
}


def affair_page(
    template: str,
    to_pay: ToPay,
    token: str,
    *,
    title: str = "Pay",
    also: dict[str, str] | None = None,
    **facts: Any,
) -> HTMLResponse:
    """A page about that payment, for the holder of its link."""
    shown: dict[str, Any] = {"here": PAY.format(booking_id=to_pay.booking_id), "when": when(to_pay.span, to_pay.zone)}
    return page(
        template, title=title, also=also, to_pay=to_pay, held_until=_held_until(to_pay), token=token, **shown, **facts
    )


def problem_of(to_pay: ToPay) -> str:
    """Why the last attempt came to nothing, in a sentence; empty when none did."""
    if to_pay.payment is not PaymentState.FAILED:
        return ""
    return FAILURES.get(to_pay.failure, "The payment did not go through.")


def known(to_pay: ToPay) -> str:
    """All of its state that a page shows, in a word to compare."""
    payable = "open" if to_pay.client_secret else "closed"
    return f"{to_pay.booking}/{to_pay.payment}/{to_pay.failure}/{payable}"


def _held_until(to_pay: ToPay) -> str:
    """By when it has to be paid, on the clocks of the place it happens at; empty when nothing waits."""
    if to_pay.booking is not BookingState.HELD or to_pay.expires_at is None:
        return ""
    return at(to_pay.expires_at, to_pay.zone)
