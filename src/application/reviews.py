"""Reviewing: what the parties of a completed booking say, moderation, and the rating that stays exact."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from application.inputs import submitted
from application.ports.clock import Clock
from application.ports.criteria import AnyOf, Order, Position
from application.ports.ids import Ids
from application.ports.readers import Page, Readers
from application.ports.unit_of_work import Begin
from domain.bookings import BookingState
from domain.reviews import (
    AlreadyAnswered,
    AlreadyReviewed,
    Drift,
    NotCompleted,
    NotHidden,
    NotTheReviewed,
    Review,
    ReviewHidden,
    ReviewPosted,
    ReviewRestored,
    ReviewState,
    ReviewTakenDown,
    Summary,
    rating_drift,
)
from domain.shared.actors import Actor
from domain.shared.errors import Forbidden, Invalid, NotFound, Refusal, Unauthenticated
from domain.shared.ids import BookingId, JobId, ReviewId, UserId
from domain.shared.terms import Side

_NEWEST = Order("created_at", descending=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewView:
    """A review as people read it; the job's title is there for those who may see the job."""

    source: ClassVar[str] = "review_cards"
    id: ReviewId
    booking_id: BookingId
    job_id: JobId
    job_title: str | None
    provider_id: UserId
    customer_id: UserId
    author_id: UserId
    author_name: str | None
    side: Side
    stars: int
    text: str
    response: str | None
    responded_at: datetime | None
    state: ReviewState
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StarsView:
    """Only what counts for a job's rating."""

    source: ClassVar[str] = "reviews"
    job_id: JobId
    side: Side
    stars: int
    state: ReviewState


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingView:
    """The summary kept beside a job."""

    source: ClassVar[str] = "ratings"
    id: JobId
    count: int
    total: int


@submitted
class Assessment:
    """What you make of it."""

    stars: int
    """One to five."""
    text: str = ""
    """In your words, at most 4000 characters; may stay empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostReview:
    """Review a completed booking you were a party of, once. The customer's review rates the job; the provider's is
    about the customer."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, NotFound, NotCompleted, AlreadyReviewed, Invalid)
    begin: Begin
    clock: Clock
    ids: Ids

    async def __call__(self, actor: Actor, booking_id: BookingId, assessment: Assessment) -> Review:
        author_id = actor.signed_in()
        async with self.begin(actor) as work:
            booking = await work.bookings.get(booking_id)
            review = Review.post(
                id=ReviewId(self.ids.new()),
                booking_id=booking.id,
                job_id=booking.job_id,
                provider_id=booking.provider_id,
                customer_id=booking.customer_id,
                completed=booking.state is BookingState.COMPLETED,
                author_id=author_id,
                stars=assessment.stars,
                text=assessment.text,
                now=self.clock.now(),
            )
            work.reviews.add(review)
            return work.answer(review)


@submitted
class Response:
    """An answer to a review."""

    text: str
    """1 to 2000 characters, shown under the review."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RespondToReview:
    """Answer a review about you, once; the answer is shown under it."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        Unauthenticated,
        NotFound,
        NotTheReviewed,
        AlreadyAnswered,
        ReviewTakenDown,
        Invalid,
    )
    begin: Begin
    clock: Clock

    async def __call__(self, actor: Actor, review_id: ReviewId, response: Response) -> Review:
        by = actor.signed_in()
        async with self.begin(actor) as work:
            review = await work.reviews.get(review_id)
            review.respond(response.text, by=by, now=self.clock.now())
            return work.answer(review)


@submitted
class Moderation:
    """Why a moderator steps in."""

    reason: str
    """Kept on record, not shown to the public."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HideReview:
    """Take a review down, as an admin and with a reason; it no longer counts for the job's rating."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, Forbidden, NotFound, ReviewTakenDown, Invalid)
    begin: Begin
    clock: Clock

    async def __call__(self, actor: Actor, review_id: ReviewId, moderation: Moderation) -> Review:
        actor.must_be_admin()
        async with self.begin(actor) as work:
            review = await work.reviews.get(review_id)
            review.hide(moderation.reason, now=self.clock.now())
            return work.answer(review)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreReview:
    """Show a hidden review again, as an admin and with a reason; it counts again."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, Forbidden, NotFound, NotHidden, Invalid)
    begin: Begin
    clock: Clock

    async def __call__(self, actor: Actor, review_id: ReviewId, moderation: Moderation) -> Review:
        actor.must_be_admin()
        async with self.begin(actor) as work:
            review = await work.reviews.get(review_id)
            review.restore(moderation.reason, now=self.clock.now())
            return work.answer(review)


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveRating:
    """A customer's review counts for its job from the moment it is shown, and no longer than that."""

    begin: Begin
    clock: Clock

    async def __call__(self, actor: Actor, event: ReviewPosted | ReviewHidden | ReviewRestored) -> None:
        if event.side is not Side.CUSTOMER:
            return
        async with self.begin(actor) as work:
            rating = await work.ratings.get(event.job_id)
            now = self.clock.now()
            if isinstance(event, ReviewHidden):
                rating.move(stars_removed=event.stars, now=now)
            else:
                rating.move(stars_added=event.stars, now=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListJobReviews:
    """What customers said about a job, newest first; open to everybody."""

    readers: Readers

    async def __call__(
        self, actor: Actor, job_id: JobId, *, after: Position | None = None, limit: int
    ) -> Page[ReviewView]:
        where = {"job_id": job_id, "side": Side.CUSTOMER.value, "state": ReviewState.PUBLISHED.value}
        return await self.readers.page(actor, ReviewView, where, order=_NEWEST, after=after, limit=limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListProviderReviews:
    """What customers said about all of a provider's jobs, newest first; open to everybody."""

    readers: Readers

    async def __call__(
        self, actor: Actor, provider_id: UserId, *, after: Position | None = None, limit: int
    ) -> Page[ReviewView]:
        where = {"provider_id": provider_id, "side": Side.CUSTOMER.value, "state": ReviewState.PUBLISHED.value}
        return await self.readers.page(actor, ReviewView, where, order=_NEWEST, after=after, limit=limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListMyReviews:
    """The reviews you wrote or, when `received`, those about you; newest first."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated,)
    readers: Readers

    async def __call__(
        self, actor: Actor, *, received: bool = False, after: Position | None = None, limit: int
    ) -> Page[ReviewView]:
        where = {"reviewed_id" if received else "author_id": actor.signed_in()}
        return await self.readers.page(actor, ReviewView, where, order=_NEWEST, after=after, limit=limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class GetReview:
    """One review; a hidden one is there for its parties and for admins only."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (NotFound,)
    readers: Readers

    async def __call__(self, actor: Actor, review_id: ReviewId) -> ReviewView:
        return await self.readers.one(actor, ReviewView, review_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRatings:
    """Recompute every job's rating from its reviews, and say which are not what they should be. Only for admins; a
    review whose event is still on its way shows up here until it has arrived."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, Forbidden)
    readers: Readers

    async def __call__(self, actor: Actor, *, batch: int = 200) -> dict[JobId, Drift]:
        actor.must_be_admin()
        drifts: dict[JobId, Drift] = {}
        after: Position | None = None
        while True:
            ratings = await self.readers.page(actor, RatingView, {}, order=Order(), after=after, limit=batch)
            stars = await self._stars(actor, [rating.id for rating in ratings.items], batch)
            for rating in ratings.items:
                kept = Summary(count=rating.count, total=rating.total)
                if drift := rating_drift(kept, stars.get(rating.id, [])):
                    drifts[rating.id] = drift
            after = ratings.next
            if after is None:
                return drifts

    async def _stars(self, actor: Actor, jobs: list[JobId], batch: int) -> dict[JobId, list[StarsView]]:
        found: dict[JobId, list[StarsView]] = {}
        after: Position | None = None
        while True:
            page = await self.readers.page(
                actor, StarsView, {"job_id": AnyOf(tuple(jobs))}, order=Order(), after=after, limit=batch
            )
            for each in page.items:
                found.setdefault(each.job_id, []).append(each)
            after = page.next
            if after is None:
                return found
