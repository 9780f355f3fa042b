"""Setting an organization up: the professions there are, taking one up, and onboarding step by step."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Response

from application.organizations import (
    CompleteOnboarding,
    Equipment,
    EquipOrganization,
    GetOnboarding,
    ListProfessions,
    OnboardingAnswers,
    SaveOnboarding,
)
from domain.organizations import BusinessAnswer, HoursAnswer, PlaceAnswer, ProfessionAnswer, Step
from domain.shared.ids import OrganizationId
from domain.shared.terms import Acceptance, PaymentTerms, PolicyName
from entrypoints.rest.asking import Anybody, Somebody
from entrypoints.rest.once import Commanded
from entrypoints.rest.organizations import OrganizationOut
from entrypoints.rest.out import Out
from entrypoints.rest.routing import api_router
from entrypoints.rest.speaks import speaks
from entrypoints.rest.versions import BY_HEADER, ExpectedVersion, tagged
from entrypoints.use_cases import UseCases


class WordingOut(Out):
    """What a profession calls things."""

    customer: str
    customers: str
    provider: str
    job: str
    jobs: str
    booking: str
    bookings: str


class WeeklyOut(Out):
    """The hours of an ordinary week."""

    monday: tuple[str, ...]
    tuesday: tuple[str, ...]
    wednesday: tuple[str, ...]
    thursday: tuple[str, ...]
    friday: tuple[str, ...]
    saturday: tuple[str, ...]
    sunday: tuple[str, ...]


class JobTemplateOut(Out):
    """A job as a profession usually offers it; `euros` is a suggestion in whole euros, times are minutes."""

    title: str
    description: str
    category: str
    euros: int
    duration: int
    buffer_before: int
    buffer_after: int
    capacity: int
    slot_interval: int
    notice: int
    window_days: int
    terms: PaymentTerms
    acceptance: Acceptance
    policy: PolicyName


class ProfessionOut(Out):
    """A pack: what a business of that kind starts with."""

    word: str
    name: str
    wording: WordingOut
    place: str
    categories: tuple[str, ...]
    hours: WeeklyOut
    jobs: tuple[JobTemplateOut, ...]


class OnboardingOut(Out):
    """How far an organization is with setting itself up. An answer that is not `saved` is only suggested."""

    id: OrganizationId
    version: int
    business: BusinessAnswer | None
    profession: ProfessionAnswer | None
    place: PlaceAnswer | None
    hours: HoursAnswer | None
    saved: tuple[Step, ...]
    missing: tuple[Step, ...]
    completed_at: datetime | None


def onboarding(use: UseCases) -> APIRouter:
    """Routes under /v1/professions, and an organization's profession and onboarding."""
    router = api_router(tag="onboarding")
    list_professions, equip_organization = use(ListProfessions), use(EquipOrganization)
    get_onboarding, save_onboarding = use(GetOnboarding), use(SaveOnboarding)
    complete_onboarding = use(CompleteOnboarding)

    @router.get("/professions", **speaks(ListProfessions, signed_in=False))
    async def professions(actor: Anybody) -> list[ProfessionOut]:
        return [ProfessionOut.of(profession) for profession in await list_professions(actor)]

    @router.post("/organizations/{organization_id}/profession", **speaks(EquipOrganization))
    async def equip(
        actor: Somebody, organization_id: OrganizationId, equipment: Equipment, once: Commanded
    ) -> OrganizationOut:
        return OrganizationOut.of(await once(lambda: equip_organization(actor, organization_id, equipment)))

    @router.get("/organizations/{organization_id}/onboarding", **speaks(GetOnboarding))
    async def read(actor: Somebody, organization_id: OrganizationId, response: Response) -> OnboardingOut:
        found = await get_onboarding(actor, organization_id)
        tagged(response, found)
        return OnboardingOut.of(found)

    @router.patch("/organizations/{organization_id}/onboarding", **speaks(SaveOnboarding))
    async def save(
        actor: Somebody,
        organization_id: OrganizationId,
        answers: Annotated[OnboardingAnswers, BY_HEADER],
        expected: ExpectedVersion,
        once: Commanded,
    ) -> OnboardingOut:
        answers = replace(answers, expected_version=expected)
        return OnboardingOut.of(await once(lambda: save_onboarding(actor, organization_id, answers)))

    @router.post("/organizations/{organization_id}/onboarding/complete", **speaks(CompleteOnboarding))
    async def complete(actor: Somebody, organization_id: OrganizationId, once: Commanded) -> OnboardingOut:
        return OnboardingOut.of(await once(lambda: complete_onboarding(actor, organization_id)))

    return router
