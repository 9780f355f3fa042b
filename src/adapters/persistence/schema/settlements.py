"""What invoices were paid by; it stands after payments, which it names."""

from adapters.persistence.schema.tables import (
    Check,
    Index,
    References,
    Table,
    Unique,
    date,
    instant,
    money,
    one_of,
    text,
    uuid,
)
from domain.invoicing import SettlementKind

SETTLEMENTS = Table(
    "settlements",
    (
        uuid("id"),
        uuid("invoice_id"),
        uuid("organization_id"),
        text("kind"),
        text("source"),
        *money("amount"),
        uuid("payment_id", nullable=True),
        text("reason"),
        date("received_on"),
        instant("created_at"),
    ),
    constraints=(
        References("settlements_invoice", "invoice_id", "invoices"),
        References("settlements_organization", "organization_id", "organizations"),
        References("settlements_payment", "payment_id", "payments"),
        Unique("settlements_once", ("source",)),
        one_of("settlements_kind", "kind", SettlementKind),
        Check("settlements_move_something", "amount_minor <> 0", lambda row: row["amount_minor"] != 0),
    ),
    indexes=(
        Index("settlements_of_invoice", ("invoice_id", "created_at", "id")),
        Index("settlements_by_organization", ("organization_id", "created_at", "id")),
        Index("settlements_of_payment", ("payment_id",)),
    ),
    append_only=True,
)

TABLES = (SETTLEMENTS,)
