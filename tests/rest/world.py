"""The world of the API's tests: the app as it is served, on memory, at a moment that stands still."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from dependency_injector.providers import Object
from fastapi import FastAPI

from adapters.memory.mail import MemoryMailer
from adapters.memory.objects import MemoryObjects
from adapters.memory.store import MemoryStore
from adapters.simulated_gateway import Deliveries
from adapters.system.chance import NoPause
from adapters.system.clock import StandingClock
from application.ports.mail import OutgoingMail
from entrypoints.container import OpenHouse, open_house
from entrypoints.container.serving import app_of
from entrypoints.settings import Settings

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""Nine o'clock in Lisbon, in winter time."""
PASSWORD = "correct horse battery"
JOB = {
    "title": "Guitar lesson for beginners",
    "category": "music",
    "price": {"amount_minor": 4500, "currency": "EUR"},
    "duration": 60,
    "place": "Lisboa",
}


class Api(httpx.AsyncClient):
    """A client of the API; as a person once a token is shown."""

    user_id: str = ""
    email: str = ""
    tokens: dict[str, Any] = {}  # noqa: RUF012 - replaced, never changed

    async def book(self, job_id: str, starts_at: str, **said: Any) -> httpx.Response:
        """Ask for a slot, under a key of its own."""
        body = {"job_id": job_id, "starts_at": starts_at, **said}
        return await self.post("/v1/bookings", json=body, headers=keyed())


class Promises:
    """What the API's documentation says it may answer."""

    def __init__(self, app: FastAPI) -> None:
        self.document = app.openapi()
        paths = self.document["paths"].items()
        self._paths = [(re.compile(re.sub(r"{\w+}", "[^/]+", path) + "$"), told) for path, told in paths]
        # What is said word for word goes before what stands for an id.
        self._paths.sort(key=lambda each: each[0].pattern.count("[^/]+"))

    async def kept(self, response: httpx.Response) -> None:
        """Every answer's status, and the code of every refusal, is documented for that operation."""
        told = next((told for path, told in self._paths if path.match(response.url.path)), {})
        operation = told.get(response.request.method.lower())
        if operation is None or not response.url.path.startswith("/v1") or response.status_code == 304:
            return
        documented = f"{operation['operationId']} does not say {response.status_code}"
        assert str(response.status_code) in operation["responses"], documented
        if response.status_code >= 400:
            await response.aread()
            code = response.json()["code"]
            assert code in self.problems(operation, response.status_code), f"{documented} {code}"

    def problems(self, operation: dict[str, Any], status: int) -> dict[str, Any]:
        """The refusals of that status an operation documents, by their codes."""
        answer = operation["responses"][str(status)]
        if shared := answer.get("$ref"):
            answer = self.document["components"]["responses"][shared.split("/")[-1]]
        (kind,) = answer["content"]
        assert kind == "application/problem+json"
        return dict(answer["content"][kind]["examples"])


@dataclass(slots=True)
class World:
    """The house, its app, and a client who is nobody in particular."""

    house: OpenHouse
    app: FastAPI
    anybody: Api
    clock: StandingClock
    deliveries: Deliveries
    promises: Promises

    @property
    def mailer(self) -> MemoryMailer:
        """What mail has left."""
        mailer: MemoryMailer = self.house.container.mailer()
        return mailer

    def renew(self) -> None:
        """Begin anew: nobody, nothing, and Monday morning."""
        vars(self.house.container.store()).update(vars(MemoryStore()))
        vars(self.house.container.objects()).update(vars(MemoryObjects(self.clock)))
        self.mailer.sent.clear()
        self.mailer.messages.clear()
        self.mailer.away = False
        self.clock.set(MONDAY)

    def client(self, **headers: str) -> Api:
        """A client with these headers on every request, to whom nothing undocumented is answered."""
        return Api(
            transport=httpx.ASGITransport(self.app),
            base_url="http://guildhall.test",
            headers=headers,
            event_hooks={"response": [self.promises.kept]},
        )

    async def deliver(self) -> None:
        """Let everything that follows from what happened happen, webhooks included."""
        deliver = self.house.container.deliver()
        while await deliver.all() + await self.deliveries.deliver_due():
            pass

    def letter(self, email: str, template: str) -> OutgoingMail:
        """The latest letter of that kind to somebody."""
        return [mail for mail in self.mailer.to(email) if mail.template.value == template][-1]

    def token(self, email: str, template: str) -> str:
        """The secret in the latest letter of that kind."""
        found = re.search(r"token=([\w-]+)", self.letter(email, template).text)
        assert found
        return found[1]

    async def sign_up(self, name: str, role: str = "customer") -> str:
        """Somebody asks for an account and confirms the address; returns it."""
        email = f"{name.lower()}@example.org"
        form = {"email": email, "password": PASSWORD, "name": name, "role": role, "zone": "Europe/Lisbon"}
        assert (await self.anybody.post("/v1/users", json=form)).status_code == 202
        await self.deliver()
        link = {"token": self.token(email, "verify")}
        assert (await self.anybody.post("/v1/users/verify", json=link)).status_code == 200
        return email

    async def sign_in(self, email: str) -> Api:
        """The same person at another device."""
        answer = await self.anybody.post("/v1/sessions", json={"email": email, "password": PASSWORD})
        assert answer.status_code == 201, answer.text
        person = self.client(authorization=f"Bearer {answer.json()['access_token']}")
        person.email, person.tokens, person.user_id = email, answer.json(), answer.json()["user_id"]
        return person

    async def person(self, name: str, role: str = "customer") -> Api:
        """Somebody signed up, verified and signed in."""
        return await self.sign_in(await self.sign_up(name, role))

    async def admin(self, name: str = "Ada") -> Api:
        """Somebody who looks after the house."""
        from application.identity import CreateAdmin, NewAdmin
        from domain.shared.actors import SYSTEM

        email = f"{name.lower()}@example.org"
        await self.house.use(CreateAdmin)(SYSTEM, NewAdmin(email=email, name=name, password=PASSWORD))
        return await self.sign_in(email)

    async def provider(self, name: str = "Vera", hours: str = "09:00-18:00") -> Api:
        """A provider who works these hours every day, in Lisbon."""
        provider = await self.person(name, "provider")
        days = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
        week = {"zone": "Europe/Lisbon", **{day: [hours] for day in days}}
        address = f"/v1/providers/{provider.user_id}/availability"
        answer = await provider.put(address, json=week, headers={"If-Match": "*"})
        assert answer.status_code == 200, answer.text
        return provider

    async def job(self, provider: Api, **said: Any) -> str:
        """A published job of that provider; returns its id."""
        drafted = await provider.post("/v1/jobs", json={**JOB, **said})
        assert drafted.status_code == 201, drafted.text
        published = await provider.post(f"/v1/jobs/{drafted.json()['id']}/publish")
        assert published.status_code == 200, published.text
        return str(published.json()["id"])

    async def booking(self, customer: Api, job_id: str, hour: int = 10, day: int = 1) -> dict[str, Any]:
        """A booking of that job, `day` days from now at that hour in Lisbon."""
        answer = await customer.book(job_id, at(hour, day=day))
        assert answer.status_code == 201, answer.text
        await self.deliver()
        return dict((await customer.get(f"/v1/bookings/{answer.json()['id']}")).json())

    async def pay(self, customer: Api, booking: dict[str, Any], card: str = "ok") -> None:
        """Pay at the simulated gateway; its webhook arrives and is acted on."""
        found = (await customer.get(f"/v1/payments/{booking['payment_id']}/checkout")).json()
        await self.house.container.gateway().confirm(found["gateway_ref"], found["client_secret"], card)
        await self.deliver()


def at(hour: int, *, day: int = 1) -> str:
    """That hour in Lisbon, `day` days after the Monday the world stands at."""
    return (MONDAY.replace(hour=hour) + timedelta(days=day)).isoformat()


def keyed(key: str | None = None) -> dict[str, str]:
    """The header of an idempotency key."""
    return {"Idempotency-Key": f'"{key or uuid4()}"'}


@asynccontextmanager
async def opened(folder: Path, *, overrides: Mapping[str, Any] | None = None, **settings: Any) -> AsyncIterator[World]:
    """A house of these settings, open; with `overrides`, some of its providers are others."""
    chosen = Settings(
        _env_file=None,
        **{
            "storage": "memory",
            "mail": "memory",
            "files": "memory",
            "data_dir": folder,
            "public_url": "http://guildhall.test",
            "rate_limits": False,
            "argon2_memory_kib": 8,
            "argon2_time_cost": 1,
            **settings,
        },
    )
    clock = StandingClock(MONDAY)
    async with open_house(chosen) as house, httpx.AsyncClient() as carrier:
        container = house.container
        container.clock.override(Object(clock))
        container.chance.override(Object(NoPause()))
        for name, provider in (overrides or {}).items():
            container.providers[name].override(provider)
        books, secret = container.simulated_books(), container.secret()
        deliveries = Deliveries(
            books, client=carrier, url="http://guildhall.test/webhooks/simulated", secret=secret, clock=clock
        )
        container.simulated_deliveries.override(Object(deliveries))
        app = app_of(house, with_worker=False)
        carrier._transport = httpx.ASGITransport(app)
        world = World(house, app, None, clock, deliveries, Promises(app))  # type: ignore[arg-type]
        world.anybody = world.client()
        yield world
