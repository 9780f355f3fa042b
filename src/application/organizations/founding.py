"""Organizations: founding, finding and naming them."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from application.inputs import submitted
from application.parties import theirs
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.readers import Readers
from application.ports.unit_of_work import Begin
from domain.organizations import MayNotManage, MemberRole, Membership, Organization, Permission
from domain.shared.actors import Actor, Role
from domain.shared.errors import Forbidden, Invalid, NotFound, Outdated, Refusal, Unauthenticated
from domain.shared.ids import MembershipId, OrganizationId


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationView:
    """An organization, as everybody sees it."""

    source: ClassVar[str] = "organizations"
    id: OrganizationId
    version: int
    name: str
    solo: bool
    profession: str
    created_at: datetime


@submitted
class NewOrganization:
    """The organization to be."""

    name: str
    """What it goes by, at most 120 characters."""


@submitted
class NewName:
    """What the organization shall go by."""

    name: str
    """The new name, at most 120 characters."""
    expected_version: int | None = None
    """The version of the organization you decided on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateOrganization:
    """Found an organization, with yourself as its owner."""

    begin: Begin
    clock: Clock
    ids: Ids
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, Forbidden, Invalid)

    async def __call__(self, actor: Actor, new: NewOrganization) -> Organization:
        owner_id, now = actor.signed_in(), self.clock.now()
        if actor.role is Role.CUSTOMER:
            raise Forbidden("only a provider founds an organization")
        async with self.begin(actor) as work:
            organization = Organization.found(
                id=OrganizationId(self.ids.new()), name=new.name, owner_id=owner_id, now=now
            )
            work.organizations.add(organization)
            work.memberships.add(
                Membership.join(
                    id=MembershipId(self.ids.new()),
                    organization_id=organization.id,
                    user_id=owner_id,
                    role=MemberRole.OWNER,
                    now=now,
                )
            )
            return work.answer(organization)


@dataclass(frozen=True, slots=True, kw_only=True)
class GetOrganization:
    """One organization."""

    readers: Readers
    refuses: ClassVar[tuple[type[Refusal], ...]] = (NotFound,)

    async def __call__(self, actor: Actor, organization_id: OrganizationId) -> OrganizationView:
        return await self.readers.one(actor, OrganizationView, organization_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class RenameOrganization:
    """Go by another name. Owners and managers decide."""

    begin: Begin
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, MayNotManage, NotFound, Outdated, Invalid)

    async def __call__(self, actor: Actor, organization_id: OrganizationId, new: NewName) -> Organization:
        async with self.begin(actor) as work:
            organization, standing = await theirs(work, actor, organization_id)
            standing.must(Permission.RENAME)
            organization.must_be(new.expected_version)
            organization.rename(new.name, by=standing)
            return work.answer(organization)
