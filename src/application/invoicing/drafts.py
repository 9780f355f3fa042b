"""What is submitted to write a letterhead, a quote or an invoice, and the bill it amounts to."""

from dataclasses import fields
from typing import Any

from application.inputs import submitted
from domain.invoicing import Bill, Buyer, Line
from domain.shared.ids import OrganizationId, UserId


@submitted
class BuyerDraft:
    """Who is to pay."""

    name: str
    """The name on the paper."""
    email: str = ""
    """Where it is sent; whoever has confirmed this address in the house sees it there."""
    address: str = ""
    """The postal address, line by line."""
    tax_id: str = ""
    """Their tax number, where the law wants it."""
    user_id: UserId | None = None
    """The user they are, if any."""


@submitted
class LineDraft:
    """One thing that is offered or asked for."""

    description: str
    """What it is."""
    unit_price_minor: int
    """What one costs, in the currency's smallest unit."""
    quantity_thousandths: int = 1000
    """How many, in thousandths: 1500 is one and a half."""
    unit: str = ""
    """What is counted, such as "h" or "m"."""
    discount_basis_points: int = 0
    """Taken off first: 500 is 5 %."""
    discount_minor: int = 0
    """Taken off after that, in the currency's smallest unit; never more than the line comes to."""
    tax_basis_points: int = 0
    """The tax rate: 1900 is 19 %."""


@submitted
class LetterheadDraft:
    """How an organization signs its papers from now on."""

    expected_version: int | None = None
    """The version of the letterhead you saw; refused when it has changed since."""
    name: str
    """The name of the business, as the law wants it."""
    address: str = ""
    """Its postal address, line by line."""
    tax_id: str = ""
    """Its tax number."""
    email: str = ""
    """Where buyers may ask."""
    payment: str = ""
    """How it may be paid other than by the link, such as a bank account; line by line."""
    footer: str = ""
    """A line at the foot of every page."""
    zone: str = "UTC"
    """The IANA time zone whose calendar dates papers, and starts their numbers anew each year."""


@submitted
class InvoiceDraft:
    """What is to be asked for, and of whom."""

    organization_id: OrganizationId
    """The organization that asks."""
    buyer: BuyerDraft
    """Who is to pay."""
    currency: str
    """The currency of every price, such as "EUR"."""
    lines: tuple[LineDraft, ...] = ()
    """What is asked for, up to 200 lines."""
    tax_included: bool = False
    """Whether the prices have the tax in them; else it comes on top."""
    note: str = ""
    """Printed below the lines."""
    due_days: int = 14
    """How many days there are to pay, counted from the day it is issued."""


@submitted
class InvoiceRevision:
    """What shall be different about a draft; what is left out stays. Each field is as in a new one."""

    expected_version: int | None = None
    """The version of the draft you saw; refused when it has changed since."""
    buyer: BuyerDraft | None = None
    """Who is to pay."""
    currency: str | None = None
    """The currency of every price."""
    lines: tuple[LineDraft, ...] | None = None
    """All lines."""
    tax_included: bool | None = None
    """Whether the prices have the tax in them."""
    note: str | None = None
    """Printed below the lines."""
    due_days: int | None = None
    """How many days there are to pay."""


@submitted
class QuoteDraft:
    """What is to be offered, and to whom."""

    organization_id: OrganizationId
    """The organization that offers."""
    buyer: BuyerDraft
    """Who is to pay if they accept."""
    currency: str
    """The currency of every price, such as "EUR"."""
    lines: tuple[LineDraft, ...] = ()
    """What is offered, up to 200 lines."""
    tax_included: bool = False
    """Whether the prices have the tax in them; else it comes on top."""
    note: str = ""
    """Printed below the lines."""
    due_days: int = 14
    """How many days there will be to pay the invoice it becomes."""
    valid_days: int = 30
    """For how many days it is good, counted from its sending."""


@submitted
class QuoteRevision:
    """What shall be different about a draft; what is left out stays. Each field is as in a new one."""

    expected_version: int | None = None
    """The version of the draft you saw; refused when it has changed since."""
    buyer: BuyerDraft | None = None
    """Who is to pay."""
    currency: str | None = None
    """The currency of every price."""
    lines: tuple[LineDraft, ...] | None = None
    """All lines."""
    tax_included: bool | None = None
    """Whether the prices have the tax in them."""
    note: str | None = None
    """Printed below the lines."""
    due_days: int | None = None
    """How many days there will be to pay."""
    valid_days: int | None = None
    """For how many days it is good."""


@submitted
class BookingBill:
    """How a booking is invoiced. Its price is what the customer agreed to, taxes and all."""

    tax_basis_points: int = 0
    """The tax rate that is in the price: 1900 is 19 %."""
    due_days: int = 14
    """How many days there are to pay, if it is not paid yet."""
    note: str = ""
    """Printed below the line."""
    address: str = ""
    """The customer's postal address, line by line."""
    tax_id: str = ""
    """The customer's tax number."""


def bill_of(draft: InvoiceDraft | QuoteDraft) -> Bill:
    """The bill a draft asks for."""
    return Bill(
        buyer=_buyer(draft.buyer),
        currency=draft.currency,
        lines=lines_of(draft.lines),
        tax_included=draft.tax_included,
        note=draft.note,
    )


def lines_of(lines: tuple[LineDraft, ...]) -> tuple[Line, ...]:
    """These lines, judged."""
    return tuple(Line(**_given(line)) for line in lines)


def revised(bill: Bill, revision: InvoiceRevision | QuoteRevision) -> Bill:
    """The bill with what is given instead of what was."""
    return Bill(
        buyer=bill.buyer if revision.buyer is None else _buyer(revision.buyer),
        currency=bill.currency if revision.currency is None else revision.currency,
        lines=bill.lines if revision.lines is None else lines_of(revision.lines),
        tax_included=bill.tax_included if revision.tax_included is None else revision.tax_included,
        note=bill.note if revision.note is None else revision.note,
    )


def _buyer(buyer: BuyerDraft) -> Buyer:
    return Buyer(**_given(buyer))


def _given(draft: Any) -> dict[str, Any]:
    return {field.name: getattr(draft, field.name) for field in fields(draft)}
