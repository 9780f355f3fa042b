"""Searching jobs by calling the function that every PostgreSQL of ours has."""

from datetime import datetime
from typing import Any
from uuid import UUID

from adapters.persistence.search import found, question
from adapters.supabase.errors import unreadable
from adapters.supabase.rest import Rest, call
from adapters.supabase.values import received
from application.ports.criteria import Position
from application.ports.jobs import JobListing, JobQuery, JobSearch, JobSort
from application.ports.readers import Page
from domain.shared.actors import Actor


class SupabaseJobSearch(JobSearch):
    """Asks as anybody would: what it finds is public."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    async def search(
        self, actor: Actor, query: JobQuery, *, sort: JobSort, after: Position | None, limit: int
    ) -> Page[JobListing]:
        asked = question(query, sort=sort, after=after, most=limit + 1)
        arguments = {name: _told(value) for name, value in asked.items()}
        try:
            told = await self._rest.as_anybody(call("search_jobs", arguments))
        except Exception as error:
            raise (unreadable(error) or error) from error
        rows = [
            received("job_listings", {name.removesuffix("_"): value for name, value in row.items()}) for row in told
        ]
        return found(rows, sort=sort, limit=limit)


def _told(value: Any) -> Any:
    match value:
        case UUID():
            return str(value)
        case datetime():
            return value.isoformat()
    return value
