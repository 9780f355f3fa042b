"""The customer's side of the simulated gateway: a test card is shown, and a bank may ask for approval."""

from collections.abc import Awaitable, Callable
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from application.ports.payments import CardDesk
from domain.payments import GatewayPayment, PaymentState
from domain.shared.errors import Conflict
from entrypoints.rest.pages.affair import Affair, Token, affair_page, here_of
from entrypoints.rest.pages.rendering import form_of, page_router

CARDS = {
    "ok": "A card that pays",
    "3ds": "A card whose bank asks you to approve (3-D Secure)",
    "declined": "A card that is declined",
    "insufficient_funds": "A card with too little money",
    "3ds_fail": "A card whose bank refuses even what you approve",
    "refund_fails": "A card that pays, and that no refund reaches",
    "disputed": "A card that pays, and whose owner disputes it at once",
    "warned": "A card that pays, and whose bank warns of fraud",
}


Open = Callable[[UUID, str], Awaitable[Affair]]
"""Opens the link of that id with that token."""


def cards(path: str, open_link: Open, desk: CardDesk) -> APIRouter:
    """Showing a card, and the bank's question, for what is paid at that path."""
    router = page_router()

    @router.post(path)
    async def show_card(id: UUID, request: Request) -> RedirectResponse:
        form = await form_of(request)
        token, card = form.get("token", ""), form.get("card", "")
        to_pay = await open_link(id, token)
        there = await _unless_moved(to_pay, lambda ref, secret: desk.confirm(ref, secret, card))
        return _go(to_pay, "confirm" if _asks(there) else "return", token)

    @router.get(f"{path}/confirm", response_model=None)
    async def bank(id: UUID, token: Token = "") -> HTMLResponse | RedirectResponse:
        to_pay = await open_link(id, token)
        if _asks(await _unless_moved(to_pay, desk.look)):
            return affair_page("bank.html", to_pay, token, title="Your bank")
        return _go(to_pay, "return", token)

    @router.post(f"{path}/confirm")
    async def approve(id: UUID, request: Request) -> RedirectResponse:
        form = await form_of(request)
        token, approved = form.get("token", ""), form.get("approved") == "yes"
        to_pay = await open_link(id, token)
        await _unless_moved(to_pay, lambda ref, secret: desk.authenticate_3ds(ref, secret, approved))
        return _go(to_pay, "return", token)

    return router


async def _unless_moved(to_pay: Affair, step: Callable[[str, str], Awaitable[GatewayPayment]]) -> GatewayPayment | None:
    """How it stands at the gateway after the step; None when it was paid or closed meanwhile."""
    if to_pay.gateway_ref is None or to_pay.client_secret is None:
        return None
    try:
        return await step(to_pay.gateway_ref, to_pay.client_secret)
    except Conflict:
        return None


def _asks(there: GatewayPayment | None) -> bool:
    return there is not None and there.state is PaymentState.REQUIRES_ACTION


def _go(to_pay: Affair, step: str, token: str) -> RedirectResponse:
    return RedirectResponse(f"{here_of(to_pay)}/{step}?{urlencode({'token': token})}", 303)
