"""Jobs and their ratings."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.jobs import (
    BOUNDS,
    HIGHEST_PRICE,
    LONGEST_WORD,
    Job,
    JobArchived,
    JobCreated,
    JobDeleted,
    JobPublished,
    JobRevised,
    JobState,
    JobStateRefused,
    Offer,
    Rating,
)
from domain.shared.errors import Invalid
from domain.shared.ids import JobId, OrganizationId, UserId
from domain.shared.money import Money
from domain.shared.terms import Acceptance, PaymentTerms

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


def offer(**said) -> Offer:
    usual = {
        "title": "Guitar lesson",
        "category": "Music",
        "price": Money(4500, "EUR"),
        "duration": 60,
        "place": "Lisboa",
    }
    return Offer(**{**usual, **said})


def a_job(**said) -> Job:
    return Job.draft(
        id=JobId(UUID(int=1)),
        organization_id=OrganizationId(UUID(int=2)),
        provider_id=UserId(UUID(int=3)),
        offer=offer(**said),
        now=NOW,
    )


def published(**said) -> Job:
    job = a_job(**said)
    job.publish(now=NOW)
    job.take_events()
    return job


def test_a_new_job_is_a_draft_with_what_was_said():
    job = a_job(title="  Guitar lesson ", category="Music")
    assert (job.state, job.title, job.category, job.price) == (
        JobState.DRAFT,
        "Guitar lesson",
        "music",
        Money(4500, "EUR"),
    )
    assert not job.bookable
    assert job.take_events() == [
        JobCreated(job_id=job.id, provider_id=job.provider_id, organization_id=job.organization_id)
    ]


@pytest.mark.parametrize("field", sorted(BOUNDS))
def test_every_number_has_its_bounds(field):
    least, most = BOUNDS[field]
    for fine in (least, most):
        assert getattr(offer(**{field: fine}), field) == fine
    for wrong in (least - 1, most + 1, True, 7.5):
        with pytest.raises(Invalid) as refused:
            offer(**{field: wrong})
        assert refused.value.details["field"] == field


@pytest.mark.parametrize(
    "said",
    [
        {"title": "ab"},
        {"title": "x" * 121},
        {"title": "---"},
        {"title": "two\nlines"},
        {"title": "nul\x00l"},
        {"description": "x" * 5001},
        {"category": ""},
        {"category": "x" * 61},
        {"place": "x" * 201},
        {"place": "", "remote": False},
        {"price": Money(-1, "EUR")},
        {"price": Money(HIGHEST_PRICE + 1, "EUR")},
        {"price": Money(0, "EUR"), "terms": PaymentTerms.PREPAID},
        {"price": Money(1, "EUR"), "terms": PaymentTerms.FREE},
    ],
)
def test_nonsense_is_refused(said):
    with pytest.raises(Invalid):
        offer(**said)


def test_a_remote_job_needs_no_place():
    assert offer(place="", remote=True).place == ""


def test_free_means_no_price_and_later_may_be_any():
    assert offer(terms=PaymentTerms.FREE, price=Money(0, "EUR")).price.is_zero
    assert offer(terms=PaymentTerms.LATER, price=Money(0, "EUR")).price.is_zero


def test_a_revision_changes_what_it_says_and_nothing_else():
    job = published()
    before = job.offer
    job.revise(offer(title="Piano lesson", acceptance=Acceptance.REQUEST), now=LATER)
    assert job.offer == offer(title="Piano lesson", acceptance=Acceptance.REQUEST)
    assert before == offer()
    assert (job.updated_at, job.state) == (LATER, JobState.PUBLISHED)
    assert [type(event) for event in job.take_events()] == [JobRevised]


def test_publishing_and_archiving_go_round():
    job = a_job()
    job.publish(now=NOW)
    assert (job.bookable, job.published_at) == (True, NOW)
    job.archive(now=LATER)
    assert (job.bookable, job.state) == (False, JobState.ARCHIVED)
    job.publish(now=LATER)
    assert (job.bookable, job.published_at) == (True, LATER)
    assert [type(event) for event in job.take_events()] == [JobCreated, JobPublished, JobArchived, JobPublished]


def test_only_a_draft_may_be_deleted():
    draft = a_job()
    draft.discard()
    assert isinstance(draft.take_events()[-1], JobDeleted)
    with pytest.raises(JobStateRefused):
        published().discard()


def test_each_verb_has_its_states():
    job = a_job()
    with pytest.raises(JobStateRefused) as refused:
        job.archive(now=NOW)
    assert refused.value.details == {"state": "draft"}
    job.publish(now=NOW)
    with pytest.raises(JobStateRefused):
        job.publish(now=NOW)
    job.archive(now=NOW)
    with pytest.raises(JobStateRefused):
        job.revise(offer(), now=NOW)


def test_search_sees_title_category_and_description_folded():
    job = a_job(
        title="Aulas de Violão", description="São bom!\nTodos os dias", category="Música", place="São Paulo, BR"
    )
    assert job.title_words == "aulas de violao"
    assert job.words == "aulas de violao musica sao bom todos os dias"
    assert job.place_words == "sao paulo br"


def test_no_word_is_too_long_for_an_index():
    assert a_job(title="x" * 100).title_words == "x" * LONGEST_WORD


def a_rating() -> Rating:
    return Rating(id=JobId(UUID(int=1)), provider_id=UserId(UUID(int=3)), updated_at=NOW)


def test_a_rating_follows_its_reviews():
    rating = a_rating()
    assert rating.average_hundredths == 0
    rating.move(stars_added=5, now=LATER)
    rating.move(stars_added=4, now=LATER)
    rating.move(stars_added=4, now=LATER)
    assert (rating.count, rating.total, rating.average_hundredths) == (3, 13, 433)
    rating.move(stars_added=1, stars_removed=5, now=LATER)
    assert (rating.count, rating.total, rating.average_hundredths) == (3, 9, 300)
    rating.move(stars_removed=4, now=LATER)
    assert (rating.count, rating.total, rating.average_hundredths, rating.updated_at) == (2, 5, 250, LATER)


@pytest.mark.parametrize("moved", [{"stars_added": 6}, {"stars_added": -1}, {"stars_removed": 1}])
def test_a_rating_never_says_what_reviews_cannot(moved):
    with pytest.raises(Invalid):
        a_rating().move(now=LATER, **moved)


@given(st.lists(st.integers(1, 5), max_size=30), st.data())
def test_a_rating_equals_the_reviews_that_are_left(stars, data):
    rating = a_rating()
    for given_stars in stars:
        rating.move(stars_added=given_stars, now=LATER)
    gone = data.draw(st.sets(st.integers(0, max(0, len(stars) - 1)))) if stars else set()
    for index in gone:
        rating.move(stars_removed=stars[index], now=LATER)
    left = [each for index, each in enumerate(stars) if index not in gone]
    assert (rating.count, rating.total) == (len(left), sum(left))
