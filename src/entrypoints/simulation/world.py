"""One world: a house on rows and gateway books that outlive its processes, the people around it, and the watch."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from application.ports.payments import Declined, RefundOrder
from domain.shared.errors import Refusal
from domain.shared.ids import RefundId
from domain.shared.money import Money
from entrypoints.container.simulating import (
    PROCESS,
    ConnectionLost,
    Dice,
    Endless,
    Process,
    Scene,
    SimulatedLoop,
    Stage,
    Stuck,
    Weather,
    stream,
)
from entrypoints.simulation.actors import ACTS
from entrypoints.simulation.actors.admins import look_into_it
from entrypoints.simulation.expectations import Expectations
from entrypoints.simulation.facts import Facts
from entrypoints.simulation.founding import founded
from entrypoints.simulation.history import History
from entrypoints.simulation.outcome import Outcome
from entrypoints.simulation.people import Person
from entrypoints.simulation.plan import DAY, Plan, Step
from entrypoints.simulation.promises import promises_of
from entrypoints.simulation.town import CAST
from entrypoints.simulation.tracing import Trace
from entrypoints.simulation.watching import Watch, listening, unexpected
from entrypoints.simulation.weather import copies, strike
from entrypoints.simulation.wire import Answer, Headers, call

QUIET_DAYS = 12


class Over(Exception):
    """Something failed; the rest need not be played."""


@dataclass(slots=True)
class Known:
    """What the people of a world know of it, from what they were answered; some of it is out of date."""

    jobs: list[str] = field(default_factory=list)
    slots: dict[str, tuple[list[str], float]] = field(default_factory=dict)
    """The starts of a job, and until when they are believed."""
    bookings: dict[str, dict[str, Any]] = field(default_factory=dict)


class World:
    """Plays one plan on one stage. `Stage(replace=...)` is where other adapters are put in."""

    def __init__(self, plan: Plan, stage: Stage, *, whole: bool = False) -> None:
        self.plan, self.stage = plan, stage
        self.outcome = Outcome(plan.seed)
        self.trace = Trace(plan.start, whole=whole)
        self.loop = SimulatedLoop(stream(plan.seed, "turns", plan.salt))
        self.weather = Weather(stream(plan.seed, "faults", plan.salt), plan.rates, self._struck)
        self.draw = stream(plan.seed, "people", plan.salt).random
        carried = stream(plan.seed, "carried")
        self.scene = Scene(
            stage,
            plan.seed,
            plan.start,
            self.weather,
            self.loop,
            post=self._webhook,
            copies=lambda: copies(self, carried),
            pace=plan.pace,
        )
        self.scene.memory.fill(founded())
        self.watch = Watch(self.scene)
        self.scene.memory.listen(self._committed)
        self.history = History(self.fail)
        self.expectations = Expectations(self)
        self.promises = promises_of(stage.app)
        self.facts = Facts(self.scene, stage.digest_of, self._clocks)
        self.people = {part.name: Person(self, part, address=f"10.0.0.{place + 1}") for place, part in enumerate(CAST)}
        self.open_providers: set[str] = set()
        self.apis: list[Process] = []
        self.dead: list[Process] = []
        self.sweeping, self.calm, self._down_until = True, False, 0.0
        self._buried = False
        self._opened = 0
        self.known = Known()
        self._wanted: tuple[tuple[str, str], float] | None = None
        self.newcomers: list[str] = []
        self.hidden: list[str] = []
        self.things: list[tuple[str, str]] = []
        # What happens after a death must not happen in the dead process.
        self._outside = copy_context()
        self._failure: asyncio.Future[None] = self.loop.create_future()

    @property
    def now(self) -> datetime:
        """The present."""
        return self.scene.clock.now()

    def _clocks(self) -> list[datetime]:
        """What every clock there is shows."""
        return [self.now, *(process.ports["clock"].now() for process in self.apis)]

    def run(self) -> Outcome:
        """Play it to its end, or to the first failure."""
        outcome = self.outcome
        with listening(self._heard):
            try:
                self.loop.run_until_complete(self._run())
            except Over:
                pass
            except Stuck:
                self._failed("stuck", "nobody is ready, no timer runs, and not everybody has finished")
            except Endless:
                self._failed("endless", "the loop turns and turns and nothing comes to an end")
            outcome.digest = self.trace.digest
            outcome.faults = self.weather.struck
            outcome.story = list(self.trace.lines)
            self._buried = True
            self._bury()
        return outcome

    def fail(self, rule: str, said: str) -> None:
        """Something that must never be has been seen."""
        self._failed(rule, said)
        if not self._failure.done():
            self._failure.set_result(None)

    async def request(
        self, who: Person, method: str, path: str, *, query: Any, headers: Headers, body: bytes
    ) -> Answer:
        """One request of somebody to one of the API processes."""
        process = self.apis[int(self.draw() * len(self.apis))] if len(self.apis) > 1 else self.apis[0]
        try:
            answer = await call(
                self.stage.app,
                process,
                method,
                path,
                query=query,
                headers=headers,
                body=body,
                address=who.address,
                lost=lambda: self.weather.strikes("answer_lost"),
            )
        except ConnectionLost:
            self.outcome.requests["lost"] += 1
            self._tell(who.name, f"{method} {path}: no answer")
            raise
        self._answered(who, method, path, answer)
        return answer

    async def show_card(self, who: Person, checkout: dict[str, Any], card: str, *, approves: bool) -> str:
        """Pay at the gateway's own page; how the payment stands then, empty when it cannot be paid."""
        desk, ref, secret = self.scene.gateway, checkout["gateway_ref"], checkout["client_secret"]
        try:
            paid = await desk.confirm(ref, secret, card)
            if paid.state.value == "requires_action":
                paid = await desk.authenticate_3ds(ref, secret, approves)
        except Refusal as refusal:
            self._tell(who.name, f"shows the card {card} for {ref[-6:]}: {refusal.message}")
            return ""
        self._tell(who.name, f"shows the card {card} for {ref[-6:]}: {paid.state.value}")
        return paid.state.value

    async def refund_by_hand(self, dice: Dice, mark: str) -> None:
        """Somebody at the gateway gives money back that we are only told of."""
        paid = [each for each in self.scene.gateway_payments() if each["captured"] > each["refunded"]]
        if not paid:
            return
        payment = paid[int(dice.random() * len(paid))]
        left = payment["captured"] - payment["refunded"]
        amount = left if dice.random() < 0.15 else dice.randint(1, left)
        order = RefundOrder(
            refund_id=RefundId(UUID(int=dice.getrandbits(128))),
            payment_ref=payment["ref"],
            amount=Money(amount, payment["currency"]),
        )
        with suppress(Declined):
            await self.scene.gateway.refund(order)
            self.expectations.behind_our_back(payment["ref"], amount)
            self._tell("dashboard", f"refunds {amount} of {payment['ref'][-6:]} by hand")

    def want(self, slot: tuple[str, str]) -> None:
        """Somebody wants this slot, and others see it."""
        self._wanted = slot, self.loop.time() + 5.0

    def wanted_now(self) -> tuple[str, str] | None:
        """The slot that somebody wanted just now."""
        return self._wanted[0] if self._wanted and self._wanted[1] >= self.loop.time() else None

    async def probe(self, who: Person, token: str) -> Answer | None:
        """Ask who one is with exactly this token."""
        try:
            return await self.request(
                who,
                "GET",
                "/v1/me",
                query=None,
                headers=[(b"authorization", b"Bearer " + token.encode())],
                body=b"",
            )
        except ConnectionLost:
            return None

    @property
    def worker(self) -> Process:
        """The worker process that lives now, or lived last."""
        return self._worker

    def keep_down(self, seconds: float) -> None:
        """Nobody starts a worker for that long."""
        self._down_until = self.loop.time() + seconds

    async def _run(self) -> None:
        playing = asyncio.ensure_future(self._play())
        await asyncio.wait((playing, self._failure), return_when=asyncio.FIRST_COMPLETED)
        if self._failure.done():
            raise Over
        playing.result()

    async def _play(self) -> None:
        self.apis = [self._open_api(place) for place in range(self.plan.apis)]
        self._open_worker()
        carrying = asyncio.ensure_future(self.scene.carrier.run())
        blows = [asyncio.ensure_future(strike(self, blow)) for blow in self.plan.blows]
        self._find_the_open_providers()
        await asyncio.gather(*(self._step(step) for step in self.plan.steps))
        await self._quieten(blows)
        carrying.cancel()

    async def _step(self, step: Step) -> None:
        await asyncio.sleep(step.at)
        who = self.people[step.who]
        self._tell(step.who, f"-- step {step.number}: {step.act.replace('_', ' ')}")
        try:
            await ACTS[who.part.role][step.act](who, stream(step.dice), f"#{step.number}")
        except Exception as error:
            self.fail("script", f"step {step.number}, {step.who} {step.act}: {type(error).__name__}: {error}")
            raise
        self.outcome.steps += 1
        for complaint in self.loop.complaints:
            self.fail("log", f"{complaint.get('message')}: {complaint.get('exception')!r}")

    async def _quieten(self, blows: list[asyncio.Task[None]]) -> None:
        """Let all faults end, then everything that still follows happen; then look at what is left."""
        self.weather.calm()
        self.calm = True
        for blow in blows:
            blow.cancel()
        self._tell("weather", "faults end here")
        self.sweeping, self._down_until = True, 0.0
        for dispute in self.scene.gateway_disputes():
            await self.scene.disputes.decide(dispute["ref"], won=bool(int(dispute["ref"][-1], 16) % 2))
        for process in (*self.apis, self._worker):
            process.ports["clock"].jump(self.scene.clock.now() - self.scene.clock.now())
        await asyncio.sleep(DAY / 4)
        for turn in range(QUIET_DAYS):
            await asyncio.sleep(DAY)
            if not self._waits():
                break
            await look_into_it(self.people["Ada"], f"#calm{turn}")
        await look_into_it(self.people["Ada"], "#last")
        await asyncio.sleep(DAY / 12)
        for rule, said in self.watch.when_quiet():
            self.fail(rule, said)
        if broken := self.scene.broken_chain():
            self.fail("A8 chain", broken)
        self.history.judge(self.scene.rows)
        self.expectations.judge()

    def _waits(self) -> bool:
        """Whether anything is still to come, but for letters about the distant future."""
        events = any(row["finished_at"] is None and row["dead_at"] is None for row in self.scene.rows("outbox"))
        return events or not self.scene.carrier.idle

    def _open_api(self, place: int) -> Process:
        self._opened += 1
        process = self.scene.open(f"api{place}.{self._opened}")
        process.on_death.append(lambda dead: self._died(dead, place))
        return process

    def _open_worker(self) -> None:
        self._opened += 1
        self._worker = self.scene.open(f"worker.{self._opened}")
        self._worker.on_death.append(lambda dead: self._died(dead, None))
        inside = copy_context()
        inside.run(PROCESS.set, self._worker)
        worker = self.scene.worker(self._worker, sweeping=self.sweeping)
        self.loop.create_task(worker.run(), context=inside)

    def _died(self, process: Process, place: int | None) -> None:
        """A process is gone; another one is started before long."""
        self.outcome.crashes += 1
        self.dead.append(process)
        self._tell(process.name, "dies")
        if place is None:
            delay = max(self._down_until - self.loop.time(), 0) + 0.5 + 5 * self.draw()
            self.loop.call_later(delay, self._open_worker, context=self._outside)
        else:
            self.loop.call_later(0.5 + 10 * self.draw() ** 2, self._replace_api, place, context=self._outside)

    def _replace_api(self, place: int) -> None:
        self.apis[place] = self._open_api(place)

    def _find_the_open_providers(self) -> None:
        playing = {step.who for step in self.plan.steps}
        for row in self.scene.rows("users"):
            for person in self.people.values():
                if person.email == row["email"]:
                    person.user_id = str(row["id"])
                    if person.part.role == "provider" and person.name in playing:
                        self.open_providers.add(person.user_id)
        if not self.open_providers:
            self.open_providers = {each.user_id for each in self.people.values() if each.part.role == "provider"}

    async def _webhook(self, raw: bytes, headers: dict[str, str]) -> bool:
        named = [(name.encode(), value.encode()) for name, value in headers.items()]
        process = self.apis[int(self.draw() * len(self.apis))]
        try:
            answer = await call(
                self.stage.app,
                process,
                "POST",
                "/webhooks/simulated",
                headers=named,
                body=raw,
                lost=lambda: self.weather.strikes("answer_lost"),
            )
        except ConnectionLost:
            return False
        self._tell("gateway", f"tells {raw.decode()[:120]}: {answer.status}")
        if answer.status >= 500 and answer.status != 503:
            self.fail("wire.fault", f"a webhook was answered {answer.status}: {answer.raw!r}")
        return answer.fine

    def _answered(self, who: Person, method: str, path: str, answer: Answer) -> None:
        code = answer.code
        self.outcome.requests[f"{answer.status}"] += 1
        self._tell(who.name, f"{method} {path}: {answer.status} {code}")
        if answer.status >= 500 and answer.status != 503:
            self.fail("wire.fault", f"{method} {path} was answered {answer.status}: {answer.raw!r}")
        elif broken := self.promises.broken(method, answer.route, answer.status, code):
            self.fail("wire.undocumented", broken)
        if method == "POST" and answer.fine and path.startswith("/v1/bookings") and b'"customer_id"' in answer.raw:
            booking = answer.body
            if "reference" in booking:
                self.known.bookings[booking["id"]] = booking
        if answer.status == 201 and who.part.role == "customer" and path == "/v1/bookings":
            self.things.append((f"/v1/bookings/{booking['id']}", who.name))
            if booking["payment_id"]:
                self.things.append((f"/v1/payments/{booking['payment_id']}", who.name))
                self.things.append((f"/v1/payments/{booking['payment_id']}/checkout", who.name))

    def _committed(self, changes: Any) -> None:
        if self._buried:
            return
        process = PROCESS.get()
        self.outcome.events += self.trace.committed(self.loop.time(), process.name if process else "", changes)
        for rule, said in self.watch.after(changes):
            self.fail(rule, said)

    def _heard(self, level: str, said: Any) -> None:
        if self._buried:
            return
        self._tell("log", f"{level}: {said.get('event')} {said.get('event_name', '')} {said.get('error', '')}")
        if wrong := unexpected(level, said):
            self.fail("log", wrong)

    def _struck(self, fault: str) -> None:
        process = PROCESS.get()
        self._tell(process.name if process else "weather", f"!! {fault.replace('_', ' ')}")

    def note(self, who: str, said: str) -> None:
        """Somebody does something that no request tells of."""
        self._tell(who, said)

    def _tell(self, who: str, said: str) -> None:
        self.trace.tell(self.loop.time(), who, said)

    def _failed(self, rule: str, said: str) -> None:
        if self.outcome.failure is None:
            self.outcome.failure = (rule, said)
            self._tell("FAILURE", f"{rule}: {said}")

    def _bury(self) -> None:
        """Nobody looks any more: let go of everything, quietly."""
        self.weather.calm()
        tasks = [task for process in (*self.dead, *self.apis, self._worker) for task in process.tasks]
        with suppress(Exception):
            self.loop.bury(tasks)
        self.loop.close()
        self.scene.close()
