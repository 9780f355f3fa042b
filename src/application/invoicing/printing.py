"""Printing: papers and quotes as documents, for those they are addressed to and those who wrote them."""

from dataclasses import dataclass
from typing import ClassVar

from application.invoicing.books import letterhead_of, must_keep_books_of
from application.invoicing.paying import must_hold_link
from application.invoicing.reading import GetPaper, PaperView
from application.parties import is_addressed
from application.ports.clock import Clock
from application.ports.identity import OneTimeSecrets
from application.ports.invoicing import InvoicePrinter, Sheet, SheetKind
from application.ports.readers import Readers
from application.ports.unit_of_work import Begin
from domain.invoicing import Letterhead, Paper, Quote
from domain.shared.actors import Actor
from domain.shared.errors import NotFound, Refusal, Unauthenticated
from domain.shared.ids import InvoiceId, PaperId, QuoteId
from domain.shared.time import zone


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """A document ready to be saved: the name of its file, and its bytes."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintPaper:
    """An invoice or credit note as a PDF document; the same bytes whenever it is asked for."""

    readers: Readers
    printer: InvoicePrinter
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, NotFound)

    async def __call__(self, actor: Actor, paper_id: PaperId) -> Printed:
        paper = await GetPaper(readers=self.readers)(actor, paper_id)
        return Printed(name=f"{paper.number}.pdf", content=await self.printer.print(sheet_of(paper)))


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintByLink:
    """An invoice as a PDF document, for whoever holds its link."""

    begin: Begin
    one_time_secrets: OneTimeSecrets
    printer: InvoicePrinter
    refuses: ClassVar[tuple[type[Refusal], ...]] = (NotFound,)

    async def __call__(self, actor: Actor, invoice_id: InvoiceId, secret: str) -> Printed:
        must_hold_link(self.one_time_secrets, "invoice", invoice_id, secret)
        async with self.begin(actor) as work:
            invoice = await work.invoices.get(invoice_id)
            if invoice.paper_id is None:
                raise NotFound.of("invoice", invoice_id)
            paper = await work.papers.get(invoice.paper_id)
        return Printed(name=f"{paper.number}.pdf", content=await self.printer.print(sheet_of(paper)))


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintQuote:
    """A quote as a PDF document, under the organization's present letterhead."""

    begin: Begin
    clock: Clock
    printer: InvoicePrinter
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, NotFound)

    async def __call__(self, actor: Actor, quote_id: QuoteId) -> Printed:
        async with self.begin(actor) as work:
            quote = await work.quotes.get(quote_id)
            if not await is_addressed(work, actor, quote):
                await must_keep_books_of(work, actor, quote)
            letterhead = await letterhead_of(work, quote.organization_id, now=self.clock.now())
        sheet = sheet_of_quote(quote, letterhead)
        return Printed(name=f"{quote.reference}.pdf", content=await self.printer.print(sheet))


def sheet_of(paper: Paper | PaperView) -> Sheet:
    """What is printed of a paper."""
    return Sheet(
        kind=SheetKind(paper.kind.value),
        number=paper.number,
        seller=paper.seller,
        bill=paper.bill,
        shares=paper.shares,
        total=paper.total,
        issued_on=paper.issued_on,
        until=paper.due_on,
        corrects=paper.corrects,
        reason=paper.reason,
    )


def sheet_of_quote(quote: Quote, letterhead: Letterhead) -> Sheet:
    """What is printed of a quote: dated when it was sent, or while it is a draft when it was written."""
    expires_at = quote.expires_at
    return Sheet(
        kind=SheetKind.QUOTE,
        number=quote.reference,
        seller=letterhead.seller,
        bill=quote.bill,
        shares=quote.bill.shares,
        total=quote.total,
        issued_on=letterhead.today(quote.sent_at or quote.created_at),
        until=None if expires_at is None else expires_at.astimezone(zone(letterhead.zone)).date(),
    )
