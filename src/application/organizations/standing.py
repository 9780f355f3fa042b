"""What an asker is to an organization, at the moment of the commit."""

from application.ports.unit_of_work import Work
from domain.organizations import THE_HOUSE, Organization, Standing
from domain.shared.actors import Actor
from domain.shared.errors import NotFound
from domain.shared.ids import OrganizationId


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
