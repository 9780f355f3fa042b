"""Quotes and invoices in a browser, for whoever holds their link. Opening one only shows it; submitting its form
accepts, declines, or begins to pay."""

from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from application.invoicing import (
    AnswerByLink,
    InvoiceToPay,
    OpenInvoiceLink,
    OpenQuote,
    OpenQuoteLink,
    PayByLink,
    PrintByLink,
)
from application.notifications.wording import amount, at, day
from domain.invoicing import Bill, QuoteState
from domain.shared.actors import ANONYMOUS
from domain.shared.ids import InvoiceId, QuoteId
from domain.shared.money import Money
from entrypoints.rest.pages.affair import Token
from entrypoints.rest.pages.rendering import form_of, page, page_router
from entrypoints.use_cases import UseCases

_STANDS = {
    QuoteState.ACCEPTED: ("good", "This quote is accepted. Thank you!"),
    QuoteState.DECLINED: ("", "This quote is declined."),
    QuoteState.EXPIRED: ("problem", "This quote has expired. Ask for a new one."),
}


def invoicing(use: UseCases, _: dict[str, Any]) -> APIRouter:
    """`/quotes/{id}` and `/invoices/{id}`."""
    router = page_router()
    _quotes(router, use(OpenQuoteLink), use(AnswerByLink))
    _invoices(router, use(OpenInvoiceLink), use(PayByLink), use(PrintByLink))
    return router


def _quotes(router: APIRouter, open_link: OpenQuoteLink, answer: AnswerByLink) -> None:
    @router.get("/quotes/{quote_id}")
    async def quote(quote_id: QuoteId, token: Token = "") -> HTMLResponse:
        return _quote(await open_link(ANONYMOUS, quote_id, token), token)

    @router.post("/quotes/{quote_id}")
    async def answered(quote_id: QuoteId, request: Request) -> RedirectResponse:
        form = await form_of(request)
        token, said = form.get("token", ""), form.get("answer", "")
        if said in ("accept", "decline"):
            await answer(ANONYMOUS, quote_id, token, said == "accept")
        return _see(f"/quotes/{quote_id}", token)


def _invoices(router: APIRouter, open_link: OpenInvoiceLink, pay: PayByLink, document: PrintByLink) -> None:
    @router.get("/invoices/{invoice_id}")
    async def invoice(invoice_id: InvoiceId, token: Token = "") -> HTMLResponse:
        return _invoice(await open_link(ANONYMOUS, invoice_id, token), token)

    @router.post("/invoices/{invoice_id}")
    async def begun(invoice_id: InvoiceId, request: Request) -> RedirectResponse:
        token = (await form_of(request)).get("token", "")
        await pay(ANONYMOUS, invoice_id, token)
        return _see(f"/invoices/{invoice_id}/pay", token)

    @router.get("/invoices/{invoice_id}/pdf")
    async def pdf(invoice_id: InvoiceId, token: Token = "") -> Response:
        printed = await document(ANONYMOUS, invoice_id, token)
        headers = {"Content-Disposition": f'inline; filename="{printed.name}"'}
        return Response(printed.content, media_type="application/pdf", headers=headers)


def _quote(quote: OpenQuote, token: str) -> HTMLResponse:
    facts = [("Number", quote.reference), ("From", quote.seller.name), ("To", quote.bill.buyer.name)]
    if quote.expires_at is not None and quote.state is QuoteState.SENT:
        facts.append(("Good until", at(quote.expires_at, quote.zone)))
    mood, stands = _STANDS.get(quote.state, ("", ""))
    return page(
        "quote.html",
        title="A quote for you",
        facts=facts,
        lines=_lines(quote.bill),
        total=str(quote.total),
        note=quote.bill.note,
        here=f"/quotes/{quote.quote_id}",
        token=token,
        open=quote.state is QuoteState.SENT,
        mood=mood,
        stands=stands,
    )


def _invoice(invoice: InvoiceToPay, token: str) -> HTMLResponse:
    facts = [("Number", invoice.number), ("From", invoice.seller.name), ("To", invoice.bill.buyer.name)]
    if invoice.due_on is not None:
        facts.append(("Due", day(invoice.due_on)))
    return page(
        "invoice.html",
        title="Your invoice",
        facts=facts,
        lines=_lines(invoice.bill),
        total=str(invoice.total),
        left=str(invoice.left),
        waits=Money.zero(invoice.left.currency) < invoice.left,
        here=f"/invoices/{invoice.invoice_id}",
        token=token,
    )


def _lines(bill: Bill) -> list[tuple[str, str]]:
    """What is on it, and what each comes to."""
    return [(line.description, amount(Money(line.amount_minor, bill.currency))) for line in bill.lines]


def _see(address: str, token: str) -> RedirectResponse:
    return RedirectResponse(f"{address}?{urlencode({'token': token})}", 303)
