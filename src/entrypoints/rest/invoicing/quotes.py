"""Offers: written, sent, answered."""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Response

from application.invoicing import (
    AcceptQuote,
    Answer,
    DeclineQuote,
    DiscardQuote,
    DraftQuote,
    GetQuote,
    GetQuoteLink,
    ListQuotes,
    PrintQuote,
    QuoteDraft,
    QuoteFilter,
    QuoteRevision,
    ReviseQuote,
    SendQuote,
)
from domain.shared.ids import QuoteId
from entrypoints.rest.asking import Somebody
from entrypoints.rest.cursors import Asked, Paged
from entrypoints.rest.invoicing.shown import AS_PDF, LinkOut, QuoteOut, as_pdf
from entrypoints.rest.once import Commanded
from entrypoints.rest.queries import asked
from entrypoints.rest.routing import api_router
from entrypoints.rest.speaks import speaks
from entrypoints.rest.versions import BY_HEADER, ExpectedVersion, tagged
from entrypoints.use_cases import UseCases

OFFER: Any = {
    "roof": {
        "summary": "A small job, tax on top",
        "value": {
            "organization_id": "019ceb29-8d00-7d03-bb6e-7a9f0c1e2d34",
            "buyer": {"name": "Ana Lima", "email": "ana@example.org", "address": "Rua da Rosa 12\n1200-001 Lisboa"},
            "currency": "EUR",
            "lines": [
                {
                    "description": "Mending the roof",
                    "quantity_thousandths": 2500,
                    "unit": "h",
                    "unit_price_minor": 6000,
                    "tax_basis_points": 2300,
                },
                {"description": "Tiles", "unit_price_minor": 18000, "tax_basis_points": 2300},
            ],
            "valid_days": 14,
        },
    }
}


def quotes(use: UseCases) -> APIRouter:
    """Routes under /v1/quotes."""
    router = api_router("/quotes", tag="quotes")
    draft_quote, revise_quote, discard_quote = use(DraftQuote), use(ReviseQuote), use(DiscardQuote)
    get_quote, list_quotes, print_quote, get_link = use(GetQuote), use(ListQuotes), use(PrintQuote), use(GetQuoteLink)

    @router.get("", **speaks(ListQuotes))
    async def search(
        actor: Somebody, filter: Annotated[QuoteFilter, Depends(asked(QuoteFilter))], page: Asked
    ) -> Paged[QuoteOut]:
        return page.project(await list_quotes(actor, filter, after=page.after, limit=page.limit), QuoteOut)

    @router.post("", status_code=201, **speaks(DraftQuote))
    async def create(
        actor: Somebody, draft: Annotated[QuoteDraft, Body(openapi_examples=OFFER)], once: Commanded
    ) -> QuoteOut:
        return QuoteOut.of(await once(lambda: draft_quote(actor, draft)))

    @router.get("/{quote_id}", **speaks(GetQuote))
    async def read(actor: Somebody, quote_id: QuoteId, response: Response) -> QuoteOut:
        quote = await get_quote(actor, quote_id)
        tagged(response, quote)
        return QuoteOut.of(quote)

    @router.patch("/{quote_id}", **speaks(ReviseQuote))
    async def revise(
        actor: Somebody,
        quote_id: QuoteId,
        revision: Annotated[QuoteRevision, BY_HEADER],
        expected: ExpectedVersion,
        once: Commanded,
    ) -> QuoteOut:
        revision = replace(revision, expected_version=expected)
        return QuoteOut.of(await once(lambda: revise_quote(actor, quote_id, revision)))

    @router.delete("/{quote_id}", status_code=204, **speaks(DiscardQuote))
    async def delete(actor: Somebody, quote_id: QuoteId, once: Commanded) -> None:
        await once(lambda: discard_quote(actor, quote_id))

    @router.get("/{quote_id}/link", **speaks(GetQuoteLink))
    async def link(actor: Somebody, quote_id: QuoteId) -> LinkOut:
        return LinkOut(url=await get_link(actor, quote_id))

    said = speaks(PrintQuote)

    @router.get("/{quote_id}/pdf", response_class=Response, **{**said, "responses": {**said["responses"], 200: AS_PDF}})
    async def pdf(actor: Somebody, quote_id: QuoteId) -> Response:
        return as_pdf(await print_quote(actor, quote_id))

    _steps(router, use)
    return router


def _steps(router: APIRouter, use: UseCases) -> None:
    send_quote, accept_quote, decline_quote = use(SendQuote), use(AcceptQuote), use(DeclineQuote)

    @router.post("/{quote_id}/send", **speaks(SendQuote))
    async def send(actor: Somebody, quote_id: QuoteId, once: Commanded) -> QuoteOut:
        return QuoteOut.of(await once(lambda: send_quote(actor, quote_id)))

    @router.post("/{quote_id}/accept", **speaks(AcceptQuote))
    async def accept(actor: Somebody, quote_id: QuoteId, once: Commanded, answer: Answer = Answer()) -> QuoteOut:
        return QuoteOut.of(await once(lambda: accept_quote(actor, quote_id, answer)))

    @router.post("/{quote_id}/decline", **speaks(DeclineQuote))
    async def decline(actor: Somebody, quote_id: QuoteId, once: Commanded, answer: Answer = Answer()) -> QuoteOut:
        return QuoteOut.of(await once(lambda: decline_quote(actor, quote_id, answer)))
