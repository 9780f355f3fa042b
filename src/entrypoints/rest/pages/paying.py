"""Paying in a browser, in Stripe's own form or by test card. Coming back from the gateway proves nothing: the page
shows what is stored, and what is stored follows the gateway's webhook."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from application.payments import OpenPayLink, ToPay
from domain.bookings import BookingState
from domain.payments import PaymentState
from domain.shared.actors import ANONYMOUS
from domain.shared.ids import BookingId
from entrypoints.rest.pages.affair import PAY, Token, affair_page, known, problem_of
from entrypoints.rest.pages.cards import CARDS, cards
from entrypoints.rest.pages.rendering import STRIPE, page, page_router
from entrypoints.rest.routing import include
from entrypoints.use_cases import UseCases


def paying(use: UseCases, facts: dict[str, Any]) -> APIRouter:
    """`/bookings/{id}/pay` and what follows from it; whoever holds the link's token may pay."""
    router = page_router()
    open_link, desk = use(OpenPayLink), facts.get("card_desk")
    publishable_key: str | None = facts.get("stripe_publishable_key")
    if desk is not None:
        include(router, cards(open_link, desk))

    @router.get(PAY)
    async def pay(booking_id: BookingId, token: Token = "") -> HTMLResponse:
        to_pay = await open_link(ANONYMOUS, booking_id, token)
        if to_pay.client_secret is None:
            return standing(to_pay, token)
        problem = problem_of(to_pay)
        if to_pay.gateway == "stripe" and publishable_key:
            shown: dict[str, Any] = {"publishable_key": publishable_key, "problem": problem}
            return affair_page("element.html", to_pay, token, also=STRIPE, **shown)
        if to_pay.gateway == "simulated" and desk is not None:
            return affair_page("cards.html", to_pay, token, cards=CARDS, problem=problem)
        told = ["This installation cannot take this payment in a browser."]
        return page("told.html", title="Pay", told=told, links={})

    @router.get(f"{PAY}/return")
    async def returned(booking_id: BookingId, token: Token = "") -> HTMLResponse:
        return standing(await open_link(ANONYMOUS, booking_id, token), token)

    @router.get(f"{PAY}/state")
    async def state(booking_id: BookingId, token: Token = "") -> dict[str, str]:
        return {"known": known(await open_link(ANONYMOUS, booking_id, token))}

    return router


def standing(to_pay: ToPay, token: str) -> HTMLResponse:
    """How it stands, as stored; while that may change by itself, the page looks again."""
    title, mood, waits, again = "Your payment", "", True, False
    match to_pay:
        case ToPay(booking=BookingState.CONFIRMED | BookingState.COMPLETED):
            title, said, mood, waits = "It is yours", "Your booking is confirmed.", "good", False
        case ToPay(booking=BookingState.HELD | BookingState.EXPIRED, payment=PaymentState.CAPTURED):
            said = "Your payment has arrived; your booking is being confirmed."
        case ToPay(booking=BookingState.HELD, payment=PaymentState.FAILED):
            said, mood, again = problem_of(to_pay), "problem", to_pay.client_secret is not None
        case ToPay(booking=BookingState.HELD, payment=PaymentState.REQUESTED | PaymentState.UNKNOWN):
            said = "One moment: your payment is being prepared."
        case ToPay(booking=BookingState.HELD):
            said = "One moment: we wait for word of your payment."
        case ToPay(booking=BookingState.REQUESTED):
            said, waits = "The provider has not answered yet; there is nothing to pay so far.", False
        case _:
            said, mood, waits = "This booking is over; there is nothing to pay.", "problem", False
    return affair_page(
        "waiting.html", to_pay, token, title=title, said=said, mood=mood, waits=waits, again=again, known=known(to_pay)
    )
