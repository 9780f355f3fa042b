"""What the parties of completed work say of each other."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query

from application.reviews import (
    Assessment,
    GetReview,
    HideReview,
    ListJobReviews,
    ListMyReviews,
    ListProviderReviews,
    Moderation,
    PostReview,
    RespondToReview,
    Response,
    RestoreReview,
)
from domain.reviews import ReviewState
from domain.shared.ids import BookingId, JobId, ReviewId, UserId
from domain.shared.terms import Side
from entrypoints.rest.asking import Anybody, Somebody
from entrypoints.rest.cursors import Asked, Paged
from entrypoints.rest.once import Commanded
from entrypoints.rest.out import Out
from entrypoints.rest.routing import api_router
from entrypoints.rest.speaks import speaks
from entrypoints.use_cases import UseCases


class ReviewOut(Out):
    """A review, and the answer of the one it is about."""

    id: ReviewId
    booking_id: BookingId
    job_id: JobId
    provider_id: UserId
    customer_id: UserId
    author_id: UserId
    side: Side
    """Whose review it is: the customer's rates the job, the provider's is about the customer."""
    stars: int
    text: str
    response: str | None
    responded_at: datetime | None
    state: ReviewState
    created_at: datetime


class ReviewCardOut(ReviewOut):
    """A review with the names people read it by; the job's title for those who may see the job."""

    job_title: str | None
    author_name: str | None


def reviews(use: UseCases) -> APIRouter:
    """Routes under /v1/reviews, and the reviews of a booking, a job and a provider."""
    router = api_router(tag="reviews")
    post_review, respond, get_review = use(PostReview), use(RespondToReview), use(GetReview)
    of_job, of_provider, my_reviews = use(ListJobReviews), use(ListProviderReviews), use(ListMyReviews)
    hide_review, restore_review = use(HideReview), use(RestoreReview)

    @router.post("/bookings/{booking_id}/reviews", status_code=201, **speaks(PostReview))
    async def create(actor: Somebody, booking_id: BookingId, assessment: Assessment, once: Commanded) -> ReviewOut:
        return ReviewOut.of(await once(lambda: post_review(actor, booking_id, assessment)))

    @router.get("/jobs/{job_id}/reviews", **speaks(ListJobReviews, signed_in=False))
    async def job(actor: Anybody, job_id: JobId, page: Asked) -> Paged[ReviewCardOut]:
        return page.project(await of_job(actor, job_id, after=page.after, limit=page.limit), ReviewCardOut)

    @router.get("/providers/{provider_id}/reviews", **speaks(ListProviderReviews, signed_in=False))
    async def provider(actor: Anybody, provider_id: UserId, page: Asked) -> Paged[ReviewCardOut]:
        found = await of_provider(actor, provider_id, after=page.after, limit=page.limit)
        return page.project(found, ReviewCardOut)

    @router.get("/reviews/mine", **speaks(ListMyReviews))
    async def mine(
        actor: Somebody,
        page: Asked,
        received: Annotated[bool, Query(description="Those about you instead of those you wrote")] = False,
    ) -> Paged[ReviewCardOut]:
        found = await my_reviews(actor, received=received, after=page.after, limit=page.limit)
        return page.project(found, ReviewCardOut)

    @router.get("/reviews/{review_id}", **speaks(GetReview, signed_in=False))
    async def read(actor: Anybody, review_id: ReviewId) -> ReviewCardOut:
        return ReviewCardOut.of(await get_review(actor, review_id))

    @router.post("/reviews/{review_id}/response", **speaks(RespondToReview))
    async def answer(actor: Somebody, review_id: ReviewId, response: Response, once: Commanded) -> ReviewOut:
        return ReviewOut.of(await once(lambda: respond(actor, review_id, response)))

    @router.post("/reviews/{review_id}/hide", **speaks(HideReview))
    async def hide(actor: Somebody, review_id: ReviewId, moderation: Moderation, once: Commanded) -> ReviewOut:
        return ReviewOut.of(await once(lambda: hide_review(actor, review_id, moderation)))

    @router.post("/reviews/{review_id}/restore", **speaks(RestoreReview))
    async def restore(actor: Somebody, review_id: ReviewId, moderation: Moderation, once: Commanded) -> ReviewOut:
        return ReviewOut.of(await once(lambda: restore_review(actor, review_id, moderation)))

    return router
