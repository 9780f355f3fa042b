"""What comes into being with a user: a password, a profile, and for a provider an organization. One commit: none of
them makes sense without the others."""

from datetime import datetime
from typing import Protocol

from application.ports.ids import Ids
from application.ports.unit_of_work import Work
from domain.identity import Credential, ExternalIdentity, User
from domain.organizations import MemberRole, Membership, Organization
from domain.profiles import Particulars, Profile
from domain.shared.actors import Role
from domain.shared.ids import ExternalIdentityId, MembershipId, OrganizationId, UserId


class Vouched(Protocol):
    """Somebody as another issuer knows them."""

    @property
    def issuer(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def email(self) -> str | None: ...
    @property
    def email_verified(self) -> bool: ...


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


def receive(
    work: Work, said: Vouched, *, address: str | None, role: Role, particulars: Particulars, ids: Ids, now: datetime
) -> tuple[ExternalIdentity, User]:
    """Store somebody another issuer vouches for, with all that belongs to one; `address` is what counts of what they
    are said to be reached at."""
    user = User.arrive(id=UserId(ids.new()), email=address, role=role, now=now)
    work.users.add(user)
    work.profiles.add(Profile.begin(id=user.id, particulars=particulars, now=now))
    if user.role is Role.PROVIDER:
        set_up_alone(work, user.id, name=particulars.name, ids=ids, now=now)
    identity = ExternalIdentity.first_seen(
        id=ExternalIdentityId(ids.new()),
        user=user,
        issuer=said.issuer,
        subject=said.subject,
        email=said.email,
        email_verified=said.email_verified and said.email is not None,
        now=now,
    )
    work.external_identities.add(identity)
    return identity, user


def join(work: Work, user: User, said: Vouched, address: str, *, ids: Ids, now: datetime) -> ExternalIdentity:
    """Another way in for somebody who is here, by an address both sides have confirmed. That they are still who they
    were when we looked is part of it."""
    identity = ExternalIdentity.joined(
        id=ExternalIdentityId(ids.new()),
        user=user,
        issuer=said.issuer,
        subject=said.subject,
        email=address,
        email_verified=True,
        now=now,
    )
    work.guard(user)
    work.external_identities.add(identity)
    return identity
