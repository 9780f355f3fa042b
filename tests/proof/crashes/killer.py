"""The killer: SIGKILL for an API, the worker or the database, at moments when it has work in flight."""

import asyncio
import os
import random
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from tests.proof.crashes.fleet import Fleet, Member

RECOVERED_WITHIN = 10.0
GIVEN_UP_AFTER = 60.0
_STRIKES_WITHIN = 5.0
_GLANCE = 0.02

_IN_HAND = """
select count(*) from outbox where finished_at is null and dead_at is null
  and leased_until between $1::timestamptz + interval '50 seconds' and $1::timestamptz + interval '61 seconds'
"""
"""Events leased within the last ten seconds (a lease is sixty) and not settled."""
_DELIVERED = "select exists (select from outbox where finished_at > $1)"


class Part(StrEnum):
    """What is killed."""

    API = "api"
    WORKER = "worker"
    POSTMASTER = "postmaster"


@dataclass(slots=True)
class Kill:
    """One SIGKILL: of what, what it had in flight, and when the next work of that part was acknowledged."""

    part: Part
    whom: str
    at: float
    in_flight: int = 0
    changes_in_flight: int = 0
    twin: bool = False
    recovered: float | None = None


@dataclass(slots=True)
class Killer:
    """Kills one part after another, sometimes two at once, each when the last one is back."""

    fleet: Fleet
    chance: random.Random
    look: Callable[[], Awaitable[None]]
    orders: Sequence[tuple[Part, ...]] = ()
    """What to kill in which order, if that is not left to chance."""
    kills: list[Kill] = field(default_factory=list)

    async def rampage(self, many: int, *, until: float, tell: Callable[[Kill], None]) -> None:
        """That many kills, or as many as there is time for."""
        for parts in self.orders or self.plan(many):
            if time.monotonic() > until:
                return
            await asyncio.sleep(self.chance.uniform(0.1, 1.2))
            struck = await asyncio.gather(*(self._strike(part, twin=len(parts) > 1) for part in parts))
            self.kills += struck
            await asyncio.gather(*(self._recovery(kill) for kill in struck))
            await self.look()
            for kill in struck:
                tell(kill)

    def plan(self, many: int) -> list[tuple[Part, ...]]:
        """Which parts in which order: 45 % APIs, 30 % workers, 25 % databases, one time in twelve two at once."""
        workers, servers = round(many * 0.3), round(many * 0.25)
        parts = [Part.API] * (many - workers - servers) + [Part.WORKER] * workers + [Part.POSTMASTER] * servers
        self.chance.shuffle(parts)
        plan: list[tuple[Part, ...]] = []
        while parts:
            part = parts.pop()
            other = next((n for n, each in enumerate(parts) if each is not part), None)
            if other is not None and self.chance.random() < 1 / 12:
                plan.append((part, parts.pop(other)))
            else:
                plan.append((part,))
        return plan

    async def _strike(self, part: Part, *, twin: bool) -> Kill:
        match part:
            case Part.API:
                kill = await self._api()
            case Part.WORKER:
                kill = await self._worker()
            case Part.POSTMASTER:
                kill = await self._postmaster()
        kill.twin = twin
        return kill

    async def _api(self) -> Kill:
        traffic, number = self.fleet.traffic, self.chance.randrange(len(self.fleet.apis))
        await self._in_the_middle(number)
        open_ones, member = traffic.under_way(number), self.fleet.apis[number]
        kill = _shot(Part.API, member)
        # Only those count that never got an answer; a dead process takes a moment to let go of its connections.
        with suppress(TimeoutError):
            async with asyncio.timeout(_STRIKES_WITHIN):
                while not traffic.open.isdisjoint(open_ones):  # noqa: ASYNC110 - the kernel decides when
                    await asyncio.sleep(0.005)
        lost = [each for each in open_ones if each.lost]
        kill.in_flight, kill.changes_in_flight = len(lost), sum(each.changes for each in lost)
        return kill

    async def _worker(self) -> Kill:
        await self._holding()
        moment = datetime.now(UTC)
        kill = _shot(Part.WORKER, self.fleet.worker)
        # With the only worker dead nobody settles what it had leased: what is unsettled now was in its hands.
        await asyncio.sleep(0.05)
        kill.in_flight = kill.changes_in_flight = (await self.fleet.rows(_IN_HAND, moment))[0][0]
        return kill

    async def _postmaster(self) -> Kill:
        traffic = self.fleet.traffic
        pid = self.fleet.postmaster()
        await self._in_the_middle(None)
        open_ones = traffic.under_way()
        kill = Kill(Part.POSTMASTER, "postmaster", time.monotonic())
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                kill.in_flight = len(open_ones)
                kill.changes_in_flight = sum(each.changes for each in open_ones)
        return kill

    async def _in_the_middle(self, api: int | None) -> None:
        """A random moment between a change's leaving for that API and its answer."""
        traffic = self.fleet.traffic
        with suppress(TimeoutError):
            async with asyncio.timeout(_STRIKES_WITHIN):
                while True:
                    await traffic.next_change(api)
                    await asyncio.sleep(self.chance.uniform(0, min(traffic.usual, 0.2)))
                    if traffic.under_way(api, changes=True):
                        return

    async def _holding(self) -> None:
        """A moment at which the worker has leased events and not settled them."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_STRIKES_WITHIN):
                await asyncio.sleep(self.chance.uniform(0, 0.05))
                while not await self._has_leases():  # noqa: ASYNC110 - the database does not announce them
                    await asyncio.sleep(self.chance.uniform(0.001, 0.004))

    async def _has_leases(self) -> bool:
        return bool((await self.fleet.rows(_IN_HAND, datetime.now(UTC)))[0][0])

    async def _recovery(self, kill: Kill) -> None:
        """When the part has acknowledged something it was asked for after the kill."""
        shot = datetime.now(UTC).timestamp() - (time.monotonic() - kill.at)
        moment = datetime.fromtimestamp(shot, UTC)
        while kill.recovered is None and time.monotonic() < kill.at + GIVEN_UP_AFTER:
            await asyncio.sleep(_GLANCE)
            if kill.part is Part.WORKER:
                if (await self.fleet.rows(_DELIVERED, moment))[0][0]:
                    kill.recovered = time.monotonic() - kill.at
            else:
                kill.recovered = self._acknowledged(kill)

    def _acknowledged(self, kill: Kill) -> float | None:
        for each in reversed(self.fleet.traffic.acknowledged):
            if each.at < kill.at:
                return None
            if each.asked > kill.at and (kill.part is Part.POSTMASTER or self._name(each.api) == kill.whom):
                return self._first(kill)
        return None

    def _first(self, kill: Kill) -> float:
        return min(
            each.at - kill.at
            for each in self.fleet.traffic.acknowledged
            if each.asked > kill.at and (kill.part is Part.POSTMASTER or self._name(each.api) == kill.whom)
        )

    def _name(self, api: int) -> str:
        return self.fleet.apis[api].name


def _shot(part: Part, member: Member) -> Kill:
    kill = Kill(part, member.name, time.monotonic())
    member.kill()
    return kill
