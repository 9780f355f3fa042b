"""Who may do what in an organization, on one page; the verbs of its aggregates ask here."""

from dataclasses import dataclass
from enum import StrEnum

from domain.shared.errors import Forbidden


class MemberRole(StrEnum):
    """Owners decide about the organization and its people, managers about its work, members about their own."""

    OWNER = "owner"
    MANAGER = "manager"
    MEMBER = "member"


class Permission(StrEnum):
    """What one may be allowed to do in an organization."""

    RENAME = "rename"
    EQUIP = "equip"
    ONBOARD = "onboard"
    INVITE = "invite"
    APPOINT = "appoint"
    ADD_MEMBERS = "add_members"
    CHANGE_ROLES = "change_roles"
    REMOVE_MEMBERS = "remove_members"
    LEAVE = "leave"
    SEE_ACTIVITY = "see_activity"
    MANAGE_BILLING = "manage_billing"
    SEE_BOOKS = "see_books"


OWNERS = frozenset({MemberRole.OWNER})
MANAGERS = OWNERS | {MemberRole.MANAGER}
EVERYBODY = MANAGERS | {MemberRole.MEMBER}

PERMISSIONS: dict[Permission, frozenset[MemberRole]] = {
    Permission.RENAME: MANAGERS,
    Permission.EQUIP: MANAGERS,
    Permission.ONBOARD: MANAGERS,
    Permission.INVITE: MANAGERS,
    Permission.APPOINT: OWNERS,
    Permission.ADD_MEMBERS: OWNERS,
    Permission.CHANGE_ROLES: OWNERS,
    Permission.REMOVE_MEMBERS: OWNERS,
    Permission.LEAVE: EVERYBODY,
    Permission.SEE_ACTIVITY: MANAGERS,
    Permission.MANAGE_BILLING: OWNERS,
    Permission.SEE_BOOKS: MANAGERS,
}
"""Permission to the roles that have it. Who invites as more than a member also needs to appoint."""


class MayNotManage(Forbidden):
    """The asker's role in the organization does not reach that far."""

    code = "organization.may_not"

    def __init__(self, needed: MemberRole) -> None:
        super().__init__(f"only an organization's {needed.value} may do this", needed=needed.value)


@dataclass(frozen=True, slots=True)
class Standing:
    """What somebody is to an organization when they ask: a member of that role, or (None) the house, above them all."""

    role: MemberRole | None

    def may(self, permission: Permission) -> bool:
        """Whether they are allowed to."""
        return self.role is None or self.role in PERMISSIONS[permission]

    def must(self, permission: Permission) -> None:
        """Refuse whoever is not allowed to, naming the humblest role that is."""
        if not self.may(permission):
            raise MayNotManage(next(role for role in _HUMBLEST_FIRST if role in PERMISSIONS[permission]))


_HUMBLEST_FIRST = (MemberRole.MEMBER, MemberRole.MANAGER, MemberRole.OWNER)

THE_HOUSE = Standing(None)
"""Admins, operators and the worker."""
