"""Organizations and who belongs to them, as an issuer tells of them: made so here, under the rules of the house.

A message of one carries enough of the others (its organization, its person) to be acted on whichever comes first. What
the rules stand against waits in the row, and is tried again with whatever is heard of the organization next."""

from datetime import datetime

from application.identity.foreigners import arrive
from application.ports.identity import IdentityNews, MembershipNews, OrganizationNews
from application.ports.ids import Ids
from application.ports.unit_of_work import Work
from domain.identity import IdentityRules, User
from domain.organizations import (
    THE_HOUSE,
    ExternalOrganization,
    LastOwner,
    MemberRole,
    Membership,
    Organization,
    ToldMember,
)
from domain.shared.ids import ExternalOrganizationId, MembershipId, OrganizationId, UserId

NOBODY_OWNS_IT = "waits for somebody who may own it"
OWNERS_STAY = "an organization keeps its last owner: name another here, or there"
ENDED = "is no more there; here it is its owners'"
ENDED_BEFORE = "has ended before"


class Belonging:
    """What one message about an organization makes of it here, in one commit. What it made so far is remembered: a
    collection finds only what is stored."""

    def __init__(self, work: Work, *, rules: IdentityRules, ids: Ids, now: datetime) -> None:
        self._work, self._rules, self._ids, self._now = work, rules, ids, now
        self._names: dict[str, str] = {}
        self._people: dict[str, tuple[User, bool] | None] = {}
        self._joined: dict[UserId, Membership] = {}

    async def follow(self, news: OrganizationNews | MembershipNews) -> str:
        """What came of it, in a few words; nothing when all of it is so here."""
        told = news.organization if isinstance(news, MembershipNews) else news
        known = await self._known(told)
        if known.ended:
            return ENDED_BEFORE
        if told.gone:
            return await self._end(known)
        renamed = known.tell(name=told.name, founder=told.founder, at=told.told_at)
        if isinstance(news, MembershipNews):
            self._names[news.person.subject] = news.person.display_name
            known.hear(news.person.subject, news.role, gone=news.gone, at=news.told_at)
        if known.organization_id is None:
            organization = await self._found(known)
        else:
            organization = await self._work.organizations.get(known.organization_id)
            if renamed:
                organization.rename(known.name, by=THE_HOUSE)
        if organization is None:
            return NOBODY_OWNS_IT
        for person, member in known.waiting():
            if await self._settled(known, organization, person, member):
                known.done(person)
        return OWNERS_STAY if known.waiting() else ""

    async def _known(self, told: OrganizationNews) -> ExternalOrganization:
        known = await self._work.external_organizations.first(issuer=told.issuer, subject=told.subject)
        if known is None:
            known = ExternalOrganization(
                id=ExternalOrganizationId(self._ids.new()),
                issuer=told.issuer,
                subject=told.subject,
                created_at=self._now,
            )
            self._work.external_organizations.add(known)
        return known

    async def _found(self, known: ExternalOrganization) -> Organization | None:
        """It comes into being here with the first who may own it."""
        for person in known.candidates():
            user, welcome = await self._person(known, person) or (None, False)
            if user is None or not welcome:
                continue
            organization = Organization.found(
                id=OrganizationId(self._ids.new()), name=known.name, owner_id=user.id, now=self._now
            )
            self._work.organizations.add(organization)
            self._join(organization, user, MemberRole.OWNER)
            known.become(organization.id)
            return organization
        return None

    async def _settled(
        self, known: ExternalOrganization, organization: Organization, person: str, told: ToldMember
    ) -> bool:
        """Make it so here, unless the organization would be left without an owner."""
        user, welcome = await self._person(known, person, make=not told.gone) or (None, False)
        present = await self._membership(organization, user)
        try:
            if told.gone and present is not None:
                self._leave(organization, present)
            elif not told.gone and present is not None and present.role is not told.role:
                organization.regrade(present.role, told.role, by=THE_HOUSE)
                present.change_role(told.role)
            elif not told.gone and present is None and user is not None and welcome:
                organization.admit(told.role)
                self._join(organization, user, told.role)
        except LastOwner:
            return False
        return True

    async def _end(self, known: ExternalOrganization) -> str:
        """Whoever came by it leaves; its owners stay, with the jobs and the books that are theirs here."""
        known.end(now=self._now)
        if known.organization_id is None:
            return ENDED
        organization = await self._work.organizations.get(known.organization_id)
        for person in known.members:
            user, _ = await self._person(known, person, make=False) or (None, False)
            present = await self._membership(organization, user)
            if present is not None and present.role is not MemberRole.OWNER:
                self._leave(organization, present)
        return ENDED

    async def _person(self, known: ExternalOrganization, person: str, *, make: bool = True) -> tuple[User, bool] | None:
        """Who that is here, and whether they are welcome. Somebody nobody has seen yet becomes a user, if asked to."""
        if person not in self._people:
            identity = await self._work.external_identities.first(issuer=known.issuer, subject=person)
            if identity is None and not make:
                return None
            if identity is None:
                name = self._names.get(person, "")
                news = IdentityNews(issuer=known.issuer, subject=person, display_name=name, told_at=self._now)
                identity, user = await arrive(self._work, news, rules=self._rules, ids=self._ids, now=self._now)
            else:
                user = await self._work.users.get(identity.user_id)
            self._people[person] = user, not (identity.ended or user.suspended)
        return self._people[person]

    async def _membership(self, organization: Organization, user: User | None) -> Membership | None:
        if user is None:
            return None
        if user.id not in self._joined:
            return await self._work.memberships.first(organization_id=organization.id, user_id=user.id)
        return self._joined[user.id]

    def _join(self, organization: Organization, user: User, role: MemberRole) -> None:
        user.take_up_work()
        self._joined[user.id] = Membership.join(
            id=MembershipId(self._ids.new()),
            organization_id=organization.id,
            user_id=user.id,
            role=role,
            now=self._now,
        )
        self._work.memberships.add(self._joined[user.id])

    def _leave(self, organization: Organization, membership: Membership) -> None:
        organization.part_with(membership.role, by=THE_HOUSE, own=False)
        membership.end(removed=True)
        self._work.memberships.remove(membership)
