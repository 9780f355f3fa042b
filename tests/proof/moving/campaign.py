"""What is done to a house on the move."""

import asyncio
import itertools
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from adapters.system.clock import SystemClock
from domain.moving import BeingMoved
from domain.shared.actors import SYSTEM
from tests.contracts.movers import End, lived_on, mover
from tests.proof.moving.town import alike

ROOT = Path(__file__).resolve().parents[3]
FREEZE_GOAL = 10.0


@dataclass(slots=True)
class Leg:
    """One move: how fast, how long nobody was served, and what was wrong."""

    rows: int = 0
    rows_per_second: int = 0
    frozen_seconds: float = 0.0
    writes: int = 0
    silence_seconds: float = 0.0
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


async def moved(here: End, there: End, *, writers: int = 0, seed: int = 1, numbers: Any = None) -> Leg:
    """The whole move from one to the other, while people write."""
    leg = Leg()
    move = mover(here, there, seed=seed, clock=SystemClock())
    plan = await move.plan(SYSTEM)
    async with writing(here, there, numbers or itertools.count(1_000), writers) as busy:
        outcome = await move.run(SYSTEM)
        cut = await move.cut_over(SYSTEM)
        if writers:
            async with asyncio.timeout(20):
                while not busy.first:  # noqa: ASYNC110 - what another task does raises no event here
                    await asyncio.sleep(0.01)
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
    return leg


async def lost(there: End, written: list[int]) -> list[int]:
    """Those whose acknowledged work is not there."""
    here = {row["id"] for row in await there.store.load("users", {}) if row["id"].int < 10_000_000}
    return [number for number in written if UUID(int=number) not in here]


@dataclass(slots=True)
class Kills:
    """SIGKILLs of the mover, where it was each time, and what was wrong in the end."""

    struck: int = 0
    moves: int = 0
    phases: dict[str, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


async def killed(here: str, servers: Any, *, kills: int, seed: int) -> Kills:
    """Move to fresh databases by the command line, killed at random moments, until there were as many kills; each move
    is brought to its end, and must have the same result as one that nobody disturbed."""
    chance, result = random.Random(seed), Kills()
    while result.struck < kills:
        with servers.clone() as there, tempfile.TemporaryDirectory() as folder:
            result.moves += 1
            files = [_settings(Path(folder), name, url) for name, url in (("here", here), ("there", there))]
            await _to_its_end(files, result, chance, kills)
            result.failures += [f"move {result.moves}: {table} differs" for table in await alike(here, there)]
            done = await _command(("rollback", *files), None)
            if done != 0:
                result.failures.append(f"move {result.moves}: rolling back ended with {done}")
    return result


async def _to_its_end(files: list[str], result: Kills, chance: random.Random, kills: int) -> None:
    for command in ("run", "cutover"):
        while True:
            left = kills - result.struck
            patience = chance.uniform(0.7, 4.0) if left > 0 and (command == "run" or chance.random() < 0.6) else None
            code = await _command((command, "--take-over", *files), patience)
            if code == 0:
                break
            if code != -signal.SIGKILL:
                result.failures.append(f"move {result.moves}: {command} ended with {code}")
                return
            result.struck += 1
            result.phases[command] = result.phases.get(command, 0) + 1


async def _command(words: tuple[str, ...], patience: float | None) -> int:
    """`guildhall move` with these words, killed after so many seconds if it is still at it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from entrypoints.cli import main; main()",
        "move",
        *words,
        "--json",
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(patience):
            _, said = await process.communicate()
    except TimeoutError:
        process.kill()
        _, said = await process.communicate()
    code = process.returncode or 0
    if code not in (0, -signal.SIGKILL):
        sys.stderr.write(said.decode()[-2000:])
    return code


def _settings(folder: Path, name: str, url: str) -> str:
    file = folder / f"{name}.env"
    file.write_text(f"DATABASE_URL={url}\nGUILDHALL_DATA_DIR={folder / name}\n")
    return f"--{'from' if name == 'here' else 'to'}={file}"
