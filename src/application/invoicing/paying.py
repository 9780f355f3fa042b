"""Paying an invoice, in whole or in parts: by its reader, or by whoever holds its pay link."""

from dataclasses import dataclass
from datetime import date
from hmac import compare_digest
from typing import ClassVar
from uuid import UUID

from application.inputs import submitted
from application.invoicing.books import must_be_addressed
from application.parties import is_addressed
from application.ports.clock import Clock
from application.ports.criteria import AnyOf, Order
from application.ports.identity import OneTimeSecrets
from application.ports.ids import Ids
from application.ports.mail import Links
from application.ports.unit_of_work import Begin, Work
from application.sharing import NOTHING_SHARED, Sharing
from domain.invoicing import Bill, Invoice, InvoiceState, InvoiceStateRefused, MoreThanIsOwed, PaymentUnderWay, Seller
from domain.payments import NothingToPay, Payment, PaymentState
from domain.shared.actors import Actor
from domain.shared.errors import NotFound, Refusal, Unauthenticated
from domain.shared.ids import InvoiceId, OneTimeTokenId, PaperId, PaymentId, UserId
from domain.shared.money import Money

_LIVE = AnyOf(tuple(state for state in PaymentState if state not in (PaymentState.CAPTURED, PaymentState.CANCELLED)))


@submitted
class Instalment:
    """How much of the invoice to pay."""

    amount_minor: int | None = None
    """In the invoice's smallest unit; leave it out to pay all that is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceToPay:
    """An invoice and how its payment stands, as the holder of its link sees it. Where and by which secret the gateway
    takes the money is empty while it cannot be paid."""

    invoice_id: InvoiceId
    paper_id: PaperId
    number: str
    seller: Seller
    bill: Bill
    total: Money
    left: Money
    state: InvoiceState
    due_on: date | None
    payment_id: PaymentId | None
    payment: PaymentState | None
    price: Money
    failure: str
    gateway: str
    gateway_ref: str | None
    client_secret: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PayInvoice:
    """Pay an invoice, or a part of it. There is one payment at a time: one that is under way goes on, a failed one is
    tried again, and another amount waits until it is done."""

    begin: Begin
    clock: Clock
    ids: Ids
    sharing: Sharing = NOTHING_SHARED
    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        Unauthenticated,
        NotFound,
        InvoiceStateRefused,
        MoreThanIsOwed,
        NothingToPay,
        PaymentUnderWay,
    )

    async def __call__(self, actor: Actor, invoice_id: InvoiceId, instalment: Instalment = Instalment()) -> Payment:
        async with self.begin(actor) as work:
            invoice = await work.invoices.get(invoice_id)
            await must_be_addressed(work, actor, invoice)
            amount = invoice.left
            if instalment.amount_minor is not None:
                amount = Money(instalment.amount_minor, invoice.bill.currency)
            payer = actor.user_id if await is_addressed(work, actor, invoice) else invoice.reader_id
            payment = await _ask(work, invoice, amount, self.sharing, ids=self.ids, clock=self.clock, payer=payer)
            return work.answer(payment)


@dataclass(frozen=True, slots=True, kw_only=True)
class GetInvoiceLink:
    """The address where an invoice is seen and paid in a browser. Whoever has it may do both."""

    begin: Begin
    one_time_secrets: OneTimeSecrets
    links: Links
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, NotFound, InvoiceStateRefused)

    async def __call__(self, actor: Actor, invoice_id: InvoiceId) -> str:
        async with self.begin(actor) as work:
            invoice = await work.invoices.get(invoice_id)
            await must_be_addressed(work, actor, invoice)
        if not invoice.is_issued:
            raise InvoiceStateRefused("paid", invoice.state.value)
        return self.links.invoice(invoice_id, link_secret(self.one_time_secrets, invoice_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenInvoiceLink:
    """What an invoice asks for and how its payment stands, for whoever holds its link."""

    begin: Begin
    one_time_secrets: OneTimeSecrets
    refuses: ClassVar[tuple[type[Refusal], ...]] = (NotFound,)

    async def __call__(self, actor: Actor, invoice_id: InvoiceId, secret: str) -> InvoiceToPay:
        must_hold_link(self.one_time_secrets, "invoice", invoice_id, secret)
        async with self.begin(actor) as work:
            invoice = await work.invoices.get(invoice_id)
            if invoice.paper_id is None:
                raise NotFound.of("invoice", invoice_id)
            paper = await work.papers.get(invoice.paper_id)
            payment = await _latest(work, invoice_id)
        payable = payment is not None and payment.is_payable and invoice.awaits_payment
        return InvoiceToPay(
            invoice_id=invoice_id,
            paper_id=invoice.paper_id,
            number=paper.number,
            seller=paper.seller,
            bill=paper.bill,
            total=invoice.total,
            left=invoice.left,
            state=invoice.state,
            due_on=invoice.due_on,
            payment_id=PaymentId(payment.id) if payment else None,
            payment=payment.state if payment else None,
            price=payment.amount if payment else invoice.left,
            failure=payment.failure if payment else "",
            gateway=payment.gateway if payment else "",
            gateway_ref=payment.gateway_ref if payment and payable else None,
            client_secret=payment.client_secret if payment and payable else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PayByLink:
    """Begin to pay all that is left of an invoice, as the holder of its link; a payment under way goes on."""

    begin: Begin
    clock: Clock
    ids: Ids
    one_time_secrets: OneTimeSecrets
    sharing: Sharing = NOTHING_SHARED
    refuses: ClassVar[tuple[type[Refusal], ...]] = (NotFound, InvoiceStateRefused, NothingToPay)

    async def __call__(self, actor: Actor, invoice_id: InvoiceId, secret: str) -> Payment:
        must_hold_link(self.one_time_secrets, "invoice", invoice_id, secret)
        async with self.begin(actor) as work:
            invoice = await work.invoices.get(invoice_id)
            under_way = await _live(work, invoice_id)
            amount = under_way.amount if under_way else invoice.left
            payment = await _ask(
                work, invoice, amount, self.sharing, ids=self.ids, clock=self.clock, payer=invoice.reader_id
            )
            return work.answer(payment)


def link_secret(secrets: OneTimeSecrets, id: UUID) -> str:
    """What makes the link of a quote or an invoice work: derived from its own id, and kept nowhere."""
    return secrets.secret(OneTimeTokenId(id))


def must_hold_link(secrets: OneTimeSecrets, what: str, id: UUID, secret: str) -> None:
    """To whoever does not hold the link, there is nothing at its address."""
    if not compare_digest(secrets.digest(secret), secrets.digest(link_secret(secrets, id))):
        raise NotFound.of(what, id)


async def _ask(
    work: Work,
    invoice: Invoice,
    amount: Money,
    sharing: Sharing,
    *,
    ids: Ids,
    clock: Clock,
    payer: UserId | None,
) -> Payment:
    """The one payment of this amount: that which is under way, or a new one."""
    if not invoice.awaits_payment:
        raise InvoiceStateRefused("paid", invoice.state.value)
    if invoice.left < amount:
        raise MoreThanIsOwed(amount, invoice.left)
    work.guard(invoice)
    share = await sharing.share(work, invoice.organization_id, amount)
    if live := await _live(work, InvoiceId(invoice.id)):
        if live.amount != amount:
            raise PaymentUnderWay(live.amount)
        live.start(share)
        return live
    payment = Payment.request(
        id=PaymentId(ids.new()),
        invoice_id=InvoiceId(invoice.id),
        customer_id=payer,
        organization_id=invoice.organization_id,
        amount=amount,
        share=share,
        now=clock.now(),
    )
    work.payments.add(payment)
    return payment


async def _live(work: Work, invoice_id: InvoiceId) -> Payment | None:
    return await work.payments.first(invoice_id=invoice_id, state=_LIVE)


async def _latest(work: Work, invoice_id: InvoiceId) -> Payment | None:
    """The payment that is under way, else the last there was."""
    newest = Order("created_at", descending=True)
    return await _live(work, invoice_id) or await work.payments.first(invoice_id=invoice_id, order=newest)
