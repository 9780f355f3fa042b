"""A marketplace on a real database, where many things happen in the same instant."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, TypeVar

import asyncpg
import httpx

from adapters.local_identity import (
    DerivedOneTimeSecrets,
    DerivedRefreshSecrets,
    FixedKeyring,
    HashCost,
    LocalAccessTokens,
    LocalPasswords,
    SigningKey,
)
from adapters.memory.objects import MemoryObjects
from adapters.persistence.store import Store
from adapters.postgres.pools import Pools
from adapters.postgres.search import PostgresJobSearch
from adapters.postgres.store import PostgresStore
from adapters.postgres.views import PostgresViews
from adapters.simulated_gateway import (
    Books,
    Deliveries,
    SimulatedDisputes,
    SimulatedGateway,
    SimulatedPayees,
    SimulatedWallet,
)
from application.bookings import BookSlot, Reservation
from application.commands import Command
from application.payments import GetCheckout
from application.ports.unit_of_work import Work
from application.reactions import REACTIONS
from domain.bookings import Booking
from domain.identity import IdentityRules, User
from domain.jobs import Job
from domain.profiles import Particulars, Profile
from domain.shared.actors import SYSTEM, Actor, Role
from domain.shared.aggregate import Event
from domain.shared.errors import Refusal
from domain.shared.ids import UserId
from entrypoints.worker.delivery import Deliver
from tests.application.marketplace import HOLD, NOW, Marketplace
from tests.support.house import House

T = TypeVar("T")

TEN = datetime(2026, 6, 3, 9, 0, tzinfo=NOW.tzinfo)
"""Ten in the morning in Lisbon, two days from now."""
ELEVEN = TEN + timedelta(hours=1)
COMMITS_AT_ONCE = 20
REACTS = (
    "application.bookings",
    "application.invoicing",
    "application.payments",
    "application.messaging",
    "application.reviews",
)
PATIENCE_SECONDS = 20.0


@lru_cache
def keyring() -> FixedKeyring:
    """One key for all tests."""
    return FixedKeyring(json.dumps({"keys": [SigningKey.generate(now=NOW).stored()]}))


@lru_cache
def passwords() -> LocalPasswords:
    """One set of threads for all tests."""
    return LocalPasswords(HashCost.least())


class Together:
    """Lets nobody go on before that many have come; whoever comes later passes."""

    def __init__(self, many: int) -> None:
        self._missing = many
        self._all = asyncio.Event()

    async def wait(self) -> None:
        """Until all are here."""
        self._missing -= 1
        if self._missing <= 0:
            self._all.set()
        await asyncio.wait_for(self._all.wait(), PATIENCE_SECONDS)


class Town(Marketplace):
    """A house on PostgreSQL with a gateway and a front door. What is done `at_once` has been decided by all before the
    first of them commits. `owner` is a connection of the database's owner."""

    def __init__(
        self,
        pools: Pools,
        owner: Any,
        client: httpx.AsyncClient,
        *,
        make: Callable[[Any], Store] = PostgresStore,
        seed: int = 1,
    ) -> None:
        House.__init__(
            self,
            now=NOW,
            seed=seed,
            hold=HOLD,
            store=make(pools.house),
            views=PostgresViews(pools),
            job_search=PostgresJobSearch(pools),
        )
        self.pools, self.owner, self.client = pools, owner, client
        self.meanwhile: Callable[[], Awaitable[Any]] | None = None
        self.together: Together | None = None
        self.is_planted = False
        self.books = Books(":memory:")
        post = Deliveries(self.books, client=client, url="http://town.example/", secret="post", clock=self.clock)
        self.till = SimulatedGateway(self.books, post, clock=self.clock, ids=self.ids, secret="till")
        payees = SimulatedPayees(self.books, post, clock=self.clock, ids=self.ids, url="http://town.example")
        issuer = "https://town.example"
        self.ports.update(
            **dict.fromkeys(("payee_desk", "shares"), payees),
            dispute_desk=SimulatedDisputes(self.books, post, clock=self.clock, ids=self.ids),
            wallet=SimulatedWallet(self.books, post, clock=self.clock, ids=self.ids),
            objects=MemoryObjects(self.clock),
            begin=self.interrupted,
            gateway=self.till,
            verifiers={},
            passwords=passwords(),
            one_time_secrets=DerivedOneTimeSecrets("a key for links, used in tests only"),
            refresh_secrets=DerivedRefreshSecrets("a key for sessions, used in tests only"),
            access_tokens=LocalAccessTokens(keyring(), self.clock, self.ids, issuer=issuer, audience=issuer),
            identity_rules=IdentityRules(),
        )

    def planted(self, make: Callable[[Any], Store]) -> "Town":
        """The same town over a store with a bug."""
        self.is_planted = True
        town = Town(self.pools, self.owner, self.client, make=make, seed=2)
        town.is_planted = True
        return town

    @asynccontextmanager
    async def interrupted(self, actor: Actor) -> AsyncIterator[Work]:
        """A unit of work that waits for the others, or lets something else happen, before it commits."""
        async with self.begin(actor) as work:
            yield work
            if meanwhile := self.meanwhile:
                self.meanwhile = None
                await meanwhile()
            if self.together:
                await self.together.wait()

    async def ask(self, use_case: type, actor: Actor, *asked: Any, key: str | None = None) -> Any:
        """The use case as a driver runs it: again when something it read has changed, once for one key."""
        command = Command(
            principal=actor.principal,
            operation=use_case.__name__,
            key=key or str(self.ids.new()),
            fingerprint=repr(asked),
            asked_to_remember=key is not None,
        )
        return (await self.perform(command, lambda: self.use(use_case)(actor, *asked))).answer

    async def at_once(self, *calls: Awaitable[T], together: bool = True) -> tuple[list[T], list[Refusal]]:
        """Answers and refusals of calls made at once; anything else that goes wrong is raised. With `together` no unit
        of work commits before each call has come to its first."""
        self.together = Together(len(calls)) if together else None
        ended = await asyncio.gather(*calls, return_exceptions=True)
        self.together = None
        for end in ended:
            if isinstance(end, BaseException) and not isinstance(end, Refusal):
                raise end
        answers = [end for end in ended if not isinstance(end, BaseException)]
        return answers, [end for end in ended if isinstance(end, Refusal)]

    async def sql(self, statement: str, *arguments: Any) -> list[Any]:
        """Rows, as the owner sees them."""
        return list(await self.owner.fetch(statement, *arguments))

    async def value(self, statement: str, *arguments: Any) -> Any:
        """One value, as the owner sees it."""
        return await self.owner.fetchval(statement, *arguments)

    async def crowd(self, many: int) -> list[Actor]:
        """That many customers."""
        now = self.clock.now()
        users = [UserId(self.ids.new()) for _ in range(many)]
        async with self.begin(SYSTEM) as work:
            for id in users:
                email = f"{id.hex}@example.org"
                work.users.add(User.create(id=id, email=email, role=Role.CUSTOMER, now=now))
                work.profiles.add(Profile.begin(id=id, particulars=Particulars(name="Somebody"), now=now))
        return [Actor(user_id=id) for id in users]

    async def book(self, by: Actor, job: Job, starts_at: datetime = TEN, **said: Any) -> Booking:
        """The slot, booked by that customer."""
        reservation = Reservation(job_id=job.id, starts_at=starts_at, **said)
        booking: Booking = await self.ask(BookSlot, by, reservation)
        return booking

    async def paid(self, booking: Booking, by: Actor) -> None:
        """The customer's card is charged at the gateway; nobody has told us yet."""
        await self.worker().all()
        assert booking.payment_id
        checkout = await self.use(GetCheckout)(by, booking.payment_id)
        assert checkout.gateway_ref
        assert checkout.client_secret
        await self.till.confirm(checkout.gateway_ref, checkout.client_secret, "ok")

    def worker(self, *events: type) -> Deliver:
        """What happens by itself in bookings, payments, messaging and reviews, or after these events only."""
        reactions: dict[type[Event], tuple[Any, ...]] = {
            event: tuple(self.use(each) for each in some if each.__module__.startswith(REACTS))
            for event, some in REACTIONS.items()
            if event in (events or REACTIONS)
        }
        return Deliver(outbox=self.outbox, reactions=reactions, perform=self.perform, clock=self.clock)

    @asynccontextmanager
    async def in_the_way(self, statement: str, *arguments: Any) -> AsyncIterator[None]:
        """Somebody else has locked what that statement locks, and lets go of it at the end of the block."""
        transaction = self.owner.transaction()
        await transaction.start()
        try:
            await self.owner.execute(statement, *arguments)
            yield
        finally:
            await transaction.rollback()

    async def until_waiting(self, doing: "asyncio.Future[Any]", many: int = 1) -> None:
        """Until that many commits of what is being done wait for a lock, in the middle of their statement."""
        waiting = """
            select count(distinct l.pid) from pg_locks l join pg_stat_activity a using (pid)
            where not l.granted and a.datname = current_database()
        """
        deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        while await self.value(waiting) < many:
            # Inside a transaction the server shows activity as it was at first.
            await self.owner.execute("select pg_stat_clear_snapshot()")
            assert not doing.done(), f"nobody waits: {doing.result()}"
            assert asyncio.get_running_loop().time() < deadline, "too few wait"
            await asyncio.sleep(0.002)


async def deadlocks(owner: Any) -> int:
    """How many deadlocks the server has counted in this database, once everybody else has left it."""
    others = """
        select string_agg(concat_ws(' ', state, wait_event, left(query, 60)), '; ') from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()
    """
    deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    while left := await owner.fetchval(others):
        assert asyncio.get_running_loop().time() < deadline, f"somebody does not leave: {left}"
        await asyncio.sleep(0.002)
    await owner.execute("select pg_stat_clear_snapshot()")
    return int(await owner.fetchval("select deadlocks from pg_stat_database where datname = current_database()"))


async def connect(url: str) -> Any:
    """A connection of the database's owner; deadlocks in this database are found at once from now on."""
    connection = await asyncpg.connect(url)
    database = await connection.fetchval("select current_database()")
    await connection.execute(f"alter database {database} set deadlock_timeout = '20ms'")
    return connection


def kinds(refusals: Sequence[Refusal]) -> set[type[Refusal]]:
    """The kinds of these refusals."""
    return {type(refusal) for refusal in refusals}
