"""Paying in a browser, in Stripe's own form or by test card. Coming back from the gateway proves nothing: the page
shows what is stored, and what is stored follows the gateway's webhook."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from application.invoicing import InvoiceToPay, OpenInvoiceLink
from application.payments import OpenPayLink, ToPay
from domain.bookings import BookingState
from domain.invoicing import InvoiceState
from domain.payments import PaymentState
from domain.shared.actors import ANONYMOUS
from domain.shared.ids import BookingId, InvoiceId
from entrypoints.rest.pages.affair import Affair, Token, affair_page, known, problem_of
from entrypoints.rest.pages.cards import CARDS, Open, cards
from entrypoints.rest.pages.rendering import STRIPE, page, page_router
from entrypoints.rest.routing import include
from entrypoints.use_cases import UseCases


def paying(use: UseCases, facts: dict[str, Any]) -> APIRouter:
    """`/bookings/{id}/pay`, `/invoices/{id}/pay` and what follows from them; whoever holds the link's token may pay."""
    router = page_router()
    open_booking, open_invoice = use(OpenPayLink), use(OpenInvoiceLink)

    async def booking(id: UUID, token: str) -> ToPay:
        return await open_booking(ANONYMOUS, BookingId(id), token)

    async def invoice(id: UUID, token: str) -> InvoiceToPay:
        return await open_invoice(ANONYMOUS, InvoiceId(id), token)

    _till(router, "/bookings/{id}/pay", booking, facts)
    _till(router, "/invoices/{id}/pay", invoice, facts)
    return router


def _till(router: APIRouter, path: str, open_link: Open, facts: dict[str, Any]) -> None:
    """Where money is taken, for what is paid at that path."""
    desk = facts.get("card_desk")
    publishable_key: str | None = facts.get("stripe_publishable_key")
    if desk is not None:
        include(router, cards(path, open_link, desk))

    @router.get(path)
    async def pay(id: UUID, token: Token = "") -> HTMLResponse:
        to_pay = await open_link(id, token)
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

    @router.get(f"{path}/return")
    async def returned(id: UUID, token: Token = "") -> HTMLResponse:
        return standing(await open_link(id, token), token)

    @router.get(f"{path}/state")
    async def state(id: UUID, token: Token = "") -> dict[str, str]:
        return {"known": known(await open_link(id, token))}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stands:
    """What is said of a payment, and whether the page looks again."""

    said: str
    title: str = "Your payment"
    mood: str = ""
    waits: bool = True
    again: bool = False


def standing(to_pay: Affair, token: str) -> HTMLResponse:
    """How it stands, as stored; while that may change by itself, the page looks again."""
    stands = _booking(to_pay) if isinstance(to_pay, ToPay) else _invoice(to_pay)
    return affair_page(
        "waiting.html",
        to_pay,
        token,
        title=stands.title,
        said=stands.said,
        mood=stands.mood,
        waits=stands.waits,
        again=stands.again,
        known=known(to_pay),
    )


def _booking(to_pay: ToPay) -> _Stands:
    match to_pay:
        case ToPay(booking=BookingState.CONFIRMED | BookingState.COMPLETED):
            return _Stands(title="It is yours", said="Your booking is confirmed.", mood="good", waits=False)
        case ToPay(booking=BookingState.HELD | BookingState.EXPIRED, payment=PaymentState.CAPTURED):
            return _Stands(said="Your payment has arrived; your booking is being confirmed.")
        case ToPay(booking=BookingState.HELD):
            return _attempt(to_pay)
        case ToPay(booking=BookingState.REQUESTED):
            return _Stands(said="The provider has not answered yet; there is nothing to pay so far.", waits=False)
    return _Stands(said="This booking is over; there is nothing to pay.", mood="problem", waits=False)


def _invoice(to_pay: InvoiceToPay) -> _Stands:
    match to_pay:
        case InvoiceToPay(state=InvoiceState.PAID | InvoiceState.CREDITED):
            return _Stands(title="Thank you", said="Nothing is left to pay.", mood="good", waits=False)
        case InvoiceToPay(payment=PaymentState.CAPTURED):
            return _Stands(said="Your payment has arrived. Thank you!", mood="good")
        case InvoiceToPay(payment=None | PaymentState.CANCELLED):
            return _Stands(said="No payment is under way; open the invoice to begin one.", waits=False)
    return _attempt(to_pay)


def _attempt(to_pay: Affair) -> _Stands:
    """What is said while one waits for money."""
    if to_pay.payment is PaymentState.FAILED:
        return _Stands(said=problem_of(to_pay), mood="problem", again=to_pay.client_secret is not None)
    if to_pay.payment is PaymentState.AUTHORISED:
        return _Stands(
            title="Set aside",
            said="The amount is set aside on your card. It is taken when your booking is confirmed, or let go.",
            mood="good",
        )
    if to_pay.payment in (PaymentState.REQUESTED, PaymentState.UNKNOWN):
        return _Stands(said="One moment: your payment is being prepared.")
    return _Stands(said="One moment: we wait for word of your payment.")
