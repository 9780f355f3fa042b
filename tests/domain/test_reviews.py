"""What a review is, who may write and answer it, and what it does to a rating."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.reviews import (
    AlreadyAnswered,
    AlreadyReviewed,
    Drift,
    NotCompleted,
    NotHidden,
    NotTheReviewed,
    Review,
    ReviewAnswered,
    ReviewHidden,
    ReviewPosted,
    ReviewRestored,
    ReviewState,
    ReviewTakenDown,
    Summary,
    counts,
    rating_drift,
    summarise,
)
from domain.shared.errors import Conflict, Forbidden, Invalid, NotFound
from domain.shared.ids import BookingId, JobId, ReviewId, UserId
from domain.shared.terms import Side

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
CUSTOMER, PROVIDER, STRANGER = (UserId(UUID(int=n)) for n in (1, 2, 3))
BOOKING, JOB, REVIEW = BookingId(UUID(int=10)), JobId(UUID(int=20)), ReviewId(UUID(int=30))


def a_review(*, fresh: bool = False, **told: Any) -> Review:
    review = Review.post(
        **{
            "id": REVIEW,
            "booking_id": BOOKING,
            "job_id": JOB,
            "provider_id": PROVIDER,
            "customer_id": CUSTOMER,
            "completed": True,
            "author_id": CUSTOMER,
            "stars": 4,
            "text": "Spotless.",
            "now": NOW,
            **told,
        }
    )
    if not fresh:
        review.take_events()
    return review


def test_a_customers_review_is_about_the_provider_and_rates_the_job() -> None:
    review = a_review(fresh=True, text=" Spotless.\nThank you! ")
    assert (review.side, review.author_id, review.reviewed_id) == (Side.CUSTOMER, CUSTOMER, PROVIDER)
    assert (review.booking_id, review.job_id, review.provider_id, review.customer_id) == (
        BOOKING,
        JOB,
        PROVIDER,
        CUSTOMER,
    )
    assert (review.stars, review.text, review.created_at) == (4, "Spotless.\nThank you!", NOW)
    assert (review.state, review.response, review.responded_at) == (ReviewState.PUBLISHED, None, None)
    assert counts(review)
    assert review.take_events() == [
        ReviewPosted(
            review_id=REVIEW,
            booking_id=BOOKING,
            job_id=JOB,
            author_id=CUSTOMER,
            reviewed_id=PROVIDER,
            side=Side.CUSTOMER,
            stars=4,
        )
    ]


def test_a_providers_review_is_about_the_customer_and_rates_no_job() -> None:
    review = a_review(author_id=PROVIDER)
    assert (review.side, review.author_id, review.reviewed_id) == (Side.PROVIDER, PROVIDER, CUSTOMER)
    assert not counts(review)


def test_to_a_stranger_there_is_no_booking_to_review() -> None:
    with pytest.raises(NotFound) as refusal:
        a_review(author_id=STRANGER, completed=False)
    assert refusal.value.details == {"what": "booking", "id": str(BOOKING)}


def test_only_work_that_was_done_is_reviewed() -> None:
    with pytest.raises(NotCompleted):
        a_review(completed=False)


@pytest.mark.parametrize("stars", [0, 6, -1, True, 4.0, 10**20])
def test_stars_are_whole_and_one_to_five(stars: object) -> None:
    with pytest.raises(Invalid) as refusal:
        a_review(stars=stars)
    assert refusal.value.details == {"field": "stars", "least": 1, "most": 5}


@pytest.mark.parametrize("stars", [1, 5])
def test_one_and_five_stars_are_stars(stars: int) -> None:
    assert a_review(stars=stars).stars == stars


def test_stars_alone_are_a_review_and_words_have_an_end() -> None:
    assert a_review(text="").text == ""
    assert len(a_review(text="x" * 4000).text) == 4000
    with pytest.raises(Invalid) as refusal:
        a_review(text="x" * 4001)
    assert refusal.value.details["field"] == "text"


@pytest.mark.parametrize(("author", "reviewed"), [(CUSTOMER, PROVIDER), (PROVIDER, CUSTOMER)])
def test_who_was_reviewed_answers_once(author: UserId, reviewed: UserId) -> None:
    review = a_review(author_id=author)
    review.respond(" My pleasure.\nCome again. ", by=reviewed, now=LATER)
    assert (review.response, review.responded_at) == ("My pleasure.\nCome again.", LATER)
    assert review.take_events() == [
        ReviewAnswered(review_id=REVIEW, job_id=JOB, author_id=author, reviewed_id=reviewed)
    ]
    with pytest.raises(AlreadyAnswered) as refusal:
        review.respond("And another thing.", by=reviewed, now=LATER + timedelta(days=1))
    assert refusal.value.details == {"responded_at": LATER.isoformat()}
    assert review.response == "My pleasure.\nCome again."


@pytest.mark.parametrize("by", [CUSTOMER, STRANGER])
def test_nobody_else_answers_a_review(by: UserId) -> None:
    review = a_review()
    with pytest.raises(NotTheReviewed):
        review.respond("Not so.", by=by, now=LATER)
    assert (review.response, issubclass(NotTheReviewed, Forbidden)) == (None, True)


@pytest.mark.parametrize("text", ["", "x" * 2001])
def test_an_answer_has_1_to_2000_characters(text: str) -> None:
    review = a_review()
    with pytest.raises(Invalid) as refusal:
        review.respond(text, by=PROVIDER, now=LATER)
    assert refusal.value.details["field"] == "text"
    assert (review.responded_at, review.take_events()) == (None, [])
    review.respond("x" * 2000, by=PROVIDER, now=LATER)


def test_a_hidden_review_cannot_be_answered_and_is_nothing_to_strangers() -> None:
    review = a_review()
    review.hide("insults", now=LATER)
    with pytest.raises(ReviewTakenDown):
        review.respond("Not so.", by=PROVIDER, now=LATER)
    with pytest.raises(NotTheReviewed):
        review.respond("Not so.", by=CUSTOMER, now=LATER)
    with pytest.raises(NotFound) as refusal:
        review.respond("Not so.", by=STRANGER, now=LATER)
    assert refusal.value.details == {"what": "review", "id": str(REVIEW)}


def test_a_published_review_is_everybodys_and_a_hidden_one_its_parties() -> None:
    review = a_review()
    assert all(review.is_shown_to(user) for user in (CUSTOMER, PROVIDER, STRANGER))
    review.hide("insults", now=LATER)
    assert [review.is_shown_to(user) for user in (CUSTOMER, PROVIDER, STRANGER)] == [True, True, False]


def test_a_moderator_hides_a_review_for_a_reason_and_it_no_longer_counts() -> None:
    review = a_review()
    review.hide(" insults ", now=LATER)
    assert (review.state, review.moderation_reason, review.moderated_at) == (ReviewState.HIDDEN, "insults", LATER)
    assert not counts(review)
    assert review.take_events() == [
        ReviewHidden(review_id=REVIEW, job_id=JOB, side=Side.CUSTOMER, stars=4, reason="insults")
    ]
    with pytest.raises(ReviewTakenDown):
        review.hide("again", now=LATER)
    assert (review.moderation_reason, review.take_events()) == ("insults", [])


def test_a_moderator_restores_what_was_hidden_and_it_counts_again() -> None:
    review = a_review()
    with pytest.raises(NotHidden):
        review.restore("was never hidden", now=LATER)
    review.hide("insults", now=NOW)
    review.take_events()
    review.restore("it was irony", now=LATER)
    assert (review.state, review.moderation_reason, review.moderated_at) == (
        ReviewState.PUBLISHED,
        "it was irony",
        LATER,
    )
    assert counts(review)
    assert review.take_events() == [
        ReviewRestored(review_id=REVIEW, job_id=JOB, side=Side.CUSTOMER, stars=4, reason="it was irony")
    ]


@pytest.mark.parametrize("reason", ["", "two\nlines", "x" * 501])
def test_moderation_has_a_reason(reason: str) -> None:
    review = a_review()
    with pytest.raises(Invalid) as refusal:
        review.hide(reason, now=LATER)
    assert refusal.value.details["field"] == "reason"
    assert (review.state, review.moderated_at, review.take_events()) == (ReviewState.PUBLISHED, None, [])
    review.hide("x" * 500, now=LATER)
    with pytest.raises(Invalid):
        review.restore(reason, now=LATER)
    assert review.state is ReviewState.HIDDEN


def test_a_rating_sums_the_customers_reviews_that_are_shown() -> None:
    hidden = a_review(stars=1)
    hidden.hide("insults", now=LATER)
    reviews = [a_review(stars=5), a_review(stars=3), hidden, a_review(author_id=PROVIDER, stars=2)]
    assert summarise(reviews) == Summary(count=2, total=8)
    assert summarise([]) == Summary(count=0, total=0)


def test_a_summary_that_is_not_its_reviews_is_found() -> None:
    reviews = [a_review(stars=5), a_review(stars=3)]
    assert rating_drift(Summary(count=2, total=8), reviews) is None
    kept = Summary(count=2, total=9)
    assert rating_drift(kept, reviews) == Drift(kept=kept, actual=Summary(count=2, total=8))
    assert rating_drift(Summary(count=1, total=8), reviews) is not None


def test_refusals_speak_to_people() -> None:
    assert NotCompleted().message == "a booking can be reviewed once it is completed"
    assert AlreadyAnswered(NOW).message == "this review has been answered already"
    assert NotTheReviewed().message == "only who was reviewed may answer a review"
    assert ReviewTakenDown().message == "this review has been taken down by a moderator"
    assert NotHidden().message == "this review is not hidden"


def test_states_are_stored_under_words_that_outlive_the_code() -> None:
    assert [state.value for state in ReviewState] == ["published", "hidden"]


def test_refusals_and_events_have_names_that_outlive_the_code() -> None:
    refusals = (NotCompleted, AlreadyReviewed, AlreadyAnswered, NotTheReviewed, ReviewTakenDown, NotHidden)
    assert [refusal.code for refusal in refusals] == [
        "review.not_completed",
        "review.already_reviewed",
        "review.already_answered",
        "review.not_the_reviewed",
        "review.hidden",
        "review.not_hidden",
    ]
    events = (ReviewPosted, ReviewAnswered, ReviewHidden, ReviewRestored)
    assert [event.name for event in events] == [
        "review.posted",
        "review.answered",
        "review.hidden",
        "review.restored",
    ]
    assert issubclass(AlreadyReviewed, Conflict)
    assert AlreadyReviewed().message == "you have reviewed this booking already"
