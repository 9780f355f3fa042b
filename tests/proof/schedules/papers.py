"""Quotes, invoices and files where they meet: two more sets of scenes, and who meets there."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from application.files import DeleteFile, RequestUpload, SweepFiles, Upload
from application.invoicing import (
    AcceptQuote,
    AnswerByLink,
    BookingBill,
    BuyerDraft,
    Crediting,
    CreditInvoice,
    DeclineQuote,
    DiscardQuote,
    DraftInvoice,
    DraftQuote,
    ExpireQuote,
    FallDue,
    Instalment,
    InvoiceBooking,
    InvoiceDraft,
    InvoiceQuote,
    InvoiceRevision,
    IssueInvoice,
    LetterheadDraft,
    LineDraft,
    PayByLink,
    PayInvoice,
    QuoteDraft,
    QuoteRevision,
    Receipt,
    RecordReceipt,
    ReviseInvoice,
    ReviseQuote,
    SendInvoice,
    SendQuote,
    SettleInvoice,
    UnsettleInvoice,
    VoidInvoice,
    WordLetterhead,
)
from application.payments import AbandonRival, GetCheckout, RefreshPayment, RefundOverpaid, RefundPayment, Repayment
from application.profiles import ProfileChanges, UpdateProfile
from domain.files import Bucket, Content
from domain.invoicing import InvoiceReminderDue, QuoteDue, Reminder
from domain.shared.actors import ANONYMOUS, SYSTEM
from domain.shared.ids import FileId, OneTimeTokenId
from tests.proof.schedules.scenes import ADMIN, ONE_TIME, Stage, scene

Known = dict[str, Any]
PartOf = Callable[[str, str, type, Callable[[Known], tuple[Any, ...]]], None]
LINE = LineDraft(description="Tuning", unit_price_minor=10_000, tax_basis_points=2300)


def said(known: Known) -> dict[str, Any]:
    """What every draft here says: 123.00 euros for Ann."""
    buyer = BuyerDraft(name="Ann", email="ann@example.org")
    return {"organization_id": known["guild"], "buyer": buyer, "currency": "EUR", "lines": (LINE,)}


@scene
async def some_invoices(stage: Stage) -> None:
    """All of Vera's to Ann: a draft; one of which a part was paid, as nobody has heard; a paid one, of which some went
    back, as nobody has heard either; one that is being paid while cash for it is recorded; and one that was paid both
    ways."""
    await stage.marketplace()
    vera, ann = stage.known["vera"], stage.known["ann"]
    for name in ("draft invoice", "invoice", "paid invoice", "contested invoice", "overpaid invoice"):
        drafted = await stage.use(DraftInvoice)(vera, InvoiceDraft(**said(stage.known)))
        stage.known[name] = drafted.id
        if name != "draft invoice":
            await stage.use(IssueInvoice)(vera, drafted.id)
    payment = await stage.use(PayInvoice)(ann, stage.known["paid invoice"])
    await _paid(stage, payment.id)
    await stage.work()
    await stage.use(RefundPayment)(vera, payment.id, Repayment(amount_minor=1_000))
    await stage.work("refund.succeeded")
    stage.known["refunded"] = stage.event("refund.succeeded")
    twice = await stage.use(PayInvoice)(ann, stage.known["overpaid invoice"])
    await stage.use(PayInvoice)(ann, stage.known["contested invoice"])
    await stage.work("refund.succeeded")
    for name in ("overpaid invoice", "contested invoice"):
        await stage.use(RecordReceipt)(vera, stage.known[name], Receipt(amount_minor=5_000, reason="cash"))
    stage.known["settled"] = stage.event("invoice.settled")
    await _paid(stage, twice.id)
    await stage.work(*UNHEARD)
    stage.known["overpaid"] = stage.event("invoice.overpaid")
    part = await stage.use(PayInvoice)(ann, stage.known["invoice"], Instalment(amount_minor=4_000))
    await _paid(stage, part.id)
    stage.known["captured"] = stage.event("payment.captured")


UNHEARD = ("refund.succeeded", "invoice.settled", "invoice.overpaid")


async def _paid(stage: Stage, payment_id: Any) -> None:
    await stage.work(*UNHEARD)
    ann = stage.known["ann"]
    checkout = await stage.use(GetCheckout)(ann, payment_id)
    assert checkout.gateway_ref, checkout
    await stage.ports["gateway"].confirm(checkout.gateway_ref, checkout.client_secret, "ok")
    await stage.use(RefreshPayment)(ann, payment_id)


@scene
async def some_quotes(stage: Stage) -> None:
    """A draft, one that was sent, one whose time is over, and one that was accepted and is about to become an invoice;
    and a paid booking."""
    await stage.marketplace()
    vera, ann = stage.known["vera"], stage.known["ann"]
    for name in ("draft quote", "quote", "late quote", "accepted quote"):
        drafted = await stage.use(DraftQuote)(
            vera, QuoteDraft(**said(stage.known), valid_days=1 + 29 * (name == "quote"))
        )
        stage.known[name] = drafted.id
        if name != "draft quote":
            await stage.use(SendQuote)(vera, drafted.id)
    await stage.book("booking")
    await stage.pay("booking")
    await stage.use(AcceptQuote)(ann, stage.known["accepted quote"])
    stage.known["accepted"] = stage.event("quote.accepted")
    stage.clock.advance(timedelta(days=3))


@scene
async def some_files(stage: Stage) -> None:
    """Ann has brought a picture, which she does not show yet, and never sent another; there is room for one more."""
    ann = await stage.person("ann")
    upload = Upload(bucket=Bucket.AVATARS, name="me.jpg", content_type="image/jpeg", size=1_000)
    announced = await stage.use(RequestUpload)(ann, upload)
    digest = "0" * 64
    content = Content(
        content_type="image/jpeg", size=900, sha256=digest, arrived_size=1_000, arrived_sha256=digest, width=1, height=1
    )
    async with stage.begin(SYSTEM) as work:
        file = await work.files.get(FileId(announced.id))
        file.keep(content, now=stage.clock.now())
    stage.known["file"] = announced.id
    abandoned = Upload(bucket=Bucket.AVATARS, name="a.jpg", content_type="image/jpeg", size=500)
    await stage.use(RequestUpload)(ann, abandoned)
    stage.clock.advance(timedelta(hours=2))


def parts(part: PartOf) -> None:
    """Everybody who meets in these scenes."""
    invoices, quotes = "some_invoices", "some_quotes"
    part(
        invoices, "revise the draft", ReviseInvoice, lambda k: (k["mia"], k["draft invoice"], InvoiceRevision(note="x"))
    )
    part(invoices, "draft another", DraftInvoice, lambda k: (k["mia"], InvoiceDraft(**said(k))))
    part(quotes, "draft another", DraftQuote, lambda k: (k["mia"], QuoteDraft(**said(k))))
    part(invoices, "issue the draft", IssueInvoice, lambda k: (k["vera"], k["draft invoice"]))
    part(invoices, "give up the draft", VoidInvoice, lambda k: (k["mia"], k["draft invoice"]))
    part(invoices, "send it", SendInvoice, lambda k: (k["vera"], k["invoice"]))
    part(invoices, "pay the rest", PayInvoice, lambda k: (k["ann"], k["invoice"]))
    part(
        invoices,
        "pay it by its link",
        PayByLink,
        lambda k: (ANONYMOUS, k["invoice"], ONE_TIME.secret(OneTimeTokenId(k["invoice"]))),
    )
    part(
        invoices,
        "record cash",
        RecordReceipt,
        lambda k: (k["vera"], k["invoice"], Receipt(amount_minor=9_000, reason="cash")),
    )
    part(invoices, "credit all of it", CreditInvoice, lambda k: (k["vera"], k["invoice"], Crediting(reason="it leaks")))
    part(invoices, "hear that a part is paid", SettleInvoice, lambda k: (SYSTEM, k["captured"]))
    part(invoices, "hear that some went back", UnsettleInvoice, lambda k: (SYSTEM, k["refunded"]))
    part(
        invoices,
        "credit what is paid",
        CreditInvoice,
        lambda k: (k["mia"], k["paid invoice"], Crediting(reason="a gift")),
    )
    part(
        invoices,
        "give back what is too much",
        RefundOverpaid,
        lambda k: (SYSTEM, k["overpaid"]),
    )
    part(invoices, "close the other payment", AbandonRival, lambda k: (SYSTEM, k["settled"]))
    part(
        invoices,
        "record more cash",
        RecordReceipt,
        lambda k: (k["mia"], k["contested invoice"], Receipt(amount_minor=7_300, reason="cash")),
    )
    part(
        invoices,
        "fall due",
        FallDue,
        lambda k: (SYSTEM, InvoiceReminderDue(invoice_id=k["invoice"], reminder=Reminder.OVERDUE)),
    )
    part(
        invoices,
        "word the letterhead",
        WordLetterhead,
        lambda k: (k["vera"], k["guild"], LetterheadDraft(name="Guild Lda.")),
    )
    part(quotes, "accept", AcceptQuote, lambda k: (k["ann"], k["quote"]))
    part(
        quotes,
        "accept by the link",
        AnswerByLink,
        lambda k: (ANONYMOUS, k["quote"], ONE_TIME.secret(OneTimeTokenId(k["quote"])), True),
    )
    part(quotes, "decline", DeclineQuote, lambda k: (k["ann"], k["quote"]))
    part(quotes, "let it expire", ExpireQuote, lambda k: (SYSTEM, QuoteDue(quote_id=k["late quote"])))
    part(quotes, "accept the late one", AcceptQuote, lambda k: (k["ann"], k["late quote"]))
    part(quotes, "make the invoice", InvoiceQuote, lambda k: (SYSTEM, k["accepted"]))
    part(quotes, "revise the draft", ReviseQuote, lambda k: (k["mia"], k["draft quote"], QuoteRevision(note="x")))
    part(quotes, "send the draft", SendQuote, lambda k: (k["vera"], k["draft quote"]))
    part(quotes, "throw the draft away", DiscardQuote, lambda k: (k["mia"], k["draft quote"]))
    part(quotes, "invoice the booking", InvoiceBooking, lambda k: (k["vera"], k["booking"], BookingBill()))
    files = "some_files"
    part(files, "delete it", DeleteFile, lambda k: (k["ann"], k["file"]))
    part(files, "show it", UpdateProfile, lambda k: (k["ann"], ProfileChanges(avatar_id=str(k["file"]))))
    part(
        files,
        "announce another",
        RequestUpload,
        lambda k: (k["ann"], Upload(bucket=Bucket.AVATARS, name="b.jpg", content_type="image/jpeg", size=400)),
    )
    part(files, "sweep what was never sent", SweepFiles, lambda k: (ADMIN,))
