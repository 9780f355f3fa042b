"""A small marketplace in memory: people, hours, published jobs, and a hook into the instant before a commit."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from adapters.persistence.events import EVENTS
from adapters.persistence.mapper import JSON
from application.jobs import CreateJob, JobDraft, PublishJob
from application.ports.unit_of_work import Work
from domain.identity import User
from domain.jobs import Job
from domain.organizations import MemberRole, Membership
from domain.profiles import Particulars, Profile
from domain.scheduling import Availability, Weekly
from domain.shared.actors import SYSTEM, Actor, Role
from domain.shared.aggregate import Event
from domain.shared.ids import MembershipId, OrganizationId, UserId
from domain.shared.money import Money
from tests.support.house import House

NOW = datetime(2026, 6, 1, 6, 0, tzinfo=UTC)
"""A Monday morning; in Lisbon it is seven o'clock."""
HOLD = timedelta(minutes=15)
EUROS_45 = Money(4500, "EUR")


class Marketplace(House):
    """A house in the summer of 2026, the few people every story begins with, and what happens in the last instant."""

    def __init__(self) -> None:
        super().__init__(now=NOW, hold=HOLD)
        self.meanwhile: Callable[[], Awaitable[Any]] | None = None
        """What happens once, after the next block has decided and before it commits."""
        self.ports["begin"] = self.interrupted

    @asynccontextmanager
    async def interrupted(self, actor: Actor) -> AsyncIterator[Work]:
        """A unit of work that lets something else happen before it commits."""
        async with self.begin(actor) as work:
            yield work
            if meanwhile := self.meanwhile:
                self.meanwhile = None
                await meanwhile()

    async def person(self, name: str, role: Role = Role.CUSTOMER) -> Actor:
        """A user with a profile."""
        user_id, now = UserId(self.ids.new()), self.clock.now()
        async with self.begin(SYSTEM) as work:
            work.users.add(User.create(id=user_id, email=f"{name}@example.org", role=role, now=now))
            work.profiles.add(Profile.begin(id=user_id, particulars=Particulars(name=name), now=now))
        return Actor(user_id=user_id, role=role)

    async def provider(self, name: str = "vera", hours: str = "09:00-18:00") -> Actor:
        """A provider who works these hours every day, in Lisbon."""
        provider = await self.person(name, Role.PROVIDER)
        async with self.begin(SYSTEM) as work:
            availability = Availability.open(
                id=provider.signed_in(),
                by=provider,
                zone="Europe/Lisbon",
                weekly=Weekly.every_day(hours),
                now=self.clock.now(),
            )
            work.availabilities.add(availability)
        return provider

    async def job(self, provider: Actor, *, publish: bool = True, **said: Any) -> Job:
        """A job of that provider, published unless said otherwise."""
        usual = {"title": "Guitar lesson", "category": "music", "price": EUROS_45, "duration": 60, "place": "Lisboa"}
        job = await self.use(CreateJob)(provider, JobDraft(**{**usual, **said}))
        return await self.use(PublishJob)(provider, job.id) if publish else job

    async def member(self, name: str, organization_id: OrganizationId, role: MemberRole) -> Actor:
        """A provider who belongs to that organization."""
        actor = await self.person(name, Role.PROVIDER)
        async with self.begin(SYSTEM) as work:
            work.memberships.add(
                Membership.join(
                    id=MembershipId(self.ids.new()),
                    organization_id=organization_id,
                    user_id=actor.signed_in(),
                    role=role,
                    now=self.clock.now(),
                )
            )
        return actor

    def row(self, table: str, id: Any) -> dict[str, Any]:
        """One stored row."""
        return self.store.tables[table].rows[id]

    def told(self, kind: type[Event] | None = None) -> list[Any]:
        """The events that have left, of one kind or all, oldest first."""
        out = [JSON.structure(row["payload"], EVENTS[row["name"]]) for row in self.rows("outbox")]
        return [event for event in out if kind is None or isinstance(event, kind)]

    def due(self, kind: type[Event]) -> list[datetime]:
        """When scheduled events of that kind fire."""
        return [row["due_at"] for row in self.rows("outbox") if row["name"] == kind.name and row["scheduled"]]

    def seats(self, series: object) -> int:
        """How many seats of a session are counted as taken."""
        row = self.store.tables["tallies"].rows.get(f"seats:{series}")
        return int(row["value"]) if row else 0
