"""The load: people who book, pay, cancel, ask for refunds and talk, all at once, and who ask again under the same key
when nobody answered."""

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.proof.crashes.history import Chronicle, Deed
from tests.proof.crashes.town import PRICE, Offer, Person, Town
from tests.proof.crashes.wire import Answer, Line, NoAnswer, NotSent, Traffic

TALKERS, BOOKERS = 5, 10
LEFT_OPEN = 0.2
"""The share of unanswered requests that nobody repeats before the campaign is over."""
STORY_SECONDS = 150.0


class Gone(Exception):
    """Whoever asked has gone home; what they asked for stays unknown."""


@dataclass(slots=True)
class Crowd:
    """Everybody who asks."""

    traffic: Traffic
    town: Town
    chronicle: Chronicle
    chance: random.Random
    leaving: bool = False
    unsettled: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    doubted: set[str] = field(default_factory=set)
    replayed: int = 0
    errors: list[str] = field(default_factory=list)
    stories: dict[str, int] = field(default_factory=dict)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def come(self, *, talkers: int, bookers: int) -> None:
        """Everybody begins."""
        customers = self.town.customers
        for n in range(talkers):
            self._tasks.append(asyncio.create_task(self._keep(self._talk, customers[n % len(customers)])))
        for n in range(bookers):
            self._tasks.append(asyncio.create_task(self._keep(self._book, customers[-1 - n % len(customers)])))

    async def go(self) -> None:
        """Everybody finishes the request they are at, and goes home."""
        self.leaving = True
        _, late = await asyncio.wait(self._tasks, timeout=60)
        for task in late:
            task.cancel()
        self.errors += [f"{len(late)} clients did not come to an end"] if late else []

    async def settle(self) -> int:
        """Ask again, under the same key, for everything whose outcome is unknown; how much that was."""
        self.leaving, many = False, len(self.unsettled)
        while self.unsettled:
            await asyncio.gather(*(ask() for ask in self.unsettled[:8]))
            del self.unsettled[:8]
        return many

    async def _keep(self, story: "Callable[[Asker], Awaitable[None]]", person: Person) -> None:
        while not self.leaving:
            asker = Asker(self, person)
            try:
                async with asyncio.timeout(STORY_SECONDS):
                    await story(asker)
            except Gone:
                self._tell("left alone")
            except TimeoutError:
                self._tell("given up")
            except Exception as error:
                self.errors.append(f"{story.__name__}: {type(error).__name__}: {error}"[:400])
                await asyncio.sleep(0.5)
            finally:
                asker.hang_up()

    def _tell(self, end: str) -> None:
        self.stories[end] = self.stories.get(end, 0) + 1

    async def _talk(self, asker: "Asker") -> None:
        """A conversation with a provider: both write, at the same time."""
        offer = self.chance.choice(list(self.town.offers.values()))
        opening = {"job_id": offer.job_id}
        talk = await asker.do("talk", "/v1/conversations", opening, about={"with": offer.provider.id})
        if not talk.acknowledged:
            return
        place = f"/v1/conversations/{talk.told['id']}/messages"
        answering = Asker(self, offer.provider)
        try:
            for _ in range(8):
                said = await asyncio.gather(
                    self._say(asker, place), self._say(answering, place), return_exceptions=True
                )
                for end in said:
                    if isinstance(end, BaseException):
                        raise end
                await asyncio.sleep(self.chance.uniform(0.02, 0.25))
        finally:
            answering.hang_up()
        self._tell("talked")

    async def _say(self, asker: "Asker", place: str) -> None:
        if not self.leaving:
            await asker.do("message", place, lambda deed: {"text": deed.token}, about={"place": place})

    async def _book(self, asker: "Asker") -> None:
        """A booking and what becomes of it."""
        offer = self.town.offers[self.chance.choice(("lesson-a", "lesson-a", "lesson-b", "lesson-b", "class", "call"))]
        await asyncio.sleep(self.chance.uniform(0.05, 0.4))
        booked = await asker.book(offer, seats=self.chance.choice((1, 1, 2)) if offer.name == "class" else 1)
        if not booked.acknowledged:
            self._tell("refused a slot")
            return
        id, payment_id = booked.told["id"], str(booked.told.get("payment_id"))
        if offer.name.startswith("lesson"):
            if self.chance.random() < 0.1 or not await asker.pay(id, payment_id):
                self._tell("did not pay")
                return
            if self.chance.random() < 0.4:
                await self._give_back(offer, asker, id, payment_id)
        if self.chance.random() < 0.35:
            cancelled = await asker.do("cancel", f"/v1/bookings/{id}/cancel", {}, about={"booking": id})
            self._tell("cancelled" if cancelled.acknowledged else "not cancelled")
        else:
            self._tell("booked")

    async def _give_back(self, offer: Offer, customer: "Asker", id: str, payment_id: str) -> None:
        """The provider gives part of it back, once it has arrived."""
        await customer.until(f"/v1/payments/{payment_id}", lambda told: told.get("state") == "captured")
        provider, amount = Asker(self, offer.provider), self.chance.randrange(100, PRICE // 3)
        try:
            await provider.do(
                "refund",
                f"/v1/payments/{payment_id}/refunds",
                lambda deed: {"amount_minor": amount, "reason": deed.token},
                about={"payment": payment_id, "amount": amount, "booking": id},
            )
        finally:
            provider.hang_up()


Body = dict[str, Any] | Callable[[Deed], dict[str, Any]]


class Asker:
    """One person at one browser: a connection to each API, either of which will do."""

    def __init__(self, crowd: Crowd, person: Person) -> None:
        self._crowd, self.person = crowd, person
        self._lines = [Line(crowd.traffic, n) for n in range(len(crowd.traffic.ports))]

    def hang_up(self) -> None:
        """Close the connections."""
        for line in self._lines:
            line.close()

    async def do(self, kind: str, path: str, body: Body, *, about: dict[str, Any]) -> Deed:
        """Have something done once, under a key of its own, asking as often as it takes."""
        deed = self._crowd.chronicle.intends(kind, self.person.id, **about)
        raw = json.dumps(body(deed) if callable(body) else body).encode()
        headers = self.person.headers | {"Idempotency-Key": f'"{deed.token}"'}
        await self._insist(deed, path, headers, raw)
        return deed

    async def book(self, offer: Offer, *, seats: int) -> Deed:
        """Book a start; the note says which deed it was."""
        start = offer.start(self._crowd.chance)
        wanted = {"job_id": offer.job_id, "starts_at": start, "seats": seats}
        about = {"job": offer.job_id, "start": start, "seats": seats}
        return await self.do("book", "/v1/bookings", lambda deed: {**wanted, "note": deed.token}, about=about)

    async def pay(self, booking_id: str, payment_id: str) -> bool:
        """Open the pay page, wait until it can be paid, and show a card; whether it was taken."""
        url = (await self.until(f"/v1/bookings/{booking_id}/pay-link", lambda told: "url" in told))["url"]
        await self.until(f"/v1/payments/{payment_id}/checkout", lambda told: told.get("client_secret"))
        parts = urlsplit(url)
        form = urlencode({"token": parse_qs(parts.query)["token"][0], "card": "ok"}).encode()
        deed = self._crowd.chronicle.intends("pay", self.person.id, payment=payment_id, booking=booking_id)
        await self._insist(deed, parts.path, {"Content-Type": "application/x-www-form-urlencoded"}, form)
        return deed.acknowledged

    async def until(self, path: str, come: Callable[[Any], Any]) -> Any:
        """Look until it has come."""
        while True:
            answer = await self._get(path)
            if answer is not None and answer.status == 200 and come(answer.told):
                return answer.told
            if answer is not None and answer.status not in (200, 503):
                raise LookupError(f"GET {path} was answered {answer.status}: {answer.body[:200]!r}")
            if self._crowd.leaving:
                raise Gone
            await asyncio.sleep(0.15)

    async def _get(self, path: str) -> Answer | None:
        try:
            return await self._crowd.chance.choice(self._lines).ask("GET", path, self.person.headers)
        except (NotSent, NoAnswer):
            return None

    async def _insist(self, deed: Deed, path: str, headers: dict[str, str], raw: bytes, *, last: bool = False) -> None:
        """Ask until there is an answer; one request in five that found none is left as it is for now."""
        crowd, pause = self._crowd, 0.03
        while True:
            sent = await self._once(deed, path, headers, raw)
            if sent is not None and sent not in (502, 503, 504, 0):
                return
            in_doubt = bool(deed.attempts)
            if in_doubt:
                crowd.doubted.add(deed.token)
            if not last and (crowd.leaving or (sent == 0 and crowd.chance.random() < LEFT_OPEN)):
                if in_doubt:
                    crowd.unsettled.append(lambda: self._again(deed, path, headers, raw))
                raise Gone
            await asyncio.sleep(pause * crowd.chance.uniform(0.5, 1.5))
            pause = min(pause * 1.5, 0.4)

    async def _again(self, deed: Deed, path: str, headers: dict[str, str], raw: bytes) -> None:
        await self._insist(deed, path, headers, raw, last=True)
        self.hang_up()

    async def _once(self, deed: Deed, path: str, headers: dict[str, str], raw: bytes) -> int | None:
        """The status of one attempt: 0 when no answer came, None when nobody was there to ask."""
        chronicle = self._crowd.chronicle
        api = self._crowd.chance.randrange(len(self._lines))
        attempt = chronicle.asks(deed, api, time.time())
        try:
            answer = await self._lines[api].ask("POST", path, headers, raw)
        except NotSent:
            chronicle.takes_back(deed)
            return None
        except NoAnswer as error:
            chronicle.waits_in_vain(deed, attempt, str(error))
            return 0
        except asyncio.CancelledError:
            chronicle.waits_in_vain(deed, attempt, "the client was told to stop")
            self._crowd.unsettled.append(lambda: self._again(deed, path, headers, raw))
            raise
        chronicle.hears(deed, attempt, answer.status, answer.told, time.time())
        self._crowd.replayed += answer.headers.get("idempotent-replayed") == "true"
        return answer.status
