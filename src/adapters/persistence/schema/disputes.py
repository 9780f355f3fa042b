"""Tables of what banks dispute and warn of, and of saved cards."""

from adapters.persistence.schema.tables import (
    Check,
    Index,
    References,
    Row,
    Table,
    Unique,
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
from domain.payments import DisputeState

_ONE_OF_TWO = "(booking_id is null) <> (invoice_id is null)"


def _one_of_two(row: Row) -> bool:
    return (row["booking_id"] is None) != (row["invoice_id"] is None)


DISPUTES = Table(
    "disputes",
    (
        *identity(),
        uuid("payment_id"),
        uuid("booking_id", nullable=True),
        uuid("invoice_id", nullable=True),
        uuid("provider_id", nullable=True),
        uuid("organization_id"),
        *money("amount"),
        *money("taken"),
        *money("returned"),
        *money("fee"),
        *money("fee_returned"),
        integer("moves"),
        text("state"),
        text("reason"),
        text("gateway"),
        text("gateway_ref"),
        instant("due_at", nullable=True),
        json("evidence"),
        uuid("evidence_file_id", nullable=True),
        boolean("submitting"),
        instant("submitted_at", nullable=True),
        text("failure"),
        instant("opened_at"),
        instant("closed_at", nullable=True),
        instant("created_at"),
    ),
    constraints=(
        References("disputes_payment", "payment_id", "payments"),
        References("disputes_booking", "booking_id", "bookings"),
        References("disputes_invoice", "invoice_id", "invoices"),
        References("disputes_provider", "provider_id", "users"),
        References("disputes_organization", "organization_id", "organizations"),
        Unique("disputes_gateway_ref", ("gateway", "gateway_ref")),
        one_of("disputes_state", "state", DisputeState),
        at_least("disputes_amount", "amount_minor", 1),
        Check(
            "disputes_returned_within_taken",
            "returned_minor >= 0 and returned_minor <= taken_minor",
            lambda row: 0 <= row["returned_minor"] <= row["taken_minor"],
        ),
        Check(
            "disputes_closed_when_decided",
            "(state in ('won', 'lost')) = (closed_at is not null)",
            lambda row: (row["state"] in ("won", "lost")) == (row["closed_at"] is not None),
        ),
        Check(
            "disputes_answered_once",
            "not submitting or submitted_at is null",
            lambda row: not row["submitting"] or row["submitted_at"] is None,
        ),
        Check("disputes_of_one_thing", _ONE_OF_TWO, _one_of_two),
    ),
    indexes=(
        Index("disputes_of_payment", ("payment_id", "created_at", "id")),
        Index("disputes_of_booking", ("booking_id", "created_at", "id")),
        Index("disputes_of_invoice", ("invoice_id", "created_at", "id")),
        Index("disputes_of_provider", ("provider_id", "created_at", "id")),
        Index("disputes_of_organization", ("organization_id", "created_at", "id")),
        Index("disputes_newest", ("created_at", "id")),
    ),
)

FRAUD_WARNINGS = Table(
    "fraud_warnings",
    (
        *identity(),
        uuid("payment_id"),
        uuid("booking_id", nullable=True),
        uuid("invoice_id", nullable=True),
        uuid("organization_id"),
        text("reason"),
        boolean("actionable"),
        text("gateway"),
        text("gateway_ref"),
        uuid("refund_id", nullable=True),
        instant("warned_at"),
        instant("created_at"),
    ),
    constraints=(
        References("fraud_warnings_payment", "payment_id", "payments"),
        References("fraud_warnings_booking", "booking_id", "bookings"),
        References("fraud_warnings_invoice", "invoice_id", "invoices"),
        References("fraud_warnings_organization", "organization_id", "organizations"),
        References("fraud_warnings_refund", "refund_id", "refunds"),
        Unique("fraud_warnings_gateway_ref", ("gateway", "gateway_ref")),
        Check("fraud_warnings_of_one_thing", _ONE_OF_TWO, _one_of_two),
    ),
    indexes=(
        Index("fraud_warnings_of_payment", ("payment_id", "created_at", "id")),
        Index("fraud_warnings_of_booking", ("booking_id",)),
        Index("fraud_warnings_of_invoice", ("invoice_id",)),
        Index("fraud_warnings_of_refund", ("refund_id",)),
        Index("fraud_warnings_of_organization", ("organization_id", "created_at", "id")),
        Index("fraud_warnings_newest", ("created_at", "id")),
    ),
)

PAYMENT_METHODS = Table(
    "payment_methods",
    (
        *identity(),
        uuid("user_id"),
        text("gateway"),
        text("gateway_ref"),
        text("brand"),
        text("last4"),
        integer("exp_month"),
        integer("exp_year"),
        instant("preferred_at"),
        instant("created_at"),
    ),
    constraints=(
        References("payment_methods_user", "user_id", "users"),
        Unique("payment_methods_gateway_ref", ("gateway", "gateway_ref")),
        Check(
            "payment_methods_end_in_a_month",
            "exp_month between 1 and 12",
            lambda row: 1 <= row["exp_month"] <= 12,
        ),
    ),
    indexes=(Index("payment_methods_of_user", ("user_id", "preferred_at", "id")),),
)
"""What is printed on a receipt, and the gateway's reference; nothing one could pay with elsewhere."""

TABLES = (DISPUTES, FRAUD_WARNINGS, PAYMENT_METHODS)
