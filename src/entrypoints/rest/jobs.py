"""What is on offer: drafting, publishing and finding jobs."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Query, Response

from application.jobs import (
    ArchiveJob,
    CreateJob,
    DeleteDraft,
    GetJob,
    JobDraft,
    JobFilter,
    JobQuery,
    JobRevision,
    JobSort,
    ListMyJobs,
    PublishJob,
    ReviseJob,
    SearchJobs,
)
from domain.jobs import JobState
from domain.shared.ids import FileId, JobId, OrganizationId, UserId
from domain.shared.money import Money
from domain.shared.terms import Acceptance, CancellationPolicy, PaymentTerms
from entrypoints.rest.asking import Anybody, Somebody
from entrypoints.rest.cursors import Asked, Paged
from entrypoints.rest.once import Commanded
from entrypoints.rest.out import Out
from entrypoints.rest.queries import asked
from entrypoints.rest.routing import api_router
from entrypoints.rest.speaks import speaks
from entrypoints.rest.versions import BY_HEADER, ExpectedVersion, tagged
from entrypoints.use_cases import UseCases

DRAFT: Any = {
    "lesson": {
        "summary": "A guitar lesson, paid in advance",
        "value": {
            "title": "Guitar lesson for beginners",
            "category": "music",
            "price": {"amount_minor": 4500, "currency": "EUR"},
            "duration": 60,
            "buffer_after": 15,
            "place": "Rua da Rosa 12, Lisboa",
            "policy": "moderate",
        },
    },
    "tasting": {
        "summary": "A free tasting for twelve, on request",
        "value": {
            "title": "Wine tasting",
            "category": "food",
            "price": {"amount_minor": 0, "currency": "EUR"},
            "duration": 90,
            "capacity": 12,
            "place": "Porto",
            "terms": "free",
            "acceptance": "request",
        },
    },
}


class JobOut(Out):
    """A job: what a provider offers and customers book. Durations, buffers and notice are minutes."""

    id: JobId
    version: int
    organization_id: OrganizationId
    provider_id: UserId
    title: str
    description: str
    category: str
    price: Money
    """What one seat costs."""
    duration: int
    buffer_before: int
    buffer_after: int
    capacity: int
    place: str
    remote: bool
    slot_interval: int
    notice: int
    window_days: int
    terms: PaymentTerms
    acceptance: Acceptance
    policy: CancellationPolicy
    pictures: tuple[FileId, ...]
    """In order, the first is the cover; see `/v1/files`."""
    state: JobState
    published_at: datetime | None
    created_at: datetime
    updated_at: datetime


class ListingOut(JobOut):
    """A job with what its customers said of it."""

    rating_count: int
    rating_average: int
    """Hundredths of a star; 0 without reviews."""
    provider_name: str | None
    organization_name: str | None


def jobs(use: UseCases) -> APIRouter:
    """Routes under /v1/jobs."""
    router = api_router("/jobs", tag="jobs")
    create_job, revise_job, publish_job, archive_job = use(CreateJob), use(ReviseJob), use(PublishJob), use(ArchiveJob)
    delete_draft, get_job, list_my_jobs, search_jobs = use(DeleteDraft), use(GetJob), use(ListMyJobs), use(SearchJobs)

    @router.get("", **speaks(SearchJobs, signed_in=False))
    async def search(
        actor: Anybody,
        query: Annotated[JobQuery, Depends(asked(JobQuery))],
        page: Asked,
        sort: Annotated[JobSort, Query(description=" ".join((JobSort.__doc__ or "").split()))] = JobSort.RELEVANCE,
    ) -> Paged[ListingOut]:
        found = await search_jobs(actor, query, sort=sort, after=page.after, limit=page.limit)
        return page.project(found, ListingOut)

    @router.post("", status_code=201, **speaks(CreateJob))
    async def create(
        actor: Somebody, draft: Annotated[JobDraft, Body(openapi_examples=DRAFT)], once: Commanded
    ) -> JobOut:
        return JobOut.of(await once(lambda: create_job(actor, draft)))

    @router.get("/mine", **speaks(ListMyJobs))
    async def mine(
        actor: Somebody, filter: Annotated[JobFilter, Depends(asked(JobFilter))], page: Asked
    ) -> Paged[ListingOut]:
        return page.project(await list_my_jobs(actor, filter, after=page.after, limit=page.limit), ListingOut)

    @router.get("/{job_id}", **speaks(GetJob, signed_in=False))
    async def read(actor: Anybody, job_id: JobId, response: Response) -> ListingOut:
        job = await get_job(actor, job_id)
        tagged(response, job)
        return ListingOut.of(job)

    @router.patch("/{job_id}", **speaks(ReviseJob))
    async def revise(
        actor: Somebody,
        job_id: JobId,
        revision: Annotated[JobRevision, BY_HEADER],
        expected: ExpectedVersion,
        once: Commanded,
    ) -> JobOut:
        revision = replace(revision, expected_version=expected)
        return JobOut.of(await once(lambda: revise_job(actor, job_id, revision)))

    @router.post("/{job_id}/publish", **speaks(PublishJob))
    async def publish(actor: Somebody, job_id: JobId, once: Commanded) -> JobOut:
        return JobOut.of(await once(lambda: publish_job(actor, job_id)))

    @router.post("/{job_id}/archive", **speaks(ArchiveJob))
    async def archive(actor: Somebody, job_id: JobId, once: Commanded) -> JobOut:
        return JobOut.of(await once(lambda: archive_job(actor, job_id)))

    @router.delete("/{job_id}", status_code=204, **speaks(DeleteDraft))
    async def delete(actor: Somebody, job_id: JobId, once: Commanded) -> None:
        await once(lambda: delete_draft(actor, job_id))

    return router
