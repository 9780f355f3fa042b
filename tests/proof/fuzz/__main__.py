"""`python -m tests.proof.fuzz [--examples N] [--seed N] [--quick] [--only memory|postgres]`.

Each operation gets that many generated requests, and as many of Schemathesis' edges, on memory; a third of it on
PostgreSQL. Planted faults must be found first."""

import argparse
import asyncio
import logging
import sys
import warnings

import structlog

from tests.proof.fuzz.campaign import Campaign, Findings
from tests.proof.fuzz.houses import Keep, in_memory, on_postgres
from tests.proof.fuzz.plants import PLANTS, Planted
from tests.proof.reporting import Report
from tests.rest.world import World

GOAL = 0.8
"""The share of operations that must reach 2xx."""


def main(said: list[str] | None = None) -> int:
    """The campaign; how it ends is the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof.fuzz")
    parser.add_argument("--examples", type=int, default=100, help="requests to each operation, on memory")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="a few requests each, on memory only")
    parser.add_argument("--only", choices=["memory", "postgres"])
    asked = parser.parse_args(said)
    examples = 30 if asked.quick else asked.examples
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    warnings.simplefilter("ignore")
    report = Report(name="fuzz", figures={"seed": asked.seed})
    if asked.only != "postgres":
        with asyncio.Runner() as runner, in_memory(runner) as (world, keep):
            found = unfound(runner, world, keep, seeded=asked.seed)
            report.figures["planted faults found"] = f"{len(PLANTS) - len(found)} of {len(PLANTS)}"
            report.failures += [f"a planted fault was not found: {name}" for name in found]
            tell(report, "memory", fuzzed(runner, world, keep, examples=examples, seeded=asked.seed))
    if not asked.quick and asked.only != "memory":
        with asyncio.Runner() as runner, on_postgres(runner) as (world, keep):
            part = examples if asked.only else max(examples // 3, 10)
            tell(report, "postgres", fuzzed(runner, world, keep, examples=part, seeded=asked.seed + 1))
    return report.finish()


def fuzzed(
    runner: asyncio.Runner, world: World, keep: Keep, *, examples: int, seeded: int, only: set[str] | None = None
) -> Findings:
    """What is found in this house."""
    return Campaign(runner, world).run(examples=examples, seeded=seeded, keep=keep, only=only)


def unfound(runner: asyncio.Runner, world: World, keep: Keep, *, seeded: int) -> list[str]:
    """Planted faults that a short run at the operation they sit in does not notice; there should be none."""
    missed = []
    for name, change in PLANTS.items():
        world.renew()
        campaign = Campaign(runner, world, app=Planted(world.app, change))
        found = campaign.run(examples=15, seeded=seeded, keep=keep, only={"profiles-read-own", "profiles-update"})
        if not found.failures:
            missed.append(name)
    world.renew()
    return missed


def tell(report: Report, where: str, found: Findings) -> None:
    """Put what was found into the report."""
    share = len(found.successful) / found.operations
    report.figures |= {
        f"{where}: requests": found.requests,
        f"{where}: operations that reached 2xx": f"{len(found.successful)} of {found.operations} ({share:.0%})",
        f"{where}: answers by status": dict(sorted(found.statuses.items())),
        f"{where}: 2xx and 4xx by role": {role: f"{by[2]} / {by[4]}" for role, by in sorted(found.by_role.items())},
    }
    if found.never:
        report.figures[f"{where}: never reached 2xx"] = ", ".join(found.never)
    report.failures += [f"{where}: {told}" for told in found.failures.values()]
    if share < GOAL:
        report.failures.append(f"{where}: only {share:.0%} of the operations reached 2xx, {GOAL:.0%} are asked for")


if __name__ == "__main__":
    sys.exit(main())
