"""A town to measure in: jobs, providers, hours, ratings and bookings, every row made by the domain and its mappers.

Everything follows from the sizes and one seed. Each provider's first two jobs are those that are booked in the
measurements: an hour long, every hour on the hour, bookable two years ahead, the first paid later and the second in
advance; the others are of all kinds."""

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import orjson

from adapters.persistence.mapping import KEPT
from adapters.persistence.schema.tables import Type
from domain.bookings import Booking, BookingState
from domain.identity import Session, SignInMethod, User
from domain.jobs import Job, JobState, Offer, Rating
from domain.organizations import MemberRole, Membership, Organization
from domain.profiles import Particulars, Profile
from domain.scheduling import Availability, Weekly
from domain.shared.actors import SYSTEM, Role
from domain.shared.ids import BookingId, JobId, MembershipId, OrganizationId, SessionId, UserId
from domain.shared.money import Money
from domain.shared.terms import POLICIES, Acceptance, PaymentTerms
from domain.shared.time import Span

ZONES = ("Europe/Lisbon", "Europe/Berlin", "America/New_York")
HOURS = Weekly.workdays("09:00-17:00")
STARTS_A_DAY = 8
JOBS_EACH, TEAM = 20, 5
TRADES = (
    "guitar piano violin singing drawing pottery yoga pilates boxing tennis swimming french german spanish maths "
    "physics plumbing painting tiling roofing gardening hedge carpentry wiring heating boiler window cleaning laundry "
    "haircut beard massage manicure makeup wedding portrait catering baking cooking wine coffee dog cat horse bicycle "
    "car tyre engine laptop phone network website tax contract visa moving storage locksmith alarm chimney"
).split()
KINDS = "lesson course session visit repair consultation workshop inspection tasting appointment".split()
FOR_WHOM = "beginners children adults seniors families couples teams professionals newcomers everybody".split()
PLACES = "Lisboa Porto Coimbra Braga Faro Berlin Hamburg Munich Leipzig Boston Albany Newark Portland Salem".split()
_SYLLABLES = (
    "ba be bi bo da de di do fa fe ga go la le li lo ma me mi mo na ne no pa pe po ra re ri ro sa se ta te to".split()
)
VOCABULARY = [a + b + c for a in _SYLLABLES for b in _SYLLABLES[::2] for c in _SYLLABLES[::8]]
"""Words of descriptions; like those of a language, the n-th is used about one n-th as often as the first."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large a town is."""

    jobs: int = 100_000
    bookings: int = 200_000
    customers: int = 4_000

    @property
    def providers(self) -> int:
        """How many perform them."""
        return max(1, self.jobs // JOBS_EACH)

    @property
    def name(self) -> str:
        """In words that suit the name of a database."""
        return f"{self.jobs}_{self.bookings}"


def numbered(kind: int, number: int) -> UUID:
    """The id of the n-th thing of a kind: a version 7 UUID of the time before everything measured."""
    return UUID(int=(0x018F_0000_0000 + number) << 80 | 0x7 << 76 | kind << 64 | 0b10 << 62 | number)


def provider_id(number: int) -> UserId:
    """The n-th provider."""
    return UserId(numbered(1, number))


def customer_id(number: int) -> UserId:
    """The n-th customer."""
    return UserId(numbered(2, number))


def session_id(number: int) -> SessionId:
    """The one session of the n-th customer."""
    return SessionId(numbered(3, number))


def job_id(number: int) -> JobId:
    """The n-th job; those of one provider follow one another."""
    return JobId(numbered(4, number))


def zone_of(provider: int) -> str:
    """The zone of a provider's hours."""
    return ZONES[provider % len(ZONES)]


def start(provider: int, number: int, first: date) -> datetime:
    """The n-th hour a provider works, counted from a date on."""
    days, hour = divmod(number, STARTS_A_DAY)
    weeks, weekday = divmod(days, 5)
    day = first - timedelta(days=first.weekday()) + timedelta(weeks=weeks, days=weekday)
    local = datetime.combine(day, time(9 + hour), ZoneInfo(zone_of(provider)))
    return local.astimezone(UTC)


async def build(owner_url: str, sizes: Sizes, now: datetime, told: Callable[[str], None]) -> None:
    """Fill an empty database of the newest schema."""
    now = now.replace(microsecond=0)
    connection = await asyncpg.connect(owner_url)
    try:
        indexes = await connection.fetch("select indexname, indexdef from pg_indexes where indexdef like '%USING gin%'")
        for name, _ in indexes:
            await connection.execute(f"drop index {name}")
        for cls, things in _everything(sizes, now):
            told(f"{KEPT[cls].table.name} of a town of {sizes.jobs:,} jobs and {sizes.bookings:,} bookings")
            await _copy(connection, cls, things)
        for name, definition in indexes:
            told(f"index {name}")
            await connection.execute(definition)
        told("statistics")
        await connection.execute("vacuum (freeze, analyze)")
    finally:
        await connection.close()


def _everything(sizes: Sizes, now: datetime) -> Iterator[tuple[type, Iterable[Any]]]:
    people = [*map(provider_id, range(sizes.providers)), *map(customer_id, range(sizes.customers))]
    yield User, (_user(id, number < sizes.providers, now) for number, id in enumerate(people))
    yield Profile, (_profile(id, number, now) for number, id in enumerate(people))
    yield Session, (_session(number, now) for number in range(sizes.customers))
    teams = range(0, sizes.providers, TEAM)
    yield Organization, (_organization(team, now) for team in teams)
    yield Membership, (_membership(number, now) for number in range(sizes.providers))
    yield Availability, (_hours(number, now) for number in range(sizes.providers))
    yield Job, _jobs(sizes, now)
    yield Rating, (_rating(number, now) for number in range(sizes.jobs))
    yield Booking, _bookings(sizes, now)


def _user(id: UserId, provides: bool, now: datetime) -> User:
    role = Role.PROVIDER if provides else Role.CUSTOMER
    return User(id=id, version=1, email=f"{id.hex}@town.example", role=role, email_verified_at=now, created_at=now)


def _profile(id: UserId, number: int, now: datetime) -> Profile:
    particulars = Particulars(name=f"Person {number}", headline="At your service", zone=zone_of(number))
    profile = Profile.begin(id=id, particulars=particulars, now=now)
    profile.version = 1
    return profile


def _session(number: int, now: datetime) -> Session:
    return Session(
        id=session_id(number),
        version=1,
        user_id=customer_id(number),
        epoch=1,
        method=SignInMethod.PASSWORD,
        ip="127.0.0.1",
        user_agent="benchmark",
        last_used_at=now,
        created_at=now,
    )


def _team(provider: int) -> OrganizationId:
    return OrganizationId(numbered(5, provider // TEAM * TEAM))


def _organization(first: int, now: datetime) -> Organization:
    return Organization(id=_team(first), version=1, name=f"House {first // TEAM}", solo=False, created_at=now)


def _membership(provider: int, now: datetime) -> Membership:
    return Membership(
        id=MembershipId(numbered(6, provider)),
        version=1,
        organization_id=_team(provider),
        user_id=provider_id(provider),
        role=MemberRole.OWNER if provider % TEAM == 0 else MemberRole.MEMBER,
        created_at=now,
    )


def _hours(provider: int, now: datetime) -> Availability:
    hours = Availability.open(id=provider_id(provider), by=SYSTEM, zone=zone_of(provider), weekly=HOURS, now=now)
    hours.version = 1
    return hours


def _jobs(sizes: Sizes, now: datetime) -> Iterator[Job]:
    chance = random.Random(1)
    weights = list(accumulate(1 / rank for rank in range(3, 3 + len(VOCABULARY))))
    policies = tuple(POLICIES.values())
    age = timedelta(seconds=max(1, 6_000_000 // sizes.jobs))
    for number in range(sizes.jobs):
        provider = number // JOBS_EACH % sizes.providers
        trade = TRADES[min(int(chance.paretovariate(0.6)) - 1, 10_000) % len(TRADES)]
        title = f"{trade} {chance.choice(KINDS)} for {chance.choice(FOR_WHOM)}".capitalize()
        description = " ".join(chance.choices(VOCABULARY, cum_weights=weights, k=chance.randint(20, 60)))
        booked = number % JOBS_EACH < 2
        free = not booked and chance.random() < 0.1
        terms = PaymentTerms.FREE if free else PaymentTerms.PREPAID if number % 2 else PaymentTerms.LATER
        offer = Offer(
            title=title,
            description=f"{description}. {chance.choice(TRADES)} and {chance.choice(TRADES)}.",
            category=trade,
            price=Money(0 if free else chance.randrange(1000, 20_000, 50), "EUR"),
            duration=60 if booked else chance.choice((30, 45, 60, 90, 120)),
            buffer_after=0 if booked else chance.choice((0, 0, 15)),
            capacity=1 if booked else chance.choice((1, 1, 1, 1, 12)),
            place=f"{chance.choice(PLACES)} {chance.randrange(100)}",
            slot_interval=60 if booked else 30,
            window_days=730 if booked else 60,
            terms=terms,
            acceptance=Acceptance.INSTANT if booked or chance.random() < 0.9 else Acceptance.REQUEST,
            policy=chance.choice(policies),
        )
        made = now - age * (sizes.jobs - number)
        job = Job.draft(
            id=job_id(number), organization_id=_team(provider), provider_id=provider_id(provider), offer=offer, now=made
        )
        job.version = 2
        job.state, job.published_at = JobState.PUBLISHED, made
        yield job


def _rating(number: int, now: datetime) -> Rating:
    count = number * 7 % 23
    provider = provider_id(number // JOBS_EACH)
    total = count * 3 + number % (2 * count + 1)
    return Rating(id=job_id(number), version=1, provider_id=provider, count=count, total=total, updated_at=now)


def _bookings(sizes: Sizes, now: datetime) -> Iterator[Booking]:
    """Of each provider's bookings two in five lie in the next four weeks, the others behind."""
    chance = random.Random(2)
    each, more = divmod(sizes.bookings, sizes.providers)
    number = 0
    for provider in range(sizes.providers):
        wanted = each + (provider < more)
        ahead = min(wanted * 2 // 5, 20 * STARTS_A_DAY * 3 // 5)
        weeks = 1 + (wanted - ahead) * 2 // (5 * STARTS_A_DAY)
        past = chance.sample(range(weeks * 5 * STARTS_A_DAY), wanted - ahead)
        coming = chance.sample(range(5 * STARTS_A_DAY, 25 * STARTS_A_DAY), ahead)
        long_ago = now.date() - timedelta(weeks=weeks)
        for done, first, hours in ((True, long_ago, past), (False, now.date(), coming)):
            for hour in hours:
                yield _booking(number, provider, number % sizes.customers, start(provider, hour, first), done, now)
                number += 1


def _booking(number: int, provider: int, customer: int, starts_at: datetime, done: bool, now: datetime) -> Booking:
    id = BookingId(numbered(7, number))
    made = min(starts_at, now) - timedelta(days=3, seconds=number % 86_400)
    return Booking(
        id=id,
        version=2 if done else 1,
        reference=f"T{number:07d}",
        job_id=job_id(provider * JOBS_EACH),
        job_title="Booked before",
        organization_id=_team(provider),
        provider_id=provider_id(provider),
        customer_id=customer_id(customer),
        span=Span(starts_at, starts_at + timedelta(hours=1)),
        zone=zone_of(provider),
        buffer_before=0,
        buffer_after=0,
        occupancy=id,
        seats=1,
        capacity=1,
        price=Money(4500, "EUR"),
        policy=next(iter(POLICIES.values())),
        terms=PaymentTerms.LATER,
        acceptance=Acceptance.INSTANT,
        note="",
        state=BookingState.COMPLETED if done else BookingState.CONFIRMED,
        created_at=made,
        confirmed_at=made,
        completed_at=starts_at + timedelta(hours=1) if done else None,
    )


async def _copy(connection: Any, cls: type, things: Iterable[Any]) -> None:
    kept = KEPT[cls]
    turns = [(column.name, _TURNS.get(column.type)) for column in kept.table.columns]

    def records() -> Iterator[tuple[Any, ...]]:
        for thing in things:
            row = kept.mapper.row(thing)
            yield tuple(turn(row[name]) if turn and row[name] is not None else row[name] for name, turn in turns)

    await connection.copy_records_to_table(kept.table.name, records=records(), columns=[name for name, _ in turns])


_TURNS: dict[Type, Callable[[Any], Any]] = {
    Type.JSON: lambda value: orjson.dumps(value).decode(),
    Type.SPAN: lambda span: asyncpg.Range(span.starts_at, span.ends_at),
}
