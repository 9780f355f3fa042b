"""Quotes and invoices: what they come to, which steps they take, and that nothing is lost in rounding."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.invoicing import (
    Bill,
    Buyer,
    CreditNoteIssued,
    Invoice,
    InvoiceOverdue,
    InvoiceOverpaid,
    InvoicePaid,
    InvoiceSettled,
    InvoiceState,
    InvoiceStateRefused,
    Letterhead,
    Line,
    MoreThanIsLeft,
    MoreThanIsOwed,
    NobodyToWriteTo,
    NothingToBill,
    NotReceivedByHand,
    Paper,
    PaperKind,
    Quote,
    QuoteAccepted,
    QuoteState,
    QuoteStateRefused,
    Settlement,
    SettlementKind,
    half_even,
    number_of,
    shares_of,
)
from domain.shared.errors import Invalid
from domain.shared.ids import InvoiceId, OrganizationId, PaperId, QuoteId, SettlementId, UserId
from domain.shared.money import Money

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ORGANIZATION = OrganizationId(UUID(int=1))
BUYER = Buyer(name="Ana", email="ana@example.org")
CURRENCIES = ("JPY", "EUR", "KWD")
"""Of no, two and three decimal places."""


def letterhead(zone: str = "UTC") -> Letterhead:
    head = Letterhead.plain(id=ORGANIZATION, name="North & Co.", now=NOW)
    head.word(seller=head.seller, zone_name=zone, now=NOW)
    return head


def bill(*lines: Line, currency: str = "EUR", tax_included: bool = False) -> Bill:
    return Bill(buyer=BUYER, currency=currency, lines=lines or (line(),), tax_included=tax_included)


def line(price: int = 10_000, **said: Any) -> Line:
    return Line(**{"description": "Work", "unit_price_minor": price, **said})


def drafted(asked: Bill | None = None) -> Invoice:
    return Invoice.draft(
        id=InvoiceId(uuid4()), organization_id=ORGANIZATION, bill=asked or bill(), due_days=14, now=NOW
    )


def issued(asked: Bill | None = None) -> Invoice:
    invoice = drafted(asked)
    invoice.issue(paper_id=PaperId(uuid4()), letterhead=letterhead(), now=NOW)
    invoice.take_events()
    return invoice


def settled(invoice: Invoice, amount: int, kind: SettlementKind = SettlementKind.GATEWAY) -> list[type]:
    """Count an amount; answers what the invoice tells of it."""
    settlement = Settlement(
        id=SettlementId(uuid4()),
        invoice_id=InvoiceId(invoice.id),
        organization_id=ORGANIZATION,
        kind=kind,
        source=f"{kind.value}:{uuid4()}",
        amount=Money(amount, invoice.bill.currency),
        received_on=date(2026, 3, 2),
        created_at=NOW,
    )
    invoice.settle(settlement)
    return [type(event) for event in invoice.take_events()]


def credited(invoice: Invoice, *lines: Line) -> Paper:
    """A credit note for these lines, or for the rest."""
    return invoice.credit(
        id=PaperId(uuid4()), lines=lines, reason="broken", number="2026-0001", letterhead=letterhead(), now=NOW
    )


# --- What a bill comes to ---------------------------------------------------------------------------------------------


def test_lines_are_counted_in_thousandths_and_rounded_half_to_even() -> None:
    assert line(333, quantity_thousandths=1500).amount_minor == 500  # 499.5
    assert line(335, quantity_thousandths=500).amount_minor == 168  # 167.5
    assert line(333, quantity_thousandths=500).amount_minor == 166  # 166.5
    assert [half_even(n, 2) for n in (1, 3, 5, -1, -3)] == [0, 2, 2, 0, -2]


def test_the_discount_by_rate_comes_off_before_the_one_by_amount() -> None:
    cheaper = line(10_000, discount_basis_points=1000, discount_minor=500)
    assert (cheaper.before_discount, cheaper.discount, cheaper.amount_minor) == (10_000, 1_500, 8_500)
    assert line(10_000, discount_basis_points=10_000).amount_minor == 0
    with pytest.raises(Invalid) as refused:
        line(10_000, discount_basis_points=1000, discount_minor=9_001)
    assert refused.value.details["most"] == 9_000


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("quantity_thousandths", 0),
        ("quantity_thousandths", 10**9 + 1),
        ("unit_price_minor", -1),
        ("discount_basis_points", 10_001),
        ("tax_basis_points", -1),
        ("discount_minor", True),
        ("description", " "),
        ("unit", "x" * 21),
    ],
)
def test_a_line_that_makes_no_sense_is_refused_by_its_field(field: str, value: Any) -> None:
    with pytest.raises(Invalid) as refused:
        line(**{field: value})
    assert refused.value.details["field"] == f"lines.{field}"


def test_tax_is_figured_once_per_rate_and_comes_on_top_or_is_in_the_price() -> None:
    cents = [line(33, tax_basis_points=1000) for _ in range(3)]
    on_top = bill(*cents, line(1000, tax_basis_points=0))
    assert [(s.tax_basis_points, s.net_minor, s.tax_minor) for s in on_top.shares] == [(0, 1000, 0), (1000, 99, 10)]
    assert on_top.total == Money(1109, "EUR")
    inside = bill(line(11_900, tax_basis_points=1900), tax_included=True)
    assert [(s.net_minor, s.tax_minor) for s in inside.shares] == [(10_000, 1_900)]
    assert inside.total == Money(11_900, "EUR")


def test_a_bill_of_more_money_than_there_is_is_refused() -> None:
    with pytest.raises(Invalid, match="more money"):
        bill(*(line(10**12, quantity_thousandths=10**6) for _ in range(2)))
    with pytest.raises(Invalid, match="at most 200 lines"):
        bill(*(line() for _ in range(201)))
    with pytest.raises(Invalid, match="not a currency"):
        bill(currency="XXX")


@pytest.mark.parametrize("email", ["no address", "a@b@c", "Ana <ana@example.org>", "ana@"])
def test_a_buyer_is_written_to_at_an_address_or_not_at_all(email: str) -> None:
    assert Buyer(name="Ana", email="ANA@Example.org").email == "ana@example.org"
    with pytest.raises(Invalid):
        Buyer(name="Ana", email=email)


lines = st.lists(
    st.builds(
        Line,
        description=st.just("Work"),
        quantity_thousandths=st.integers(1, 20_000),
        unit_price_minor=st.integers(0, 10**7),
        discount_basis_points=st.integers(0, 10_000),
        tax_basis_points=st.sampled_from([0, 500, 550, 700, 1900, 2300, 10_000]),
    ),
    min_size=1,
    max_size=8,
).map(tuple)


@settings(max_examples=150, deadline=None)
@given(lines, st.sampled_from(CURRENCIES), st.booleans())
def test_the_parts_add_up_to_the_whole_in_every_currency(some: tuple[Line, ...], currency: str, included: bool) -> None:
    asked = bill(*some, currency=currency, tax_included=included)
    amounts = sum(each.amount_minor for each in some)
    assert amounts == sum(share.amount_minor for share in asked.shares)
    assert all(0 <= each.amount_minor <= each.before_discount for each in some)
    nets, taxes = (sum(getattr(share, f"{part}_minor") for share in asked.shares) for part in ("net", "tax"))
    assert asked.total == Money(nets + taxes, currency)
    assert asked.total.amount_minor == (amounts if included else amounts + taxes)
    for share in asked.shares:
        assert (
            abs(share.net_minor * share.tax_basis_points - share.tax_minor * 10_000) <= 5_000 + share.tax_basis_points
        )
        assert min(share.net_minor, share.tax_minor) >= 0


@settings(max_examples=150, deadline=None)
@given(lines, st.sampled_from(CURRENCIES), st.booleans(), st.data())
def test_credit_notes_in_whatever_parts_reverse_an_invoice_to_the_last_unit(
    some: tuple[Line, ...], currency: str, included: bool, data: st.DataObject
) -> None:
    asked = bill(*some, currency=currency, tax_included=included)
    if asked.total.is_zero:
        return
    invoice, notes = issued(asked), []
    for share in asked.shares:
        part = data.draw(st.integers(0, share.amount_minor))
        if part:
            notes.append(credited(invoice, line(part, tax_basis_points=share.tax_basis_points)))
    if invoice.credited != invoice.total:
        notes.append(credited(invoice))
    assert sum(note.total.amount_minor for note in notes) == asked.total.amount_minor
    for wanted in asked.shares:
        parts = [s for note in notes for s in note.shares if s.tax_basis_points == wanted.tax_basis_points]
        for figure in ("amount_minor", "net_minor", "tax_minor"):
            assert sum(getattr(part, figure) for part in parts) == getattr(wanted, figure)
        assert all(min(part.net_minor, part.tax_minor) >= 0 for part in parts)
    assert invoice.state is InvoiceState.CREDITED
    with pytest.raises(MoreThanIsLeft):
        credited(invoice, line(1, tax_basis_points=asked.shares[0].tax_basis_points))


# --- An invoice -------------------------------------------------------------------------------------------------------


def test_an_issued_invoice_is_dated_by_the_calendar_of_its_organization() -> None:
    new_year = datetime(2026, 12, 31, 12, 0, tzinfo=UTC)
    invoice = drafted()
    paper = invoice.issue(paper_id=PaperId(uuid4()), letterhead=letterhead("Pacific/Auckland"), now=new_year)
    assert (paper.year, paper.issued_on, paper.due_on) == (2027, date(2027, 1, 1), date(2027, 1, 15))
    assert paper.series == f"invoices:{ORGANIZATION}:2027"
    assert (invoice.state, invoice.due_on, invoice.paper_id) == (InvoiceState.ISSUED, paper.due_on, paper.id)
    assert (paper.bill, paper.total, paper.kind) == (invoice.bill, invoice.total, PaperKind.INVOICE)


def test_numbers_are_said_with_their_year() -> None:
    assert number_of(PaperKind.INVOICE, 2026, 1) == "2026-0001"
    assert number_of(PaperKind.CREDIT_NOTE, 2026, 12_345) == "C2026-12345"


def test_only_a_draft_is_revised_issued_or_made_void() -> None:
    done, void = issued(), drafted()
    void.void()
    for invoice in (done, void):
        for step in (
            lambda it: it.revise(bill=bill(), due_days=1),
            lambda it: it.void(),
            lambda it: it.issue(paper_id=PaperId(uuid4()), letterhead=letterhead(), now=NOW),
        ):
            with pytest.raises(InvoiceStateRefused):
                step(invoice)
    draft = drafted()
    for step in (lambda it: it.send(now=NOW), lambda it: credited(it), lambda it: settled(it, 1)):
        with pytest.raises(InvoiceStateRefused):
            step(draft)
    assert (done.reader_email, draft.reader_email, void.reader_email) == ("ana@example.org", "", "")


def test_what_comes_to_nothing_is_not_asked_for_and_what_has_no_address_not_sent() -> None:
    with pytest.raises(NothingToBill):
        issued(bill(line(0)))
    nameless = issued(replace(bill(), buyer=Buyer(name="Somebody")))
    with pytest.raises(NobodyToWriteTo):
        nameless.send(now=NOW)


def test_a_revised_draft_may_change_its_currency() -> None:
    invoice = drafted()
    invoice.revise(bill=bill(currency="JPY"), due_days=7)
    assert (invoice.total.currency, invoice.paid.currency, invoice.left) == ("JPY", "JPY", Money(10_000, "JPY"))


def test_an_invoice_is_paid_in_parts() -> None:
    invoice = issued()
    assert settled(invoice, 4_000) == [InvoiceSettled]
    assert (invoice.state, invoice.left) == (InvoiceState.PARTLY_PAID, Money(6_000, "EUR"))
    invoice.fall_due()
    assert [type(event) for event in invoice.take_events()] == [InvoiceOverdue]
    assert settled(invoice, 6_000) == [InvoiceSettled, InvoicePaid]
    assert (invoice.state, invoice.overdue) == (InvoiceState.PAID, False)
    invoice.fall_due()
    assert not invoice.overdue
    assert settled(invoice, -6_000, SettlementKind.REFUND) == [InvoiceSettled]
    assert invoice.state is InvoiceState.PARTLY_PAID


def test_what_is_paid_too_much_is_said() -> None:
    invoice = issued()
    assert settled(invoice, 12_000) == [InvoiceSettled, InvoicePaid, InvoiceOverpaid]
    assert (invoice.state, invoice.left) == (InvoiceState.PAID, Money(-2_000, "EUR"))
    assert settled(invoice, -2_000, SettlementKind.REFUND) == [InvoiceSettled]


def test_by_hand_no_more_is_recorded_than_is_left_nor_taken_back_than_was() -> None:
    invoice = issued()
    with pytest.raises(MoreThanIsOwed):
        invoice.record(Money(10_001, "EUR"))
    invoice.record(Money(10_000, "EUR"))
    settled(invoice, 3_000, SettlementKind.BY_HAND)
    settled(invoice, 7_000)
    with pytest.raises(NotReceivedByHand):
        invoice.record(Money(-3_001, "EUR"))
    invoice.record(Money(-3_000, "EUR"))


def test_a_credit_note_closes_an_open_invoice_and_gives_back_from_a_paid_one() -> None:
    invoice = issued()
    note = credited(invoice, line(4_000))
    assert (note.total, note.corrects, invoice.state) == (Money(4_000, "EUR"), "2026-0001", InvoiceState.ISSUED)
    assert [type(event) for event in invoice.take_events()] == [CreditNoteIssued]
    credited(invoice)
    assert [type(event) for event in invoice.take_events()] == [CreditNoteIssued, InvoicePaid]
    assert invoice.state is InvoiceState.CREDITED
    paid = issued()
    settled(paid, 10_000)
    credited(paid)
    assert [type(event) for event in paid.take_events()] == [CreditNoteIssued, InvoiceOverpaid]
    assert settled(paid, -10_000, SettlementKind.REFUND) == [InvoiceSettled]
    assert paid.state is InvoiceState.CREDITED


def test_a_credit_note_takes_back_only_taxes_the_invoice_had() -> None:
    invoice = issued(bill(line(10_000, tax_basis_points=1900)))
    with pytest.raises(MoreThanIsLeft) as refused:
        credited(invoice, line(1, tax_basis_points=700))
    assert refused.value.details["left"] == 0
    with pytest.raises(MoreThanIsLeft):
        credited(invoice, line(10_001, tax_basis_points=1900))
    assert shares_of(credited(invoice).bill.lines, included=False) == invoice.bill.shares


# --- A quote ----------------------------------------------------------------------------------------------------------


def quoted(**said: Any) -> Quote:
    usual = {"id": QuoteId(uuid4()), "organization_id": ORGANIZATION, "year": 2026, "bill": bill()}
    return Quote.draft(**{**usual, "valid_days": 30, "due_days": 14, "now": NOW, **said})


def test_a_quote_is_good_from_its_sending_until_it_expires() -> None:
    quote = quoted()
    assert quote.reader_email == ""
    quote.send(now=NOW)
    assert (quote.expires_at, quote.reader_email) == (NOW + timedelta(days=30), "ana@example.org")
    quote.send(now=NOW + timedelta(days=2))
    assert (quote.expires_at, quote.sendings) == (NOW + timedelta(days=30), 2)
    late = NOW + timedelta(days=30)
    for step in (
        lambda: quote.accept(invoice_id=InvoiceId(uuid4()), by="ana", now=late),
        lambda: quote.decline(by="ana", now=late),
        lambda: quote.send(now=late),
    ):
        with pytest.raises(QuoteStateRefused) as refused:
            step()
        assert refused.value.details["state"] == "expired"
    quote.expire()
    assert quote.state is QuoteState.EXPIRED


def test_accepting_twice_is_accepting_once() -> None:
    quote, first = quoted(), InvoiceId(uuid4())
    quote.send(now=NOW)
    quote.take_events()
    quote.accept(invoice_id=first, by="ana", now=NOW)
    quote.accept(invoice_id=InvoiceId(uuid4()), by="ana again", now=NOW)
    assert quote.invoice_id == first
    assert quote.take_events() == [QuoteAccepted(quote_id=quote.id, invoice_id=first)]
    with pytest.raises(QuoteStateRefused):
        quote.decline(by="ana", now=NOW)


def test_only_a_draft_is_revised_or_discarded() -> None:
    quote = quoted()
    quote.revise(bill=bill(line(5)), valid_days=7, due_days=0)
    quote.discard()
    assert quote.total == Money(5, "EUR")
    quote.send(now=NOW)
    with pytest.raises(QuoteStateRefused):
        quote.revise(bill=bill(), valid_days=7, due_days=0)
    with pytest.raises(QuoteStateRefused):
        quote.discard()
    with pytest.raises(Invalid):
        quoted(valid_days=0)
    with pytest.raises(NothingToBill):
        quoted(bill=bill(line(0))).send(now=NOW)


def test_a_buyer_may_be_a_user() -> None:
    ana = UserId(uuid4())
    quote = quoted(bill=replace(bill(), buyer=replace(BUYER, user_id=ana)))
    assert quote.reader_id is None
    quote.send(now=NOW)
    assert quote.reader_id == ana
