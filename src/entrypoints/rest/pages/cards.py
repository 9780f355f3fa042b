"""The customer's side of the simulated gateway: a test card is shown, and a bank may ask for approval."""

from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from application.payments import OpenPayLink, ToPay
from application.ports.payments import CardDesk
from domain.payments import GatewayPayment, PaymentState
from domain.shared.actors import ANONYMOUS
from domain.shared.errors import Conflict
from domain.shared.ids import BookingId
from entrypoints.rest.pages.affair import PAY, Token, affair_page
from entrypoints.rest.pages.rendering import form_of, page_router

CARDS = {
    "ok": "A card that pays",
    "3ds": "A card whose bank asks you to approve (3-D Secure)",
    "declined": "A card that is declined",
    "insufficient_funds": "A card with too little money",
    "3ds_fail": "A card whose bank refuses even what you approve",
    "refund_fails": "A card that pays, and that no refund reaches",
}


def cards(open_link: OpenPayLink, desk: CardDesk) -> APIRouter:
    """Showing a card, and the bank's question."""
    router = page_router()

    @router.post(PAY)
    async def show_card(booking_id: BookingId, request: Request) -> RedirectResponse:
        form = await form_of(request)
        token, card = form.get("token", ""), form.get("card", "")
        to_pay = await open_link(ANONYMOUS, booking_id, token)
        there = await _unless_moved(to_pay, lambda ref, secret: desk.confirm(ref, secret, card))
        return _go(to_pay, "confirm" if _asks(there) else "return", token)

    @router.get(f"{PAY}/confirm", response_model=None)
    async def bank(booking_id: BookingId, token: Token = "") -> HTMLResponse | RedirectResponse:
        to_pay = await open_link(ANONYMOUS, booking_id, token)
        if _asks(await _unless_moved(to_pay, desk.look)):
            return affair_page("bank.html", to_pay, token, title="Your bank")
        return _go(to_pay, "return", token)

    @router.post(f"{PAY}/confirm")
    async def approve(booking_id: BookingId, request: Request) -> RedirectResponse:
        form = await form_of(request)
        token, approved = form.get("token", ""), form.get("approved") == "yes"
        to_pay = await open_link(ANONYMOUS, booking_id, token)
        await _unless_moved(to_pay, lambda ref, secret: desk.authenticate_3ds(ref, secret, approved))
        return _go(to_pay, "return", token)

    return router


async def _unless_moved(to_pay: ToPay, step: Callable[[str, str], Awaitable[GatewayPayment]]) -> GatewayPayment | None:
    """How it stands at the gateway after the step; None when it was paid or closed meanwhile."""
    if to_pay.gateway_ref is None or to_pay.client_secret is None:
        return None
    try:
        return await step(to_pay.gateway_ref, to_pay.client_secret)
    except Conflict:
        return None


def _asks(there: GatewayPayment | None) -> bool:
    return there is not None and there.state is PaymentState.REQUIRES_ACTION


def _go(to_pay: ToPay, step: str, token: str) -> RedirectResponse:
    here = PAY.format(booking_id=to_pay.booking_id)
    return RedirectResponse(f"{here}/{step}?{urlencode({'token': token})}", 303)
