"""Searching jobs: the same words find the same jobs, in the same order and pages, on every store."""

from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest

from adapters.persistence.schema.tables import Row
from adapters.persistence.store import Insert
from application.ports.jobs import RELEVANT, JobListing, JobQuery, JobSort
from application.ports.readers import Page
from domain.jobs import LONGEST_WORD, findable
from domain.shared.actors import ANONYMOUS, SYSTEM, Actor
from domain.shared.ids import OrganizationId, UserId
from tests.contracts.rows import Rows
from tests.contracts.stores import NOW, Backend, backend, in_memory, postgres

__all__ = ["backend", "postgres"]

CATALOGUE: dict[str, dict[str, Any]] = {
    "guitar": {"title": "Guitar lessons", "description": "For beginners, at home", "place": "Lisboa, Alfama"},
    "bass": {"title": "Bass for guitarists", "description": "You know the guitar", "price_minor": 6000},
    "piano": {"title": "Piano", "description": "Also accompanies a guitar", "price_minor": 9000, "place": "São Paulo"},
    "canape": {"title": "Canapés à la crème brûlée", "category": "food", "price_minor": 4500, "place": "Łódź"},
    "yoga": {"title": "Yoga 2000", "category": "sport", "remote": True, "place": "", "price_currency": "USD"},
    "draft": {"title": "Guitar in the making", "state": "draft", "published_at": None},
    "archived": {"title": "Guitar of old", "state": "archived"},
}
RATINGS = {"guitar": 490, "bass": 350, "piano": 490, "canape": 0, "yoga": 100}


class Market:
    """Jobs in a store, called by short names."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.rows = Rows("market")
        self.jobs: dict[str, Row] = {}

    async def filled(self) -> "Market":
        """With the catalogue in it; each job a minute newer than the one before."""
        for age, (name, told) in enumerate(CATALOGUE.items()):
            published = NOW + timedelta(minutes=age) if told.get("state", "published") != "draft" else None
            await self.add(name, RATINGS.get(name, 0), **{"published_at": published, **told})
        return self

    async def add(self, name: str, rating: int = 0, **told: Any) -> None:
        """One more job, with its rating and its provider's name."""
        job = self.rows.row("jobs", **told)
        job |= {
            "title_words": findable(job["title"]),
            "words": findable(f"{job['title']} {job['description']} {job['category']}"),
            "place_words": findable(job["place"]),
        }
        profile = self.rows.row("profiles", id=job["provider_id"], name=f"Provider of {name}")
        ratings = self.rows.row("ratings", id=job["id"], provider_id=job["provider_id"], average_hundredths=rating)
        parents, self.rows.parents = self.rows.parents, []
        await self.backend.commit(
            *parents, Insert("jobs", job), Insert("profiles", profile), Insert("ratings", ratings)
        )
        self.jobs[name] = job

    async def search(self, sort: JobSort = JobSort.NEWEST, *, actor: Actor = ANONYMOUS, **asked: Any) -> list[str]:
        """The names of what is found."""
        page = await self.backend.job_search.search(actor, JobQuery(**asked), sort=sort, after=None, limit=50)
        names = {job["id"]: name for name, job in self.jobs.items()}
        return [names[listing.id] for listing in page.items]


@pytest.fixture
async def market(backend: Backend) -> Market:
    return await Market(backend).filled()


QUESTIONS: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["yoga", "canape", "piano", "bass", "guitar"]),
    ({"text": "guitar"}, ["piano", "bass", "guitar"]),
    ({"text": "GUIT"}, ["piano", "bass", "guitar"]),
    ({"text": "guitarist"}, ["bass"]),
    ({"text": "uitar"}, []),
    ({"text": "guitar beginner"}, ["guitar"]),
    ({"text": "guitar, beginner; home!"}, ["guitar"]),
    ({"text": "creme brulee"}, ["canape"]),
    ({"text": "CRÈME"}, ["canape"]),
    ({"text": "food"}, ["canape"]),
    ({"text": "2000"}, ["yoga"]),
    ({"text": "nothing"}, []),
    ({"text": "'; drop table jobs; --"}, []),
    ({"text": "guitar' | 'piano"}, ["piano"]),
    ({"text": "guitar:* & !lessons"}, ["guitar"]),
    ({"text": "\\ % _ ( ) <-> \" '"}, ["yoga", "canape", "piano", "bass", "guitar"]),
    ({"text": "x" * 200}, []),
    ({"category": "music"}, ["piano", "bass", "guitar"]),
    ({"category": "MUSIC"}, ["piano", "bass", "guitar"]),
    ({"category": "mus"}, []),
    ({"place": "lisb"}, ["bass", "guitar"]),
    ({"place": "sao paulo"}, ["piano"]),
    ({"place": "Alfama Lisboa"}, ["guitar"]),
    ({"remote": True}, ["yoga"]),
    ({"remote": False}, ["canape", "piano", "bass", "guitar"]),
    ({"currency": "EUR"}, ["canape", "piano", "bass", "guitar"]),
    ({"currency": "EUR", "price_from": 6000}, ["piano", "bass"]),
    ({"currency": "EUR", "price_to": 6000}, ["canape", "bass", "guitar"]),
    ({"currency": "EUR", "price_from": 4501, "price_to": 6000}, ["bass"]),
    ({"min_rating": 3.5}, ["piano", "bass", "guitar"]),
    ({"min_rating": 4.9}, ["piano", "guitar"]),
    ({"text": "guitar", "category": "music", "place": "lisboa", "min_rating": 4.0, "remote": False}, ["guitar"]),
]


async def test_what_is_asked_for_is_found(market: Market) -> None:
    for asked, found in QUESTIONS:
        assert await market.search(**asked) == found, asked


async def test_the_jobs_of_a_provider_or_an_organization_are_found(market: Market) -> None:
    bass = market.jobs["bass"]
    assert await market.search(provider_id=UserId(bass["provider_id"])) == ["bass"]
    assert "bass" in await market.search(organization_id=OrganizationId(bass["organization_id"]))
    assert await market.search(provider_id=UserId(UUID(int=1))) == []


@pytest.mark.parametrize(
    ("sort", "found"),
    [
        (JobSort.RELEVANCE, ["bass", "guitar", "piano"]),
        (JobSort.NEWEST, ["piano", "bass", "guitar"]),
        (JobSort.PRICE, ["guitar", "bass", "piano"]),
        (JobSort.PRICE_HIGHEST, ["piano", "bass", "guitar"]),
        (JobSort.RATING, ["piano", "guitar", "bass"]),
    ],
)
async def test_jobs_come_in_the_order_asked_for(market: Market, sort: JobSort, found: list[str]) -> None:
    listed = await market.search(sort, text="guitar", currency="EUR")
    if sort is JobSort.RATING:
        # Equal ratings go by id, which says nothing about age here.
        assert (set(listed[:2]), listed[2]) == ({"piano", "guitar"}, "bass")
    else:
        assert listed == found


async def test_only_what_is_published_is_found_whoever_asks(market: Market) -> None:
    maker = Actor(user_id=UserId(market.jobs["draft"]["provider_id"]))
    for actor in (ANONYMOUS, maker, SYSTEM):
        assert not {"draft", "archived"} & set(await market.search(actor=actor, text="guitar"))


async def test_a_job_without_its_rating_is_no_listing(market: Market) -> None:
    job = market.rows.row("jobs")
    await market.backend.commit(*market.rows.parents, Insert("jobs", job))
    for sort in JobSort:
        page = await market.backend.job_search.search(ANONYMOUS, JobQuery(), sort=sort, after=None, limit=50)
        assert len(page.items) == 5


async def test_a_listing_tells_all_a_customer_sees(market: Market) -> None:
    page = await market.backend.job_search.search(
        ANONYMOUS, JobQuery(text="piano"), sort=JobSort.RELEVANCE, after=None, limit=5
    )
    (listing,) = page.items
    job = market.jobs["piano"]
    assert (listing.title, listing.place, listing.price.amount_minor) == ("Piano", "São Paulo", 9000)
    assert (listing.provider_name, listing.rating_average) == ("Provider of piano", 490)
    assert listing.published_at == job["published_at"]
    assert listing == await market.backend.house().readers.one(ANONYMOUS, JobListing, listing.id)


async def test_the_longest_words_are_found_by_what_is_kept_of_them(market: Market) -> None:
    await market.add("long", title="Long " + "ä" * 100, description="y" * 4000)
    assert await market.search(text="a" * LONGEST_WORD) == ["long"]
    assert await market.search(text="ä" * 150) == ["long"]
    assert await market.search(text="y" * 199) == ["long"]


async def test_pages_show_every_job_once(backend: Backend) -> None:
    await _crowded(Market(backend), 17)
    for sort in JobSort:
        whole = await _listed(backend, sort, size=50)
        assert len({listing.id for listing in whole}) == 17
        for size in (1, 3):
            assert await _listed(backend, sort, size=size) == whole, (sort, size)


async def test_a_page_goes_on_after_its_position_whatever_was_published_meanwhile(backend: Backend) -> None:
    market = await _crowded(Market(backend), 6)
    whole = await _listed(backend, JobSort.NEWEST, size=50)
    first = await _page(backend, JobSort.NEWEST, 3, None)
    await market.add("newest", title="Guitar now", published_at=NOW + timedelta(days=1))
    second = await _page(backend, JobSort.NEWEST, 50, first.next)
    assert [*first.items, *second.items] == whole


async def test_relevance_ranks_the_newest_hits_only(backend: Backend) -> None:
    market = await _crowded(Market(backend), 1)
    await market.add("oldest", title="Guitar guitar", description="", published_at=NOW - timedelta(days=9000))
    template = market.jobs["oldest"]
    many, ratings = [], []
    for n in range(RELEVANT):
        id = market.rows.id()
        told = {"id": id, "title": "Other", "title_words": "other", "published_at": NOW - timedelta(minutes=n)}
        many.append(Insert("jobs", {**template, **told}))
        ratings.append(Insert("ratings", market.rows.row("ratings", id=id, provider_id=template["provider_id"])))
    await backend.commit(*many, *ratings)
    page = await _page(backend, JobSort.RELEVANCE, 50, None, text="guitar")
    assert market.jobs["oldest"]["id"] not in {listing.id for listing in page.items}
    newest = await _page(backend, JobSort.NEWEST, 50, None, text="guitar")
    assert newest.items[-1].published_at is not None


async def test_memory_and_postgres_answer_the_same_to_anything(postgres: Backend) -> None:
    memory = in_memory()
    for each in (memory, postgres):
        await _crowded(Market(each), 60)
    chance = Random("questions")
    words = ["guitar", "gui", "bass", "les", "music", "food", "lis", "2000", "é", "", "zz"]
    for _ in range(150):
        asked = JobQuery(
            text=" ".join(chance.sample(words, chance.randint(0, 2))),
            place=chance.choice(["", "", "lisboa", "por", "sao"]),
            category=chance.choice([None, None, "music", "food"]),
            currency="EUR",
            price_from=chance.choice([None, None, 4500, 5000]),
            price_to=chance.choice([None, None, 4500, 6000]),
            min_rating=chance.choice([None, None, 1, 4.5]),
            remote=chance.choice([None, None, True, False]),
        )
        sort, size = chance.choice(list(JobSort)), chance.choice([1, 5, 50])
        after = None
        for _ in range(4):
            one, other = [
                await each.job_search.search(ANONYMOUS, asked, sort=sort, after=after, limit=size)
                for each in (memory, postgres)
            ]
            assert one == other, (asked, sort, after)
            after = one.next
            if after is None:
                break


async def _crowded(market: Market, count: int) -> Market:
    """Jobs that share prices, ratings and instants, so that only ties decide."""
    chance = Random("crowd")
    titles = ["Guitar lessons", "Bass", "Piano and guitar", "Les Canapés", "Yoga 2000", "Éclairs"]
    for n in range(count):
        await market.add(
            f"job {n}",
            chance.choice([0, 350, 490]),
            title=chance.choice(titles),
            description=chance.choice(["guitar", "music for all", ""]),
            category=chance.choice(["music", "food"]),
            place=chance.choice(["Lisboa", "Porto", "São Paulo", ""]),
            remote=chance.choice([True, False]),
            price_minor=chance.choice([4500, 5000, 9000]),
            published_at=NOW + timedelta(minutes=chance.randint(0, 5)),
        )
    return market


async def _page(backend: Backend, sort: JobSort, size: int, after: Any, **asked: Any) -> Page[JobListing]:
    return await backend.job_search.search(ANONYMOUS, JobQuery(**asked), sort=sort, after=after, limit=size)


async def _listed(backend: Backend, sort: JobSort, *, size: int) -> list[JobListing]:
    """Every job of the store, page by page."""
    listed: list[JobListing] = []
    page = await _page(backend, sort, size, None)
    listed += page.items
    while page.next:
        page = await _page(backend, sort, size, page.next)
        assert page.items
        listed += page.items
    return listed
