"""The people and the work of the campaign, made by the use cases themselves before the first shot."""

import asyncio
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from application.identity import CreateUser, NewUser
from application.jobs import CreateJob, JobDraft, PublishJob
from application.scheduling import Hours, SetAvailability
from domain.shared.actors import SYSTEM, Actor, Role
from domain.shared.ids import UserId
from domain.shared.money import Money
from domain.shared.terms import PaymentTerms
from entrypoints.container import OpenHouse, open_house
from entrypoints.settings import ClockName, Settings
from tests.proof.crashes.fleet import Fleet
from tests.proof.crashes.wire import Line

PASSWORD = "a-password-for-the-campaign"
CUSTOMERS = 16
PRICE = 4500
SEATS = 6
_DAY = ("00:00-24:00",)
_ALWAYS = Hours(
    zone="UTC", monday=_DAY, tuesday=_DAY, wednesday=_DAY, thursday=_DAY, friday=_DAY, saturday=_DAY, sunday=_DAY
)
_QUARTER = timedelta(minutes=15)
_OFFERS: dict[str, dict[str, Any]] = {
    "lesson-a": {"price": Money(PRICE, "EUR")},
    "lesson-b": {"price": Money(PRICE, "EUR")},
    "class": {"price": Money(1500, "EUR"), "capacity": SEATS, "terms": PaymentTerms.LATER},
    "call": {"price": Money(0, "EUR"), "terms": PaymentTerms.FREE},
}


@dataclass(slots=True)
class Person:
    """Somebody who asks, with the token they ask by."""

    name: str
    id: str
    email: str
    token: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """How every request of theirs begins."""
        return {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}


@dataclass(slots=True)
class Offer:
    """A job, and its starts: each is given out once, but for a few that two people want."""

    name: str
    job_id: str
    provider: Person
    first: datetime
    share: int = 1
    _taken: Iterator[int] = field(default_factory=count)

    def start(self, chance: random.Random) -> str:
        """The next start; sometimes an earlier one again."""
        n = next(self._taken)
        if n and chance.random() < 0.05:
            n = chance.randrange(n)
        return (self.first + n // self.share * _QUARTER).isoformat()


@dataclass(slots=True)
class Town:
    """Everybody, and what they offer."""

    offers: Mapping[str, Offer]
    customers: list[Person]

    @property
    def people(self) -> list[Person]:
        """All of them."""
        return [*self.customers, *(offer.provider for offer in self.offers.values())]


async def found(fleet: Fleet) -> Town:
    """Build the town in the running installation, and sign everybody in."""
    # A visitor like any command line: it leaves before anything is killed.
    settings = Settings(
        data_dir=fleet.data, clock=ClockName.MOVABLE, argon2_memory_kib=8, argon2_time_cost=1, argon2_at_once=2
    )
    async with open_house(settings, migrate=False) as house:
        offers = dict(await asyncio.gather(*(_offer(house, name) for name in _OFFERS)))
        customers = await asyncio.gather(*(_person(house, f"customer-{n}", Role.CUSTOMER) for n in range(CUSTOMERS)))
    town = Town(offers, list(customers))
    await asyncio.gather(*(_sign_in(fleet, person) for person in town.people))
    return town


async def _offer(house: OpenHouse, name: str) -> tuple[str, Offer]:
    provider = await _person(house, f"provider-{name}", Role.PROVIDER)
    actor = Actor(user_id=UserId(UUID(provider.id)), role=Role.PROVIDER)
    await house.use(SetAvailability)(actor, actor.signed_in(), _ALWAYS)
    draft = JobDraft(
        title=name, category="music", duration=15, slot_interval=15, window_days=700, remote=True, **_OFFERS[name]
    )
    job = await house.use(CreateJob)(actor, draft)
    await house.use(PublishJob)(actor, job.id)
    morning = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    share = 4 if name == "class" else 1
    return name, Offer(name, str(job.id), provider, morning + timedelta(days=3), share)


async def _person(house: OpenHouse, name: str, role: Role) -> Person:
    email = f"{name}@campaign.example"
    user = await house.use(CreateUser)(SYSTEM, NewUser(email=email, name=name, password=PASSWORD, role=role))
    return Person(name, str(user.id), email)


async def _sign_in(fleet: Fleet, person: Person) -> None:
    line = Line(fleet.traffic, 0)
    body = f'{{"email": "{person.email}", "password": "{PASSWORD}"}}'.encode()
    answer = await line.ask("POST", "/v1/sessions", {"Content-Type": "application/json"}, body)
    line.close()
    assert answer.status == 201, answer
    person.token = answer.told["access_token"]
