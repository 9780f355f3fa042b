"""Professions and onboarding: what a business starts with, and how it is set up."""

from typing import Any
from uuid import UUID

import pytest

from application.jobs import JobFilter, ListMyJobs, PublishJob
from application.organizations import (
    PROFESSIONS,
    CompleteOnboarding,
    Equipment,
    EquipOrganization,
    GetOnboarding,
    ListProfessions,
    OnboardingAnswers,
    Profession,
    SaveOnboarding,
)
from application.scheduling import ListFreeSlots, SlotSearch
from domain.jobs import Job, NotAProvider
from domain.organizations import (
    AlreadyEquipped,
    BusinessAnswer,
    HoursAnswer,
    MayNotManage,
    OnboardingOver,
    OnboardingUnfinished,
    PlaceAnswer,
    ProfessionAnswer,
    Step,
)
from domain.scheduling import Availability, BadWindow
from domain.shared.actors import ANONYMOUS, SYSTEM
from domain.shared.errors import Invalid, NotFound, Outdated, StaleVersion
from domain.shared.ids import JobId, OrganizationId, UserId
from domain.shared.money import EXPONENTS
from domain.shared.terms import PaymentTerms
from tests.application.front_door import OPERATOR
from tests.application.test_organizations import MANAGER, MEMBER, Guild
from tests.support.house import MONDAY

ANSWERS: dict[str, Any] = {
    "business": BusinessAnswer(name="Ann's Lessons", phone="+351 210 000 000", website="https://ann.example"),
    "profession": ProfessionAnswer(profession="tutor", currency="EUR"),
    "place": PlaceAnswer(zone="Europe/Lisbon", place="Rua Augusta 1"),
    "hours": HoursAnswer(),
}


# --- Packs


@pytest.mark.parametrize("profession", PROFESSIONS.values(), ids=PROFESSIONS)
def test_every_template_is_a_job_and_every_pack_keeps_hours(profession: Profession) -> None:
    ids = {"organization_id": OrganizationId(UUID(int=1)), "provider_id": UserId(UUID(int=2))}
    assert profession.jobs
    for template in profession.jobs:
        for currency in EXPONENTS:
            offer = template.offer(currency=currency, place=profession.place, remote=False)
            job = Job.draft(id=JobId(UUID(int=3)), offer=offer, now=MONDAY, **ids)
            job.publish(now=MONDAY)
            assert job.price.is_zero == (job.terms is PaymentTerms.FREE)
        assert template.category in profession.categories
        assert len(template.description) > 20, "a customer reads this"
    availability = Availability.open(
        id=ids["provider_id"], by=SYSTEM, zone="Europe/Lisbon", weekly=profession.hours, now=MONDAY
    )
    assert any(availability.weekly.by_weekday())
    assert len({template.title for template in profession.jobs}) == len(profession.jobs)


def test_there_is_a_pack_for_each_trade_the_house_is_meant_for() -> None:
    wanted = "plumber electrician cleaner salon barber personal_trainer martial_arts tutor music_teacher photographer"
    assert {*wanted.split(), "clinic"} <= PROFESSIONS.keys()
    assert all(word == profession.word for word, profession in PROFESSIONS.items())


@pytest.mark.parametrize("profession", PROFESSIONS.values(), ids=PROFESSIONS)
async def test_a_pack_can_be_booked_as_it_is(profession: Profession) -> None:
    guild = await Guild.of_ann()
    await guild.use(EquipOrganization)(guild.ann, guild.id, Equipment(profession=profession.word))
    drafts = (await guild.use(ListMyJobs)(guild.ann, JobFilter())).items
    assert len(drafts) == len(profession.jobs)
    for draft in drafts:
        job = await guild.use(PublishJob)(guild.ann, draft.id)
        found = await guild.use(ListFreeSlots)(ANONYMOUS, job.id, SlotSearch())
        assert found.slots, f"{draft.title} is too long for the hours of a {profession.name}"


async def test_everybody_may_read_the_packs() -> None:
    assert await Guild().use(ListProfessions)(ANONYMOUS) == list(PROFESSIONS.values())


# --- Taking one up


async def test_a_profession_makes_drafts_and_hours_once() -> None:
    guild = await Guild.of_ann()
    equipment = Equipment(profession="music_teacher", currency="JPY", zone="Asia/Tokyo")
    equipped = await guild.use(EquipOrganization)(guild.ann, guild.id, equipment)
    assert equipped.profession == "music_teacher"
    jobs = guild.rows("jobs")
    assert [row["state"] for row in jobs] == ["draft"] * len(PROFESSIONS["music_teacher"].jobs)
    assert {row["price_currency"] for row in jobs} == {"JPY"}
    assert next(row["price_minor"] for row in jobs if row["title"] == "Lesson, 45 minutes") == 3600
    (hours,) = guild.rows("availabilities")
    assert (hours["id"], hours["zone"]) == (guild.ann.user_id, "Asia/Tokyo")
    with pytest.raises(AlreadyEquipped):
        await guild.use(EquipOrganization)(guild.ann, guild.id, equipment)
    assert len(guild.rows("jobs")) == len(jobs)
    assert len(guild.rows("ratings")) == len(jobs)


async def test_of_two_who_equip_at_once_one_does() -> None:
    guild = await Guild.of_ann()
    tutor = Equipment(profession="tutor")
    guild.meanwhile = lambda: guild.use(EquipOrganization)(guild.ann, guild.id, tutor)
    with pytest.raises(AlreadyEquipped):
        await guild.persistently(lambda: guild.use(EquipOrganization)(guild.ann, guild.id, tutor))
    assert len(guild.rows("jobs")) == len(PROFESSIONS["tutor"].jobs)


async def test_without_the_look_at_the_version_both_would() -> None:
    """The twin: two who decide on what they read, and a store that does not compare versions."""
    guild = await Guild.of_ann()
    tutor = Equipment(profession="tutor")

    async def meanwhile() -> None:
        await guild.use(EquipOrganization)(guild.ann, guild.id, tutor)
        guild.store.tables["organizations"].rows[guild.id]["version"] -= 1
        guild.store.tables["availabilities"].rows.clear()

    guild.meanwhile = meanwhile
    await guild.use(EquipOrganization)(guild.ann, guild.id, tutor)
    assert len(guild.rows("jobs")) == 2 * len(PROFESSIONS["tutor"].jobs)


async def test_a_manager_equips_and_hours_that_are_kept_stay() -> None:
    guild = await Guild.of_ann()
    mia, max_ = await guild.joined("mia"), await guild.joined("max", MANAGER)
    tutor = Equipment(profession="tutor", provider_id=guild.ann.user_id, zone="Europe/Lisbon")
    with pytest.raises(MayNotManage):
        await guild.use(EquipOrganization)(mia, guild.id, tutor)
    with pytest.raises(NotAProvider):
        await guild.use(EquipOrganization)(max_, guild.id, Equipment(profession="tutor"))
    stranger = Equipment(profession="tutor", provider_id=UserId(UUID(int=77)))
    with pytest.raises(NotAProvider):
        await guild.use(EquipOrganization)(guild.ann, guild.id, stranger)
    with pytest.raises(Invalid):
        await guild.use(EquipOrganization)(guild.ann, guild.id, Equipment(profession="astronaut"))
    assert guild.rows("jobs") == []
    await guild.use(EquipOrganization)(max_, guild.id, tutor)
    assert {row["provider_id"] for row in guild.rows("jobs")} == {guild.ann.user_id}


# --- Onboarding


async def test_an_organization_is_set_up_step_by_step() -> None:
    guild = await Guild.of_ann()
    begun = await guild.use(GetOnboarding)(guild.ann, guild.id)
    assert (begun.business, begun.saved, begun.missing) == (BusinessAnswer(name="ann"), (), tuple(Step))
    for step, answer in reversed(ANSWERS.items()):
        with pytest.raises(OnboardingUnfinished):
            await guild.use(CompleteOnboarding)(guild.ann, guild.id)
        saved = await guild.use(SaveOnboarding)(guild.ann, guild.id, OnboardingAnswers(**{step: answer}))
        assert getattr(saved, step) == answer
    assert (saved.saved, saved.missing) == (tuple(Step), ())
    done = await guild.use(CompleteOnboarding)(guild.ann, guild.id)
    assert done.completed_at == guild.clock.now()
    (organization,) = guild.rows("organizations")
    assert (organization["name"], organization["profession"]) == ("Ann's Lessons", "tutor")
    assert {row["place"] for row in guild.rows("jobs")} == {"Rua Augusta 1"}
    assert guild.rows("availabilities")[0]["zone"] == "Europe/Lisbon"


async def test_it_is_set_up_once() -> None:
    guild = await Guild.of_ann()
    await guild.use(SaveOnboarding)(guild.ann, guild.id, OnboardingAnswers(**ANSWERS))
    guild.meanwhile = lambda: guild.use(CompleteOnboarding)(guild.ann, guild.id)
    with pytest.raises(OnboardingOver):
        await guild.persistently(lambda: guild.use(CompleteOnboarding)(guild.ann, guild.id))
    for again in (
        guild.use(CompleteOnboarding)(guild.ann, guild.id),
        guild.use(SaveOnboarding)(guild.ann, guild.id, OnboardingAnswers(**ANSWERS)),
    ):
        with pytest.raises(OnboardingOver):
            await again
    assert len(guild.rows("jobs")) == len(PROFESSIONS["tutor"].jobs)
    assert [row["name"] for row in guild.rows("outbox")].count("onboarding.completed") == 1


async def test_hours_of_their_own_take_the_place_of_the_usual_ones() -> None:
    guild = await Guild.of_ann()
    own = HoursAnswer(usual=False, monday=("10:00-12:00",))
    await guild.use(SaveOnboarding)(guild.ann, guild.id, OnboardingAnswers(**{**ANSWERS, "hours": own}))
    await guild.use(CompleteOnboarding)(guild.ann, guild.id)
    assert guild.rows("availabilities")[0]["weekly"]["monday"] == ["10:00-12:00"]
    assert guild.rows("availabilities")[0]["weekly"]["tuesday"] == []


async def test_each_step_is_judged_when_it_is_saved_and_nothing_else_is_lost() -> None:
    guild = await Guild.of_ann()
    save = guild.use(SaveOnboarding)
    await save(guild.ann, guild.id, OnboardingAnswers(business=ANSWERS["business"]))
    with pytest.raises(BadWindow):
        await save(guild.ann, guild.id, OnboardingAnswers(hours=HoursAnswer(usual=False, monday=("nine to five",))))
    unknown = ProfessionAnswer(profession="astronaut", currency="EUR")
    with pytest.raises(Invalid):
        await save(guild.ann, guild.id, OnboardingAnswers(profession=unknown))
    for wrong in (
        lambda: BusinessAnswer(name=""),
        lambda: BusinessAnswer(name="Ann", website="ann.example"),
        lambda: ProfessionAnswer(profession="tutor", currency="EURO"),
        lambda: PlaceAnswer(zone="Lisbon"),
    ):
        with pytest.raises(Invalid):
            wrong()
    kept = await guild.use(GetOnboarding)(guild.ann, guild.id)
    assert (kept.business, kept.saved) == (ANSWERS["business"], (Step.BUSINESS,))
    with pytest.raises(Outdated):
        await save(guild.ann, guild.id, OnboardingAnswers(place=ANSWERS["place"], expected_version=9))


async def test_onboarding_is_for_those_who_manage() -> None:
    guild = await Guild.of_ann()
    mia, eve = await guild.joined("mia", MEMBER), await guild.provider("eve")
    for ask in (
        lambda who: guild.use(GetOnboarding)(who, guild.id),
        lambda who: guild.use(SaveOnboarding)(who, guild.id, OnboardingAnswers(place=ANSWERS["place"])),
        lambda who: guild.use(CompleteOnboarding)(who, guild.id),
    ):
        with pytest.raises(MayNotManage):
            await ask(mia)
        with pytest.raises(NotFound):
            await ask(eve)
    await guild.use(SaveOnboarding)(OPERATOR, guild.id, OnboardingAnswers(**ANSWERS))
    await guild.use(CompleteOnboarding)(OPERATOR, guild.id)
    assert {row["provider_id"] for row in guild.rows("jobs")} == {guild.ann.user_id}


async def test_of_two_first_steps_at_once_both_are_kept() -> None:
    guild = await Guild.of_ann()

    def save(step: str) -> Any:
        return guild.use(SaveOnboarding)(guild.ann, guild.id, OnboardingAnswers(**{step: ANSWERS[step]}))

    guild.meanwhile = lambda: save("place")
    with pytest.raises(StaleVersion):
        await save("business")
    await save("business")
    assert (await guild.use(GetOnboarding)(guild.ann, guild.id)).saved == (Step.BUSINESS, Step.PLACE)
