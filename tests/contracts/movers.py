"""Both ends of a move under test, on every kind of storage, and a town to move."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from adapters.memory.moving import MemoryHouse
from adapters.memory.store import MemoryStore
from adapters.persistence.schema import MOVED, RANK
from adapters.persistence.schema.tables import Row
from adapters.persistence.store import Changes, Delete, Insert, Store, Tally, Update
from adapters.postgres.moving import PostgresHouse
from adapters.postgres.pools import Pool
from adapters.postgres.store import PostgresStore
from adapters.postgres.versions import newest
from adapters.supabase.moving import SupabaseHouse
from adapters.supabase.rest import Rest
from adapters.supabase.store import SupabaseStore
from adapters.supabase.tokens import CarriedTokens, MintedTokens
from adapters.system.clock import StandingClock, SystemClock
from adapters.system.ids import SeededIds
from application.moving import CloseMove, CutOver, PlanMove, RollBack, RunMove, VerifyMove
from tests.support.postgrest import SECRET, postgrest
from tests.support.servers import Servers

NOW = datetime(2026, 3, 18, 12, tzinfo=UTC)
MEMORY, POSTGRES, SUPABASE = "memory", "postgres", "supabase"


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """One end: how it is moved, and the store by which it is lived in; `url` is its owner's where it has one."""

    house: Any
    store: Store
    url: str = ""

    async def rows(self) -> dict[str, list[Row]]:
        """Every row there is, by table."""
        return {table: list(await self.store.load(table, {})) for table in MOVED}

    async def fill(self, rows: Mapping[str, Sequence[Row]]) -> None:
        """Begin with these rows."""
        tallies = tuple(Tally(row["name"], row["value"], row["ceiling"]) for row in rows.get("tallies", ()))
        writes = [Insert(table, dict(row)) for table in RANK if table != "tallies" for row in rows.get(table, ())]
        for start in range(0, len(writes), 5_000):
            await self.store.commit(Changes(writes=tuple(writes[start : start + 5_000])))
        for tally in tallies:
            await self.store.commit(Changes(tallies=(tally,)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Mover:
    """The use cases of one move."""

    plan: PlanMove
    run: RunMove
    verify: VerifyMove
    cut_over: CutOver
    roll_back: RollBack
    close: CloseMove


def mover(origin: End, destination: End, *, seed: int = 1, clock: Any = None) -> Mover:
    """Who moves from one end to the other."""
    clock = clock or StandingClock(NOW)
    ends = {"origin": origin.house, "destination": destination.house}
    return Mover(
        plan=PlanMove(**ends, clock=SystemClock()),
        run=RunMove(**ends, clock=clock, ids=SeededIds(StandingClock(NOW), seed=seed)),
        verify=VerifyMove(**ends),
        cut_over=CutOver(**ends, clock=clock),
        roll_back=RollBack(**ends, clock=clock),
        close=CloseMove(**ends, clock=clock),
    )


@asynccontextmanager
async def end(kind: str, servers: Servers, version: str = "18", *, url: str = "") -> AsyncIterator[End]:
    """An empty house of this kind; with `url`, the one in the database of this owner's address."""
    if kind == MEMORY:
        store = MemoryStore()
        yield End(house=MemoryHouse(store, revision=newest()), store=store)
        return
    with ExitStack() as stack:
        url = url or stack.enter_context(servers.get(version).clone())
        async with AsyncExitStack() as closing:
            pool = Pool(url, role="service_role", size=4)
            closing.push_async_callback(pool.close)
            if kind == POSTGRES:
                yield End(house=PostgresHouse(pool), store=PostgresStore(pool), url=url)
                return
            with ThreadPoolExecutor(1) as thread:
                before = postgrest(url)
                rest = await asyncio.get_running_loop().run_in_executor(thread, before.__enter__)
                stack.callback(before.__exit__, None, None, None)
            tokens = CarriedTokens(MintedTokens(SECRET, SystemClock()))
            asking = Rest(rest.project(), tokens, transport=rest.transport())
            closing.push_async_callback(asking.close)
            yield End(house=SupabaseHouse(asking), store=SupabaseStore(asking), url=url)


async def lived_on(house: End, number: int = 7) -> None:
    """Something is done in the house: one row more, one changed and, every other time, one gone."""
    id, notice = UUID(int=number), UUID(int=number + 100_000)
    user = {
        "id": id,
        "version": 1,
        "email": f"user-{number}@town.example",
        "role": "customer",
        "email_verified_at": None,
        "suspended_at": None,
        "epoch": 1,
        "created_at": NOW,
    }
    told = dict.fromkeys(("title", "body", "kind"), "é \N{GRINNING FACE} \\ \"'")
    notification = {"id": notice, "version": 1, "user_id": id, **told, "about": None, "read_at": None}
    await house.store.commit(
        Changes(writes=(Insert("users", user), Insert("notifications", notification | {"created_at": NOW})))
    )
    await house.store.commit(Changes(writes=(Update("users", {**user, "role": "provider", "version": 2}, 1),)))
    if number % 2 == 0:
        await moved_out(house, number)


async def moved_out(house: End, number: int = 7) -> None:
    """What came is gone again, but for the user."""
    await house.store.commit(Changes(writes=(Delete("notifications", UUID(int=number + 100_000), 1),)))
