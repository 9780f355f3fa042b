"""What comes into being with a user: a password, a profile, and for a provider an organization. One commit: none of
them makes sense without the others."""

from datetime import datetime

from application.ports.ids import Ids
from application.ports.unit_of_work import Work
from domain.identity import Credential, User
from domain.organizations import MemberRole, Membership, Organization
from domain.profiles import Particulars, Profile
from domain.shared.actors import Role
from domain.shared.ids import MembershipId, OrganizationId, UserId


def enrol(
    work: Work,
    user: User,
    *,
    password_hash: str,
    particulars: Particulars,
    ids: Ids,
    now: datetime,
    alone: bool = True,
) -> None:
    """Store a new user with all that belongs to one; who does not come `alone` has an organization to join."""
    work.users.add(user)
    work.credentials.add(Credential.create(id=user.id, password_hash=password_hash, now=now))
    work.profiles.add(Profile.begin(id=user.id, particulars=particulars, now=now))
    if user.role is Role.PROVIDER and alone:
        set_up_alone(work, user.id, name=particulars.name, ids=ids, now=now)


def set_up_alone(work: Work, user_id: UserId, *, name: str, ids: Ids, now: datetime) -> None:
    """Give a provider an organization of their own, so that their jobs belong to one like everybody's."""
    organization = Organization.found(id=OrganizationId(ids.new()), name=name, owner_id=user_id, solo=True, now=now)
    work.organizations.add(organization)
    work.memberships.add(
        Membership.join(
            id=MembershipId(ids.new()),
            organization_id=organization.id,
            user_id=user_id,
            role=MemberRole.OWNER,
            now=now,
        )
    )
