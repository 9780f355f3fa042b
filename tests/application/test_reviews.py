"""Reviewing: who may, what it does to a rating, and what moderation leaves to see."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from application.bookings import BookSlot, CompleteBooking, Reservation
from application.commands import Command
from application.reviews import (
    Assessment,
    CheckRatings,
    GetReview,
    HideReview,
    ListJobReviews,
    ListMyReviews,
    ListProviderReviews,
    Moderation,
    MoveRating,
    PostReview,
    RespondToReview,
    Response,
    RestoreReview,
)
from domain.bookings import Booking
from domain.jobs import Job
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
)
from domain.shared.actors import ANONYMOUS, SYSTEM, Actor, Kind, Role
from domain.shared.errors import Forbidden, Invalid, NotFound, Unauthenticated
from domain.shared.terms import PaymentTerms, Side
from tests.application.marketplace import NOW, Marketplace

OPERATOR = Actor(kind=Kind.OPERATOR)


class Story(Marketplace):
    """Vera has given Carl lessons; Dora is a stranger, and Root looks after the house."""

    vera: Actor
    carl: Actor
    dora: Actor
    root: Actor
    guitar: Job

    async def begins(self) -> "Story":
        self.vera, self.carl, self.dora = await self.provider(), await self.person("carl"), await self.person("dora")
        self.root = await self.person("root", Role.ADMIN)
        self.guitar = await self.job(self.vera, terms=PaymentTerms.LATER)
        return self

    async def lesson(self, *, by: Actor | None = None, job: Job | None = None, done: bool = True) -> Booking:
        """A lesson tomorrow, and the evening after it when it is `done`."""
        starts_at = (self.clock.now() + timedelta(days=1)).replace(hour=9, minute=0, second=0)
        reservation = Reservation(job_id=(job or self.guitar).id, starts_at=starts_at)
        booking = await self.use(BookSlot)(by or self.carl, reservation)
        if done:
            self.clock.set(starts_at + timedelta(hours=8))
            await self.use(CompleteBooking)(self.vera, booking.id)
        return booking

    async def review(self, booking: Booking, by: Actor, stars: int = 4, text: str = "Fine.") -> Review:
        self.clock.advance(timedelta(seconds=1))
        return await self.use(PostReview)(by, booking.id, Assessment(stars=stars, text=text))

    async def hide(self, review: Review, by: Actor | None = None) -> Review:
        return await self.use(HideReview)(by or self.root, review.id, Moderation(reason="insults"))

    async def restore(self, review: Review, by: Actor | None = None) -> Review:
        return await self.use(RestoreReview)(by or self.root, review.id, Moderation(reason="irony"))

    async def settle(self) -> None:
        await self.deliver(ReviewPosted, ReviewHidden, ReviewRestored).all()

    def rating(self) -> tuple[int, int]:
        row = self.row("ratings", self.guitar.id)
        return row["count"], row["total"]

    async def shown(self, to: Actor) -> list[Any]:
        return [each.id for each in (await self.use(ListJobReviews)(to, self.guitar.id, limit=10)).items]


@pytest.fixture
async def story() -> Story:
    return await Story().begins()


# Posting


async def test_both_parties_of_a_completed_booking_review_it(story):
    lesson = await story.lesson()
    praise = await story.review(lesson, story.carl, 5, "Patient.")
    thanks = await story.review(lesson, story.vera, 4)
    assert (praise.side, praise.author_id, praise.reviewed_id) == (
        Side.CUSTOMER,
        story.carl.user_id,
        story.vera.user_id,
    )
    assert (praise.booking_id, praise.job_id, praise.stars, praise.text) == (
        lesson.id,
        story.guitar.id,
        5,
        "Patient.",
    )
    assert (thanks.side, thanks.reviewed_id) == (Side.PROVIDER, story.carl.user_id)


async def test_each_side_reviews_a_booking_once(story):
    lesson = await story.lesson()
    await story.review(lesson, story.carl, 5)
    with pytest.raises(AlreadyReviewed):
        await story.review(lesson, story.carl, 1)
    await story.settle()
    assert (len(story.rows("reviews")), story.rating()) == (1, (1, 5))


async def test_of_two_reviews_at_once_one_stands(story):
    lesson = await story.lesson()
    story.meanwhile = lambda: story.review(lesson, story.carl, 5)
    with pytest.raises(AlreadyReviewed):
        await story.review(lesson, story.carl, 1)
    assert [row["stars"] for row in story.rows("reviews")] == [5]


async def test_a_review_sent_again_under_its_key_is_one_review(story):
    lesson = await story.lesson()
    command = Command(principal=story.carl.principal, operation="review", key="k", fingerprint="f")
    first, again = [await story.perform(command, lambda: story.review(lesson, story.carl)) for _ in range(2)]
    assert (first.answer.id, again.replayed) == (again.answer.id, True)


async def test_another_booking_is_another_review(story):
    first, second = await story.lesson(), await story.lesson()
    await story.review(first, story.carl, 5)
    await story.review(second, story.carl, 3)
    await story.settle()
    assert story.rating() == (2, 8)


async def test_work_that_was_not_done_is_not_reviewed(story):
    lesson = await story.lesson(done=False)
    for party in (story.carl, story.vera):
        with pytest.raises(NotCompleted):
            await story.review(lesson, party)


async def test_only_parties_review_and_to_others_the_booking_does_not_exist(story):
    lesson = await story.lesson()
    for outsider in (story.dora, story.root):
        with pytest.raises(NotFound):
            await story.review(lesson, outsider)
    with pytest.raises(Unauthenticated):
        await story.review(lesson, ANONYMOUS)
    with pytest.raises(NotFound):
        await story.use(PostReview)(story.carl, uuid4(), Assessment(stars=5))


@pytest.mark.parametrize(("stars", "text"), [(0, ""), (6, ""), (10**30, ""), (3, "x" * 4001), (3, "nul\0")])
async def test_a_review_that_makes_no_sense_is_refused(story, stars, text):
    lesson = await story.lesson()
    with pytest.raises(Invalid):
        await story.review(lesson, story.carl, stars, text)
    assert story.rows("reviews") == []


# The rating


async def test_a_customers_review_moves_the_jobs_rating_and_a_providers_does_not(story):
    lesson = await story.lesson()
    await story.review(lesson, story.carl, 5)
    await story.review(lesson, story.vera, 1)
    await story.settle()
    assert story.rating() == (1, 5)
    assert story.row("ratings", story.guitar.id)["average_hundredths"] == 500


async def test_hiding_takes_a_review_out_of_the_rating_and_restoring_puts_it_back(story):
    kept = await story.review(await story.lesson(), story.carl, 5)
    rude = await story.review(await story.lesson(), story.carl, 1)
    await story.settle()
    await story.hide(rude)
    await story.settle()
    assert story.rating() == (1, 5)
    await story.restore(rude)
    await story.settle()
    assert story.rating() == (2, 6)
    assert kept.state is ReviewState.PUBLISHED


async def test_an_event_delivered_twice_counts_once(story):
    await story.review(await story.lesson(), story.carl, 5)
    event = story.told(ReviewPosted)[0]
    command = Command(principal=SYSTEM.principal, operation="MoveRating", key="that event", fingerprint="")
    for _ in range(2):
        await story.perform(command, lambda: story.use(MoveRating)(SYSTEM, event))
    assert story.rating() == (1, 5)


async def test_a_rating_that_drifts_from_its_reviews_is_found(story):
    for stars in (5, 2):
        await story.review(await story.lesson(), story.carl, stars)
    await story.job(story.vera, title="Piano lesson")
    check = story.use(CheckRatings)
    actual = Summary(count=2, total=7)
    assert await check(OPERATOR) == {story.guitar.id: Drift(kept=Summary(count=0, total=0), actual=actual)}
    await story.settle()
    assert await check(story.root) == {}
    assert await check(story.root, batch=1) == {}
    async with story.begin(SYSTEM) as work:
        (await work.ratings.get(story.guitar.id)).move(stars_added=4, now=NOW)
    assert await check(SYSTEM) == {story.guitar.id: Drift(kept=Summary(count=3, total=11), actual=actual)}
    with pytest.raises(Forbidden):
        await check(story.vera)


# Answering


async def test_who_was_reviewed_answers_once(story):
    lesson = await story.lesson()
    review = await story.review(lesson, story.carl, 2)
    answer = story.use(RespondToReview)
    answered = await answer(story.vera, review.id, Response(text="Sorry to hear that."))
    assert (answered.response, answered.responded_at) == ("Sorry to hear that.", story.clock.now())
    with pytest.raises(AlreadyAnswered):
        await answer(story.vera, review.id, Response(text="On second thoughts"))
    shown = await story.use(GetReview)(ANONYMOUS, review.id)
    assert shown.response == "Sorry to hear that."


async def test_nobody_else_answers(story):
    review = await story.review(await story.lesson(), story.carl)
    answer = story.use(RespondToReview)
    for other in (story.carl, story.dora, story.root):
        with pytest.raises(NotTheReviewed):
            await answer(other, review.id, Response(text="Not so."))
    with pytest.raises(Unauthenticated):
        await answer(ANONYMOUS, review.id, Response(text="Not so."))
    with pytest.raises(Invalid):
        await answer(story.vera, review.id, Response(text=""))
    with pytest.raises(NotFound):
        await answer(story.vera, uuid4(), Response(text="Which one?"))


async def test_a_hidden_review_is_answered_by_nobody(story):
    review = await story.review(await story.lesson(), story.carl)
    await story.hide(review)
    answer = story.use(RespondToReview)
    with pytest.raises(ReviewTakenDown):
        await answer(story.vera, review.id, Response(text="Not so."))
    with pytest.raises(NotFound):
        await answer(story.dora, review.id, Response(text="Not so."))


# Moderation and reading


async def test_only_those_who_look_after_the_house_moderate(story):
    review = await story.review(await story.lesson(), story.carl)
    for other in (story.carl, story.vera, story.dora):
        for deed in (story.hide, story.restore):
            with pytest.raises(Forbidden):
                await deed(review, other)
    with pytest.raises(Unauthenticated):
        await story.hide(review, ANONYMOUS)
    hidden = await story.hide(review, OPERATOR)
    assert (hidden.state, hidden.moderation_reason) == (ReviewState.HIDDEN, "insults")


async def test_moderation_changes_something_or_is_refused(story):
    review = await story.review(await story.lesson(), story.carl)
    with pytest.raises(NotHidden):
        await story.restore(review)
    await story.hide(review)
    with pytest.raises(ReviewTakenDown):
        await story.hide(review)
    with pytest.raises(Invalid):
        await story.use(RestoreReview)(story.root, review.id, Moderation(reason=""))
    for deed in (HideReview, RestoreReview):
        with pytest.raises(NotFound):
            await story.use(deed)(story.root, uuid4(), Moderation(reason="x"))


async def test_why_a_review_was_taken_down_stays_on_record(story):
    review = await story.review(await story.lesson(), story.carl)
    await story.hide(review)
    record = next(row for row in story.rows("audit") if row["action"] == "review.hidden")
    assert (record["actor"], record["subject_id"]) == (story.root.principal, review.id)
    assert record["details"]["reason"] == "insults"


async def test_everybody_reads_what_customers_said_about_a_job(story):
    lesson = await story.lesson()
    praise = await story.review(lesson, story.carl, 5, "Patient.")
    await story.review(lesson, story.vera)
    later = await story.review(await story.lesson(), story.carl, 3)
    page = await story.use(ListJobReviews)(ANONYMOUS, story.guitar.id, limit=1)
    assert [each.id for each in page.items] == [later.id]
    page = await story.use(ListJobReviews)(ANONYMOUS, story.guitar.id, limit=1, after=page.next)
    (shown,) = page.items
    assert (shown.id, shown.stars, shown.text) == (praise.id, 5, "Patient.")
    assert (shown.author_name, shown.job_title, page.next) == ("carl", "Guitar lesson", None)


async def test_a_providers_reviews_are_those_of_all_their_jobs(story):
    piano = await story.job(story.vera, title="Piano lesson", terms=PaymentTerms.LATER)
    one = await story.lesson()
    first = await story.review(one, story.carl)
    await story.review(one, story.vera)
    second = await story.review(await story.lesson(job=piano), story.carl)
    page = await story.use(ListProviderReviews)(ANONYMOUS, story.vera.user_id, limit=10)
    assert [(each.id, each.job_title) for each in page.items] == [
        (second.id, "Piano lesson"),
        (first.id, "Guitar lesson"),
    ]


async def test_a_hidden_review_is_there_for_its_parties_and_admins_only(story):
    review = await story.review(await story.lesson(), story.carl)
    await story.hide(review)
    read = story.use(GetReview)
    for insider in (story.carl, story.vera, story.root, OPERATOR):
        assert (await read(insider, review.id)).state is ReviewState.HIDDEN
    for outsider in (story.dora, ANONYMOUS):
        with pytest.raises(NotFound):
            await read(outsider, review.id)
    for anybody in (story.carl, story.root, ANONYMOUS):
        assert await story.shown(anybody) == []


async def test_people_find_what_they_wrote_and_what_was_written_about_them(story):
    lesson = await story.lesson()
    praise = await story.review(lesson, story.carl)
    thanks = await story.review(lesson, story.vera)
    mine = story.use(ListMyReviews)
    assert [each.id for each in (await mine(story.carl, limit=10)).items] == [praise.id]
    assert [each.id for each in (await mine(story.carl, received=True, limit=10)).items] == [thanks.id]
    assert (await mine(story.dora, limit=10)).items == []
    with pytest.raises(Unauthenticated):
        await mine(ANONYMOUS, limit=10)
