"""Invoices: written, issued, sent, paid and corrected."""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Response

from application.invoicing import (
    BookingBill,
    Crediting,
    CreditInvoice,
    DraftInvoice,
    GetInvoice,
    GetInvoiceLink,
    GetPaper,
    Instalment,
    InvoiceBooking,
    InvoiceDraft,
    InvoiceFilter,
    InvoiceRevision,
    IssueInvoice,
    ListInvoices,
    ListSettlements,
    PayInvoice,
    Receipt,
    RecordReceipt,
    ReviseInvoice,
    SendInvoice,
    VoidInvoice,
)
from domain.invoicing import Invoice
from domain.shared.actors import Actor
from domain.shared.ids import BookingId, InvoiceId
from entrypoints.rest.asking import Somebody
from entrypoints.rest.cursors import Asked, Paged
from entrypoints.rest.invoicing.export import AS_CSV, as_csv
from entrypoints.rest.invoicing.shown import InvoiceOut, LinkOut, PaperOut, SettlementOut
from entrypoints.rest.once import Commanded, CommandedByKey
from entrypoints.rest.payments import PaymentOut
from entrypoints.rest.queries import asked
from entrypoints.rest.routing import api_router
from entrypoints.rest.speaks import speaks
from entrypoints.rest.versions import BY_HEADER, ExpectedVersion, tagged
from entrypoints.use_cases import UseCases

ASKED: Any = {
    "lesson": {
        "summary": "A lesson, tax in the price",
        "value": {
            "organization_id": "019ceb29-8d00-7d03-bb6e-7a9f0c1e2d34",
            "buyer": {"name": "Ana Lima", "email": "ana@example.org"},
            "currency": "EUR",
            "lines": [{"description": "Piano lesson", "unit_price_minor": 4500, "tax_basis_points": 2300}],
            "tax_included": True,
        },
    }
}
RECEIVED: Any = {
    "bank": {"summary": "By bank transfer", "value": {"amount_minor": 4500, "reason": "bank transfer of 3 March"}}
}
CREDIT: Any = {
    "all": {"summary": "All that is left", "value": {"reason": "The lesson did not take place."}},
    "part": {
        "summary": "Part of it",
        "value": {
            "reason": "We were late.",
            "lines": [{"description": "A quarter of an hour", "unit_price_minor": 1125, "tax_basis_points": 2300}],
        },
    },
}


def invoices(use: UseCases) -> APIRouter:
    """Routes under /v1/invoices, and a booking's invoice."""
    router = api_router(tag="invoices")
    draft_invoice, revise_invoice, void_invoice = use(DraftInvoice), use(ReviseInvoice), use(VoidInvoice)
    get_invoice, list_invoices, invoice_booking = use(GetInvoice), use(ListInvoices), use(InvoiceBooking)
    said = speaks(ListInvoices)

    @router.get("/invoices", **said)
    async def search(
        actor: Somebody, filter: Annotated[InvoiceFilter, Depends(asked(InvoiceFilter))], page: Asked
    ) -> Paged[InvoiceOut]:
        return page.project(await list_invoices(actor, filter, after=page.after, limit=page.limit), InvoiceOut)

    @router.get(
        "/invoices/export", response_class=Response, **{**said, "responses": {**said["responses"], 200: AS_CSV}}
    )
    async def export(actor: Somebody, filter: Annotated[InvoiceFilter, Depends(asked(InvoiceFilter))]) -> Response:
        return await as_csv(lambda after, limit: list_invoices(actor, filter, after=after, limit=limit))

    @router.post("/invoices", status_code=201, **speaks(DraftInvoice))
    async def create(
        actor: Somebody, draft: Annotated[InvoiceDraft, Body(openapi_examples=ASKED)], once: Commanded
    ) -> InvoiceOut:
        return InvoiceOut.of(await once(lambda: draft_invoice(actor, draft)))

    @router.post("/bookings/{booking_id}/invoice", status_code=201, **speaks(InvoiceBooking))
    async def create_for_booking(
        actor: Somebody, booking_id: BookingId, once: Commanded, bill: BookingBill = BookingBill()
    ) -> InvoiceOut:
        return InvoiceOut.of(await once(lambda: invoice_booking(actor, booking_id, bill)))

    @router.get("/invoices/{invoice_id}", **speaks(GetInvoice))
    async def read(actor: Somebody, invoice_id: InvoiceId, response: Response) -> InvoiceOut:
        invoice = await get_invoice(actor, invoice_id)
        tagged(response, invoice)
        return InvoiceOut.of(invoice)

    @router.patch("/invoices/{invoice_id}", **speaks(ReviseInvoice))
    async def revise(
        actor: Somebody,
        invoice_id: InvoiceId,
        revision: Annotated[InvoiceRevision, BY_HEADER],
        expected: ExpectedVersion,
        once: Commanded,
    ) -> InvoiceOut:
        revision = replace(revision, expected_version=expected)
        return InvoiceOut.of(await once(lambda: revise_invoice(actor, invoice_id, revision)))

    @router.post("/invoices/{invoice_id}/void", **speaks(VoidInvoice))
    async def void(actor: Somebody, invoice_id: InvoiceId, once: Commanded) -> InvoiceOut:
        return InvoiceOut.of(await once(lambda: void_invoice(actor, invoice_id)))

    _leaving(router, use)
    _money(router, use)
    return router


def _leaving(router: APIRouter, use: UseCases) -> None:
    """What leaves the house."""
    issue_invoice, credit_invoice, send_invoice = use(IssueInvoice), use(CreditInvoice), use(SendInvoice)
    get_link, get_paper = use(GetInvoiceLink), use(GetPaper)

    @router.post("/invoices/{invoice_id}/issue", status_code=201, **speaks(IssueInvoice))
    async def issue(actor: Somebody, invoice_id: InvoiceId, once: CommandedByKey) -> PaperOut:
        return PaperOut.of(await once(lambda: issue_invoice(actor, invoice_id)))

    @router.post("/invoices/{invoice_id}/send", **speaks(SendInvoice))
    async def send(actor: Somebody, invoice_id: InvoiceId, once: Commanded) -> InvoiceOut:
        return await _numbered(get_paper, actor, await once(lambda: send_invoice(actor, invoice_id)))

    @router.post("/invoices/{invoice_id}/credit-notes", status_code=201, **speaks(CreditInvoice))
    async def credit(
        actor: Somebody,
        invoice_id: InvoiceId,
        crediting: Annotated[Crediting, Body(openapi_examples=CREDIT)],
        once: CommandedByKey,
    ) -> PaperOut:
        return PaperOut.of(await once(lambda: credit_invoice(actor, invoice_id, crediting)))

    @router.get("/invoices/{invoice_id}/pay-link", **speaks(GetInvoiceLink))
    async def pay_link(actor: Somebody, invoice_id: InvoiceId) -> LinkOut:
        return LinkOut(url=await get_link(actor, invoice_id))


def _money(router: APIRouter, use: UseCases) -> None:
    """What is paid, through the gateway and past it."""
    pay_invoice, record_receipt, list_settlements = use(PayInvoice), use(RecordReceipt), use(ListSettlements)
    get_paper = use(GetPaper)

    @router.post("/invoices/{invoice_id}/payments", status_code=201, **speaks(PayInvoice))
    async def pay(
        actor: Somebody, invoice_id: InvoiceId, once: CommandedByKey, instalment: Instalment = Instalment()
    ) -> PaymentOut:
        return PaymentOut.of(await once(lambda: pay_invoice(actor, invoice_id, instalment)))

    @router.post("/invoices/{invoice_id}/receipts", status_code=201, **speaks(RecordReceipt))
    async def record(
        actor: Somebody,
        invoice_id: InvoiceId,
        receipt: Annotated[Receipt, Body(openapi_examples=RECEIVED)],
        once: CommandedByKey,
    ) -> InvoiceOut:
        return await _numbered(get_paper, actor, await once(lambda: record_receipt(actor, invoice_id, receipt)))

    @router.get("/invoices/{invoice_id}/settlements", **speaks(ListSettlements))
    async def settlements(actor: Somebody, invoice_id: InvoiceId, page: Asked) -> Paged[SettlementOut]:
        found = await list_settlements(actor, invoice_id, after=page.after, limit=page.limit)
        return page.project(found, SettlementOut)


async def _numbered(get_paper: GetPaper, actor: Actor, invoice: Invoice) -> InvoiceOut:
    """An issued invoice with the number on its paper."""
    shown = InvoiceOut.of(invoice)
    if invoice.paper_id is None:
        return shown
    return shown.model_copy(update={"number": (await get_paper(actor, invoice.paper_id)).number})
