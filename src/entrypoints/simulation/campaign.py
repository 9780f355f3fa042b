"""Many seeds, on as many processes as there are cores, and what they add up to."""

import gc
import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from time import process_time

from entrypoints.container.simulating import Stage, stage, stream
from entrypoints.simulation.founding import founded
from entrypoints.simulation.outcome import Outcome
from entrypoints.simulation.plan import Plan
from entrypoints.simulation.shrinking import MOST_RUNS, shrunk
from entrypoints.simulation.world import World

LONGEST_STORY = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How every seed is played."""

    steps: int = 100
    days: float = 3.0
    faults: str = "some"

    def plan(self, seed: int) -> Plan:
        """What happens in the world of that seed."""
        return Plan.drawn(seed, stream, steps=self.steps, days=self.days, faults=self.faults)

    def again(self, seed: int) -> str:
        """The command that plays this seed again."""
        return f"guildhall simulate --seed {seed} --steps {self.steps} --days {self.days:g} --faults {self.faults}"


@dataclass(frozen=True, slots=True)
class Failure:
    """A seed that failed: the rule, how it shows, and the story of what led there, shortened."""

    seed: int
    rule: str
    said: str
    steps: int
    faults: tuple[str, ...]
    story: tuple[str, ...]


@dataclass(slots=True)
class Figures:
    """What a campaign adds up to. `cpu` are the seconds of processor time its worlds took."""

    seeds: int = 0
    steps: int = 0
    events: int = 0
    crashes: int = 0
    cpu: float = 0.0
    requests: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)

    @property
    def events_a_minute(self) -> int:
        """Domain events a minute on one core."""
        return round(self.events / self.cpu * 60) if self.cpu else 0

    def count(self, outcome: Outcome, cpu: float) -> None:
        """One more seed."""
        self.seeds += 1
        self.steps += outcome.steps
        self.events += outcome.events
        self.crashes += outcome.crashes
        self.cpu += cpu
        self.requests.update(outcome.requests)
        self.faults.update(outcome.faults)


def play(seed: int, options: Options, *, on: Stage | None = None, whole: bool = False) -> Outcome:
    """One seed, on the shipped application or on one with something planted in it."""
    with _few_collections():
        return World(options.plan(seed), on or stage(), whole=whole).run()


def explained(seed: int, options: Options, *, on: Stage | None = None, runs: int = MOST_RUNS) -> Failure | None:
    """Why a seed fails, as short as it can be told; None when it does not."""
    ground = on or stage()
    plan = options.plan(seed)
    world = World(plan, ground)
    failure = world.run().failure
    if failure is None:
        return None
    # What was planned for later than the failure had no part in it.
    plan = plan.without(steps=[step.number for step in plan.steps if step.at > world.loop.time()])
    short = shrunk(plan, failure[0], lambda some: World(some, ground).run(), runs=runs)
    outcome = World(short, ground, whole=True).run()
    rule, said = outcome.failure or failure
    faults = (*sorted(short.rates), *(blow.fault for blow in short.blows))
    return Failure(seed, rule, said, len(short.steps), faults, tuple(outcome.story[-LONGEST_STORY:]))


def campaign(
    seeds: Iterable[int], options: Options, *, jobs: int = 1, done: Callable[[Outcome], None] = lambda _: None
) -> Figures:
    """Play all these seeds; those that fail are played again until their story is short."""
    figures = Figures()
    failed = []
    for outcome, cpu in _outcomes(list(seeds), options, jobs):
        figures.count(outcome, cpu)
        done(outcome)
        if outcome.failure is not None:
            failed.append(outcome)
    seen: Counter[str] = Counter()
    for outcome in sorted(failed, key=lambda each: each.seed):
        rule, said = outcome.failure or ("", "")
        seen[rule] += 1
        # The first two of a kind are told as stories; the others would be the same again.
        told = explained(outcome.seed, options) if seen[rule] <= 2 else None
        figures.failures.append(told or Failure(outcome.seed, rule, said, outcome.steps, (), ()))
    return figures


def _outcomes(seeds: list[int], options: Options, jobs: int) -> Iterator[tuple[Outcome, float]]:
    one = partial(_timed, options=options)
    if jobs <= 1 or len(seeds) == 1:
        yield from map(one, seeds)
        return
    # What every process needs is made before they part, so that they share it.
    stage(), founded()
    gc.freeze()
    way = "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"
    # A process that ends takes its worlds with it for nothing; looking for what they left was a tenth of the work.
    with multiprocessing.get_context(way).Pool(jobs, gc.disable, maxtasksperchild=8) as pool:
        yield from pool.imap_unordered(one, seeds, chunksize=4)


def _timed(seed: int, options: Options) -> tuple[Outcome, float]:
    stage(), founded()
    started = process_time()
    outcome = play(seed, options)
    outcome.story.clear()
    return outcome, process_time() - started


@contextmanager
def _few_collections() -> Iterator[None]:
    """A world is thrown away whole: looking for rubbish while it lives is mostly in vain. Where collecting was off
    before, nobody looks at all, and its process will not live long."""
    looking = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if looking:
            gc.collect(0)
            gc.enable()
