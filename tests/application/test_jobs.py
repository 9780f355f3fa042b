"""Offering jobs, changing them, finding them."""

import asyncio
from datetime import timedelta

import pytest

from application.jobs import (
    ArchiveJob,
    CreateJob,
    DeleteDraft,
    GetJob,
    JobDraft,
    JobFilter,
    JobQuery,
    JobRevision,
    JobSort,
    ListMyJobs,
    PublishJob,
    RetireJobs,
    ReviseJob,
    SearchJobs,
)
from domain.identity import UserSuspended
from domain.jobs import JobState, JobStateRefused, NotAProvider, NotYourJob
from domain.organizations import MemberLeft, MemberRole
from domain.shared.actors import ANONYMOUS, SYSTEM, Actor, Kind, Role
from domain.shared.errors import Conflict, Invalid, NotFound, Outdated, StaleVersion, Unauthenticated
from domain.shared.ids import MembershipId
from domain.shared.money import Money
from domain.shared.terms import POLICIES, CancellationPolicy, PaymentTerms, PolicyName, Tier
from tests.application.marketplace import EUROS_45, NOW, Marketplace

OPERATOR = Actor(kind=Kind.OPERATOR)


@pytest.fixture
def market() -> Marketplace:
    return Marketplace()


def a_draft(**said) -> JobDraft:
    usual = {"title": "Guitar lesson", "category": "Music", "price": EUROS_45, "duration": 60, "place": "Lisboa"}
    return JobDraft(**{**usual, **said})


# Creating


async def test_a_first_job_brings_an_organization_its_owner_did_not_notice(market):
    vera = await market.person("vera", Role.PROVIDER)
    job = await market.use(CreateJob)(vera, a_draft())
    organization, membership = market.row("organizations", job.organization_id), market.rows("memberships")[0]
    assert (organization["name"], organization["solo"]) == ("vera", True)
    assert (membership["user_id"], membership["role"]) == (vera.user_id, "owner")
    assert market.row("jobs", job.id)["state"] == "draft"
    assert market.row("ratings", job.id)["count"] == 0


async def test_the_second_job_belongs_to_the_same_organization(market):
    vera = await market.person("vera", Role.PROVIDER)
    one, other = [await market.use(CreateJob)(vera, a_draft()) for _ in range(2)]
    assert one.organization_id == other.organization_id
    assert len(market.rows("organizations")) == 1


async def test_two_first_jobs_in_one_instant_found_one_organization(market):
    vera = await market.person("vera", Role.PROVIDER)
    market.meanwhile = lambda: market.use(CreateJob)(vera, a_draft())
    with pytest.raises(Conflict):
        await market.use(CreateJob)(vera, a_draft())
    assert len(market.rows("organizations")) == len(market.rows("jobs")) == 1


async def test_a_provider_who_has_left_their_first_organization_gets_another(market):
    vera = await market.person("vera", Role.PROVIDER)
    first = await market.use(CreateJob)(vera, a_draft())
    async with market.begin(SYSTEM) as work:
        for membership in await work.memberships.find(user_id=vera.user_id):
            work.memberships.remove(membership)
    assert (await market.use(CreateJob)(vera, a_draft())).organization_id != first.organization_id


async def test_a_customer_offers_nothing(market):
    with pytest.raises(NotAProvider):
        await market.use(CreateJob)(await market.person("carl"), a_draft())
    with pytest.raises(Unauthenticated):
        await market.use(CreateJob)(ANONYMOUS, a_draft())


async def test_a_manager_offers_a_job_that_a_colleague_performs(market):
    vera = await market.provider()
    organization = (await market.job(vera)).organization_id
    manager = await market.member("mia", organization, MemberRole.MANAGER)
    rita = await market.member("rita", organization, MemberRole.MEMBER)
    job = await market.use(CreateJob)(manager, a_draft(organization_id=organization, provider_id=rita.user_id))
    assert (job.organization_id, job.provider_id) == (organization, rita.user_id)
    with pytest.raises(NotAProvider):
        await market.use(CreateJob)(rita, a_draft(organization_id=organization, provider_id=vera.user_id))


async def test_a_member_offers_their_own_work_in_the_organizations_name(market):
    organization = (await market.job(await market.provider())).organization_id
    rita = await market.member("rita", organization, MemberRole.MEMBER)
    assert (await market.use(CreateJob)(rita, a_draft())).organization_id == organization


async def test_only_members_perform_an_organizations_jobs(market):
    organization = (await market.job(await market.provider())).organization_id
    stranger = await market.person("sam", Role.PROVIDER)
    with pytest.raises(NotAProvider):
        await market.use(CreateJob)(stranger, a_draft(organization_id=organization))


async def test_nobody_founds_an_organization_for_somebody_else_but_the_house(market):
    vera, sam = await market.person("vera", Role.PROVIDER), await market.person("sam", Role.PROVIDER)
    with pytest.raises(NotAProvider):
        await market.use(CreateJob)(sam, a_draft(provider_id=vera.user_id))
    job = await market.use(CreateJob)(OPERATOR, a_draft(provider_id=vera.user_id))
    assert job.provider_id == vera.user_id


async def test_a_draft_that_makes_no_sense_leaves_nothing_behind(market):
    vera = await market.person("vera", Role.PROVIDER)
    for said in ({"duration": 4}, {"title": "?"}, {"terms": PaymentTerms.FREE}, {"price": Money(0, "EUR")}):
        with pytest.raises(Invalid):
            await market.use(CreateJob)(vera, a_draft(**said))
    assert not market.rows("jobs") + market.rows("organizations") + market.rows("ratings")


async def test_a_policy_goes_by_its_name_or_is_ones_own(market):
    vera = await market.person("vera", Role.PROVIDER)
    own = CancellationPolicy((Tier(2, 80),), no_show_percent=10)
    assert (await market.use(CreateJob)(vera, a_draft(policy=PolicyName.STRICT))).policy == POLICIES[PolicyName.STRICT]
    job = await market.use(CreateJob)(vera, a_draft(custom_policy=own))
    assert job.policy == own
    assert (await market.use(GetJob)(vera, job.id)).policy == own


# Changing


async def test_what_is_left_out_of_a_revision_stays(market):
    job = await market.job(await market.provider(), policy=PolicyName.STRICT)
    vera = Actor(user_id=job.provider_id, role=Role.PROVIDER)
    revised = await market.use(ReviseJob)(vera, job.id, JobRevision(price=Money(5000, "EUR"), expected_version=2))
    assert (revised.price, revised.title, revised.policy) == (Money(5000, "EUR"), job.title, job.policy)
    assert market.row("jobs", job.id)["version"] == 3


async def test_a_revision_of_what_has_changed_meanwhile_is_refused(market):
    vera = await market.provider()
    job = await market.job(vera)
    with pytest.raises(Outdated):
        await market.use(ReviseJob)(vera, job.id, JobRevision(title="Piano lesson", expected_version=1))
    market.meanwhile = lambda: market.use(ReviseJob)(vera, job.id, JobRevision(title="Harp lesson"))
    with pytest.raises(StaleVersion):
        await market.use(ReviseJob)(vera, job.id, JobRevision(title="Piano lesson"))
    assert market.row("jobs", job.id)["title"] == "Harp lesson"


async def test_a_revision_is_judged_as_a_whole(market):
    vera = await market.provider()
    job = await market.job(vera)
    with pytest.raises(Invalid):
        await market.use(ReviseJob)(vera, job.id, JobRevision(terms=PaymentTerms.FREE))
    free = JobRevision(terms=PaymentTerms.FREE, price=Money(0, "EUR"))
    assert (await market.use(ReviseJob)(vera, job.id, free)).terms is PaymentTerms.FREE


@pytest.mark.parametrize("case", [PublishJob, ArchiveJob, DeleteDraft])
async def test_a_draft_of_somebody_else_does_not_exist_and_a_published_job_is_theirs(market, case):
    vera, sam = await market.provider(), await market.person("sam", Role.PROVIDER)
    draft, published = await market.job(vera, publish=False), await market.job(vera)
    with pytest.raises(NotFound):
        await market.use(case)(sam, draft.id)
    with pytest.raises(NotYourJob):
        await market.use(case)(sam, published.id)
    with pytest.raises(Unauthenticated):
        await market.use(case)(ANONYMOUS, published.id)


async def test_managers_and_admins_look_after_an_organizations_jobs(market):
    job = await market.job(await market.provider())
    manager = await market.member("mia", job.organization_id, MemberRole.MANAGER)
    member = await market.member("rita", job.organization_id, MemberRole.MEMBER)
    with pytest.raises(NotYourJob):
        await market.use(ArchiveJob)(member, job.id)
    assert (await market.use(ArchiveJob)(manager, job.id)).state is JobState.ARCHIVED
    assert (await market.use(PublishJob)(await market.person("ada", Role.ADMIN), job.id)).state is JobState.PUBLISHED
    assert (await market.use(ArchiveJob)(SYSTEM, job.id)).state is JobState.ARCHIVED


async def test_a_deleted_draft_is_gone_with_its_rating(market):
    vera = await market.provider()
    draft = await market.job(vera, publish=False)
    await market.use(DeleteDraft)(vera, draft.id)
    assert not market.rows("jobs") + market.rows("ratings")
    with pytest.raises(JobStateRefused):
        await market.use(DeleteDraft)(vera, (await market.job(vera)).id)


# Reading


async def test_everybody_reads_a_published_job_and_only_its_own_people_a_draft(market):
    vera = await market.provider()
    draft, published = await market.job(vera, publish=False), await market.job(vera)
    listing = await market.use(GetJob)(ANONYMOUS, published.id)
    assert (listing.title, listing.rating_count, listing.rating_average) == ("Guitar lesson", 0, 0)
    assert (listing.provider_name, listing.organization_name, listing.price) == ("vera", "vera", EUROS_45)
    assert (await market.use(GetJob)(vera, draft.id)).state is JobState.DRAFT
    for other in (ANONYMOUS, await market.person("carl")):
        with pytest.raises(NotFound):
            await market.use(GetJob)(other, draft.id)


async def test_ones_own_jobs_are_listed_newest_first_and_page_by_page(market):
    vera = await market.provider()
    jobs = []
    for publish in (True, False, True):
        jobs.append(await market.job(vera, publish=publish))
        market.clock.advance(timedelta(minutes=1))
    await market.job(await market.provider("otto"))
    mine = market.use(ListMyJobs)
    page = await mine(vera, JobFilter(), limit=2)
    rest = await mine(vera, JobFilter(), after=page.next, limit=2)
    assert [each.id for each in page.items + rest.items] == [job.id for job in reversed(jobs)]
    assert rest.next is None
    assert [each.id for each in (await mine(vera, JobFilter(state=JobState.DRAFT))).items] == [jobs[1].id]
    organization = jobs[0].organization_id
    rita = await market.member("rita", organization, MemberRole.MEMBER)
    assert len((await mine(rita, JobFilter(organization_id=organization))).items) == 3
    assert not (await mine(rita, JobFilter())).items
    assert len((await mine(OPERATOR, JobFilter())).items) == 4
    with pytest.raises(Unauthenticated):
        await mine(ANONYMOUS, JobFilter())


# Finding


async def found(market, sort=JobSort.RELEVANCE, limit=20, **wanted) -> list[str]:
    search, titles, after = market.use(SearchJobs), [], None
    while True:
        page = await search(ANONYMOUS, JobQuery(**wanted), sort=sort, after=after, limit=limit)
        titles += [listing.title for listing in page.items]
        after = page.next
        if after is None:
            return titles


@pytest.fixture
async def shop(market):
    vera, otto = await market.provider("vera"), await market.provider("otto")
    for provider, said in (
        (vera, {"title": "Guitar lesson", "description": "For beginners", "price": Money(4500, "EUR")}),
        (vera, {"title": "Piano lesson", "description": "Better than a guitar", "price": Money(6000, "EUR")}),
        (otto, {"title": "Gardening", "category": "Home", "price": Money(3000, "EUR"), "place": "São Paulo"}),
        (otto, {"title": "Tax advice", "category": "office", "price": Money(6000, "USD"), "remote": True}),
    ):
        await market.job(provider, **said)
        market.clock.advance(timedelta(minutes=1))
    await market.job(otto, publish=False, title="Secret garden")
    market.people = (vera, otto)
    return market


async def test_words_in_the_title_count_most(shop):
    assert await found(shop, text="guitar") == ["Guitar lesson", "Piano lesson"]
    assert await found(shop, text="GUIT less") == ["Guitar lesson", "Piano lesson"]
    assert await found(shop, text="garden") == ["Gardening"]
    assert await found(shop, text="guitar garden") == []


async def test_without_words_the_newest_come_first(shop):
    newest = ["Tax advice", "Gardening", "Piano lesson", "Guitar lesson"]
    assert await found(shop) == await found(shop, JobSort.NEWEST) == newest


@pytest.mark.parametrize(
    ("wanted", "titles"),
    [
        ({"category": "MUSIC"}, ["Piano lesson", "Guitar lesson"]),
        ({"place": "sao"}, ["Gardening"]),
        ({"remote": True}, ["Tax advice"]),
        ({"remote": False, "category": "office"}, []),
        ({"currency": "EUR", "price_from": 4500}, ["Piano lesson", "Guitar lesson"]),
        ({"currency": "EUR", "price_to": 4500}, ["Gardening", "Guitar lesson"]),
        ({"currency": "USD"}, ["Tax advice"]),
        ({"min_rating": 4}, []),
    ],
)
async def test_every_filter_holds(shop, wanted, titles):
    assert await found(shop, JobSort.NEWEST, **wanted) == titles


async def test_the_search_can_stay_with_one_provider(shop):
    _, otto = shop.people
    assert await found(shop, provider_id=otto.user_id) == ["Tax advice", "Gardening"]


async def test_prices_are_sorted_within_one_currency(shop):
    by_price = ["Gardening", "Guitar lesson", "Piano lesson"]
    assert await found(shop, JobSort.PRICE, currency="EUR", limit=1) == by_price
    assert await found(shop, JobSort.PRICE_HIGHEST, currency="EUR", limit=2) == by_price[::-1]
    with pytest.raises(Invalid):
        await found(shop, JobSort.PRICE)


async def test_the_best_rated_come_first(shop):
    async with shop.begin(SYSTEM) as work:
        for job in await work.jobs.find(provider_id=shop.people[0].user_id):
            rating = await work.ratings.get(job.id)
            rating.move(stars_added=5 if job.title == "Guitar lesson" else 3, now=NOW)
    assert (await found(shop, JobSort.RATING))[:2] == ["Guitar lesson", "Piano lesson"]
    assert await found(shop, JobSort.RATING, min_rating=3.01) == ["Guitar lesson"]


@pytest.mark.parametrize("sort", list(JobSort))
async def test_pages_show_each_job_once(shop, sort):
    whole = await found(shop, sort, currency="EUR")
    assert len(whole) == 3
    for limit in (1, 2, 3):
        assert await found(shop, sort, currency="EUR", limit=limit) == whole


@pytest.mark.parametrize(
    "wanted",
    [
        {"price_from": 5},
        {"price_to": -1, "currency": "EUR"},
        {"currency": "XXX"},
        {"min_rating": 0.5},
        {"min_rating": 5.1},
        {"min_rating": float("nan")},
        {"text": "x" * 201},
        {"text": " ".join(f"w{n}" for n in range(13))},
        {"place": "nul\x00l"},
        {"category": ""},
    ],
)
def test_a_question_that_makes_no_sense_is_refused(wanted):
    with pytest.raises(Invalid):
        JobQuery(**wanted)


async def test_publishing_the_same_draft_twice_at_once_publishes_it_once(market):
    vera = await market.provider()
    draft = await market.job(vera, publish=False)
    tried = await asyncio.gather(*(market.use(PublishJob)(vera, draft.id) for _ in range(2)), return_exceptions=True)
    assert sum(not isinstance(each, Exception) for each in tried) == 1


async def test_what_a_suspended_provider_offers_is_no_longer_offered(market):
    vera, bob = await market.provider(), await market.provider("bob")
    hers, his, draft = await market.job(vera), await market.job(bob), await market.job(vera, publish=False)
    async with market.begin(SYSTEM) as work:
        user = await work.users.get(vera.user_id)
        user.suspend(by=OPERATOR, reason="complaints", now=NOW)
    await market.deliver(UserSuspended).all()
    states = {row["id"]: row["state"] for row in market.rows("jobs")}
    assert states == {hers.id: "archived", his.id: "published", draft.id: "draft"}


async def test_nobody_publishes_what_a_suspended_provider_or_one_who_left_would_perform(market):
    vera = await market.provider()
    team = (await market.job(vera)).organization_id
    boss, tom = (
        await market.member("boss", team, MemberRole.MANAGER),
        await market.member("tom", team, MemberRole.MEMBER),
    )
    drafts = [await market.job(each, publish=False, organization_id=team) for each in (vera, tom)]
    async with market.begin(OPERATOR) as work:
        user = await work.users.get(vera.user_id)
        user.suspend(by=OPERATOR, reason="complaints", now=NOW)
        work.memberships.remove(await work.memberships.first(user_id=tom.user_id, organization_id=team))
    for draft in drafts:
        with pytest.raises(NotAProvider):
            await market.use(PublishJob)(boss, draft.id)
        assert market.row("jobs", draft.id)["state"] == "draft"


async def test_a_provider_who_is_suspended_in_that_instant_is_not_published(market):
    vera = await market.provider()
    draft = await market.job(vera, publish=False)

    async def suspended() -> None:
        async with market.begin(OPERATOR) as work:
            (await work.users.get(vera.user_id)).suspend(by=OPERATOR, reason="complaints", now=NOW)

    market.meanwhile = suspended
    with pytest.raises(StaleVersion):
        await market.use(PublishJob)(vera, draft.id)


async def test_who_leaves_an_organization_no_longer_works_for_it(market):
    vera = await market.provider()
    job = await market.job(vera)
    event = MemberLeft(
        membership_id=MembershipId(market.ids.new()),
        organization_id=job.organization_id,
        user_id=vera.signed_in(),
        removed=True,
    )
    await market.use(RetireJobs)(SYSTEM, event)
    assert [row["state"] for row in market.rows("jobs")] == ["archived"]
