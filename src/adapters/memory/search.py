"""Searching jobs in memory, by the same words, order and bounds as PostgreSQL."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from adapters.memory.store import MemoryStore
from adapters.memory.views import Eyes, joined
from adapters.persistence.mapper import Mapper
from adapters.persistence.schema import VIEWS
from adapters.persistence.schema.tables import Row
from application.ports.criteria import Position
from application.ports.jobs import RELEVANT, JobListing, JobQuery, JobSearch, JobSort
from application.ports.readers import Page
from domain.shared.actors import SYSTEM, Actor

_LISTING: Mapper[JobListing] = Mapper(JobListing)

_KEYS: dict[JobSort, Callable[[Row], tuple[Any, ...]]] = {
    JobSort.RELEVANCE: lambda row: (row["relevance"], row["published_at"], row["id"]),
    JobSort.NEWEST: lambda row: (row["published_at"], row["id"]),
    JobSort.PRICE: lambda row: (row["price_minor"], row["id"]),
    JobSort.PRICE_HIGHEST: lambda row: (row["price_minor"], row["id"]),
    JobSort.RATING: lambda row: (row["rating_average"], row["id"]),
}


class MemoryJobSearch(JobSearch):
    """Looks at every published job."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def search(
        self, actor: Actor, query: JobQuery, *, sort: JobSort, after: Position | None, limit: int
    ) -> Page[JobListing]:
        rows = [row for row in self._published() if _wanted(row, query)]
        if sort is JobSort.RELEVANCE:
            rows = sorted(rows, key=_KEYS[JobSort.NEWEST], reverse=True)[:RELEVANT]
            rows = [{**row, "relevance": _relevance(row, query.terms)} for row in rows]
        place, key = _placer(sort), _KEYS[sort]
        rows = sorted(rows, key=lambda row: place(key(row)))
        if after is not None:
            rows = [row for row in rows if place(key(row)) > place(after)]
        end = key(rows[limit - 1]) if len(rows) > limit else None
        return Page([_LISTING.build(row) for row in rows[:limit]], end)

    def _published(self) -> list[Row]:
        jobs, view, eyes = self._store.tables["jobs"].rows.values(), VIEWS["job_listings"], Eyes(self._store, SYSTEM)
        rows = [{**job, **joined(self._store, view, job, eyes)} for job in jobs if job["state"] == "published"]
        return [row for row in rows if row["rating_count"] is not None]


def _wanted(row: Row, query: JobQuery) -> bool:
    return (
        all(_begins(term, row["words"]) for term in query.terms)
        and all(_begins(term, row["place_words"]) for term in query.place_terms)
        and query.category in (None, row["category"])
        and query.currency in (None, row["price_currency"])
        and (query.price_from is None or row["price_minor"] >= query.price_from)
        and (query.price_to is None or row["price_minor"] <= query.price_to)
        and (query.least_rating is None or row["rating_average"] >= query.least_rating)
        and query.provider_id in (None, row["provider_id"])
        and query.organization_id in (None, row["organization_id"])
        and query.remote in (None, row["remote"])
    )


def _begins(term: str, words: str) -> bool:
    return f" {term}" in f" {words}"


def _relevance(row: Row, terms: tuple[str, ...]) -> int:
    return sum(_begins(term, row["title_words"]) for term in terms)


@dataclass(frozen=True, slots=True)
class _Newer:
    """Sorts the greater value first, whatever it is."""

    value: Any

    def __lt__(self, other: "_Newer") -> bool:
        return bool(other.value < self.value)


def _placer(sort: JobSort) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    """Makes a sort's key ascend in the order the sort shows: all descending, but the lowest price first."""
    if sort is JobSort.PRICE:
        return lambda key: (key[0], _Newer(key[1]))
    return lambda key: tuple(_Newer(value) for value in key)
