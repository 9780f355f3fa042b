"""The gate: two commands run, and each stops before every call of the store until it is let through.

On PostgreSQL a commit is one statement. Two statements overlap all the same, so a commit passes the gate twice: before
its statement, and before its transaction ends. In between it holds its locks, and the other may run into them."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from adapters.persistence.schema.tables import Row
from adapters.persistence.store import Changes, Numbers, Store, Views
from adapters.postgres.pools import Pool
from application.ports.criteria import Criteria, Order, Position
from domain.shared.actors import Actor

PATIENCE_SECONDS = 10.0
PROMPT_SECONDS = 0.004
"""A step that takes longer may be waiting for a lock; then the server is asked."""


class Stuck(Exception):
    """A command did not come back in time."""


@dataclass(frozen=True, slots=True)
class Step:
    """One call of the store: what kind, and the tables it reads or writes."""

    kind: str
    tables: frozenset[str]

    @property
    def writes(self) -> bool:
        """Whether others can see it."""
        return self.kind != "read"


@dataclass(slots=True)
class Walker:
    """One of the two: where it stands, and the way it came."""

    name: str
    steps: list[Step] = field(default_factory=list)
    waiting: "asyncio.Future[None] | None" = None
    done: bool = False
    pid: int | None = None
    deadlocks: int = 0
    commits: list[str] = field(default_factory=list)
    """Whose commits there were, in their order; shared by both."""
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def stop(self, step: Step) -> None:
        """Wait to be let through."""
        self.steps.append(step)
        self.waiting = asyncio.get_running_loop().create_future()
        self.arrived.set()
        await self.waiting

    def go(self) -> None:
        """Let it through to its next stop."""
        assert self.waiting
        self.arrived.clear()
        waiting, self.waiting = self.waiting, None
        waiting.set_result(None)


class GatedStore(Store):
    """A store that asks at the gate."""

    def __init__(self, store: Store, walker: Walker) -> None:
        self._store, self._walker = store, walker

    async def load(
        self,
        table: str,
        criteria: Criteria,
        *,
        order: Order = Order(),
        after: Position | None = None,
        limit: int | None = None,
    ) -> Sequence[Row]:
        await self._walker.stop(Step("read", frozenset({table})))
        return await self._store.load(table, criteria, order=order, after=after, limit=limit)

    async def count(self, table: str, criteria: Criteria) -> int:
        await self._walker.stop(Step("read", frozenset({table})))
        return await self._store.count(table, criteria)

    async def commit(self, changes: Changes) -> Numbers:
        touched = {write.table for write in changes.writes} | {guard.table for guard in changes.guards}
        touched |= {"tallies"} if changes.tallies else set()
        await self._walker.stop(Step("write", frozenset(touched)))
        numbers = await self._store.commit(changes)
        if touched != {"security_events"}:
            self._walker.commits.append(self._walker.name)
        return numbers

    async def claim(self, *, now: datetime, lease: timedelta, limit: int) -> Sequence[Row]:
        await self._walker.stop(Step("write", frozenset({"outbox"})))
        return await self._store.claim(now=now, lease=lease, limit=limit)


class GatedViews(Views):
    """Views that ask at the gate."""

    def __init__(self, views: Views, walker: Walker) -> None:
        self._views, self._walker = views, walker

    async def rows(
        self,
        actor: Actor,
        source: str,
        columns: Sequence[str],
        criteria: Criteria,
        *,
        order: Order,
        after: Position | None,
        limit: int,
    ) -> Sequence[Row]:
        await self._walker.stop(Step("read", frozenset({source})))
        return await self._views.rows(actor, source, columns, criteria, order=order, after=after, limit=limit)


class HoldingPool(Pool):
    """A pool whose commits stay open until the gate lets them end."""

    def __init__(self, pool: Pool, walker: Walker) -> None:
        self._sound, self._walker = pool, walker

    async def lend(self, *, first: bool = False) -> Any:
        return _Holding(await self._sound.lend(first=first), self._walker)

    def take_back(self, connection: Any, *, sound: bool) -> None:
        self._sound.take_back(connection.sound, sound=sound)


class _Holding:
    """A connection of it."""

    def __init__(self, connection: Any, walker: Walker) -> None:
        self.sound, self._walker = connection, walker

    async def fetch(self, sql: str, *arguments: Any) -> Any:
        return await self.sound.fetch(sql, *arguments)

    async def fetchrow(self, sql: str, *arguments: Any) -> Any:
        self._walker.pid = self.sound.get_server_pid()
        transaction = self.sound.transaction()
        await transaction.start()
        try:
            record = await self.sound.fetchrow(sql, *arguments)
        except BaseException as error:
            self._walker.deadlocks += isinstance(error, asyncpg.DeadlockDetectedError)
            await transaction.rollback()
            raise
        finally:
            self._walker.pid = None
        await self._walker.stop(Step("end", self._walker.steps[-1].tables))
        await transaction.commit()
        return record


@dataclass(frozen=True, slots=True)
class Plan:
    """Who begins, and after how many steps of its own each is preempted: the first, then the other."""

    first: int
    cuts: tuple[int, ...] = ()


Waits = Callable[[int], Awaitable[bool]]
"""Whether the server's process of that id waits for a lock."""


async def never(_: int) -> bool:
    """Nobody waits in memory."""
    return False


async def play(
    walkers: tuple[Walker, Walker],
    calls: tuple[Coroutine[Any, Any, Any], Coroutine[Any, Any, Any]],
    plan: Plan,
    waits: Waits,
) -> tuple[Any, Any]:
    """Run both to their ends by that plan; what each ended with. Switching from one that waits for the other's lock,
    or has ended, is no preemption."""
    tasks = [asyncio.ensure_future(_walk(walker, call)) for walker, call in zip(walkers, calls, strict=True)]
    try:
        for walker in walkers:
            await _arrive(walker, waits)
        await asyncio.wait_for(_steer(walkers, plan, waits), PATIENCE_SECONDS)
        ends = await asyncio.gather(*tasks)
    except TimeoutError as late:
        raise Stuck(f"{[w.name for w in walkers if not w.done]} did not end") from late
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return ends[0], ends[1]


async def _walk(walker: Walker, call: Coroutine[Any, Any, Any]) -> Any:
    try:
        return await call
    except Exception as error:
        return error
    finally:
        walker.done = True
        walker.arrived.set()


async def _steer(walkers: tuple[Walker, Walker], plan: Plan, waits: Waits) -> None:
    at, cuts, taken = plan.first, list(plan.cuts), [0, 0]
    while not all(walker.done for walker in walkers):
        walker, other = walkers[at], walkers[1 - at]
        if walker.waiting is None:
            # It has ended, or waits for what the other holds.
            if other.waiting is not None:
                at = 1 - at
            else:
                await _arrive(walker if not walker.done else other, waits, anyhow=True)
            continue
        turn = len(plan.cuts) - len(cuts)
        if cuts and at == (plan.first + turn) % 2 and taken[at] == cuts[0]:
            cuts.pop(0)
            if other.waiting is not None:
                at = 1 - at
                continue
        taken[at] += 1
        walker.go()
        await _arrive(walker, waits)
        if other.waiting is None and not other.done:
            # What it did may have set the other free: wait until that is certain.
            await _arrive(other, waits)


async def _arrive(walker: Walker, waits: Waits, *, anyhow: bool = False) -> None:
    """Until it stands at the gate or has ended; or, unless `anyhow`, waits for a lock."""
    while not walker.arrived.is_set():
        try:
            async with asyncio.timeout(PROMPT_SECONDS):
                await walker.arrived.wait()
        except TimeoutError:
            if not anyhow and walker.pid is not None and await waits(walker.pid):
                return
