"""Who stands where: the small judgments that several contexts make about an actor."""

from typing import Protocol
from uuid import UUID

from application.ports.unit_of_work import Work
from domain.organizations import THE_HOUSE, MemberRole, Organization, Standing
from domain.shared.actors import Actor, Kind
from domain.shared.errors import NotFound, Unauthenticated
from domain.shared.ids import OrganizationId, UserId
from domain.shared.terms import Side


class TwoSided(Protocol):
    """Anything between a customer and a provider: a booking, and what hangs on one."""

    @property
    def id(self) -> UUID: ...
    @property
    def customer_id(self) -> UserId: ...
    @property
    def provider_id(self) -> UserId: ...
    @property
    def organization_id(self) -> OrganizationId: ...


class Addressed(Protocol):
    """A quote or an invoice: it belongs to an organization, and once it has left, to a reader."""

    @property
    def id(self) -> UUID: ...
    @property
    def organization_id(self) -> OrganizationId: ...
    @property
    def reader_id(self) -> UserId | None: ...
    @property
    def reader_email(self) -> str: ...


async def side_of(work: Work, actor: Actor, thing: TwoSided) -> Side:
    """On which side of it the actor stands. The house, and those who manage the organization, stand on the provider's;
    to everybody else it does not exist."""
    if actor.is_user(thing.customer_id):
        return Side.CUSTOMER
    if actor.is_user(thing.provider_id) or actor.is_admin or actor.is_system:
        return Side.PROVIDER
    if await manages(work, actor, thing.organization_id):
        return Side.PROVIDER
    raise NotFound.of(type(thing).__name__.lower(), thing.id)


async def manages(work: Work, actor: Actor, organization_id: OrganizationId) -> bool:
    """Whether the actor may decide for that organization: its owners and managers, and the house."""
    if actor.is_admin or actor.is_system:
        return True
    if actor.kind is Kind.ANONYMOUS:
        raise Unauthenticated("sign in first")
    membership = await work.memberships.first(organization_id=organization_id, user_id=actor.signed_in())
    return membership is not None and membership.role is not MemberRole.MEMBER


async def is_addressed(work: Work, actor: Actor, thing: Addressed) -> bool:
    """Whether it is addressed to the actor: as the user they are, or by a mail address they have confirmed."""
    if actor.kind is not Kind.USER:
        return False
    if actor.is_user(thing.reader_id):
        return True
    if not thing.reader_email:
        return False
    user = await work.users.get(actor.signed_in())
    return user.email_verified_at is not None and user.email == thing.reader_email


async def theirs(work: Work, actor: Actor, organization_id: OrganizationId) -> tuple[Organization, Standing]:
    """The organization and what the asker is to it, which holds when this is committed; to strangers it does not
    exist."""
    organization = await work.organizations.get(organization_id)
    if actor.is_admin or actor.is_system:
        return organization, THE_HOUSE
    asker = await work.memberships.first(organization_id=organization_id, user_id=actor.signed_in())
    if asker is None:
        raise NotFound.of("organization", organization_id)
    work.guard(asker)
    return organization, Standing(asker.role)
