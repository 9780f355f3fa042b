"""Jobs, the ratings beside them, and the listings customers search."""

from adapters.persistence.schema.tables import (
    Check,
    Generated,
    Index,
    Join,
    References,
    Table,
    View,
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
from domain.jobs import BOUNDS, HIGHEST_PRICE, JobState
from domain.shared.terms import Acceptance, PaymentTerms

_PUBLISHED = Where("state = 'published'", lambda row: row["state"] == "published")


def _bounded(column: str, least: int, most: int) -> Check:
    return Check(f"jobs_{column}", f"{column} between {least} and {most}", lambda row: least <= row[column] <= most)


JOBS = Table(
    "jobs",
    (
        *identity(),
        uuid("organization_id"),
        uuid("provider_id"),
        text("title"),
        text("description"),
        text("category"),
        *money("price"),
        integer("duration"),
        integer("buffer_before"),
        integer("buffer_after"),
        integer("capacity"),
        text("place"),
        boolean("remote"),
        integer("slot_interval"),
        integer("notice"),
        integer("window_days"),
        text("terms"),
        text("acceptance"),
        json("policy"),
        json("pictures"),
        text("state"),
        instant("published_at", nullable=True),
        instant("created_at"),
        instant("updated_at"),
        text("title_words", derived=True),
        text("words", derived=True),
        text("place_words", derived=True),
    ),
    constraints=(
        References("jobs_organization", "organization_id", "organizations"),
        References("jobs_provider", "provider_id", "users"),
        one_of("jobs_state", "state", JobState),
        one_of("jobs_terms", "terms", PaymentTerms),
        one_of("jobs_acceptance", "acceptance", Acceptance),
        *(_bounded(column, *bounds) for column, bounds in BOUNDS.items()),
        _bounded("price_minor", 0, HIGHEST_PRICE),
        Check(
            "jobs_free_or_prepaid",
            "(terms <> 'free' or price_minor = 0) and (terms not in ('prepaid', 'authorised') or price_minor > 0)",
            lambda row: (
                (row["terms"] != "free" or row["price_minor"] == 0)
                and (row["terms"] not in ("prepaid", "authorised") or row["price_minor"] > 0)
            ),
        ),
        Check(
            "jobs_published_once_public",
            "state = 'draft' or published_at is not null",
            lambda row: row["state"] == "draft" or row["published_at"] is not None,
        ),
    ),
    indexes=(
        Index("jobs_of_provider", ("provider_id", "created_at", "id")),
        Index("jobs_of_organization", ("organization_id", "created_at", "id")),
        Index("jobs_newest", ("published_at", "id"), where=_PUBLISHED),
        Index("jobs_in_category", ("category", "published_at", "id"), where=_PUBLISHED),
        Index("jobs_by_price", ("price_currency", "price_minor", "id"), where=_PUBLISHED),
        Index("jobs_by_words", ("search",), where=_PUBLISHED, method="gin"),
        Index("jobs_by_place", ("place_search",), where=_PUBLISHED, method="gin"),
    ),
    generated=(
        # Lexemes are exactly our own words: folding and cutting happen once, in the domain, for every store.
        Generated("search", "tsvector", "array_to_tsvector(string_to_array(words, ' '))"),
        Generated("place_search", "tsvector", "array_to_tsvector(string_to_array(place_words, ' '))"),
    ),
)

RATINGS = Table(
    "ratings",
    (
        *identity(),
        uuid("provider_id"),
        integer("count"),
        integer("total"),
        instant("updated_at"),
        integer("average_hundredths", derived=True),
    ),
    constraints=(
        References("ratings_job", "id", "jobs"),
        References("ratings_provider", "provider_id", "users"),
        at_least("ratings_count", "count", 0),
        Check(
            "ratings_one_to_five",
            "total between count and 5 * count",
            lambda row: row["count"] <= row["total"] <= 5 * row["count"],
        ),
    ),
    indexes=(
        Index("ratings_of_provider", ("provider_id", "id")),
        Index("ratings_best", ("average_hundredths", "id")),
    ),
)
"""Its id is the job's."""

JOB_LISTINGS = View(
    "job_listings",
    "jobs",
    (
        "id",
        "version",
        "organization_id",
        "provider_id",
        "title",
        "description",
        "category",
        "price_minor",
        "price_currency",
        "duration",
        "buffer_before",
        "buffer_after",
        "capacity",
        "place",
        "remote",
        "slot_interval",
        "notice",
        "window_days",
        "terms",
        "acceptance",
        "policy",
        "pictures",
        "state",
        "published_at",
        "created_at",
        "updated_at",
    ),
    joins=(
        Join("ratings", "id", "id", {"rating_count": "count", "rating_average": "average_hundredths"}),
        Join("profiles", "provider_id", "id", {"provider_name": "name"}),
        Join("organizations", "organization_id", "id", {"organization_name": "name"}),
    ),
)
"""A job with its rating and the names of who offers it."""

TABLES = (JOBS, RATINGS)
VIEWS = (JOB_LISTINGS,)
