"""Looking for planted mistakes: in the simulation seed by seed, in every schedule of two commands, and by races."""

import asyncio
import statistics
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from entrypoints.container.simulating import Stage
from entrypoints.simulation.campaign import Options, play
from tests.planted.catalogue import SIMULATED, Simulated
from tests.planted.database import ON_POSTGRES
from tests.proof.databases import postgres
from tests.proof.schedules.campaign import found as found_by_schedules

OPTIONS = Options()
CLUMSY = ("TypeError", "AttributeError", "NameError", "ImportError", "UnboundLocalError")
"""What tells of a fault in the planted code itself, and is no find."""


@dataclass(slots=True, kw_only=True)
class Find:
    """What came of looking for one mistake. `tries` are seeds or schedules, one number per start."""

    name: str
    how: str
    tries: list[int]
    told: str = ""
    seconds: float = 0.0
    found: bool = True

    def line(self) -> str:
        """The find in a line of the report."""
        if not self.found:
            return f"NOT FOUND by {self.how} within {self.tries[-1]}: {self.told or 'nothing was told'}"
        middle = f"{min(self.tries)}" if len(self.tries) == 1 else f"{min(self.tries)}/{_middle(self.tries)}"
        return f"{self.how}, {middle}: {self.told}"


def _middle(tries: list[int]) -> int:
    return int(statistics.median(tries))


def simulated(
    name: str, *, starts: Iterable[int] = (1,), most: int | None = None, options: Options | None = None
) -> Find:
    """How many seeds the simulation needs for this mistake, from each of these seeds on."""
    plant = SIMULATED[name]
    since, came = time.process_time(), Find(name=name, how="simulation", tries=[])
    with plant.block():
        stage = Stage(plant.replace())
        for start in starts:
            _look(plant, stage, came, start, most or plant.seeds, options or plant.options)
            if not came.found:
                break
    came.seconds = time.process_time() - since
    return came


def _look(plant: Simulated, stage: Stage, came: Find, start: int, most: int, options: Options) -> None:
    for tries in range(1, most + 1):
        failure = play(start + tries - 1, options, on=stage).failure
        if failure is None:
            continue
        rule, said = failure
        if any(word in said for word in CLUMSY):
            came.tries.append(tries)
            came.found, came.told = False, f"the planted code itself fails: {said[:300]}"
            return
        if rule.startswith(plant.told):
            came.tries.append(tries)
            came.told = came.told or f"{rule} {_short(said)}"
            return
    came.tries.append(most)
    came.found = False


def _short(said: str) -> str:
    """The name of the rule, or the beginning of the sentence."""
    name, colon, _ = said.partition(": ")
    return name if colon and " " not in name else said[:80]


def control(seeds: Iterable[int]) -> list[str]:
    """What the simulation complains of over these seeds where nothing is planted."""
    failures = ((seed, play(seed, OPTIONS).failure) for seed in seeds)
    return [
        f"nothing is planted, and seed {seed} says {failure[0]}: {failure[1]}" for seed, failure in failures if failure
    ]


def on_postgres(names: Iterable[str]) -> tuple[list[Find], list[str]]:
    """Each mistake of the database with its race or matrix, and what those complain of where nothing is planted."""
    finds, complaints = [], []
    with postgres() as server:
        for name in names:
            plant = ON_POSTGRES[name]
            since = time.monotonic()
            with server.clone() as url:
                told = asyncio.run(plant.found(url))
            with server.clone() as url:
                wrong = asyncio.run(plant.control(url))
            if wrong:
                complaints.append(f"nothing is planted, and the check for {name!r} says {wrong}")
            how = f"PostgreSQL ({plant.says})"
            find = Find(name=name, how=how, tries=[1], told=(told or "")[:160], found=told is not None)
            find.seconds = time.monotonic() - since
            finds.append(find)
    return finds, complaints


def in_schedules(names: Iterable[str]) -> list[Find]:
    """Mistakes that two commands on one database show in some order of their steps."""
    since, finds = time.monotonic(), []
    for name, came in found_by_schedules(list(names)).items():
        told = came[1].splitlines()[0][:160] if came else ""
        finds.append(
            Find(name=name, how="schedules", tries=[came[0] if came else 0], told=told, found=came is not None)
        )
    for find in finds:
        find.seconds = (time.monotonic() - since) / len(finds)
    return finds


@contextmanager
def silently() -> Iterator[None]:
    """Nobody reads what planted mistakes write into the log."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    try:
        yield
    finally:
        structlog.configure(**before)
