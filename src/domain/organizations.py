"""Organizations: who offers work together, and what each member may do there."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from domain.shared.aggregate import Aggregate, Event
from domain.shared.errors import Conflict, Forbidden
from domain.shared.ids import MembershipId, OrganizationId, UserId
from domain.shared.text import text

LONGEST_NAME = 120


class MemberRole(StrEnum):
    """Owners decide about the organization and its people, managers about its work, members about their own."""

    OWNER = "owner"
    MANAGER = "manager"
    MEMBER = "member"


class LastOwner(Conflict):
    """An organization is never without an owner."""

    code = "organization.last_owner"

    def __init__(self) -> None:
        super().__init__("an organization keeps at least one owner; make somebody else an owner first")


class AlreadyMember(Conflict):
    """That person belongs to the organization already."""

    code = "organization.already_member"

    def __init__(self) -> None:
        super().__init__("that person is a member already")


class MayNotManage(Forbidden):
    """The asker's role in the organization does not reach that far."""

    code = "organization.may_not"

    def __init__(self, needed: MemberRole) -> None:
        super().__init__(f"only an organization's {needed.value} may do this", needed=needed.value)


class NotAMemberYet(Forbidden):
    """Only people who can be reached and are welcome in the house become members."""

    code = "organization.cannot_join"

    def __init__(self) -> None:
        super().__init__("that person cannot become a member now")


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationFounded(Event):
    """There is a new organization; `solo` when it is one provider's own, made without their noticing."""

    name: ClassVar[str] = "organization.founded"
    organization_id: OrganizationId
    owner_id: UserId
    solo: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationRenamed(Event):
    """An organization goes by another name."""

    name: ClassVar[str] = "organization.renamed"
    organization_id: OrganizationId
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberJoined(Event):
    """Somebody belongs to an organization now."""

    name: ClassVar[str] = "membership.joined"
    membership_id: MembershipId
    organization_id: OrganizationId
    user_id: UserId
    role: MemberRole


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRoleChanged(Event):
    """A member may do more, or less, than before."""

    name: ClassVar[str] = "membership.role_changed"
    membership_id: MembershipId
    organization_id: OrganizationId
    user_id: UserId
    before: MemberRole
    role: MemberRole


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberLeft(Event):
    """Somebody no longer belongs to an organization; `removed` when it was not their own choice."""

    name: ClassVar[str] = "membership.ended"
    membership_id: MembershipId
    organization_id: OrganizationId
    user_id: UserId
    removed: bool


@dataclass(eq=False, slots=True, kw_only=True)
class Organization(Aggregate):
    """Providers under one name. It counts its owners itself, so that two who leave at once cannot leave it without."""

    id: OrganizationId
    name: str
    solo: bool
    owners: int = 1
    created_at: datetime

    def __post_init__(self) -> None:
        if self.owners < 1:
            raise LastOwner

    @classmethod
    def found(
        cls, *, id: OrganizationId, name: str, owner_id: UserId, solo: bool = False, now: datetime
    ) -> "Organization":
        """A new organization with one owner; the membership is added beside it, in the same commit."""
        name = text(name, field="name", longest=LONGEST_NAME)
        organization = cls(id=id, name=name, solo=solo, created_at=now)
        organization._record(OrganizationFounded(organization_id=id, owner_id=owner_id, solo=solo))
        return organization

    def rename(self, name: str) -> None:
        """Go by another name."""
        name = text(name, field="name", longest=LONGEST_NAME)
        if name != self.name:
            before, self.name = self.name, name
            self._record(OrganizationRenamed(organization_id=self.id, before=before, after=name))

    def admit(self, role: MemberRole) -> None:
        """Somebody joins with that role; whoever was on their own no longer is."""
        self.solo = False
        self.owners += role is MemberRole.OWNER

    def part_with(self, role: MemberRole) -> None:
        """Somebody of that role leaves."""
        self._lose(role is MemberRole.OWNER)

    def regrade(self, before: MemberRole, role: MemberRole) -> None:
        """A member's role changes."""
        self._lose((before is MemberRole.OWNER) - (role is MemberRole.OWNER))

    def _lose(self, owners: int) -> None:
        if self.owners - owners < 1:
            raise LastOwner
        self.owners -= owners


@dataclass(eq=False, slots=True, kw_only=True)
class Membership(Aggregate):
    """That a user belongs to an organization, and as what; one of each pair."""

    id: MembershipId
    organization_id: OrganizationId
    user_id: UserId
    role: MemberRole
    created_at: datetime

    @classmethod
    def join(
        cls, *, id: MembershipId, organization_id: OrganizationId, user_id: UserId, role: MemberRole, now: datetime
    ) -> "Membership":
        """Somebody becomes a member."""
        membership = cls(id=id, organization_id=organization_id, user_id=user_id, role=role, created_at=now)
        membership._record(MemberJoined(membership_id=id, organization_id=organization_id, user_id=user_id, role=role))
        return membership

    def change_role(self, role: MemberRole) -> None:
        """The member is something else to the organization."""
        if role is not self.role:
            before, self.role = self.role, role
            self._record(
                MemberRoleChanged(
                    membership_id=self.id,
                    organization_id=self.organization_id,
                    user_id=self.user_id,
                    before=before,
                    role=role,
                )
            )

    def end(self, *, removed: bool) -> None:
        """The member goes; what they did stays."""
        self._record(
            MemberLeft(
                membership_id=self.id,
                organization_id=self.organization_id,
                user_id=self.user_id,
                removed=removed,
            )
        )


def must_reach(role: MemberRole, needed: MemberRole) -> None:
    """Refuse a member whose role does not reach as far as `needed`."""
    if _REACH[role] < _REACH[needed]:
        raise MayNotManage(needed)


_REACH = {MemberRole.MEMBER: 0, MemberRole.MANAGER: 1, MemberRole.OWNER: 2}
