"""What the two parties of finished work say about each other, and the summary that stays equal to it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol

from domain.shared.aggregate import Aggregate, Event
from domain.shared.errors import Conflict, Forbidden, Invalid, NotFound
from domain.shared.ids import BookingId, JobId, ReviewId, UserId
from domain.shared.terms import Side
from domain.shared.text import text as written

LONGEST_REVIEW = 4000
LONGEST_RESPONSE = 2000
LONGEST_REASON = 500


class ReviewState(StrEnum):
    """Whether a review is shown, or was taken down by a moderator."""

    PUBLISHED = "published"
    HIDDEN = "hidden"


class NotCompleted(Conflict):
    """Only work that was done can be reviewed."""

    code = "review.not_completed"

    def __init__(self) -> None:
        super().__init__("a booking can be reviewed once it is completed")


class AlreadyReviewed(Conflict):
    """Each side reviews a booking once."""

    code = "review.already_reviewed"

    def __init__(self) -> None:
        super().__init__("you have reviewed this booking already")


class AlreadyAnswered(Conflict):
    """A review is answered once."""

    code = "review.already_answered"

    def __init__(self, responded_at: datetime) -> None:
        super().__init__("this review has been answered already", responded_at=responded_at.isoformat())


class NotTheReviewed(Forbidden):
    """Only who was reviewed may answer."""

    code = "review.not_the_reviewed"

    def __init__(self) -> None:
        super().__init__("only who was reviewed may answer a review")


class ReviewTakenDown(Conflict):
    """The review has been taken down."""

    code = "review.hidden"

    def __init__(self) -> None:
        super().__init__("this review has been taken down by a moderator")


class NotHidden(Conflict):
    """The review is shown already."""

    code = "review.not_hidden"

    def __init__(self) -> None:
        super().__init__("this review is not hidden")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewPosted(Event):
    """A party of a completed booking reviewed it."""

    name: ClassVar[str] = "review.posted"
    review_id: ReviewId
    booking_id: BookingId
    job_id: JobId
    author_id: UserId
    reviewed_id: UserId
    side: Side
    stars: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewAnswered(Event):
    """Who was reviewed answered."""

    name: ClassVar[str] = "review.answered"
    review_id: ReviewId
    job_id: JobId
    author_id: UserId
    reviewed_id: UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewHidden(Event):
    """A moderator hid a review: it no longer counts."""

    name: ClassVar[str] = "review.hidden"
    review_id: ReviewId
    job_id: JobId
    side: Side
    stars: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRestored(Event):
    """A moderator showed a hidden review again: it counts again."""

    name: ClassVar[str] = "review.restored"
    review_id: ReviewId
    job_id: JobId
    side: Side
    stars: int
    reason: str


@dataclass(eq=False, slots=True, kw_only=True)
class Review(Aggregate):
    """One party's word on a completed booking: a customer's rates the job, a provider's is about the customer."""

    id: ReviewId
    booking_id: BookingId
    job_id: JobId
    provider_id: UserId
    customer_id: UserId
    author_id: UserId
    side: Side
    stars: int
    text: str
    response: str | None = None
    responded_at: datetime | None = None
    state: ReviewState = ReviewState.PUBLISHED
    moderation_reason: str | None = None
    moderated_at: datetime | None = None
    created_at: datetime

    def __post_init__(self) -> None:
        if type(self.stars) is not int or not 1 <= self.stars <= 5:
            raise Invalid("a review gives one to five stars", field="stars", least=1, most=5)

    @property
    def reviewed_id(self) -> UserId:
        """Whom the review is about."""
        return self.provider_id if self.side is Side.CUSTOMER else self.customer_id

    def is_shown_to(self, user_id: UserId) -> bool:
        """Whether this user may know of it: its parties always, everybody while it is published."""
        return self.state is ReviewState.PUBLISHED or user_id in (self.customer_id, self.provider_id)

    @classmethod
    def post(
        cls,
        *,
        id: ReviewId,
        booking_id: BookingId,
        job_id: JobId,
        provider_id: UserId,
        customer_id: UserId,
        completed: bool,
        author_id: UserId,
        stars: int,
        text: str,
        now: datetime,
    ) -> "Review":
        """A party's review of a completed booking; to anybody else there is no such booking."""
        if author_id not in (customer_id, provider_id):
            raise NotFound.of("booking", booking_id)
        if not completed:
            raise NotCompleted
        review = cls(
            id=id,
            booking_id=booking_id,
            job_id=job_id,
            provider_id=provider_id,
            customer_id=customer_id,
            author_id=author_id,
            side=Side.CUSTOMER if author_id == customer_id else Side.PROVIDER,
            stars=stars,
            text=written(text, field="text", longest=LONGEST_REVIEW, shortest=0, lines=True),
            created_at=now,
        )
        review._record(
            ReviewPosted(
                review_id=id,
                booking_id=booking_id,
                job_id=job_id,
                author_id=author_id,
                reviewed_id=review.reviewed_id,
                side=review.side,
                stars=stars,
            )
        )
        return review

    def respond(self, text: str, *, by: UserId, now: datetime) -> None:
        """The reviewed party's one public answer."""
        if by != self.reviewed_id:
            raise NotTheReviewed if self.is_shown_to(by) else NotFound.of("review", self.id)
        if self.state is ReviewState.HIDDEN:
            raise ReviewTakenDown
        if self.responded_at is not None:
            raise AlreadyAnswered(self.responded_at)
        self.response = written(text, field="text", longest=LONGEST_RESPONSE, lines=True)
        self.responded_at = now
        self._record(
            ReviewAnswered(
                review_id=self.id,
                job_id=self.job_id,
                author_id=self.author_id,
                reviewed_id=self.reviewed_id,
            )
        )

    def hide(self, reason: str, *, now: datetime) -> None:
        """Take it down, for a reason that stays on record; it no longer counts."""
        if self.state is ReviewState.HIDDEN:
            raise ReviewTakenDown
        reason = self._moderated(ReviewState.HIDDEN, reason, now=now)
        self._record(
            ReviewHidden(review_id=self.id, job_id=self.job_id, side=self.side, stars=self.stars, reason=reason)
        )

    def restore(self, reason: str, *, now: datetime) -> None:
        """Show it again, for a reason that stays on record; it counts again."""
        if self.state is ReviewState.PUBLISHED:
            raise NotHidden
        reason = self._moderated(ReviewState.PUBLISHED, reason, now=now)
        self._record(
            ReviewRestored(review_id=self.id, job_id=self.job_id, side=self.side, stars=self.stars, reason=reason)
        )

    def _moderated(self, state: ReviewState, reason: str, *, now: datetime) -> str:
        self.moderation_reason = written(reason, field="reason", longest=LONGEST_REASON)
        self.moderated_at = now
        self.state = state
        return self.moderation_reason


class Rated(Protocol):
    """Anything that says what a review gave and whether it counts: the review itself, or a view of it."""

    @property
    def stars(self) -> int: ...
    @property
    def side(self) -> Side: ...
    @property
    def state(self) -> ReviewState: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """How many reviews rate a job, and the stars they gave together."""

    count: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """A kept summary that is not what its reviews add up to."""

    kept: Summary
    actual: Summary


def counts(review: Rated) -> bool:
    """Whether a review rates its job: written by the customer, and shown."""
    return review.side is Side.CUSTOMER and review.state is ReviewState.PUBLISHED


def summarise(reviews: Iterable[Rated]) -> Summary:
    """The summary of one job's reviews, recomputed from nothing."""
    stars = [review.stars for review in reviews if counts(review)]
    return Summary(count=len(stars), total=sum(stars))


def rating_drift(kept: Summary, reviews: Iterable[Rated]) -> Drift | None:
    """What is wrong with a job's kept summary, or None when it equals recomputation (rule R3)."""
    actual = summarise(reviews)
    return None if actual == kept else Drift(kept=kept, actual=actual)
