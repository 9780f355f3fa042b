"""Tables of payments: what was asked for, what went back, the append-only ledger, the inbox of webhooks, and what does
not fit the gateway's books."""

from adapters.persistence.schema.tables import (
    Check,
    Index,
    References,
    Row,
    Table,
    Unique,
    Where,
    at_least,
    boolean,
    identity,
    instant,
    integer,
    json,
    money,
    one_of,
    text,
    uuid,
)
from domain.payments import (
    Books,
    DiscrepancyKind,
    Outcome,
    PayeeState,
    PaymentState,
    PayoutState,
    RefundState,
    SourceKind,
    Stage,
    Topic,
)


def _one_currency(row: Row) -> bool:
    figures = {row[f"{figure}_currency"] for figure in ("captured", "refunding", "refunded", "disputed")}
    return figures == {row["amount_currency"]} and row["capturing_currency"] in (None, row["amount_currency"])


def _capped(row: Row) -> bool:
    back = row["refunded_minor"] + row["refunding_minor"]
    return bool(min(row["refunded_minor"], row["refunding_minor"]) >= 0 and back <= row["captured_minor"])


_LIVE = Where(
    "state not in ('captured', 'cancelled')",
    lambda row: row["state"] not in ("captured", "cancelled"),
)
_ONE_THING = "(booking_id is null) <> (invoice_id is null) and (booking_id is null or customer_id is not null)"


def _of_one_thing(row: Row) -> bool:
    """Whether it is for a booking, whose customer is known, or of an invoice, which need not have a user."""
    one = (row["booking_id"] is None) != (row["invoice_id"] is None)
    return bool(one and (row["booking_id"] is None or row["customer_id"] is not None))


_ENTERED_FOR_ONE_THING = (
    "case when source_kind in ('payout', 'payout_returned')"
    " then booking_id is null and invoice_id is null and payment_id is null"
    " else (booking_id is null) <> (invoice_id is null) and (payment_id is null) = (source_kind = 'by_hand') end"
)


def _entered_for_one_thing(row: Row) -> bool:
    """For a booking or of an invoice, by a payment unless it came by hand; what is paid out is of neither."""
    told = [row[name] is not None for name in ("booking_id", "invoice_id", "payment_id")]
    if row["source_kind"] in ("payout", "payout_returned"):
        return not any(told)
    return bool(told[0] != told[1] and told[2] != (row["source_kind"] == "by_hand"))


_IN_ITS_BOOKS = "(books = 'organization') = starts_with(account, 'organization:' || organization_id || ':')"


def _in_its_books(row: Row) -> bool:
    """Whether the account's name says what its books say: of the organization whose money it is, or of nobody."""
    theirs = row["account"].startswith(f"organization:{row['organization_id']}:")
    return bool((row["books"] == "organization") == theirs)


PAYMENTS = Table(
    "payments",
    (
        *identity(),
        uuid("booking_id", nullable=True),
        uuid("invoice_id", nullable=True),
        uuid("customer_id", nullable=True),
        uuid("organization_id"),
        *money("amount"),
        *money("captured"),
        *money("refunding"),
        *money("refunded"),
        *money("disputed"),
        integer("open_disputes"),
        text("state"),
        boolean("capture_later"),
        *money("capturing", nullable=True),
        instant("authorised_until", nullable=True),
        integer("attempt"),
        text("gateway"),
        text("gateway_ref", nullable=True),
        text("client_secret", nullable=True, private=True),
        text("failure"),
        instant("created_at"),
        instant("captured_at", nullable=True),
        json("share", nullable=True, private=True),
    ),
    constraints=(
        References("payments_booking", "booking_id", "bookings"),
        References("payments_customer", "customer_id", "users"),
        References("payments_organization", "organization_id", "organizations"),
        References("payments_invoice", "invoice_id", "invoices"),
        Unique("payments_one_per_booking", ("booking_id",)),
        Unique("payments_one_live_per_invoice", ("invoice_id",), _LIVE),
        Unique("payments_gateway_ref", ("gateway", "gateway_ref")),
        one_of("payments_state", "state", PaymentState),
        at_least("payments_amount", "amount_minor", 1),
        Check("payments_of_one_thing", _ONE_THING, _of_one_thing),
        at_least("payments_attempt", "attempt", 1),
        at_least("payments_disputed", "disputed_minor", 0),
        at_least("payments_open_disputes", "open_disputes", 0),
        Check(
            "payments_set_aside_on_purpose",
            "capture_later or (state <> 'authorised' and capturing_minor is null)",
            lambda row: row["capture_later"] or (row["state"] != "authorised" and row["capturing_minor"] is None),
        ),
        Check(
            "payments_capturing_within_amount",
            "capturing_minor between 1 and amount_minor",
            lambda row: row["capturing_minor"] is None or 1 <= row["capturing_minor"] <= row["amount_minor"],
        ),
        Check(
            "payments_refunds_within_captured",
            "refunded_minor >= 0 and refunding_minor >= 0 and refunded_minor + refunding_minor <= captured_minor",
            _capped,
        ),
        Check(
            "payments_captured_within_amount",
            "captured_minor <= amount_minor",
            lambda row: row["captured_minor"] <= row["amount_minor"],
        ),
        Check(
            "payments_captured_when_captured",
            "(state = 'captured') = (captured_minor > 0)",
            lambda row: (row["state"] == "captured") == (row["captured_minor"] > 0),
        ),
        Check(
            "payments_one_currency",
            "captured_currency = amount_currency and refunding_currency = amount_currency"
            " and refunded_currency = amount_currency and disputed_currency = amount_currency"
            " and coalesce(capturing_currency, amount_currency) = amount_currency",
            _one_currency,
        ),
    ),
    indexes=(
        Index("payments_of_customer", ("customer_id", "created_at", "id")),
        Index("payments_of_invoice", ("invoice_id", "created_at", "id")),
        Index("payments_of_organization", ("organization_id", "created_at", "id")),
        Index("payments_newest", ("created_at", "id")),
    ),
)
"""`client_secret` lets its holder pay; only the use case that hands it to the customer reads it. `share` is between the
platform and the organization, which reads of it in its books."""

REFUNDS = Table(
    "refunds",
    (
        *identity(),
        uuid("payment_id"),
        uuid("booking_id", nullable=True),
        uuid("invoice_id", nullable=True),
        uuid("customer_id", nullable=True),
        uuid("organization_id"),
        *money("amount"),
        text("state"),
        text("reason"),
        text("gateway"),
        text("gateway_ref", nullable=True),
        text("failure"),
        instant("created_at"),
        instant("settled_at", nullable=True),
    ),
    constraints=(
        References("refunds_payment", "payment_id", "payments"),
        References("refunds_booking", "booking_id", "bookings"),
        References("refunds_customer", "customer_id", "users"),
        References("refunds_organization", "organization_id", "organizations"),
        References("refunds_invoice", "invoice_id", "invoices"),
        Unique("refunds_gateway_ref", ("gateway", "gateway_ref")),
        one_of("refunds_state", "state", RefundState),
        at_least("refunds_amount", "amount_minor", 1),
        Check("refunds_of_one_thing", _ONE_THING, _of_one_thing),
    ),
    indexes=(
        Index("refunds_of_payment", ("payment_id", "created_at", "id")),
        Index("refunds_of_booking", ("booking_id", "created_at", "id")),
        Index("refunds_of_invoice", ("invoice_id", "created_at", "id")),
        Index("refunds_of_customer", ("customer_id", "created_at", "id")),
        Index("refunds_of_organization", ("organization_id", "created_at", "id")),
        Index("refunds_newest", ("created_at", "id")),
    ),
)

PAYEES = Table(
    "payees",
    (
        *identity(),
        uuid("organization_id"),
        text("gateway"),
        text("gateway_ref", nullable=True),
        text("state"),
        boolean("takes_charges"),
        boolean("pays_out"),
        json("wanted"),
        instant("created_at"),
    ),
    constraints=(
        References("payees_organization", "organization_id", "organizations"),
        Unique("payees_one_per_organization", ("organization_id", "gateway")),
        Unique("payees_gateway_ref", ("gateway", "gateway_ref")),
        one_of("payees_state", "state", PayeeState),
    ),
    indexes=(Index("payees_newest", ("created_at", "id")),),
)

PAYOUTS = Table(
    "payouts",
    (
        *identity(),
        uuid("payee_id"),
        uuid("organization_id"),
        text("gateway"),
        text("gateway_ref"),
        *money("amount"),
        text("state"),
        text("failure"),
        instant("arrives_at", nullable=True),
        instant("created_at"),
        instant("settled_at", nullable=True),
    ),
    constraints=(
        References("payouts_payee", "payee_id", "payees"),
        References("payouts_organization", "organization_id", "organizations"),
        Unique("payouts_gateway_ref", ("gateway", "gateway_ref")),
        one_of("payouts_state", "state", PayoutState),
    ),
    indexes=(
        Index("payouts_of_payee", ("payee_id",)),
        Index("payouts_of_organization", ("organization_id", "created_at", "id")),
        Index("payouts_newest", ("created_at", "id")),
    ),
)

LEDGER = Table(
    "ledger",
    (
        uuid("id"),
        uuid("transaction_id"),
        text("account"),
        *money("amount"),
        text("source_kind"),
        text("source_id"),
        uuid("payment_id", nullable=True),
        uuid("booking_id", nullable=True),
        uuid("invoice_id", nullable=True),
        uuid("organization_id"),
        instant("created_at"),
        integer("version"),
        text("books"),
        integer("position", nullable=True),
        text("hash", nullable=True),
    ),
    constraints=(
        References("ledger_payment", "payment_id", "payments"),
        References("ledger_booking", "booking_id", "bookings"),
        References("ledger_organization", "organization_id", "organizations"),
        References("ledger_invoice", "invoice_id", "invoices"),
        Unique("ledger_one_effect", ("source_kind", "source_id", "account")),
        Unique("ledger_position", ("position",)),
        one_of("ledger_source_kind", "source_kind", SourceKind),
        one_of("ledger_books", "books", Books),
        Check("ledger_account_is_in_its_books", _IN_ITS_BOOKS, _in_its_books),
        at_least("ledger_first", "position", 1),
        Check(
            "ledger_sealed_whole",
            "(position is null) = (hash is null)",
            lambda row: (row["position"] is None) == (row["hash"] is None),
        ),
        Check("ledger_of_one_thing", _ENTERED_FOR_ONE_THING, _entered_for_one_thing),
        Check("ledger_moves_something", "amount_minor <> 0", lambda row: row["amount_minor"] != 0),
    ),
    indexes=(
        Index("ledger_of_transaction", ("transaction_id",)),
        Index("ledger_of_payment", ("payment_id", "created_at", "id")),
        Index("ledger_of_booking", ("booking_id",)),
        Index("ledger_of_organization", ("organization_id",)),
        Index("ledger_of_invoice", ("invoice_id", "created_at", "id")),
        Index("ledger_newest", ("created_at", "id")),
        Index("ledger_unsealed", ("created_at", "id"), Where("position is null", lambda row: row["position"] is None)),
    ),
    append_only=True,
    fills=("position", "hash"),
)
"""Written in the commit that moves the money; the sealer gives each row its place and hash in the chain, once."""

BALANCES = Table(
    "balances",
    (
        *identity(),
        text("books"),
        uuid("organization_id", nullable=True),
        text("account"),
        *money("amount"),
        integer("position"),
        instant("updated_at"),
    ),
    constraints=(
        References("balances_organization", "organization_id", "organizations"),
        Unique("balances_once", ("account", "amount_currency")),
        one_of("balances_books", "books", Books),
        Check(
            "balances_of_somebody",
            "(books = 'organization') = (organization_id is not null)",
            lambda row: (row["books"] == "organization") == (row["organization_id"] is not None),
        ),
    ),
    indexes=(
        Index("balances_of_organization", ("organization_id", "account", "id")),
        Index("balances_by_account", ("account", "id")),
    ),
)
"""Moved by the sealer alone, in the commit of its seals: the ledger itself says the same, only slower."""

WEBHOOKS = Table(
    "webhooks",
    (
        *identity(),
        text("topic"),
        text("sender"),
        text("external_id"),
        text("kind"),
        text("payment_ref", nullable=True),
        text("refund_ref", nullable=True),
        text("thing", nullable=True),
        text("thing_ref", nullable=True),
        text("payload", private=True),
        instant("occurred_at"),
        instant("received_at"),
        instant("processed_at", nullable=True),
        text("outcome"),
        text("note"),
        text("payee_ref", nullable=True),
    ),
    constraints=(
        Unique("webhooks_told_once", ("sender", "external_id")),
        one_of("webhooks_topic", "topic", Topic),
        one_of("webhooks_outcome", "outcome", Outcome),
    ),
    indexes=(Index("webhooks_newest", ("received_at", "id")),),
)

RECONCILIATIONS = Table(
    "reconciliations",
    (
        *identity(),
        text("gateway"),
        instant("since"),
        instant("until"),
        text("stage"),
        text("cursor", nullable=True, private=True),
        integer("looked_at"),
        integer("fetched"),
        integer("repaired"),
        integer("filed"),
        instant("begun_at"),
        instant("finished_at", nullable=True),
    ),
    constraints=(
        Unique(
            "reconciliations_one_under_way",
            ("gateway", "since", "until"),
            Where("finished_at is null", lambda row: row["finished_at"] is None),
        ),
        one_of("reconciliations_stage", "stage", Stage),
        Check("reconciliations_stretch", "since < until", lambda row: row["since"] < row["until"]),
        Check(
            "reconciliations_done_when_finished",
            "(stage = 'done') = (finished_at is not null)",
            lambda row: (row["stage"] == "done") == (row["finished_at"] is not None),
        ),
    ),
    indexes=(Index("reconciliations_newest", ("begun_at", "id")),),
)

DISCREPANCIES = Table(
    "discrepancies",
    (
        *identity(),
        text("gateway"),
        text("kind"),
        text("about"),
        text("gateway_ref"),
        uuid("payment_id", nullable=True),
        text("said"),
        instant("found_at"),
        instant("closed_at", nullable=True),
        text("closed_by"),
        text("reason"),
    ),
    constraints=(
        References("discrepancies_payment", "payment_id", "payments"),
        Unique("discrepancies_filed_once", ("gateway", "about", "gateway_ref", "kind", "said")),
        one_of("discrepancies_kind", "kind", DiscrepancyKind),
        Check(
            "discrepancies_closed_by_somebody",
            "(closed_at is null) = (closed_by = '' and reason = '')",
            lambda row: (row["closed_at"] is None) == (row["closed_by"] == "" and row["reason"] == ""),
        ),
    ),
    indexes=(
        Index("discrepancies_newest", ("found_at", "id")),
        Index("discrepancies_of_payment", ("payment_id",)),
    ),
)

TABLES = (PAYMENTS, REFUNDS, PAYEES, PAYOUTS, LEDGER, BALANCES, WEBHOOKS, RECONCILIATIONS, DISCREPANCIES)
