"""Who keeps an organization's books, who is addressed by what leaves them, and how they are headed."""

from datetime import datetime

from application.parties import Addressed, is_addressed, manages
from application.ports.unit_of_work import Work
from domain.invoicing import Letterhead, NotYourBooks
from domain.shared.actors import Actor
from domain.shared.errors import NotFound
from domain.shared.ids import OrganizationId


async def must_keep_books(work: Work, actor: Actor, organization_id: OrganizationId) -> None:
    """Refuse those who do not manage that organization."""
    if not await manages(work, actor, organization_id):
        raise NotYourBooks


async def must_keep_books_of(work: Work, actor: Actor, thing: Addressed) -> None:
    """The same for a thing in its books; to strangers it does not exist."""
    if await manages(work, actor, thing.organization_id):
        return
    if await is_addressed(work, actor, thing):
        raise NotYourBooks
    raise _unknown(thing)


async def must_be_addressed(work: Work, actor: Actor, thing: Addressed) -> None:
    """Let its reader pass, and those who keep the books; to everybody else it does not exist."""
    if not (await is_addressed(work, actor, thing) or await manages(work, actor, thing.organization_id)):
        raise _unknown(thing)


async def letterhead_of(work: Work, organization_id: OrganizationId, *, now: datetime) -> Letterhead:
    """How the organization signs: as it said, or by its name alone."""
    if known := await work.letterheads.first(id=organization_id):
        return known
    organization = await work.organizations.get(organization_id)
    return Letterhead.plain(id=organization_id, name=organization.name, now=now)


def _unknown(thing: Addressed) -> NotFound:
    return NotFound.of(type(thing).__name__.lower(), thing.id)
