"""A small town to look around in: providers, customers and what went on between them, made by use cases only.

Its past is real: the same house at earlier moments, so that work was done before it was reviewed."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from application.bookings import (
    BookSlot,
    CancelBooking,
    Cancellation,
    CompleteBooking,
    MarkNoShow,
    Reservation,
)
from application.identity import CreateAdmin, CreateUser, ListUsers, NewAdmin, NewUser, UserFilter
from application.jobs import CreateJob, PublishJob
from application.messaging import Opening, SendMessage, StartConversation, Words
from application.payments import GetCheckout, OpenPayment, RefreshPayment
from application.profiles import ProfileChanges, UpdateProfile
from application.reviews import Assessment, PostReview, RespondToReview, Response
from application.scheduling import ListFreeSlots, SetAvailability, SlotSearch
from domain.bookings import Booking
from domain.identity import EmailTaken
from domain.jobs import Job
from domain.payments import PaymentRequested
from domain.shared.actors import SYSTEM, Actor, Role
from domain.shared.ids import UserId
from entrypoints.cli.demo_people import ADMIN, CUSTOMERS, PASSWORD, PROVIDERS, Person, Provider
from entrypoints.container import OpenHouse
from entrypoints.container.moments import at
from entrypoints.settings import GatewayName

_ASKING = "Asking before I book: is there parking near you?"


@dataclass(frozen=True, slots=True)
class Login:
    """Somebody one can sign in as."""

    role: str
    email: str
    password: str
    about: str


async def settled(house: OpenHouse) -> bool:
    """Whether anybody lives here."""
    page = await house.use(ListUsers)(SYSTEM, UserFilter(), limit=1)
    return bool(page.items)


async def logins(house: OpenHouse) -> tuple[Login, ...]:
    """The people of the demo town, if this house has one."""
    page = await house.use(ListUsers)(SYSTEM, UserFilter(email=ADMIN.email), limit=1)
    return _LOGINS if page.items else ()


async def found_town(house: OpenHouse) -> tuple[Login, ...]:
    """Build the town. Of two who do so at once the second finds the first one's admin, and leaves it to them."""
    now = house.container.clock().now().astimezone(UTC)
    past = _Past(house, now)
    past.go(days=-30)
    try:
        await past.use(CreateAdmin)(SYSTEM, NewAdmin(email=ADMIN.email, name=ADMIN.name, password=PASSWORD))
    except EmailTaken:
        return _LOGINS
    actors = await past.sign_up()
    past.go(days=-28)
    jobs = await past.open_shop(actors)
    await past.work_and_reviews(actors, jobs)
    await _today(house, actors, jobs)
    return _LOGINS


@dataclass
class _Past:
    """The house at one earlier moment after another."""

    house: OpenHouse
    now: datetime

    def __post_init__(self) -> None:
        self._then = at(self.house, self.now)

    @property
    def use(self) -> Any:
        """Its use cases."""
        return self._then.use

    def go(self, *, days: float) -> None:
        """Be that many days from now."""
        self._then.container.clock().set(self.now + timedelta(days=days))

    async def sign_up(self) -> dict[str, Actor]:
        """Everybody but the admin, by e-mail address. Hashing takes its time, on as many threads as are set."""
        people: Sequence[tuple[Person, Role]] = [
            *((one.person, Role.PROVIDER) for one in PROVIDERS),
            *((one, Role.CUSTOMER) for one in CUSTOMERS),
        ]
        made = await asyncio.gather(*(self._sign_up(person, role) for person, role in people))
        return dict(made)

    async def open_shop(self, actors: dict[str, Actor]) -> dict[str, Job]:
        """Hours and jobs of every provider, by the jobs' titles."""
        opened = await asyncio.gather(*(self._open_shop(actors[one.person.email], one) for one in PROVIDERS))
        return {job.title: job for jobs in opened for job in jobs}

    async def work_and_reviews(self, actors: dict[str, Actor], jobs: dict[str, Job]) -> None:
        """Work that was booked three weeks ago, done a week later and reviewed since."""
        self.go(days=-22)
        taken: list[tuple[Any, Booking]] = []
        for story in _STORIES:
            booking = await booked(self._then, actors[story.customer], jobs[story.job], ahead=story.ahead)
            taken.append((story, booking))
        self.go(days=-5)
        await asyncio.gather(*(self._ended(actors, story, booking) for story, booking in taken))

    async def _sign_up(self, person: Person, role: Role) -> tuple[str, Actor]:
        new = NewUser(email=person.email, name=person.name, password=PASSWORD, role=role, zone=person.zone)
        user = await self.use(CreateUser)(SYSTEM, new)
        actor = Actor(user_id=UserId(user.id), role=role)
        if person.about:
            await self.use(UpdateProfile)(actor, ProfileChanges(headline=person.about))
        return person.email, actor

    async def _open_shop(self, actor: Actor, provider: Provider) -> list[Job]:
        await self.use(SetAvailability)(actor, actor.signed_in(), provider.hours)
        jobs = []
        for draft in provider.jobs:
            job = await self.use(CreateJob)(actor, draft)
            jobs.append(await self.use(PublishJob)(actor, job.id))
        return jobs

    async def _ended(self, actors: dict[str, Actor], story: "_Story", booking: Booking) -> None:
        provider = Actor(user_id=booking.provider_id, role=Role.PROVIDER)
        if story.missed:
            await self.use(MarkNoShow)(provider, booking.id)
            return
        await self.use(CompleteBooking)(provider, booking.id)
        if story.stars:
            assessment = Assessment(stars=story.stars, text=story.said)
            review = await self.use(PostReview)(actors[story.customer], booking.id, assessment)
            if story.answer:
                await self.use(RespondToReview)(provider, review.id, Response(text=story.answer))


async def booked(house: OpenHouse, customer: Actor, job: Job, *, ahead: int, seats: int = 1, note: str = "") -> Booking:
    """The first free slot of that job at least so many days ahead."""
    first = (house.container.clock().now() + timedelta(days=ahead)).date()
    free = await house.use(ListFreeSlots)(customer, job.id, SlotSearch(first=first, seats=seats))
    reservation = Reservation(job_id=job.id, starts_at=free.slots[0].starts_at, seats=seats, note=note)
    return await house.use(BookSlot)(customer, reservation)


async def _today(house: OpenHouse, actors: dict[str, Actor], jobs: dict[str, Job]) -> None:
    """What is under way now: seats, requests, holds, a paid lesson, one called off, and people talking."""
    ana, ben, chloe, dev, emi = (actors[one.email] for one in CUSTOMERS)
    for customer in (ana, chloe, emi):
        await booked(house, customer, jobs["Morning yoga"], ahead=2)
    await booked(house, dev, jobs["Emergency plumbing"], ahead=1, note="The tap in the kitchen drips.")
    await booked(house, ben, jobs["Portrait session"], ahead=6)
    called_off = await booked(house, ben, jobs["Cut and style"], ahead=3)
    await house.use(CancelBooking)(ben, called_off.id, Cancellation(reason="I found a better day."))
    await _paid(house, ana, await booked(house, ana, jobs["Piano lesson"], ahead=4))
    for asker, title in ((ana, "Piano lesson"), (dev, "Bathroom check"), (emi, "Portrait session")):
        job = jobs[title]
        talk = await house.use(StartConversation)(asker, Opening(job_id=job.id))
        await house.use(SendMessage)(asker, talk.id, Words(text=_ASKING))
        answer = Words(text="Plenty, behind the house. Ring twice.")
        await house.use(SendMessage)(Actor(user_id=job.provider_id, role=Role.PROVIDER), talk.id, answer)


async def _paid(house: OpenHouse, customer: Actor, booking: Booking) -> None:
    """Pay by test card, where the gateway takes one; the worker confirms the booking."""
    if house.settings.gateway is not GatewayName.TEST or booking.payment_id is None:
        return
    await house.use(OpenPayment)(SYSTEM, PaymentRequested(payment_id=booking.payment_id, booking_id=booking.id))
    checkout = await house.use(GetCheckout)(customer, booking.payment_id)
    desk = cast(Any, house.container.gateway())
    await desk.confirm(checkout.gateway_ref, checkout.client_secret, "ok")
    await house.use(RefreshPayment)(customer, booking.payment_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Story:
    """One booking of the past and how it ended."""

    customer: str
    job: str
    ahead: int
    stars: int = 0
    said: str = ""
    answer: str = ""
    missed: bool = False


_ANA, _BEN, _CHLOE, _DEV, _EMI = (one.email for one in CUSTOMERS)

_STORIES = (
    _Story(
        customer=_ANA,
        job="Bathroom check",
        ahead=3,
        stars=5,
        said="Came on time, found the leak in minutes and left the place cleaner than before.",
        answer="Thank you, Ana! Call me if it ever drips again.",
    ),
    _Story(customer=_BEN, job="Morning yoga", ahead=4, stars=4, said="Calm, clear, and not too early."),
    _Story(customer=_CHLOE, job="Morning yoga", ahead=4, stars=5, said="The best hour of my week."),
    _Story(customer=_DEV, job="Cut and style", ahead=5, stars=3, said="Good cut, long wait."),
    _Story(customer=_EMI, job="Back and neck", ahead=6, stars=5, said="I can turn my head again."),
    _Story(customer=_ANA, job="Trial lesson", ahead=7, stars=5, said="Patient with a complete beginner."),
    _Story(customer=_BEN, job="Beard trim", ahead=8, missed=True),
    _Story(customer=_CHLOE, job="Bathroom check", ahead=9),
)

_LOGINS = (
    Login("admin", ADMIN.email, PASSWORD, ADMIN.about),
    *(Login("provider", one.person.email, PASSWORD, one.person.about) for one in PROVIDERS),
    *(Login("customer", one.email, PASSWORD, one.about) for one in CUSTOMERS),
)
