"""Bookings: no two that are active share a provider's time, unless they are seats of one session."""

from adapters.persistence.schema.tables import (
    Check,
    Excludes,
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
    span,
    text,
    uuid,
)
from domain.bookings import ACTIVE, BookingState
from domain.shared.terms import Acceptance, PaymentTerms, Side

_TAKES_TIME = Where("active", lambda row: bool(row["active"]))
_WAITS = Where("state in ('held', 'requested')", lambda row: row["state"] in ("held", "requested"))


def _waits(row: Row) -> bool:
    return row["state"] not in ("held", "requested") or row["expires_at"] is not None


def _confirmed_means(row: Row) -> bool:
    stands = row["state"] in ("confirmed", "completed", "no_show")
    return not stands or bool(row["paid"] or row["terms"] not in ("prepaid", "authorised"))


def _cancelled(row: Row) -> bool:
    called_off = (row["cancelled_by"] is None, row["cancelled_at"] is None)
    return called_off == ((False, False) if row["state"] == "cancelled" else (True, True))


def _refund(row: Row) -> bool:
    if row["refund_minor"] is None or row["refund_currency"] is None:
        return row["refund_minor"] is row["refund_currency"]
    return bool(0 <= row["refund_minor"] <= row["price_minor"] and row["refund_currency"] == row["price_currency"])


BOOKINGS = Table(
    "bookings",
    (
        *identity(),
        text("reference"),
        uuid("job_id"),
        text("job_title"),
        uuid("organization_id"),
        uuid("provider_id"),
        uuid("customer_id"),
        span("span"),
        text("zone"),
        integer("buffer_before"),
        integer("buffer_after"),
        uuid("occupancy"),
        integer("seats"),
        integer("capacity"),
        *money("price"),
        json("policy"),
        text("terms"),
        text("acceptance"),
        text("note"),
        text("state"),
        uuid("payment_id", nullable=True),
        boolean("paid"),
        instant("expires_at", nullable=True),
        integer("sequence"),
        integer("refund_floor"),
        integer("refund_ceiling"),
        *money("refund", nullable=True),
        uuid("unplaced_payment_id", nullable=True),
        text("cancelled_by", nullable=True),
        text("cancel_reason"),
        instant("created_at"),
        instant("confirmed_at", nullable=True),
        instant("cancelled_at", nullable=True),
        instant("completed_at", nullable=True),
        instant("starts_at", derived=True),
        span("blocked", derived=True),
        boolean("active", derived=True),
    ),
    constraints=(
        References("bookings_job", "job_id", "jobs"),
        References("bookings_organization", "organization_id", "organizations"),
        References("bookings_provider", "provider_id", "users"),
        References("bookings_customer", "customer_id", "users"),
        Unique("bookings_reference", ("reference",)),
        Excludes("bookings_no_overlap", equal="provider_id", differ="occupancy", overlap="blocked", where=_TAKES_TIME),
        one_of("bookings_state", "state", BookingState),
        one_of("bookings_terms", "terms", PaymentTerms),
        one_of("bookings_acceptance", "acceptance", Acceptance),
        one_of("bookings_cancelled_by", "cancelled_by", Side),
        at_least("bookings_price", "price_minor", 0),
        at_least("bookings_buffer_before", "buffer_before", 0),
        at_least("bookings_buffer_after", "buffer_after", 0),
        at_least("bookings_sequence", "sequence", 0),
        Check("bookings_seats", "seats between 1 and capacity", lambda row: 1 <= row["seats"] <= row["capacity"]),
        Check(
            "bookings_two_parties",
            "customer_id <> provider_id",
            lambda row: row["customer_id"] != row["provider_id"],
        ),
        Check(
            "bookings_active",
            "active = (state in ('held', 'confirmed'))",
            lambda row: row["active"] == (row["state"] in ACTIVE),
        ),
        Check("bookings_starts_at", "starts_at = lower(span)", lambda row: row["starts_at"] == row["span"].starts_at),
        Check(
            "bookings_blocked",
            "blocked @> span",
            lambda row: (
                row["blocked"].starts_at <= row["span"].starts_at and row["span"].ends_at <= row["blocked"].ends_at
            ),
        ),
        Check(
            "bookings_waits_until",
            "state not in ('held', 'requested') or expires_at is not null",
            _waits,
        ),
        Check(
            "bookings_held_for_payment",
            "state <> 'held' or payment_id is not null",
            lambda row: row["state"] != "held" or row["payment_id"] is not None,
        ),
        Check(
            "bookings_confirmed_means",
            "state not in ('confirmed', 'completed', 'no_show') or paid or terms not in ('prepaid', 'authorised')",
            _confirmed_means,
        ),
        Check(
            "bookings_cancelled_by_whom",
            "(state = 'cancelled') = (cancelled_by is not null) and (state = 'cancelled') = (cancelled_at is not null)",
            _cancelled,
        ),
        Check(
            "bookings_refund_within_price",
            "(refund_minor is null) = (refund_currency is null)"
            " and (refund_minor is null or refund_minor between 0 and price_minor)"
            " and (refund_minor is null or refund_currency = price_currency)",
            _refund,
        ),
        Check(
            "bookings_refund_bounds",
            "refund_floor between 0 and 100 and refund_ceiling between 0 and 100",
            lambda row: 0 <= row["refund_floor"] <= 100 and 0 <= row["refund_ceiling"] <= 100,
        ),
    ),
    indexes=(
        Index("bookings_by_customer", ("customer_id", "created_at", "id")),
        Index("bookings_of_customer", ("customer_id", "starts_at", "id")),
        Index("bookings_by_provider", ("provider_id", "created_at", "id")),
        Index("bookings_of_provider", ("provider_id", "starts_at", "id")),
        Index("bookings_by_organization", ("organization_id", "created_at", "id")),
        Index("bookings_of_organization", ("organization_id", "starts_at", "id")),
        Index("bookings_of_job", ("job_id", "starts_at", "id")),
        Index("bookings_newest", ("created_at", "id")),
        Index("bookings_waiting", ("expires_at", "id"), where=_WAITS),
    ),
)
"""`occupancy` holds the provider's time: the booking's own id, or the id all seats of one session share."""

TABLES = (BOOKINGS,)
