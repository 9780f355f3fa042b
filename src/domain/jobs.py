"""Jobs: what a provider offers and a customer books, and the rating that gathers beside each."""

from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from domain.shared.aggregate import Aggregate, Event
from domain.shared.errors import Conflict, Forbidden, Invalid
from domain.shared.ids import FileId, JobId, OrganizationId, UserId
from domain.shared.money import Money
from domain.shared.terms import POLICIES, Acceptance, CancellationPolicy, PaymentTerms, PolicyName
from domain.shared.text import text, words

HIGHEST_PRICE = 10**12
"""So that the price of every seat of the largest session is still an amount of money."""

LONGEST_WORD = 64
"""Characters of a word that search looks at; text indexes cannot hold words of any length."""

MOST_PICTURES = 12
"""More than that nobody looks at."""

BOUNDS: dict[str, tuple[int, int]] = {
    "duration": (5, 1440),
    "buffer_before": (0, 720),
    "buffer_after": (0, 720),
    "capacity": (1, 500),
    "slot_interval": (5, 1440),
    "notice": (0, 60 * 24 * 365),
    "window_days": (1, 730),
}
"""Least and most of each number of a job; minutes, but for seats and the days of the window."""


class JobState(StrEnum):
    """A draft is its makers' own; a published job is everybody's to book; an archived one is history."""

    DRAFT = "draft"
    PUBLISHED = "published"
    ARCHIVED = "archived"


class JobStateRefused(Conflict):
    """The job's state does not allow that."""

    code = "job.wrong_state"

    def __init__(self, verb: str, state: JobState) -> None:
        super().__init__(f"a job that is {state.value} cannot be {verb}", state=state.value)


class NotAProvider(Forbidden):
    """Only a provider offers jobs, and only a member of the organization performs them."""

    code = "job.not_a_provider"


class NotYourJob(Forbidden):
    """A published job is everybody's to see, and its makers' alone to change."""

    code = "job.not_yours"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCreated(Event):
    """A draft was made."""

    name: ClassVar[str] = "job.created"
    job_id: JobId
    provider_id: UserId
    organization_id: OrganizationId


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRevised(Event):
    """What is offered, or on what terms, has changed; bookings already made keep theirs."""

    name: ClassVar[str] = "job.revised"
    job_id: JobId
    provider_id: UserId
    organization_id: OrganizationId


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPublished(Event):
    """Everybody may now find and book it."""

    name: ClassVar[str] = "job.published"
    job_id: JobId
    provider_id: UserId
    organization_id: OrganizationId


@dataclass(frozen=True, slots=True, kw_only=True)
class JobArchived(Event):
    """Nobody can book it any more; its bookings stand."""

    name: ClassVar[str] = "job.archived"
    job_id: JobId
    provider_id: UserId
    organization_id: OrganizationId


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDeleted(Event):
    """A draft was thrown away."""

    name: ClassVar[str] = "job.deleted"
    job_id: JobId
    provider_id: UserId
    organization_id: OrganizationId


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a job says about itself and its terms: every field judged, so that an `Offer` is always sound.
    Numbers are minutes, but for `capacity` (seats) and `window_days`."""

    title: str
    description: str = ""
    category: str
    price: Money
    duration: int
    buffer_before: int = 0
    buffer_after: int = 0
    capacity: int = 1
    place: str = ""
    remote: bool = False
    slot_interval: int = 30
    notice: int = 0
    window_days: int = 60
    terms: PaymentTerms = PaymentTerms.PREPAID
    acceptance: Acceptance = Acceptance.INSTANT
    policy: CancellationPolicy = POLICIES[PolicyName.FLEXIBLE]

    def __post_init__(self) -> None:
        def settle(field: str, value: str) -> None:
            object.__setattr__(self, field, value)

        settle("title", text(self.title, field="title", shortest=3, longest=120))
        settle("description", text(self.description, field="description", shortest=0, longest=5000, lines=True))
        settle("category", text(self.category, field="category", longest=60).casefold())
        settle("place", text(self.place, field="place", shortest=0, longest=200))
        for field, (least, most) in BOUNDS.items():
            _bounded(getattr(self, field), field=field, least=least, most=most)
        if not words(self.title):
            raise Invalid("a title has at least one word", field="title")
        if not self.place and not self.remote:
            raise Invalid("a job happens at a place, or remotely, or both", field="place")
        _bounded(self.price.amount_minor, field="price", least=0, most=HIGHEST_PRICE)
        if self.terms is PaymentTerms.FREE and not self.price.is_zero:
            raise Invalid("a free job has no price", field="price")
        if self.terms.by_card and self.price.is_zero:
            raise Invalid("a job paid in advance has a price", field="price")


@dataclass(eq=False, slots=True, kw_only=True)
class Job(Aggregate):
    """What a provider offers, on what terms. Times are real minutes: `duration`, the buffers kept free around it, the
    `slot_interval` between starts and the `notice` a customer must give; `window_days` ahead can be booked."""

    id: JobId
    organization_id: OrganizationId
    provider_id: UserId
    title: str
    description: str
    category: str
    price: Money
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
    pictures: tuple[FileId, ...] = ()
    state: JobState = JobState.DRAFT
    published_at: datetime | None = None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def draft(
        cls, *, id: JobId, organization_id: OrganizationId, provider_id: UserId, offer: Offer, now: datetime
    ) -> "Job":
        """A new job that only its organization sees."""
        job = cls(
            id=id,
            organization_id=organization_id,
            provider_id=provider_id,
            created_at=now,
            updated_at=now,
            **_terms_of(offer),
        )
        job._happened(JobCreated)
        return job

    @property
    def title_words(self) -> str:
        """The title's words as search sees them; a hit here counts for relevance."""
        return findable(self.title)

    @property
    def words(self) -> str:
        """Every word search finds the job by: title, category and description."""
        return findable(f"{self.title}\n{self.category}\n{self.description}")

    @property
    def place_words(self) -> str:
        """The words of the place it happens at."""
        return findable(self.place)

    @property
    def bookable(self) -> bool:
        """Whether customers may book it."""
        return self.state is JobState.PUBLISHED

    @property
    def offer(self) -> Offer:
        """What it says about itself and its terms now; a revision starts from here."""
        return Offer(**_terms_of(self))

    def revise(self, offer: Offer, *, now: datetime) -> None:
        """Say something else from now on; bookings already made keep the price and policy they were made with."""
        self._allow("revised", JobState.DRAFT, JobState.PUBLISHED)
        for field, value in _terms_of(offer).items():
            setattr(self, field, value)
        self.updated_at = now
        self._happened(JobRevised)

    def show(self, pictures: tuple[FileId, ...], *, now: datetime) -> None:
        """Show these pictures, in this order, the first as its cover."""
        self._allow("revised", JobState.DRAFT, JobState.PUBLISHED)
        if len(pictures) > MOST_PICTURES:
            raise Invalid(f"a job shows at most {MOST_PICTURES} pictures", field="pictures", most=MOST_PICTURES)
        if pictures != self.pictures:
            self.pictures, self.updated_at = pictures, now
            self._happened(JobRevised)

    def publish(self, *, now: datetime) -> None:
        """Offer it to everybody; an archived job may come back."""
        self._allow("published", JobState.DRAFT, JobState.ARCHIVED)
        self.state = JobState.PUBLISHED
        self.published_at = now
        self.updated_at = now
        self._happened(JobPublished)

    def archive(self, *, now: datetime) -> None:
        """Take no more bookings; those already made stand."""
        self._allow("archived", JobState.PUBLISHED)
        self.state = JobState.ARCHIVED
        self.updated_at = now
        self._happened(JobArchived)

    def discard(self) -> None:
        """Judge that it may be deleted: only a draft, which nobody can ever have booked."""
        self._allow("deleted", JobState.DRAFT)
        self._happened(JobDeleted)

    def _allow(self, verb: str, *states: JobState) -> None:
        if self.state not in states:
            raise JobStateRefused(verb, self.state)

    def _happened(
        self, event: type[JobCreated] | type[JobRevised] | type[JobPublished] | type[JobArchived] | type[JobDeleted]
    ) -> None:
        self._record(event(job_id=self.id, provider_id=self.provider_id, organization_id=self.organization_id))


@dataclass(eq=False, slots=True, kw_only=True)
class Rating(Aggregate):
    """The stars a job has gathered, in a row of its own so that a review never makes the job's version stale.
    `count` reviews with `total` stars."""

    id: JobId
    provider_id: UserId
    count: int = 0
    total: int = 0
    updated_at: datetime

    def __post_init__(self) -> None:
        if not 0 <= self.count <= self.total <= 5 * self.count:
            raise Invalid("every review gives one to five stars", field="stars", count=self.count, total=self.total)

    @property
    def average_hundredths(self) -> int:
        """The average in hundredths of a star, rounded half up; 0 when nobody has said anything."""
        return (200 * self.total + self.count) // (2 * self.count) if self.count else 0

    def move(self, *, stars_added: int = 0, stars_removed: int = 0, now: datetime) -> None:
        """Count a review that appeared (`stars_added`), one that went (`stars_removed`), or both; 0 means none."""
        for stars in (stars_added, stars_removed):
            _bounded(stars, field="stars", least=0, most=5)
        self.count += (stars_added > 0) - (stars_removed > 0)
        self.total += stars_added - stars_removed
        self.updated_at = now
        self.__post_init__()


def findable(said: str) -> str:
    """The distinct words search finds a text by, space between; what is longer than a word ever is, is cut."""
    return " ".join(dict.fromkeys(word[:LONGEST_WORD] for word in words(said)))


def _terms_of(offer: "Offer | Job") -> dict[str, Any]:
    return {field.name: getattr(offer, field.name) for field in fields(Offer)}


def _bounded(value: int, *, field: str, least: int, most: int) -> None:
    if type(value) is not int or not least <= value <= most:
        raise Invalid(f"{field} is a whole number from {least} to {most}", field=field, least=least, most=most)
