"""`python -m tests.proof.mutation_constraints [--quick] [--seed N] [--version 15|18]`: all objects of the catalogue, or
a sample of them."""

import argparse
import asyncio
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from random import Random

from adapters.postgres.migrations import migrate
from adapters.postgres.values import use_json
from tests.proof.mutation_constraints.catalogue import Held, catalogue
from tests.proof.mutation_constraints.noticing import IMPLIED, Bench, Verdict, judge
from tests.proof.reporting import Report
from tests.support.servers import Servers
from tests.visibility.probe import connected, furnish
from tests.visibility.world import world

QUICK = 60
NOTHING = "select 1"
"""What is run instead of a drop in the negative control: nobody may notice."""


def main(said: list[str] | None = None) -> int:
    """The campaign; how it ends is the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof.mutation_constraints")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} objects")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--version", choices=["15", "18"], default="18", help="of PostgreSQL")
    asked = parser.parse_args(said)
    report = Report(name="mutation_constraints", figures={"PostgreSQL": asked.version})
    with tempfile.TemporaryDirectory(prefix="guildhall-proof-") as folder:
        Path(folder).chmod(0o711)
        servers = Servers(Path(folder), migrate)
        try:
            with servers.get(asked.version).clone() as url:
                verdicts, controls = asyncio.run(judged(url, sample=QUICK if asked.quick else 0, seed=asked.seed))
        finally:
            servers.leave()
    tell(report, verdicts, controls)
    return report.finish()


def tell(report: Report, verdicts: list[Verdict], controls: list[Verdict]) -> None:
    """Put who noticed what into the report."""
    kinds = Counter(each.held.kind for each in verdicts)
    for kind, count in sorted(kinds.items()):
        by = Counter(each.by or "NOBODY" for each in verdicts if each.held.kind == kind)
        told = ", ".join(f"{number} by {who}" for who, number in by.most_common())
        report.figures[f"{kind}: {count} dropped"] = f"noticed: {told}"
    report.figures["implied by others"] = IMPLIED
    report.failures += [f"nobody noticed that {each.held} was dropped: {each.why}" for each in verdicts if not each.by]
    report.figures["control, nothing dropped"] = f"{sum(not each.by for each in controls)} of {len(controls)} silent"
    report.failures += [f"{each.by} noticed {each.held}, which was not dropped" for each in controls if each.by]


async def judged(url: str, *, sample: int = 0, seed: int = 1) -> tuple[list[Verdict], list[Verdict]]:
    """Who notices what, and the negative control: one of each kind, not dropped at all."""
    async with furnished(url) as bench:
        found = await catalogue(bench.connection)
        chosen = Random(seed).sample(found, min(sample, len(found))) if sample else found
        one_of_each = {held.kind: held for held in found if held.name not in IMPLIED}
        verdicts = [await judge(bench, held) for held in chosen]
        return verdicts, [await judge(bench, undropped(held)) for held in one_of_each.values()]


def undropped(held: Held) -> Held:
    """The same, left where it is."""
    return replace(held, dropped=NOTHING)


@asynccontextmanager
async def furnished(url: str) -> AsyncIterator[Bench]:
    """The database with the world of the visibility tests in it."""
    here = world()
    await furnish(url, here)
    async with connected(url) as connection, connected(url) as plain:
        await use_json(connection)
        yield Bench(connection, plain, here)


if __name__ == "__main__":
    sys.exit(main())
