"""The pieces of the campaign, each for a process of its own."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from adapters.postgres.store import PostgresStore
from adapters.simulated_gateway import Books
from tests.proof.databases import postgres
from tests.proof.schedules.catalogue import Part, pairs
from tests.proof.schedules.grounds import MemoryGround, on_postgres
from tests.proof.schedules.planted import PLANTED, Plant
from tests.proof.schedules.playing import Ground, Pair, Played
from tests.proof.schedules.scenes import Scene, made
from tests.proof.stories.quiet import quietly

Pairs = Sequence[tuple[Part, Part]]


@dataclass(slots=True)
class Sum:
    """What came of many pairs."""

    pairs: int = 0
    independent: int = 0
    schedules: int = 0
    ends: int = 0
    excused: int = 0
    failures: list[str] = field(default_factory=list)

    def add(self, played: Played) -> None:
        """One more pair."""
        self.pairs += 1
        self.independent += played.independent
        self.schedules += played.schedules
        self.ends += len(played.ends)
        self.excused += played.excused
        self.failures += played.failures


async def play_all(some: Pairs, ground: Ground, *, until_failed: bool = False) -> Sum:
    """Each pair in all its schedules."""
    scenes: dict[str, Scene] = {}
    books, total = Books(":memory:"), Sum()
    for pair in some:
        name = pair[0].scene
        if name not in scenes:
            scenes[name] = await made(name)
        total.add(await Pair(scenes[name], pair, ground, books).all())
        if until_failed and total.failures:
            break
    books.close()
    return total


def share(number: int, of: int, most: int | None = None) -> Pairs:
    """Every `of`-th pair, beginning at that number; of `most` pairs spread over all."""
    every = pairs()
    step = max(1, len(every) // most) if most else 1
    return every[::step][number::of]


def on_memory(most: int | None = None) -> Sum:
    """All pairs on the memory store."""
    quietly()
    return asyncio.run(play_all(share(0, 1, most), MemoryGround()))


def on_a_server(number: int, of: int, most: int | None = None) -> Sum:
    """One share of the pairs on a PostgreSQL of its own."""
    quietly()
    with postgres() as server, server.clone() as url:
        return asyncio.run(_on(url, share(number, of, most)))


async def _on(url: str, some: Pairs) -> Sum:
    async with on_postgres(url, PostgresStore) as ground:
        return await play_all(some, ground)


def found(names: Iterable[str]) -> dict[str, tuple[int, str] | None]:
    """After how many schedules each planted bug shows, and how; None where it does not."""
    quietly()
    with postgres() as server:
        came = {}
        for name in names:
            with server.clone() as url:
                came[name] = asyncio.run(_found(url, PLANTED[name]))
    return came


async def _found(url: str, plant: Plant) -> tuple[int, str] | None:
    wanted = [pair for pair in pairs() if (pair[0].scene, {part.name for part in pair}) in plant.shows_in]
    assert len(wanted) == len(plant.shows_in), plant
    async with on_postgres(url, plant.make) as ground:
        for statement in plant.sql:
            await ground.owner.execute(statement)
        total = await play_all(wanted, ground, until_failed=True)
    return (total.schedules, total.failures[0][:200]) if total.failures else None
