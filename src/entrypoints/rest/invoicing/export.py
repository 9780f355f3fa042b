"""Invoices as a table for spreadsheets. No cell begins a formula, whatever a buyer is called."""

import csv
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from fastapi import Response
from fastapi.responses import StreamingResponse

from application.invoicing import InvoiceView
from application.ports.criteria import Position
from application.ports.readers import Page

CSV = "text/csv; charset=utf-8"
AS_CSV: dict[str, Any] = {"content": {"text/csv": {"schema": {"type": "string"}}}}
"""What the docs say of an answer that is a table."""
AT_ONCE = 200
HEAD = (
    "number", "issued_on", "due_on", "state", "overdue", "buyer", "buyer_email", "buyer_tax_id", "currency",
    "net", "tax", "total", "paid", "credited", "left",
)  # fmt: skip
_BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")

Ask = Callable[[Position | None, int], Awaitable[Page[InvoiceView]]]


async def as_csv(ask: Ask) -> Response:
    """All that match, page after page; what cannot be listed is refused before anything is sent."""
    first = await ask(None, AT_ONCE)
    headers = {"Content-Disposition": 'attachment; filename="invoices.csv"', "Cache-Control": "private, no-store"}
    return StreamingResponse(_written(first, ask), media_type=CSV, headers=headers)


def harmless(text: str) -> str:
    """The text as no spreadsheet takes for a formula: with an apostrophe before what would begin one."""
    return f"'{text}" if text.startswith(_BEGINS_A_FORMULA) else text


async def _written(page: Page[InvoiceView], ask: Ask) -> AsyncIterator[str]:
    yield _lines([HEAD])
    while True:
        yield _lines([_cells(invoice) for invoice in page.items])
        if page.next is None:
            return
        page = await ask(page.next, AT_ONCE)


def _cells(invoice: InvoiceView) -> tuple[object, ...]:
    buyer, shares = invoice.bill.buyer, invoice.bill.shares
    currency = invoice.bill.currency
    sums = (sum(share.net_minor for share in shares), sum(share.tax_minor for share in shares))
    amounts = (invoice.total, invoice.paid, invoice.credited, invoice.left)
    return (
        invoice.number or "",
        invoice.issued_on or "",
        invoice.due_on or "",
        invoice.state.value,
        "yes" if invoice.overdue else "no",
        harmless(buyer.name),
        harmless(buyer.email),
        harmless(buyer.tax_id),
        currency,
        *(type(invoice.total)(amount, currency).decimal() for amount in sums),
        *(amount.decimal() for amount in amounts),
    )


def _lines(rows: list[tuple[object, ...]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
