"""Quoting: an offer is sent, reminded of, answered once, and becomes one invoice."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from application.inputs import submitted
from application.invoicing.books import letterhead_of, must_keep_books_of
from application.invoicing.paying import link_secret, must_hold_link
from application.parties import is_addressed, manages
from application.ports.clock import Clock
from application.ports.identity import OneTimeSecrets
from application.ports.ids import Ids
from application.ports.mail import Links
from application.ports.unit_of_work import Begin, Work
from domain.invoicing import (
    Bill,
    Invoice,
    NobodyToWriteTo,
    NothingToBill,
    NotYourBooks,
    Quote,
    QuoteAccepted,
    QuoteDue,
    QuoteReminderDue,
    QuoteState,
    QuoteStateRefused,
    Seller,
)
from domain.shared.actors import Actor
from domain.shared.errors import NotFound, Refusal, Unauthenticated
from domain.shared.ids import InvoiceId, QuoteId
from domain.shared.money import Money

REMINDED_BEFORE = timedelta(days=3)


@submitted
class Answer:
    """Who answers, where that is not plain from who is signed in."""

    by: str = ""
    """The name of whoever says yes or no."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenQuote:
    """A quote as the holder of its link sees it."""

    quote_id: QuoteId
    reference: str
    seller: Seller
    bill: Bill
    total: Money
    state: QuoteState
    expires_at: datetime | None
    zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SendQuote:
    """Offer it: the buyer gets a mail with a link by which they accept or decline until it expires. Sending it again
    tells them again and changes no date."""

    begin: Begin
    clock: Clock
    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        Unauthenticated,
        NotYourBooks,
        NotFound,
        QuoteStateRefused,
        NobodyToWriteTo,
        NothingToBill,
    )

    async def __call__(self, actor: Actor, quote_id: QuoteId) -> Quote:
        now = self.clock.now()
        async with self.begin(actor) as work:
            quote = await work.quotes.get(quote_id)
            await must_keep_books_of(work, actor, quote)
            was_draft = quote.state is QuoteState.DRAFT
            quote.send(now=now)
            if was_draft and quote.expires_at is not None:
                work.schedule(QuoteDue(quote_id=quote_id), about=quote, at=quote.expires_at)
                if quote.expires_at - REMINDED_BEFORE > now:
                    remind_at = quote.expires_at - REMINDED_BEFORE
                    work.schedule(QuoteReminderDue(quote_id=quote_id), about=quote, at=remind_at)
            return work.answer(quote)


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptQuote:
    """Take up an offer while it is good: it becomes the draft of one invoice. Accepting twice is accepting once. Its
    buyer does so, or a manager who was told."""

    begin: Begin
    clock: Clock
    ids: Ids
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, NotFound, QuoteStateRefused)

    async def __call__(self, actor: Actor, quote_id: QuoteId, answer: Answer = Answer()) -> Quote:
        async with self.begin(actor) as work:
            quote = await work.quotes.get(quote_id)
            by = await _answerer(work, actor, quote, answer)
            quote.accept(invoice_id=InvoiceId(self.ids.new()), by=by, now=self.clock.now())
            return work.answer(quote)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclineQuote:
    """Turn an offer down."""

    begin: Begin
    clock: Clock
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, NotFound, QuoteStateRefused)

    async def __call__(self, actor: Actor, quote_id: QuoteId, answer: Answer = Answer()) -> Quote:
        async with self.begin(actor) as work:
            quote = await work.quotes.get(quote_id)
            by = await _answerer(work, actor, quote, answer)
            quote.decline(by=by, now=self.clock.now())
            return work.answer(quote)


@dataclass(frozen=True, slots=True, kw_only=True)
class GetQuoteLink:
    """The address where a sent quote is seen and answered in a browser. Whoever has it may do both."""

    begin: Begin
    one_time_secrets: OneTimeSecrets
    links: Links
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, NotYourBooks, NotFound, QuoteStateRefused)

    async def __call__(self, actor: Actor, quote_id: QuoteId) -> str:
        async with self.begin(actor) as work:
            quote = await work.quotes.get(quote_id)
            if not await is_addressed(work, actor, quote):
                await must_keep_books_of(work, actor, quote)
        if quote.state is QuoteState.DRAFT:
            raise QuoteStateRefused("answered", quote.state.value)
        return self.links.quote(quote_id, link_secret(self.one_time_secrets, quote_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenQuoteLink:
    """What is offered, for whoever holds the link. Looking changes nothing."""

    begin: Begin
    clock: Clock
    one_time_secrets: OneTimeSecrets
    refuses: ClassVar[tuple[type[Refusal], ...]] = (NotFound,)

    async def __call__(self, actor: Actor, quote_id: QuoteId, secret: str) -> OpenQuote:
        must_hold_link(self.one_time_secrets, "quote", quote_id, secret)
        now = self.clock.now()
        async with self.begin(actor) as work:
            quote = await work.quotes.get(quote_id)
            letterhead = await letterhead_of(work, quote.organization_id, now=now)
        if quote.state is QuoteState.DRAFT:
            raise NotFound.of("quote", quote_id)
        return OpenQuote(
            quote_id=quote_id,
            reference=quote.reference,
            seller=letterhead.seller,
            bill=quote.bill,
            total=quote.total,
            state=QuoteState.EXPIRED if quote.lapsed(now) else quote.state,
            expires_at=quote.expires_at,
            zone=letterhead.zone,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerByLink:
    """Accept or decline an offer as the holder of its link."""

    begin: Begin
    clock: Clock
    ids: Ids
    one_time_secrets: OneTimeSecrets
    refuses: ClassVar[tuple[type[Refusal], ...]] = (NotFound, QuoteStateRefused)

    async def __call__(self, actor: Actor, quote_id: QuoteId, secret: str, accepts: bool) -> Quote:
        must_hold_link(self.one_time_secrets, "quote", quote_id, secret)
        now = self.clock.now()
        async with self.begin(actor) as work:
            quote = await work.quotes.get(quote_id)
            by = f"the holder of the link sent to {quote.bill.buyer.email}"[:200]
            if accepts:
                quote.accept(invoice_id=InvoiceId(self.ids.new()), by=by, now=now)
            else:
                quote.decline(by=by, now=now)
            return work.answer(quote)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpireQuote:
    """When the time to answer is over, the offer is too; what was answered meanwhile stays."""

    begin: Begin
    clock: Clock

    async def __call__(self, actor: Actor, event: QuoteDue) -> None:
        async with self.begin(actor) as work:
            quote = await work.quotes.get(event.quote_id)
            if quote.lapsed(self.clock.now()):
                quote.expire()


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceQuote:
    """An accepted quote becomes the draft of one invoice, for just what was offered."""

    begin: Begin
    clock: Clock

    async def __call__(self, actor: Actor, event: QuoteAccepted) -> None:
        async with self.begin(actor) as work:
            if await work.invoices.first(quote_id=event.quote_id):
                return
            quote = await work.quotes.get(event.quote_id)
            invoice = Invoice.draft(
                id=event.invoice_id,
                organization_id=quote.organization_id,
                bill=quote.bill,
                due_days=quote.due_days,
                quote_id=event.quote_id,
                now=self.clock.now(),
            )
            work.invoices.add(invoice)


async def _answerer(work: Work, actor: Actor, quote: Quote, answer: Answer) -> str:
    """Who says yes or no; to those it is not offered to, it does not exist."""
    if not (await is_addressed(work, actor, quote) or await manages(work, actor, quote.organization_id)):
        raise NotFound.of("quote", quote.id)
    return answer.by or actor.principal
