"""The organization and its memberships; what a member may do there is in `permissions`."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from domain.organizations.permissions import MemberRole, Permission, Standing
from domain.shared.aggregate import Aggregate, Event
from domain.shared.errors import Conflict, Forbidden
from domain.shared.ids import MembershipId, OrganizationId, UserId
from domain.shared.text import text

LONGEST_NAME = 120


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


class NotAMemberYet(Forbidden):
    """Only people who can be reached and are welcome in the house become members."""

    code = "organization.cannot_join"

    def __init__(self) -> None:
        super().__init__("that person cannot become a member now")


class AlreadyEquipped(Conflict):
    """An organization takes up a profession once; its jobs are its own to change from then on."""

    code = "organization.already_equipped"

    def __init__(self, profession: str) -> None:
        super().__init__("this organization has taken up a profession already", profession=profession)


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
class OrganizationEquipped(Event):
    """An organization took up a profession, and got its draft jobs and hours."""

    name: ClassVar[str] = "organization.equipped"
    organization_id: OrganizationId
    profession: str


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
    """Providers under one name. It counts its owners itself, so that two who leave at once cannot leave it without.
    `profession` is the word of the pack it took up, empty while it has none."""

    id: OrganizationId
    name: str
    solo: bool
    owners: int = 1
    profession: str = ""
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

    @property
    def organization_id(self) -> OrganizationId:
        """Whose affair its changes are: its own."""
        return self.id

    def rename(self, name: str, *, by: Standing) -> None:
        """Go by another name."""
        by.must(Permission.RENAME)
        name = text(name, field="name", longest=LONGEST_NAME)
        if name != self.name:
            before, self.name = self.name, name
            self._record(OrganizationRenamed(organization_id=self.id, before=before, after=name))

    def add(self, role: MemberRole, *, by: Standing) -> None:
        """Somebody is made a member, with that role, by one who may."""
        by.must(Permission.ADD_MEMBERS)
        self.admit(role)

    def admit(self, role: MemberRole) -> None:
        """Somebody who was invited joins with that role; whoever was on their own no longer is."""
        self.solo = False
        self.owners += role is MemberRole.OWNER

    def part_with(self, role: MemberRole, *, by: Standing, own: bool) -> None:
        """Somebody of that role leaves of their `own` will, or is asked to."""
        by.must(Permission.LEAVE if own else Permission.REMOVE_MEMBERS)
        self._lose(role is MemberRole.OWNER)

    def regrade(self, before: MemberRole, role: MemberRole, *, by: Standing) -> None:
        """A member's role changes."""
        by.must(Permission.CHANGE_ROLES)
        self._lose((before is MemberRole.OWNER) - (role is MemberRole.OWNER))

    def equip(self, profession: str, *, by: Standing) -> None:
        """Take up a profession, whose draft jobs and hours are made in the same commit; once."""
        by.must(Permission.EQUIP)
        if self.profession:
            raise AlreadyEquipped(self.profession)
        self.profession = profession
        self._record(OrganizationEquipped(organization_id=self.id, profession=profession))

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
