"""Writing: an organization's letterhead, and drafts of quotes and invoices that nobody else sees yet."""

from dataclasses import dataclass, fields
from typing import ClassVar

from application.invoicing.books import letterhead_of, must_keep_books, must_keep_books_of
from application.invoicing.drafts import (
    InvoiceDraft,
    InvoiceRevision,
    LetterheadDraft,
    QuoteDraft,
    QuoteRevision,
    bill_of,
    revised,
)
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.unit_of_work import Begin
from domain.invoicing import Invoice, InvoiceStateRefused, Letterhead, NotYourBooks, Quote, QuoteStateRefused, Seller
from domain.shared.actors import Actor
from domain.shared.errors import Invalid, NotFound, Outdated, Refusal, Unauthenticated
from domain.shared.ids import InvoiceId, OrganizationId, QuoteId


@dataclass(frozen=True, slots=True, kw_only=True)
class GetLetterhead:
    """How an organization signs its papers; the plainest there is, if it has not said. For its owners and managers."""

    begin: Begin
    clock: Clock
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, NotYourBooks, NotFound)

    async def __call__(self, actor: Actor, organization_id: OrganizationId) -> Letterhead:
        async with self.begin(actor) as work:
            await must_keep_books(work, actor, organization_id)
            return await letterhead_of(work, organization_id, now=self.clock.now())


@dataclass(frozen=True, slots=True, kw_only=True)
class WordLetterhead:
    """Say how an organization signs its papers. Papers that have left the house stay as they are."""

    begin: Begin
    clock: Clock
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, NotYourBooks, NotFound, Outdated, Invalid)

    async def __call__(self, actor: Actor, organization_id: OrganizationId, letterhead: LetterheadDraft) -> Letterhead:
        now = self.clock.now()
        async with self.begin(actor) as work:
            await must_keep_books(work, actor, organization_id)
            known = await work.letterheads.first(id=organization_id)
            kept = known or await letterhead_of(work, organization_id, now=now)
            kept.must_be(letterhead.expected_version)
            seller = Seller(**{field.name: getattr(letterhead, field.name) for field in fields(Seller)})
            kept.word(seller=seller, zone_name=letterhead.zone, now=now)
            if known is None:
                work.letterheads.add(kept)
            return work.answer(kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftInvoice:
    """Begin an invoice. It has no number and nobody else sees it until it is issued."""

    begin: Begin
    clock: Clock
    ids: Ids
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, NotYourBooks, NotFound, Invalid)

    async def __call__(self, actor: Actor, draft: InvoiceDraft) -> Invoice:
        async with self.begin(actor) as work:
            await must_keep_books(work, actor, draft.organization_id)
            invoice = Invoice.draft(
                id=InvoiceId(self.ids.new()),
                organization_id=draft.organization_id,
                bill=bill_of(draft),
                due_days=draft.due_days,
                now=self.clock.now(),
            )
            work.invoices.add(invoice)
            return work.answer(invoice)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviseInvoice:
    """Change a draft. What was issued is corrected by a credit note instead."""

    begin: Begin
    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        Unauthenticated,
        NotYourBooks,
        NotFound,
        InvoiceStateRefused,
        Outdated,
        Invalid,
    )

    async def __call__(self, actor: Actor, invoice_id: InvoiceId, revision: InvoiceRevision) -> Invoice:
        async with self.begin(actor) as work:
            invoice = await work.invoices.get(invoice_id)
            await must_keep_books_of(work, actor, invoice)
            invoice.must_be(revision.expected_version)
            due_days = invoice.due_days if revision.due_days is None else revision.due_days
            invoice.revise(bill=revised(invoice.bill, revision), due_days=due_days)
            return work.answer(invoice)


@dataclass(frozen=True, slots=True, kw_only=True)
class VoidInvoice:
    """Give a draft up. What was issued cannot be made void, only credited."""

    begin: Begin
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, NotYourBooks, NotFound, InvoiceStateRefused)

    async def __call__(self, actor: Actor, invoice_id: InvoiceId) -> Invoice:
        async with self.begin(actor) as work:
            invoice = await work.invoices.get(invoice_id)
            await must_keep_books_of(work, actor, invoice)
            invoice.void()
            return work.answer(invoice)


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftQuote:
    """Begin a quote. Nobody else sees it until it is sent."""

    begin: Begin
    clock: Clock
    ids: Ids
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, NotYourBooks, NotFound, Invalid)

    async def __call__(self, actor: Actor, draft: QuoteDraft) -> Quote:
        now = self.clock.now()
        async with self.begin(actor) as work:
            await must_keep_books(work, actor, draft.organization_id)
            letterhead = await letterhead_of(work, draft.organization_id, now=now)
            quote = Quote.draft(
                id=QuoteId(self.ids.new()),
                organization_id=draft.organization_id,
                year=letterhead.today(now).year,
                bill=bill_of(draft),
                valid_days=draft.valid_days,
                due_days=draft.due_days,
                now=now,
            )
            work.quotes.add(quote)
            work.number(quote, "sequence", series=quote.series)
            return work.answer(quote)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviseQuote:
    """Change a quote that was not sent yet."""

    begin: Begin
    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        Unauthenticated,
        NotYourBooks,
        NotFound,
        QuoteStateRefused,
        Outdated,
        Invalid,
    )

    async def __call__(self, actor: Actor, quote_id: QuoteId, revision: QuoteRevision) -> Quote:
        async with self.begin(actor) as work:
            quote = await work.quotes.get(quote_id)
            await must_keep_books_of(work, actor, quote)
            quote.must_be(revision.expected_version)
            quote.revise(
                bill=revised(quote.bill, revision),
                valid_days=quote.valid_days if revision.valid_days is None else revision.valid_days,
                due_days=quote.due_days if revision.due_days is None else revision.due_days,
            )
            return work.answer(quote)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscardQuote:
    """Throw a quote away that was not sent yet."""

    begin: Begin
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, NotYourBooks, NotFound, QuoteStateRefused)

    async def __call__(self, actor: Actor, quote_id: QuoteId) -> None:
        async with self.begin(actor) as work:
            quote = await work.quotes.get(quote_id)
            await must_keep_books_of(work, actor, quote)
            quote.discard()
            work.quotes.remove(quote)
