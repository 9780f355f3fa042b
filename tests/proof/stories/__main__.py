"""`python -m tests.proof.stories [--quick]`: every order of every story's messages ends in one state."""

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tests.planted.payments import PLANTED
from tests.proof.reporting import Report
from tests.proof.stories.campaign import found, told, told_on_postgres
from tests.proof.stories.shares import STORIES

QUICK = 24
ON_POSTGRES = 4


def main() -> int:
    """Tell all stories, on two cores."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"at most {QUICK} orders of each story")
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    report = Report(name="stories")
    most = QUICK if asked.quick else None
    with ProcessPoolExecutor(asked.jobs, mp_context=get_context("spawn")) as pool:
        telling = pool.map(told, range(len(STORIES)), [most] * len(STORIES))
        finding = pool.map(found, PLANTED)
        stored = pool.submit(told_on_postgres, 1 if asked.quick else ON_POSTGRES)
        results, planted, on_postgres = list(telling), dict(zip(PLANTED, finding, strict=True)), stored.result()
    for result in [*results, *on_postgres]:
        report.failures += [f"{result.name}: {failure}" for failure in result.failures]
    report.failures += [f"planted and not noticed: {name}" for name, soon in planted.items() if soon is None]
    report.figures = {
        "stories": len(results),
        "orders": sum(result.orders for result in results),
        "runs": sum(result.runs for result in results),
        "final states per story, at most": max(len(result.finals) for result in results),
        "runs on PostgreSQL": sum(result.runs for result in on_postgres),
        "planted bugs": {name: f"noticed after {soon[0]} runs: {soon[1]}" for name, soon in planted.items() if soon},
        "by story": {r.name: f"{r.messages} messages, {r.orders} orders, {len(r.finals)} final" for r in results},
    }
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
