"""`python -m tests.proof.planted [--only WORDS] [--quick] [--starts N] [--jobs N]`: every planted mistake is found."""

import argparse
import gc
import multiprocessing
import os
import sys
import time
from functools import partial

from entrypoints.container.simulating import stage
from entrypoints.simulation.founding import founded
from tests.planted.catalogue import SIMULATED
from tests.planted.database import ON_POSTGRES
from tests.proof.planted.campaign import Find, control, in_schedules, on_postgres, silently, simulated
from tests.proof.reporting import Report
from tests.proof.schedules.planted import PLANTED as SCHEDULED

QUICK = ("tokens are stored as they are", "no transaction", "processed is never marked", "guards look without locking")
CONTROL = 40
"""Seeds on which nothing may be found where nothing is planted; the campaign `simulation` plays many more of them."""


def main() -> int:
    """Look for all of them, or for those whose names contain these words."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", default=[], help="only mistakes whose names contain this")
    parser.add_argument("--quick", action="store_true", help="a few that show soon")
    parser.add_argument(
        "--starts", type=int, default=1, help="from how many first seeds to look; the report has medians"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many worlds at once")
    asked = parser.parse_args()
    report = Report(name="planted")
    starts = [1 + 1000 * turn for turn in range(asked.starts)]

    def wanted(name: str) -> bool:
        return name in QUICK if asked.quick else not asked.only or any(words in name for words in asked.only)

    stage(), founded()
    seeds = 0 if asked.only else 3 if asked.quick else CONTROL
    with silently():
        # Worlds are played in processes that are forked from this one, and so share what all of them need.
        with multiprocessing.get_context("fork").Pool(asked.jobs, gc.disable, maxtasksperchild=1) as pool:
            names = [name for name in SIMULATED if wanted(name)]
            finds = [_told(find) for find in pool.imap(partial(simulated, starts=starts), names)]
            for wrong in pool.imap_unordered(control, [(seed,) for seed in range(1, seeds + 1)]):
                report.failures += wrong
        raced, complaints = on_postgres([name for name in ON_POSTGRES if wanted(name)])
        scheduled = in_schedules([name for name in SCHEDULED if wanted(name)])
    finds += [_told(find) for find in (*raced, *scheduled)]
    report.failures += [f"{find.name}: {find.line()}" for find in finds if not find.found]
    report.failures += complaints
    tries = sorted(count for find in finds if find.found and find.how == "simulation" for count in find.tries)
    report.figures = {
        "planted": len(finds),
        "found": sum(find.found for find in finds),
        "by the simulation": sum(find.found and find.how == "simulation" for find in finds),
        "by races, schedules and the matrix on PostgreSQL": sum(
            find.found and find.how != "simulation" for find in finds
        ),
        "seeds it took": f"median {tries[len(tries) // 2]}, at most {tries[-1]}" if tries else "none asked",
        "seeds played with nothing planted": seeds,
    } | {find.name: find.line() for find in finds}
    return report.finish()


def _told(find: Find) -> Find:
    stamp = time.strftime("%H:%M:%S")
    sys.stderr.write(f"{stamp} {find.name}: {find.line()} ({find.seconds:.1f} s)\n")
    return find


if __name__ == "__main__":
    sys.exit(main())
