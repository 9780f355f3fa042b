"""The houses that are compared: the whole application as it is served, one in memory, one on PostgreSQL. Chance and the
clock are the same in both, so that ids, references and instants are equal to the letter."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlencode

import asyncpg
import httpx
from dependency_injector.providers import Object
from pydantic import SecretStr

from adapters.persistence.schema import TABLES
from adapters.simulated_gateway import Books, Deliveries
from adapters.simulated_gateway.signature import HEADER, signed
from adapters.system.bell import Bell
from adapters.system.chance import NoPause
from adapters.system.clock import StandingClock
from adapters.system.ids import SeededIds
from application.audit import SealAudit
from application.bookings import SweepHolds
from application.identity import CreateAdmin, ForgetExpiredTokens, NewAdmin
from application.ports.identity import PasswordHasher, Verdict
from application.ports.mail import OutgoingMail
from domain.shared.actors import SYSTEM
from domain.shared.errors import Conflict
from entrypoints.container import OpenHouse, open_house
from entrypoints.container.serving import app_of
from entrypoints.settings import Settings
from entrypoints.worker.delivery import LEASE

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ADDRESS = "http://guildhall.test"
SECRET = "the two houses have one secret between them"
ACCESS_MINUTES = 60
COMPARED = ("etag", "idempotent-replayed", "www-authenticate", "retry-after", "link")
"""Headers that belong to the answer; the others dress every answer alike."""


class PlainPasswords(PasswordHasher):
    """Hashes without salt: the one thing that could not be the same in two houses."""

    async def hash(self, password: str) -> str:
        return sha256(password.encode()).hexdigest()

    async def verify(self, password: str, hash: str | None) -> bool:
        return hash is not None and hash == await self.hash(password)

    async def verify_and_upgrade(self, password: str, hash: str | None) -> Verdict:
        return Verdict(await self.verify(password, hash))


class SameIds(SeededIds):
    """Seeded ids that can begin anew."""

    def renew(self, seed: int) -> None:
        """From the first one on."""
        self._chance, self._last = Random(seed), -1


class Stand:
    """Stands in the place of a port, so that another may be put there, with a bug planted in it."""

    def __init__(self, real: Any) -> None:
        self.real = self.now = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self.now, name)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a house answered."""

    status: int
    headers: dict[str, str]
    body: Any

    @property
    def code(self) -> str:
        """The refusal's code; nothing where nothing was refused."""
        return str(self.body["code"]) if self.status >= 400 else ""


@dataclass(slots=True, kw_only=True)
class House:
    """One house, its app, and what the test reaches behind it: clock, worker, gateway, mail and tables."""

    name: str
    house: OpenHouse
    app: Any
    clock: StandingClock
    ids: SameIds
    books: Books
    deliveries: Deliveries
    stands: dict[str, Stand]
    owner: Any = None
    posted: list[bytes] = field(default_factory=list)
    """Every webhook the gateway posted, the first first."""

    async def renew(self, seed: int) -> None:
        """Begin anew: nobody, nothing, Monday morning, and the first of the ids."""
        container = self.house.container
        if self.owner is None:
            self.stands["store"].now = type(self.stands["store"].now)()
        else:
            await self.owner.execute(self._emptying())
        await self.books.do(lambda books: [books.execute(f"delete from {t}") for t in _GATEWAY_TABLES])
        container.mailer().sent.clear()
        container.mailer().messages.clear()
        container.security_log()._lately.clear()
        self.posted.clear()
        self.clock.set(MONDAY)
        self.ids.renew(seed)

    async def admin(self, email: str, password: str) -> None:
        """Somebody who looks after the house, made at its own command line."""
        await self.house.use(CreateAdmin)(SYSTEM, NewAdmin(email=email, name="Ada", password=password))

    async def ask(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        """One request through the whole application."""
        path, _, query = path.partition("?")
        raw = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"host": "guildhall.test", "user-agent": "model", "content-length": str(len(raw)), **(headers or {})}
        if body is not None:
            sent["content-type"] = "application/json"
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in sent.items()],
            "client": ("127.0.0.1", 1),
            "server": ("guildhall.test", 80),
        }
        told: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": raw, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            told.append(message)

        await self.app(scope, receive, send)
        said = {name.decode(): value.decode() for name, value in told[0]["headers"]}
        content = b"".join(message.get("body", b"") for message in told[1:])
        kept = {name: said[name] for name in COMPARED if name in said}
        return Answer(told[0]["status"], kept, json.loads(content) if content else None)

    async def work(self, *, webhooks: bool) -> None:
        """Let everything that follows from what happened happen, one thing after the other; with `webhooks`, the
        gateway's messages arrive as well."""
        deliver = self.house.container.deliver()
        for _ in range(100):
            while due := await deliver.outbox.claim(lease=LEASE, limit=32):
                for delivery in due:
                    await deliver.one(delivery)
            if not webhooks or not await self.deliveries.deliver_due():
                return
        raise AssertionError(f"{self.name}: no end of events")

    async def duties(self) -> tuple[object, ...]:
        """What the worker does by the clock; how much each found to do."""
        use, housekeeping = self.house.use, self.house.container.housekeeping()
        swept, forgotten = await use(SweepHolds)(SYSTEM), await use(ForgetExpiredTokens)(SYSTEM)
        return swept, forgotten, await housekeeping.tidy(), await use(SealAudit)(limit=500)

    async def pay(self, ref: str, secret: str, card: str) -> str:
        """Show a card at the gateway; how the payment stands there, or that it cannot be paid."""
        try:
            return str((await self.house.container.gateway().confirm(ref, secret, card)).state.value)
        except Conflict:
            return "refused"

    async def hear_again(self, index: int) -> Answer:
        """A webhook that came before comes again, signed anew."""
        raw = self.posted[index]
        return await self.ask("POST", "/webhooks/simulated", raw, {HEADER: signed(raw, SECRET, self.clock.now())})

    def letters(self) -> list[OutgoingMail]:
        """All mail that left."""
        return list(self.house.container.mailer().sent)

    async def dump(self) -> dict[str, list[dict[str, Any]]]:
        """Every row of every table, in order."""
        store = self.house.container.store()
        return {table: [dict(row) for row in await store.load(table, {})] for table in TABLES}

    @staticmethod
    def _emptying() -> str:
        # As the owner, and without the triggers that keep ledger and audit as they were written.
        gone = "; ".join(f"delete from {table}" for table in TABLES)
        return f"begin; set local session_replication_role = replica; {gone}; commit"


_GATEWAY_TABLES = ("refunds", "payments", "answers", "deliveries")


class _Posting(httpx.AsyncBaseTransport):
    """Carries the gateway's webhooks to the app, and remembers them."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        raw = await request.aread()
        self._house.posted.append(raw)
        answer = await self._house.ask("POST", request.url.path, raw, {HEADER: request.headers[HEADER]})
        return httpx.Response(answer.status)


@asynccontextmanager
async def opened(
    folder: Path, name: str, *, url: str | None = None, project: Mapping[str, Any] | None = None
) -> AsyncIterator[House]:
    """A house in memory or, given its owner's address, on a PostgreSQL database that is its own; given what is set for
    a project, reached through that only."""
    stored: dict[str, Any] = {"storage": "memory"} if url is None else {"storage": "postgres", "database_url": url}
    stored = dict(project or stored)
    chosen = Settings(
        _env_file=None,
        **{
            "mail": "memory",
            "data_dir": folder,
            "public_url": ADDRESS,
            "rate_limits": False,
            "secret": SecretStr(SECRET),
            "access_token_minutes": ACCESS_MINUTES,
            "pool_commits": 1,
            "pool_public": 1,
            "pool_users": 1,
            **stored,
        },
    )
    clock = StandingClock(MONDAY)
    ids, books = SameIds(clock, seed=0), Books(":memory:")
    async with open_house(chosen) as house, httpx.AsyncClient() as carrier:
        container = house.container
        for port, double in {
            "clock": clock,
            "ids": ids,
            "chance": NoPause(),
            "passwords": PlainPasswords(),
            "bell": Bell(),
            "simulated_books": books,
        }.items():
            getattr(container, port).override(Object(double))
        stands = {}
        for port in ("store", "views", "identity_rules"):
            stands[port] = Stand(getattr(container, port)())
            getattr(container, port).override(Object(stands[port]))
        deliveries = Deliveries(
            books, client=carrier, url=f"{ADDRESS}/webhooks/simulated", secret=container.secret(), clock=clock
        )
        container.simulated_deliveries.override(Object(deliveries))
        opened = House(
            name=name,
            house=house,
            app=None,
            clock=clock,
            ids=ids,
            books=books,
            deliveries=deliveries,
            stands=stands,
        )
        opened.app = app_of(house, with_worker=False)
        carrier._transport = _Posting(opened)
        if url is not None:
            opened.owner = await asyncpg.connect(url, timeout=30)
        try:
            yield opened
        finally:
            books.close()
            if opened.owner is not None:
                await opened.owner.close(timeout=10)


def query(**asked: Any) -> str:
    """A query string of what was asked for."""
    given = {name: str(value).lower() if isinstance(value, bool) else value for name, value in asked.items()}
    return urlencode({name: value for name, value in given.items() if value is not None}, doseq=True)
