"""Ways of keeping reviews and the audit trail that do not add up; see `Stage`."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from adapters.memory.store import MemoryStore
from adapters.persistence.schema import TABLES
from adapters.persistence.schema.tables import Row, Unique
from adapters.persistence.store import Changes, Numbers, Store
from application.audit import SealAudit
from application.ports.criteria import Criteria
from application.reviews import Assessment, MoveRating, PostReview
from domain.audit import AlreadySealed, Head, seal
from domain.bookings import BookingState
from domain.reviews import Review, ReviewHidden, ReviewPosted, ReviewRestored
from domain.shared.actors import Actor
from domain.shared.ids import BookingId, ReviewId, UserId


class Untold(Store):
    """Writes some rows past the audit trail."""

    def __init__(self, good: Store, table: str = "refunds") -> None:
        self._good, self._table = good, table

    async def load(self, table: str, *asked: Any, **more: Any) -> Sequence[Row]:
        return await self._good.load(table, *asked, **more)

    async def count(self, table: str, criteria: Criteria) -> int:
        return await self._good.count(table, criteria)

    async def claim(self, *, now: datetime, lease: timedelta, limit: int) -> Sequence[Row]:
        return await self._good.claim(now=now, lease=lease, limit=limit)

    async def commit(self, changes: Changes) -> Numbers:
        told = (
            write
            for write in changes.writes
            if not (write.table == "audit" and getattr(write, "row", {}).get("subject_table") == self._table)
        )
        return await self._good.commit(replace(changes, writes=tuple(told)))


class ChainsAnew(SealAudit):
    """Begins a new chain with every batch: its first hash knows nothing of the batch before."""

    async def __call__(self, *, limit: int = 500) -> int:
        head = await self.trail.head()
        entries = await self.trail.unsealed(limit=limit)
        if not entries:
            return 0
        try:
            await self.trail.seal(seal(entries, onto=Head(position=head.position)))
        except AlreadySealed:
            return 0
        return len(entries)


def several_reviews() -> MemoryStore:
    """The database takes a second review of the same booking by the same side."""
    reviews = TABLES["reviews"]
    kept = tuple(each for each in reviews.constraints if not isinstance(each, Unique))
    return MemoryStore({**TABLES, "reviews": replace(reviews, constraints=kept)})


class HiddenOnesCount(MoveRating):
    """Taking a review down takes it off the page, and not out of the average."""

    async def __call__(self, actor: Actor, event: ReviewPosted | ReviewHidden | ReviewRestored) -> None:
        if not isinstance(event, ReviewHidden):
            await MoveRating.__call__(self, actor, event)


class RatesTwice(MoveRating):
    """Moves the rating by a commit of its own, after the one its receipt went with."""

    async def __call__(self, actor: Actor, event: ReviewPosted | ReviewHidden | ReviewRestored) -> None:
        await MoveRating.__call__(self, actor, event)
        if isinstance(event, ReviewRestored):
            await MoveRating.__call__(self, actor, event)


class StrangersReview(PostReview):
    """Takes everybody who asks for the customer of the booking."""

    async def __call__(self, actor: Actor, booking_id: BookingId, assessment: Assessment) -> Review:
        author_id = actor.signed_in()
        async with self.begin(actor) as work:
            booking = await work.bookings.get(booking_id)
            review = Review.post(
                id=ReviewId(self.ids.new()),
                booking_id=booking.id,
                job_id=booking.job_id,
                provider_id=booking.provider_id,
                customer_id=UserId(author_id),
                completed=booking.state is BookingState.COMPLETED,
                author_id=author_id,
                stars=assessment.stars,
                text=assessment.text,
                now=self.clock.now(),
            )
            work.reviews.add(review)
            return work.answer(review)
