"""Onboarding: a new organization is set up step by step, from suggestions where something is known."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import ClassVar

from application.inputs import submitted
from application.organizations.equipping import Equipment, equip, profession_of
from application.parties import theirs
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.unit_of_work import Begin, Work
from domain.jobs import NotAProvider
from domain.organizations import (
    Answer,
    BusinessAnswer,
    HoursAnswer,
    MayNotManage,
    Onboarding,
    OnboardingOver,
    OnboardingUnfinished,
    Organization,
    Permission,
    PlaceAnswer,
    ProfessionAnswer,
)
from domain.scheduling import BadWindow, TooManyWindows, Weekly
from domain.shared.actors import Actor
from domain.shared.errors import Invalid, NotFound, Outdated, Refusal, Unauthenticated
from domain.shared.ids import OrganizationId


@submitted
class OnboardingAnswers:
    """One step of onboarding, or several."""

    business: BusinessAnswer | None = None
    """The name it goes by, and how it is reached."""
    profession: ProfessionAnswer | None = None
    """What it does, by the word of a profession, and its currency."""
    place: PlaceAnswer | None = None
    """Where it works, and the IANA time zone there."""
    hours: HoursAnswer | None = None
    """When its first provider works: the profession's `usual` hours, or windows by day."""
    expected_version: int | None = None
    """The version of the onboarding you decided on."""

    @property
    def given(self) -> list[Answer]:
        """The steps that are taken."""
        steps = (self.business, self.profession, self.place, self.hours)
        return [answer for answer in steps if answer is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class GetOnboarding:
    """How far an organization is with setting itself up: what was saved, what is only suggested, what is missing."""

    begin: Begin
    clock: Clock
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, MayNotManage, NotFound)

    async def __call__(self, actor: Actor, organization_id: OrganizationId) -> Onboarding:
        async with self.begin(actor) as work:
            organization, standing = await theirs(work, actor, organization_id)
            standing.must(Permission.ONBOARD)
            known = await work.onboardings.first(id=organization_id)
        return known or _blank(organization, now=self.clock.now())


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveOnboarding:
    """Take one step of onboarding, or several. Each is judged when it is saved, and may be taken again until the
    onboarding is complete."""

    begin: Begin
    clock: Clock
    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        Unauthenticated,
        MayNotManage,
        NotFound,
        OnboardingOver,
        Outdated,
        BadWindow,
        TooManyWindows,
        Invalid,
    )

    async def __call__(self, actor: Actor, organization_id: OrganizationId, answers: OnboardingAnswers) -> Onboarding:
        async with self.begin(actor) as work:
            organization, standing = await theirs(work, actor, organization_id)
            onboarding = await _begun(work, organization, now=self.clock.now())
            onboarding.must_be(answers.expected_version)
            for answer in answers.given:
                _must_be_known(answer)
                onboarding.save(answer, by=standing)
            return work.answer(onboarding)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteOnboarding:
    """Set the organization up as its answers say: it takes its name and its profession, whose jobs are drafted, and
    its first provider gets hours. Done once, when every step is saved."""

    begin: Begin
    clock: Clock
    ids: Ids
    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        Unauthenticated,
        MayNotManage,
        NotFound,
        NotAProvider,
        OnboardingUnfinished,
        OnboardingOver,
    )

    async def __call__(self, actor: Actor, organization_id: OrganizationId) -> Onboarding:
        now = self.clock.now()
        async with self.begin(actor) as work:
            organization, standing = await theirs(work, actor, organization_id)
            onboarding = await _begun(work, organization, now=now)
            onboarding.complete(by=standing, now=now)
            if onboarding.business is not None:
                organization.rename(onboarding.business.name, by=standing)
            # One that took up its profession on another way keeps what it has.
            if not organization.profession:
                equipment, weekly = _equipment(onboarding)
                await equip(
                    work, actor, organization, standing, equipment, clock=self.clock, ids=self.ids, weekly=weekly
                )
            return work.answer(onboarding)


def _equipment(onboarding: Onboarding) -> tuple[Equipment, Weekly | None]:
    """What the answers say about the work, and hours of their own if they name any."""
    profession, place, hours = onboarding.profession, onboarding.place, onboarding.hours
    if profession is None or place is None or hours is None:
        raise OnboardingUnfinished([step.value for step in onboarding.missing])
    equipment = Equipment(
        profession=profession.profession,
        currency=profession.currency,
        zone=place.zone,
        place=place.place,
        remote=place.remote,
    )
    return equipment, None if hours.usual else _weekly(hours)


async def _begun(work: Work, organization: Organization, *, now: datetime) -> Onboarding:
    """The organization's onboarding, begun now if it is not."""
    onboarding = await work.onboardings.first(id=organization.id)
    if onboarding is None:
        onboarding = _blank(organization, now=now)
        work.onboardings.add(onboarding)
    return onboarding


def _blank(organization: Organization, *, now: datetime) -> Onboarding:
    return Onboarding.begin(id=organization.id, business=BusinessAnswer(name=organization.name), now=now)


def _must_be_known(answer: Answer) -> None:
    """Refuse a profession there is none of, and hours nobody can keep."""
    match answer:
        case ProfessionAnswer():
            profession_of(answer.profession)
        case HoursAnswer():
            _weekly(answer)


def _weekly(hours: HoursAnswer) -> Weekly:
    return Weekly(**{field.name: getattr(hours, field.name) for field in fields(Weekly)})
