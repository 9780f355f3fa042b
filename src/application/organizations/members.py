"""Who belongs to an organization, and as what."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from application.inputs import submitted
from application.parties import theirs
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
    Permission,
)
from domain.shared.actors import Actor
from domain.shared.errors import Invalid, NotFound, Outdated, Refusal, Unauthenticated
from domain.shared.ids import MembershipId, OrganizationId, UserId

_JOINED = Order("created_at")


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
class MyOrganizations:
    """The organizations you belong to, and as what."""

    readers: Readers
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated,)

    async def __call__(self, actor: Actor, *, after: Position | None = None, limit: int = 50) -> Page[MemberView]:
        where = {"user_id": actor.signed_in()}
        return await self.readers.page(actor, MemberView, where, order=_JOINED, after=after, limit=limit)


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
                organization, standing = await theirs(work, actor, organization_id)
                standing.must(Permission.ADD_MEMBERS)
                user = await _person(work, new)
                if await work.memberships.first(organization_id=organization_id, user_id=user.id):
                    raise AlreadyMember
                organization.add(new.role, by=standing)
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
            organization, standing = await theirs(work, actor, organization_id)
            standing.must(Permission.CHANGE_ROLES)
            membership = await _membership(work, organization_id, user_id)
            membership.must_be(change.expected_version)
            organization.regrade(membership.role, change.role, by=standing)
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
            organization, standing = await theirs(work, actor, organization_id)
            standing.must(Permission.LEAVE if own else Permission.REMOVE_MEMBERS)
            membership = await _membership(work, organization_id, user_id)
            organization.part_with(membership.role, by=standing, own=own)
            membership.end(removed=not own)
            work.memberships.remove(membership)


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
