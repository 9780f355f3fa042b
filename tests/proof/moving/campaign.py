"""What is done to a house on the move."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from adapters.system.clock import SystemClock
from application.ports.files import Objects
from domain.moving import BeingMoved
from domain.shared.actors import SYSTEM
from tests.contracts.movers import End, lived_on, mover
from tests.proof.moving.files import Carried, Shelves, files_moved, files_settled
from tests.proof.moving.town import alike

FREEZE_GOAL = 10.0
UPLOADED_MEANWHILE = 20


@dataclass(slots=True)
class Leg:
    """One move: how fast, how long nobody was served, and what was wrong."""

    rows: int = 0
    rows_per_second: int = 0
    frozen_seconds: float = 0.0
    writes: int = 0
    silence_seconds: float = 0.0
    files: Carried = field(default_factory=Carried)
    failures: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Writers:
    """People who go on using the house: at the old one until it takes no more, then at the new one."""

    here: End
    there: End
    numbers: Any
    written: list[int] = field(default_factory=list)
    last: float = 0.0
    first: float = 0.0
    stop: bool = False

    async def write(self) -> None:
        """One of them."""
        while not self.stop:
            number = next(self.numbers)
            try:
                await lived_on(self.here, number)
                self.last = time.monotonic()
            except BeingMoved:
                if not await self._at_the_new_house(number):
                    continue
            self.written.append(number)
            await asyncio.sleep(0.005)

    async def _at_the_new_house(self, number: int) -> bool:
        """A write of two commits may have been refused at its second: what was kept of it has moved along."""
        try:
            await lived_on(self.there, number + 1_000_000)
        except BeingMoved:
            await asyncio.sleep(0.02)
            return False
        self.first = self.first or time.monotonic()
        self.written.append(number + 1_000_000)
        return False


@asynccontextmanager
async def writing(here: End, there: End, numbers: Any, count: int) -> AsyncIterator[Writers]:
    """So many people write while the block lasts."""
    writers = Writers(here, there, numbers)
    tasks = [asyncio.ensure_future(writers.write()) for _ in range(count)]
    try:
        yield writers
    finally:
        writers.stop = True
        await asyncio.gather(*tasks)


@dataclass(frozen=True, slots=True)
class Home:
    """A house and where it keeps its files."""

    house: End
    shelf: Objects


async def moved(
    old: Home, new: Home, shelves: Shelves, *, owners: int, writers: int = 0, seed: int = 1, numbers: Any = None
) -> Leg:
    """The whole move from one to the other, in the order of the runbook, while people write and upload."""
    leg, here, there = Leg(), old.house, new.house
    move = mover(here, there, seed=seed, clock=SystemClock())
    plan = await move.plan(SYSTEM)
    async with writing(here, there, numbers or itertools.count(1_000), writers) as busy:
        outcome = await move.run(SYSTEM)
        first = await files_moved(here, old.shelf, new.shelf)
        if writers:
            await shelves.bring(here, old.shelf, UPLOADED_MEANWHILE, owners=owners)
        cut = await move.cut_over(SYSTEM)
        if writers:
            async with asyncio.timeout(20):
                while not busy.first:  # noqa: ASYNC110 - what another task does raises no event here
                    await asyncio.sleep(0.01)
    leg.files = await files_settled(here, old.shelf, new.shelf, shelves.hashes)
    leg.files.copied += first.copied
    leg.files.seconds += first.seconds
    leg.rows, leg.writes = outcome.copied, len(busy.written)
    leg.rows_per_second = round(outcome.copied / outcome.seconds) if outcome.copied else 0
    leg.frozen_seconds = round(cut.frozen_seconds, 2)
    leg.silence_seconds = round(busy.first - busy.last, 2) if writers else 0.0
    if outcome.copied < plan.rows and outcome.way == "fresh":
        leg.failures.append(f"{outcome.copied} rows were copied of {plan.rows}")
    if cut.frozen_seconds > FREEZE_GOAL:
        leg.failures.append(f"nobody was served for {cut.frozen_seconds:.1f} s")
    leg.failures += [f"write {number} was acknowledged and is gone" for number in await lost(there, busy.written)]
    if not writers:
        leg.failures += [f"{table} differs" for table in await alike(here.url, there.url)]
    leg.failures += leg.files.failures
    return leg


async def lost(there: End, written: list[int]) -> list[int]:
    """Those whose acknowledged work is not there."""
    here = {row["id"] for row in await there.store.load("users", {}) if row["id"].int < 10_000_000}
    return [number for number in written if UUID(int=number) not in here]
