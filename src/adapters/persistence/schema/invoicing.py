"""Quotes, invoices, and the papers that left the house: numbered without gaps, and never rewritten."""

from adapters.persistence.schema.tables import (
    Check,
    Index,
    Join,
    References,
    Row,
    Table,
    Unique,
    View,
    Where,
    at_least,
    boolean,
    date,
    identity,
    instant,
    integer,
    json,
    money,
    one_of,
    text,
    uuid,
)
from domain.invoicing import InvoiceState, PaperKind, QuoteState

_STANDS = Where("state <> 'void'", lambda row: row["state"] != "void")
_ASKS = Where("kind = 'invoice'", lambda row: row["kind"] == "invoice")
_STANDING = (
    "case state when 'draft' then paid_minor = 0 and credited_minor = 0"
    " when 'void' then paid_minor = 0 and credited_minor = 0"
    " when 'issued' then paid_minor = 0 and credited_minor < total_minor"
    " when 'partly_paid' then paid_minor > 0 and paid_minor + credited_minor < total_minor"
    " when 'paid' then paid_minor > 0 and paid_minor + credited_minor >= total_minor"
    " else paid_minor = 0 and credited_minor = total_minor end"
)


def _standing(row: Row) -> bool:
    """Whether the state is what the figures say."""
    paid, credited, total = row["paid_minor"], row["credited_minor"], row["total_minor"]
    match row["state"]:
        case "draft" | "void":
            return bool(paid == 0 and credited == 0)
        case "issued":
            return bool(paid == 0 and credited < total)
        case "partly_paid":
            return bool(paid > 0 and paid + credited < total)
        case "paid":
            return bool(paid > 0 and paid + credited >= total)
    return bool(paid == 0 and credited == total)


def _dated(row: Row) -> bool:
    inside = row["state"] in ("draft", "void")
    return all((row[column] is None) == inside for column in ("issued_on", "due_on", "paper_id"))


def _one_currency(row: Row) -> bool:
    told = {row["paid_currency"], row["paid_by_hand_currency"], row["credited_currency"]}
    return bool(told == {row["total_currency"]})


def _answered(row: Row) -> bool:
    sent = (row["expires_at"] is None) == (row["state"] == "draft")
    return bool(sent and (row["invoice_id"] is not None) == (row["state"] == "accepted"))


LETTERHEADS = Table(
    "letterheads",
    (*identity(), json("seller"), text("zone"), instant("updated_at")),
    constraints=(References("letterheads_organization", "id", "organizations"),),
)

QUOTES = Table(
    "quotes",
    (
        *identity(),
        uuid("organization_id"),
        integer("year"),
        integer("sequence", numbered=True),
        json("bill"),
        *money("total"),
        integer("valid_days"),
        integer("due_days"),
        text("state"),
        integer("sendings"),
        instant("sent_at", nullable=True),
        instant("expires_at", nullable=True),
        instant("answered_at", nullable=True),
        text("answered_by"),
        uuid("invoice_id", nullable=True),
        instant("created_at"),
        uuid("reader_id", nullable=True, derived=True),
        text("reader_email", derived=True),
    ),
    constraints=(
        References("quotes_organization", "organization_id", "organizations"),
        Unique("quotes_number", ("organization_id", "year", "sequence")),
        one_of("quotes_state", "state", QuoteState),
        at_least("quotes_first", "sequence", 1),
        at_least("quotes_total", "total_minor", 0),
        at_least("quotes_valid_days", "valid_days", 1),
        at_least("quotes_due_days", "due_days", 0),
        at_least("quotes_sendings", "sendings", 0),
        Check(
            "quotes_answered",
            "(expires_at is null) = (state = 'draft') and (invoice_id is not null) = (state = 'accepted')",
            _answered,
        ),
    ),
    indexes=(
        Index("quotes_by_organization", ("organization_id", "created_at", "id")),
        Index("quotes_of_reader", ("reader_id", "created_at", "id")),
        Index("quotes_of_address", ("reader_email", "created_at", "id")),
        Index("quotes_newest", ("created_at", "id")),
    ),
)
"""`reader_id` and `reader_email` are empty while it is a draft: nobody but the house and its managers sees one."""

INVOICES = Table(
    "invoices",
    (
        *identity(),
        uuid("organization_id"),
        uuid("booking_id", nullable=True),
        uuid("quote_id", nullable=True),
        uuid("paper_id", nullable=True),
        json("bill"),
        *money("total"),
        integer("due_days"),
        text("state"),
        *money("paid"),
        *money("paid_by_hand"),
        *money("credited"),
        json("credited_shares"),
        date("issued_on", nullable=True),
        date("due_on", nullable=True),
        boolean("overdue"),
        integer("sendings"),
        instant("sent_at", nullable=True),
        instant("created_at"),
        uuid("reader_id", nullable=True, derived=True),
        text("reader_email", derived=True),
    ),
    constraints=(
        References("invoices_organization", "organization_id", "organizations"),
        References("invoices_booking", "booking_id", "bookings"),
        References("invoices_quote", "quote_id", "quotes"),
        Unique("invoices_one_per_booking", ("booking_id",), _STANDS),
        Unique("invoices_one_per_quote", ("quote_id",)),
        one_of("invoices_state", "state", InvoiceState),
        at_least("invoices_total", "total_minor", 0),
        at_least("invoices_due_days", "due_days", 0),
        at_least("invoices_sendings", "sendings", 0),
        Check(
            "invoices_credited_within_total",
            "credited_minor between 0 and total_minor",
            lambda row: 0 <= row["credited_minor"] <= row["total_minor"],
        ),
        Check(
            "invoices_paid_by_hand_within_paid",
            "paid_by_hand_minor between 0 and paid_minor",
            lambda row: 0 <= row["paid_by_hand_minor"] <= row["paid_minor"],
        ),
        Check("invoices_state_says_the_figures", _STANDING, _standing),
        Check(
            "invoices_dated_when_issued",
            "(issued_on is null) = (state in ('draft', 'void')) and (due_on is null) = (state in ('draft', 'void'))"
            " and (paper_id is null) = (state in ('draft', 'void'))",
            _dated,
        ),
        Check(
            "invoices_overdue_while_open",
            "not overdue or state in ('issued', 'partly_paid')",
            lambda row: not row["overdue"] or row["state"] in ("issued", "partly_paid"),
        ),
        Check(
            "invoices_one_currency",
            "paid_currency = total_currency and paid_by_hand_currency = total_currency"
            " and credited_currency = total_currency",
            _one_currency,
        ),
    ),
    indexes=(
        Index("invoices_by_organization", ("organization_id", "created_at", "id")),
        Index("invoices_of_reader", ("reader_id", "created_at", "id")),
        Index("invoices_of_address", ("reader_email", "created_at", "id")),
        Index("invoices_of_booking", ("booking_id",)),
        Index("invoices_newest", ("created_at", "id")),
    ),
)
"""What is asked for and how it stands. What left the house is its paper."""

PAPERS = Table(
    "papers",
    (
        *identity(),
        text("kind"),
        uuid("invoice_id"),
        uuid("organization_id"),
        integer("year"),
        integer("sequence", numbered=True),
        json("seller"),
        json("bill"),
        json("shares"),
        *money("total"),
        date("issued_on"),
        date("due_on", nullable=True),
        text("corrects"),
        text("reason"),
        instant("created_at"),
        uuid("reader_id", nullable=True, derived=True),
        text("reader_email", derived=True),
    ),
    constraints=(
        References("papers_invoice", "invoice_id", "invoices"),
        References("papers_organization", "organization_id", "organizations"),
        Unique("papers_one_per_invoice", ("invoice_id",), _ASKS),
        Unique("papers_number", ("organization_id", "kind", "year", "sequence")),
        one_of("papers_kind", "kind", PaperKind),
        at_least("papers_first", "sequence", 1),
        at_least("papers_total", "total_minor", 1),
    ),
    indexes=(
        Index("papers_of_invoice", ("invoice_id", "created_at", "id")),
        Index("papers_by_organization", ("organization_id", "created_at", "id")),
        Index("papers_newest", ("created_at", "id")),
    ),
    append_only=True,
)
"""One row for each invoice and credit note; the database refuses to change or remove one."""

INVOICE_CARDS = View(
    "invoice_cards",
    "invoices",
    tuple(column.name for column in INVOICES.columns),
    (Join("papers", "paper_id", "id", {"year": "year", "sequence": "sequence"}),),
)
"""Invoices with the number on their paper."""

TABLES = (LETTERHEADS, QUOTES, INVOICES, PAPERS)
VIEWS = (INVOICE_CARDS,)
