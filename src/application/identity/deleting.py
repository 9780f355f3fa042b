"""Deleting an account: who they were is forgotten, what they did stays."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from application.identity.closing import close_all
from application.ports.clock import Clock
from application.ports.criteria import AnyOf
from application.ports.unit_of_work import Begin, Work
from domain.bookings import BookingState
from domain.identity import EndReason, OwnAccount, User
from domain.organizations import THE_HOUSE, LastOwner
from domain.shared.actors import Actor
from domain.shared.errors import Conflict, Forbidden, NotFound, Refusal, Unauthenticated
from domain.shared.ids import UserId


class StillExpected(Conflict):
    """Somebody counts on them: they have bookings that are yet to come."""

    code = "identity.still_expected"

    def __init__(self) -> None:
        super().__init__("this user has bookings yet to come; cancel those first")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteUser:
    """Delete an account for good: its address, password, links and sessions are gone, its profile is empty, and nobody
    comes in by it again. What its user did and owes stays, without them. Whoever is still expected somewhere, or is the
    only owner of an organization of several, is not deleted before that is settled."""

    begin: Begin
    clock: Clock
    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        Unauthenticated,
        Forbidden,
        OwnAccount,
        NotFound,
        StillExpected,
        LastOwner,
    )

    async def __call__(self, actor: Actor, user_id: UserId) -> None:
        actor.must_be_admin()
        now = self.clock.now()
        async with self.begin(actor) as work:
            user = await work.users.get(user_id)
            await _must_be_expected_nowhere(work, user, now=now)
            await _part_from_everybody(work, user)
            user.delete(by=actor, now=now)
            await close_all(work, user, EndReason.SUSPENDED, now=now)
            for credential in await work.credentials.find(id=user.id):
                work.credentials.remove(credential)
            for identity in await work.external_identities.find(user_id=user.id):
                identity.end(now=now)
            for profile in await work.profiles.find(id=user.id):
                profile.update(name="Somebody", headline="", bio="", avatar_url="", phone="", now=now)


async def _must_be_expected_nowhere(work: Work, user: User, *, now: datetime) -> None:
    active = AnyOf((BookingState.HELD, BookingState.REQUESTED, BookingState.CONFIRMED))
    booked = await work.bookings.find(state=active, customer_id=user.id)
    performed = await work.bookings.find(state=active, provider_id=user.id)
    if any(booking.span.ends_at > now for booking in (*booked, *performed)):
        raise StillExpected


async def _part_from_everybody(work: Work, user: User) -> None:
    """Leave every organization, but the one that is theirs alone."""
    for membership in await work.memberships.find(user_id=user.id):
        organization = await work.organizations.get(membership.organization_id)
        if len(await work.memberships.find(organization_id=organization.id, limit=2)) > 1:
            organization.part_with(membership.role, by=THE_HOUSE, own=False)
            membership.end(removed=True)
            work.memberships.remove(membership)
