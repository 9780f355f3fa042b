"""Organizations: founding and naming them, and who belongs to them as what."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from application.inputs import submitted
from application.ports.clock import Clock
from application.ports.criteria import Order, Position
from application.ports.identity import SecurityLog
from application.ports.ids import Ids
from application.ports.readers import Page, Readers
from application.ports.unit_of_work import Begin, Work
from domain.identity import BadEmail, User, email_address
from domain.organizations import (
    AlreadyMember,
    LastOwner,
    MayNotManage,
    MemberRole,
    Membership,
    NotAMemberYet,
    Organization,
    must_reach,
)
from domain.shared.actors import Actor, Role
from domain.shared.errors import Forbidden, Invalid, NotFound, Outdated, Refusal, Unauthenticated
from domain.shared.ids import MembershipId, OrganizationId, UserId

_JOINED = Order("created_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationView:
    """An organization, as everybody sees it."""

    source: ClassVar[str] = "organizations"
    id: OrganizationId
    version: int
    name: str
    solo: bool
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberView:
    """A membership with the names on both sides."""

    source: ClassVar[str] = "members"
    id: MembershipId
    version: int
    organization_id: OrganizationId
    organization_name: str | None
    solo: bool | None
    user_id: UserId
    name: str | None
    avatar_url: str | None
    role: MemberRole
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


@submitted
class NewMember:
    """Who shall belong to the organization: either by id or by address."""

    user_id: UserId | None = None
    """The user's id."""
    email: str | None = None
    """Or the user's e-mail address."""
    role: MemberRole = MemberRole.MEMBER
    """What they may do there."""


@submitted
class MemberChange:
    """What the member shall be."""

    role: MemberRole
    """The new role."""
    expected_version: int | None = None
    """The version of the membership you decided on."""


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
class MyOrganizations:
    """The organizations you belong to, and as what."""

    readers: Readers
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated,)

    async def __call__(self, actor: Actor, *, after: Position | None = None, limit: int = 50) -> Page[MemberView]:
        where = {"user_id": actor.signed_in()}
        return await self.readers.page(actor, MemberView, where, order=_JOINED, after=after, limit=limit)


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
            organization = await _theirs(work, actor, organization_id, MemberRole.MANAGER)
            organization.must_be(new.expected_version)
            organization.rename(new.name)
            return work.answer(organization)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListMembers:
    """Who belongs to an organization, for its members to see."""

    readers: Readers
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated,)

    async def __call__(
        self, actor: Actor, organization_id: OrganizationId, *, after: Position | None = None, limit: int = 50
    ) -> Page[MemberView]:
        if not actor.is_admin:
            actor.signed_in()
        where = {"organization_id": organization_id}
        return await self.readers.page(actor, MemberView, where, order=_JOINED, after=after, limit=limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddMember:
    """Make a user a member. Owners decide. Looking for people who are not there leaves a trace."""

    begin: Begin
    clock: Clock
    ids: Ids
    security_log: SecurityLog
    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        Unauthenticated,
        MayNotManage,
        NotFound,
        NotAMemberYet,
        AlreadyMember,
        BadEmail,
        Invalid,
    )

    async def __call__(self, actor: Actor, organization_id: OrganizationId, new: NewMember) -> Membership:
        try:
            async with self.begin(actor) as work:
                organization = await _theirs(work, actor, organization_id, MemberRole.OWNER)
                user = await _person(work, new)
                if await work.memberships.first(organization_id=organization_id, user_id=user.id):
                    raise AlreadyMember
                organization.admit(new.role)
                membership = Membership.join(
                    id=MembershipId(self.ids.new()),
                    organization_id=organization_id,
                    user_id=user.id,
                    role=new.role,
                    now=self.clock.now(),
                )
                work.memberships.add(membership)
                return work.answer(membership)
        except NotAMemberYet as refusal:
            await self.security_log.note(
                "member.unknown", actor=actor, subject=str(organization_id), details={"code": refusal.code}
            )
            raise


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeMemberRole:
    """Make a member an owner, a manager or a member. Owners decide; one always remains."""

    begin: Begin
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, MayNotManage, NotFound, LastOwner, Outdated)

    async def __call__(
        self, actor: Actor, organization_id: OrganizationId, user_id: UserId, change: MemberChange
    ) -> Membership:
        async with self.begin(actor) as work:
            organization = await _theirs(work, actor, organization_id, MemberRole.OWNER)
            membership = await _membership(work, organization_id, user_id)
            membership.must_be(change.expected_version)
            organization.regrade(membership.role, change.role)
            membership.change_role(change.role)
            return work.answer(membership)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveMember:
    """Leave an organization, or as an owner have somebody leave. What they did stays; one owner always remains."""

    begin: Begin
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, MayNotManage, NotFound, LastOwner)

    async def __call__(self, actor: Actor, organization_id: OrganizationId, user_id: UserId) -> None:
        own = actor.is_user(user_id)
        async with self.begin(actor) as work:
            needed = MemberRole.MEMBER if own else MemberRole.OWNER
            organization = await _theirs(work, actor, organization_id, needed)
            membership = await _membership(work, organization_id, user_id)
            organization.part_with(membership.role)
            membership.end(removed=not own)
            work.memberships.remove(membership)


async def _theirs(work: Work, actor: Actor, organization_id: OrganizationId, needed: MemberRole) -> Organization:
    """The organization, for an asker whose role there reaches that far at the moment of the commit."""
    organization = await work.organizations.get(organization_id)
    if actor.is_admin or actor.is_system:
        return organization
    asker = await work.memberships.first(organization_id=organization_id, user_id=actor.signed_in())
    if asker is None:
        raise NotFound.of("organization", organization_id)
    must_reach(asker.role, needed)
    work.guard(asker)
    return organization


async def _person(work: Work, new: NewMember) -> User:
    """Who is meant, if they may join; everybody else refuses alike."""
    if (new.user_id is None) == (new.email is None):
        raise Invalid("name the person by id or by e-mail address", field="user_id")
    if new.email is not None:
        user = await work.users.first(email=email_address(new.email))
    else:
        user = await work.users.first(id=new.user_id)
    if user is None or user.suspended or not user.verified:
        raise NotAMemberYet
    return user


async def _membership(work: Work, organization_id: OrganizationId, user_id: UserId) -> Membership:
    membership = await work.memberships.first(organization_id=organization_id, user_id=user_id)
    if membership is None:
        raise NotFound.of("member", user_id)
    return membership
