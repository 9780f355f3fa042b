"""What every page about a payment shows: what it is for, what it costs, and what went wrong."""

from typing import Annotated, Any

from fastapi import Query
from fastapi.responses import HTMLResponse

from application.invoicing import InvoiceToPay
from application.notifications.wording import at, day, when
from application.payments import ToPay
from domain.bookings import BookingState
from domain.payments import PaymentState
from entrypoints.rest.pages.rendering import page

Affair = ToPay | InvoiceToPay
"""What can be paid in a browser."""
Token = Annotated[str, Query(max_length=500)]
FAILURES = {
    "card_declined": "The card was declined.",
    "insufficient_funds": "There is not enough money on the card.",
    "authentication_failed": "The payment was not approved.",
}


def affair_page(
    template: str,
    to_pay: Affair,
    token: str,
    *,
    title: str = "Pay",
    also: dict[str, str] | None = None,
    **facts: Any,
) -> HTMLResponse:
    """A page about that payment, for the holder of its link."""
    shown: dict[str, Any] = {"here": here_of(to_pay), "about": _about(to_pay)}
    return page(template, title=title, also=also, to_pay=to_pay, token=token, **shown, **facts)


def here_of(to_pay: Affair) -> str:
    """Where it is paid."""
    if isinstance(to_pay, ToPay):
        return f"/bookings/{to_pay.booking_id}/pay"
    return f"/invoices/{to_pay.invoice_id}/pay"


def problem_of(to_pay: Affair) -> str:
    """Why the last attempt came to nothing, in a sentence; empty when none did."""
    if to_pay.payment is not PaymentState.FAILED:
        return ""
    return FAILURES.get(to_pay.failure, "The payment did not go through.")


def known(to_pay: Affair) -> str:
    """All of its state that a page shows, in a word to compare."""
    payable = "open" if to_pay.client_secret else "closed"
    stands = to_pay.booking if isinstance(to_pay, ToPay) else f"{to_pay.state}/{to_pay.left}"
    return f"{stands}/{to_pay.payment}/{to_pay.failure}/{payable}"


def _about(to_pay: Affair) -> list[tuple[str, str]]:
    """What it is for, by name."""
    if isinstance(to_pay, ToPay):
        told = [
            ("Booking", to_pay.title),
            ("When", when(to_pay.span, to_pay.zone)),
            ("Reference", to_pay.reference),
            ("Held until", _held_until(to_pay)),
        ]
    else:
        told = [
            ("Invoice", to_pay.number),
            ("From", to_pay.seller.name),
            ("Total", str(to_pay.total)),
            ("Left to pay", str(to_pay.left)),
            ("Due", day(to_pay.due_on) if to_pay.due_on else ""),
        ]
    return [(name, value) for name, value in told if value]


def _held_until(to_pay: ToPay) -> str:
    """By when it has to be paid, on the clocks of the place it happens at; empty when nothing waits."""
    if to_pay.booking is not BookingState.HELD or to_pay.expires_at is None:
        return ""
    return at(to_pay.expires_at, to_pay.zone)
