"""What the function `search_jobs` of a database is asked, and what its rows mean, however it is called."""

from collections.abc import Sequence
from typing import Any

from adapters.persistence.mapper import Mapper
from adapters.persistence.schema.tables import Row
from application.ports.criteria import Position
from application.ports.jobs import JobListing, JobQuery, JobSort
from application.ports.readers import Page

LISTING: Mapper[JobListing] = Mapper(JobListing)


def question(query: JobQuery, *, sort: JobSort, after: Position | None, most: int) -> dict[str, Any]:
    """The function's arguments by name."""
    number, moment, id = marks(sort, after)
    return {
        "query": _tsquery(query.terms),
        "terms": list(query.terms),
        "category": query.category,
        "price_from": query.price_from,
        "price_to": query.price_to,
        "currency": query.currency,
        "least_rating": query.least_rating,
        "provider": query.provider_id,
        "organization": query.organization_id,
        "place": _tsquery(query.place_terms),
        "remote": query.remote,
        "sort": sort.value,
        "mark_number": number,
        "mark_time": moment,
        "mark_id": id,
        "most": most,
    }


def found(rows: Sequence[Row], *, sort: JobSort, limit: int) -> Page[JobListing]:
    """A page of at most so many listings; one row more than that says that there is another page."""
    end = position(sort, rows[limit - 1]) if len(rows) > limit else None
    return Page([LISTING.build(row) for row in rows[:limit]], end)


def _tsquery(terms: tuple[str, ...]) -> str | None:
    """Each term must begin a word. Terms are letters and digits only, so quoting them is safe."""
    return " & ".join(f"'{term}':*" for term in terms) or None


def marks(sort: JobSort, after: Position | None) -> tuple[Any, Any, Any]:
    """A position's number, moment and id, as far as this sort has them."""
    match sort, after:
        case _, None:
            return None, None, None
        case JobSort.RELEVANCE, (number, moment, id):
            return number, moment, id
        case JobSort.NEWEST, (moment, id):
            return None, moment, id
        case _, (number, id):
            return number, None, id
    raise ValueError(f"{after!r} is no position in this order")


def position(sort: JobSort, row: Row) -> Position:
    """Where a page that ends with this row ended."""
    match sort:
        case JobSort.RELEVANCE:
            return row["relevance"], row["published_at"], row["id"]
        case JobSort.NEWEST:
            return row["published_at"], row["id"]
        case JobSort.RATING:
            return row["rating_average"], row["id"]
    return row["price_minor"], row["id"]
