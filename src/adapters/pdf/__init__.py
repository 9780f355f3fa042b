"""Papers as PDF documents, set with fpdf2 in DejaVu Sans, which is embedded: every reader sees every letter."""

import asyncio

from application.ports.invoicing import InvoicePrinter, Sheet


class PdfPrinter(InvoicePrinter):
    """Sets A4 pages in a thread of its own. Nothing but the sheet decides the bytes: not the clock, not chance."""

    async def print(self, sheet: Sheet) -> bytes:
        return await asyncio.to_thread(_set, sheet)


def _set(sheet: Sheet) -> bytes:
    from adapters.pdf.pages import document  # noqa: PLC0415 - fpdf2 is heavy, and most processes print little

    return document(sheet)
