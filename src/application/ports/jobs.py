"""Finding jobs: what customers ask for, what they are shown, and the port that searches."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol

from application.inputs import submitted
from application.ports.criteria import Position
from application.ports.readers import Page
from domain.jobs import HIGHEST_PRICE, JobState, findable
from domain.shared.actors import Actor
from domain.shared.errors import Invalid
from domain.shared.ids import FileId, JobId, OrganizationId, UserId
from domain.shared.money import EXPONENTS, Money
from domain.shared.terms import Acceptance, CancellationPolicy, PaymentTerms
from domain.shared.text import text, words

MOST_TERMS = 12
RELEVANT = 1000
"""How many of the newest hits are ranked by relevance; what is older than these does not appear in that order."""


class JobSort(StrEnum):
    """By relevance (the words of the text that are in the title, then newest; among the newest 1,000 hits), newest
    first, cheapest first, dearest first, or best rated first."""

    RELEVANCE = "relevance"
    NEWEST = "newest"
    PRICE = "price"
    PRICE_HIGHEST = "-price"
    RATING = "-rating"


@submitted
class JobQuery:
    """What a customer looks for; everything given must hold."""

    text: str = ""
    """Words of the title, category or description; each may be just a beginning: "guit" finds a guitar."""
    category: str | None = None
    """The category, exactly."""
    price_from: int | None = None
    """The least price, in minor units of `currency`."""
    price_to: int | None = None
    """The highest price, in minor units of `currency`."""
    currency: str | None = None
    """Only prices in this currency; needed to filter or sort by price."""
    min_rating: float | None = None
    """At least this many stars on average, 1 to 5; jobs nobody has rated are left out."""
    provider_id: UserId | None = None
    """Only what this provider performs."""
    organization_id: OrganizationId | None = None
    """Only what this organization offers."""
    place: str = ""
    """Words, or beginnings of words, of the place."""
    remote: bool | None = None
    """Only what happens remotely, or only what does not."""

    def __post_init__(self) -> None:
        for field in ("text", "place"):
            wanted = text(getattr(self, field), field=field, shortest=0, longest=200)
            if len(words(wanted)) > MOST_TERMS:
                raise Invalid(f"search for at most {MOST_TERMS} words", field=field, most=MOST_TERMS)
        for field in ("price_from", "price_to"):
            _bounded(getattr(self, field), field, 0, HIGHEST_PRICE)
        _bounded(self.min_rating, "min_rating", 1, 5)
        if self.category is not None:
            object.__setattr__(self, "category", text(self.category, field="category", longest=60).casefold())
        if self.currency is not None and self.currency not in EXPONENTS:
            raise Invalid(f"{self.currency!r} is not a currency we take", field="currency")
        if self.currency is None and (self.price_from is not None or self.price_to is not None):
            raise Invalid("a price is in some currency", field="currency")

    @property
    def terms(self) -> tuple[str, ...]:
        """The words to find, folded as `Job.words` is; each must begin one of the job's words."""
        return tuple(findable(self.text).split())

    @property
    def place_terms(self) -> tuple[str, ...]:
        """The words to find in the place, folded as `Job.place_words` is."""
        return tuple(findable(self.place).split())

    @property
    def least_rating(self) -> int | None:
        """The least average in hundredths of a star."""
        return None if self.min_rating is None else round(self.min_rating * 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobListing:
    """A job as customers see it, with its rating: `rating_average` counts hundredths of a star, 0 without reviews.
    Durations, buffers and notice are minutes."""

    source: ClassVar[str] = "job_listings"
    id: JobId
    version: int
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
    pictures: tuple[FileId, ...]
    state: JobState
    published_at: datetime | None
    created_at: datetime
    updated_at: datetime
    rating_count: int
    rating_average: int
    provider_name: str | None
    organization_name: str | None


class JobSearch(Protocol):
    """Finds published jobs among all there are."""

    async def search(
        self, actor: Actor, query: JobQuery, *, sort: JobSort, after: Position | None, limit: int
    ) -> Page[JobListing]:
        """The next published jobs that match, in order and after that position. Ties go to the newer job; a job
        published meanwhile never makes another appear twice."""
        ...


def _bounded(value: float | None, field: str, least: int, most: int) -> None:
    if value is not None and not least <= value <= most:
        raise Invalid(f"{field} is {least} to {most}", field=field, least=least, most=most)
