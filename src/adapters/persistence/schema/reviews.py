"""Reviews, and the cards they are read as."""

from adapters.persistence.schema.tables import (
    Check,
    Index,
    Join,
    References,
    Table,
    Unique,
    View,
    identity,
    instant,
    integer,
    one_of,
    text,
    uuid,
)
from domain.reviews import ReviewState
from domain.shared.terms import Side

REVIEWS = Table(
    "reviews",
    (
        *identity(),
        uuid("booking_id"),
        uuid("job_id"),
        uuid("provider_id"),
        uuid("customer_id"),
        uuid("author_id"),
        uuid("reviewed_id", derived=True),
        text("side"),
        integer("stars"),
        text("text"),
        text("response", nullable=True),
        instant("responded_at", nullable=True),
        text("state"),
        text("moderation_reason", nullable=True, private=True),
        instant("moderated_at", nullable=True, private=True),
        instant("created_at"),
    ),
    constraints=(
        References("reviews_booking", "booking_id", "bookings"),
        References("reviews_job", "job_id", "jobs"),
        References("reviews_provider", "provider_id", "users"),
        References("reviews_customer", "customer_id", "users"),
        References("reviews_author", "author_id", "users"),
        Unique("reviews_once", ("booking_id", "side")),
        one_of("reviews_side", "side", Side),
        one_of("reviews_state", "state", ReviewState),
        Check("reviews_stars", "stars between 1 and 5", lambda row: 1 <= row["stars"] <= 5),
        Check(
            "reviews_by_a_party",
            "author_id = case side when 'customer' then customer_id else provider_id end",
            lambda row: row["author_id"] == (row["customer_id"] if row["side"] == "customer" else row["provider_id"]),
        ),
        Check(
            "reviews_response",
            "(response is null) = (responded_at is null)",
            lambda row: (row["response"] is None) == (row["responded_at"] is None),
        ),
    ),
    indexes=(
        Index("reviews_of_job", ("job_id", "created_at", "id")),
        Index("reviews_of_provider", ("provider_id", "created_at", "id")),
        Index("reviews_of_customer", ("customer_id", "created_at", "id")),
        Index("reviews_by_author", ("author_id", "created_at", "id")),
        Index("reviews_about", ("reviewed_id", "created_at", "id")),
    ),
)
"""One per booking and side, by a party of it."""

REVIEW_CARDS = View(
    "review_cards",
    "reviews",
    (
        "id",
        "booking_id",
        "job_id",
        "provider_id",
        "customer_id",
        "author_id",
        "reviewed_id",
        "side",
        "stars",
        "text",
        "response",
        "responded_at",
        "state",
        "created_at",
    ),
    joins=(
        Join("profiles", "author_id", "id", {"author_name": "name"}),
        Join("jobs", "job_id", "id", {"job_title": "title"}),
    ),
)
"""A review with the name its author shows, and the job's title where the reader may see the job."""

TABLES = (REVIEWS,)
VIEWS = (REVIEW_CARDS,)
