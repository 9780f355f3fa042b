"""Taking up a profession: its pack's jobs as drafts, and its hours, made once."""

from dataclasses import dataclass
from typing import ClassVar

from application.inputs import submitted
from application.organizations.professions import PROFESSIONS, Profession
from application.parties import theirs
from application.ports.clock import Clock
from application.ports.criteria import Order
from application.ports.ids import Ids
from application.ports.unit_of_work import Begin, Work
from domain.jobs import Job, NotAProvider, Rating
from domain.organizations import AlreadyEquipped, MayNotManage, MemberRole, Organization, Standing
from domain.scheduling import Availability, Weekly
from domain.shared.actors import SYSTEM, Actor, Role
from domain.shared.errors import Invalid, NotFound, Refusal, Unauthenticated
from domain.shared.ids import JobId, OrganizationId, UserId


@submitted
class Equipment:
    """Which profession, and what its pack cannot know."""

    profession: str
    """The word of a profession, such as "tutor"."""
    currency: str = "EUR"
    """The currency its suggested prices are in."""
    zone: str | None = None
    """The IANA time zone the hours are read in; that of whoever performs the work when left out."""
    place: str = ""
    """Where the work happens; where the profession usually works when left out."""
    remote: bool = False
    """Whether it happens, or can happen, remotely."""
    provider_id: UserId | None = None
    """The member who performs the work; yourself when left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListProfessions:
    """Every profession there is a pack for: its words, categories, hours and jobs."""

    async def __call__(self, actor: Actor) -> list[Profession]:
        return list(PROFESSIONS.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class EquipOrganization:
    """Take up a profession. Its jobs become drafts, to be looked at before they are published, and whoever performs
    them gets its hours unless they keep some already. Done once, whole or not at all."""

    begin: Begin
    clock: Clock
    ids: Ids
    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        Unauthenticated,
        MayNotManage,
        NotFound,
        NotAProvider,
        AlreadyEquipped,
        Invalid,
    )

    async def __call__(self, actor: Actor, organization_id: OrganizationId, equipment: Equipment) -> Organization:
        async with self.begin(actor) as work:
            organization, standing = await theirs(work, actor, organization_id)
            await equip(work, actor, organization, standing, equipment, clock=self.clock, ids=self.ids)
            return work.answer(organization)


def profession_of(word: str) -> Profession:
    """The profession of that word, or a refusal that names all there are."""
    found = PROFESSIONS.get(word)
    if found is None:
        raise Invalid("there is no such profession", field="profession", known=sorted(PROFESSIONS))
    return found


async def equip(
    work: Work,
    actor: Actor,
    organization: Organization,
    standing: Standing,
    equipment: Equipment,
    *,
    clock: Clock,
    ids: Ids,
    weekly: Weekly | None = None,
) -> None:
    """Draft the jobs and open the hours, in the block of whoever asked; `weekly` are hours of their own."""
    now, profession = clock.now(), profession_of(equipment.profession)
    organization.equip(profession.word, by=standing)
    performer = await _performer(work, actor, organization.id, equipment.provider_id)
    for template in profession.jobs:
        offer = template.offer(
            currency=equipment.currency, place=equipment.place or profession.place, remote=equipment.remote
        )
        job = Job.draft(
            id=JobId(ids.new()), organization_id=organization.id, provider_id=performer, offer=offer, now=now
        )
        work.jobs.add(job)
        work.ratings.add(Rating(id=job.id, provider_id=performer, updated_at=now))
    if await work.availabilities.first(id=performer) is None:
        zone = equipment.zone or (await work.profiles.get(performer)).zone
        # Whoever sets the organization up may open a colleague's first hours, and change none that are there.
        availability = Availability.open(id=performer, by=SYSTEM, zone=zone, weekly=weekly or profession.hours, now=now)
        work.availabilities.add(availability)


async def _performer(work: Work, actor: Actor, organization_id: OrganizationId, named: UserId | None) -> UserId:
    """The member who performs the work: the one named, the asker, or the first owner where the house asks."""
    membership = await work.memberships.first(organization_id=organization_id, user_id=named or actor.user_id)
    if membership is None and named is None and (actor.is_admin or actor.is_system):
        order = Order("created_at")
        membership = await work.memberships.first(organization_id=organization_id, role=MemberRole.OWNER, order=order)
    if membership is None:
        raise NotAProvider("only a member of the organization performs its jobs")
    work.guard(membership)
    if (await work.users.get(membership.user_id)).role is Role.CUSTOMER:
        raise NotAProvider("only a provider offers jobs")
    return membership.user_id
