"""Invoices at once: numbered without gaps, made of a quote once, paid by one payment at a time, credited once."""

from typing import Any

import asyncpg
import pytest

from application.invoicing import (
    AcceptQuote,
    BuyerDraft,
    Crediting,
    CreditInvoice,
    DraftInvoice,
    DraftQuote,
    InvoiceDraft,
    IssueInvoice,
    LineDraft,
    PayInvoice,
    QuoteDraft,
    SendQuote,
)
from domain.invoicing import Invoice, InvoiceStateRefused, Quote
from domain.shared.actors import SYSTEM
from tests.races.planted import NumberingByLooking, without_versions
from tests.races.town import Town, kinds

NUMBERS = "select array_agg(sequence order by sequence) from papers where kind = 'invoice'"


async def asked(town: Town) -> dict[str, Any]:
    """What every draft here says: 123.00 euros for Ann."""
    job = await town.job(await town.provider())
    line = LineDraft(description="Tuning", unit_price_minor=10_000, tax_basis_points=2300)
    buyer = BuyerDraft(name="Ann", email="ann@example.org")
    return {"organization_id": job.organization_id, "buyer": buyer, "currency": "EUR", "lines": (line,)}


async def drafts(town: Town, many: int) -> list[Invoice]:
    """That many drafts of one organization."""
    said = InvoiceDraft(**await asked(town))
    return [await town.ask(DraftInvoice, SYSTEM, said) for _ in range(many)]


async def many_are_issued_at_once(town: Town, many: int = 100) -> None:
    written = await drafts(town, many)
    papers, refused = await town.at_once(*(town.ask(IssueInvoice, SYSTEM, each.id) for each in written))
    assert not refused, f"{len(refused)} of {many} invoices were refused"
    assert await town.value(NUMBERS) == list(range(1, many + 1))
    stored = {row["id"]: row["sequence"] for row in await town.sql("select id, sequence from papers")}
    assert {paper.id: paper.sequence for paper in papers} == stored, "the issuer was told another number"


async def test_a_hundred_invoices_issued_at_once_are_numbered_without_gaps(town: Town) -> None:
    await many_are_issued_at_once(town)


async def test_numbers_that_are_looked_up_refuse_most_issuers(town: Town) -> None:
    with pytest.raises(AssertionError, match="were refused"):
        await many_are_issued_at_once(town.planted(NumberingByLooking), 40)


async def test_a_refused_issue_takes_no_number(town: Town) -> None:
    one, other = await drafts(town, 2)
    _, refused = await town.at_once(*(town.ask(IssueInvoice, SYSTEM, one.id) for _ in range(5)))
    assert (len(refused), kinds(refused)) == (4, {InvoiceStateRefused})
    await town.ask(IssueInvoice, SYSTEM, other.id)
    assert await town.value(NUMBERS) == [1, 2]


async def a_quote_becomes_one_invoice(town: Town) -> None:
    quote: Quote = await town.ask(DraftQuote, SYSTEM, QuoteDraft(**await asked(town)))
    await town.ask(SendQuote, SYSTEM, quote.id)
    answers, refused = await town.at_once(*(town.ask(AcceptQuote, SYSTEM, quote.id) for _ in range(2)))
    assert not refused
    await town.worker().all()
    invoices = await town.sql("select id from invoices where quote_id = $1", quote.id)
    accepted = await town.value("select count(*) from outbox where name = 'quote.accepted'")
    assert (len(invoices), accepted) == (1, 1), "accepted more than once"
    assert {answer.invoice_id for answer in answers} == {invoices[0]["id"]}


async def test_a_quote_accepted_twice_at_once_becomes_one_invoice(town: Town) -> None:
    await a_quote_becomes_one_invoice(town)


async def test_without_versions_it_is_accepted_twice(town: Town) -> None:
    with pytest.raises(AssertionError, match="more than once"):
        await a_quote_becomes_one_invoice(town.planted(without_versions))


async def issued(town: Town) -> Invoice:
    (invoice,) = await drafts(town, 1)
    await town.ask(IssueInvoice, SYSTEM, invoice.id)
    return invoice


async def one_payment_is_under_way(town: Town) -> None:
    invoice = await issued(town)
    payments, refused = await town.at_once(*(town.ask(PayInvoice, SYSTEM, invoice.id) for _ in range(3)))
    assert not refused
    assert await town.value("select count(*) from payments") == 1, "more than one payment"
    assert len({payment.id for payment in payments}) == 1


async def test_who_pays_from_three_windows_has_one_payment(town: Town) -> None:
    await one_payment_is_under_way(town)


async def test_without_the_index_there_are_three(town: Town) -> None:
    await town.owner.execute("drop index payments_one_live_per_invoice")
    town.is_planted = True
    with pytest.raises(AssertionError, match="more than one payment"):
        await one_payment_is_under_way(town)


async def no_more_is_credited_than_was_asked(town: Town) -> None:
    invoice = await issued(town)
    crediting = Crediting(reason="all of it")
    notes, refused = await town.at_once(*(town.ask(CreditInvoice, SYSTEM, invoice.id, crediting) for _ in range(3)))
    credited = await town.value("select sum(total_minor) from papers where kind = 'credit_note'")
    assert credited == invoice.total.amount_minor, "credited more than once"
    assert (len(notes), len(refused)) == (1, 2)


async def test_an_invoice_credited_from_three_windows_is_credited_once(town: Town) -> None:
    await no_more_is_credited_than_was_asked(town)


async def test_without_versions_it_is_credited_again(town: Town) -> None:
    with pytest.raises(AssertionError, match="credited more than once"):
        await no_more_is_credited_than_was_asked(town.planted(without_versions))


@pytest.mark.parametrize(
    "rewriting",
    ["update papers set total_minor = 1", "update papers set bill = '{}'", "delete from papers"],
)
async def test_what_was_issued_is_not_rewritten_even_by_the_owner(town: Town, rewriting: str) -> None:
    await issued(town)
    with pytest.raises(asyncpg.PostgresError, match="never changed or removed"):
        await town.owner.execute(rewriting)
