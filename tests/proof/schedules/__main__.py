"""`python -m tests.proof.schedules [--quick]`: pairs of commands in every order with up to two preemptions."""

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tests.proof.reporting import Report
from tests.proof.schedules.campaign import found, on_a_server, on_memory
from tests.proof.schedules.catalogue import LEFT_OUT, PARTS, writers
from tests.proof.schedules.planted import PLANTED

QUICK = 60


def main() -> int:
    """Play all pairs, on two cores."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} pairs spread over all of them")
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    most = QUICK if asked.quick else None
    report = Report(name="schedules")
    with ProcessPoolExecutor(asked.jobs, mp_context=get_context("spawn")) as pool:
        playing = [pool.submit(on_a_server, number, asked.jobs, most) for number in range(asked.jobs)]
        remembering, finding = pool.submit(on_memory, most), pool.submit(found, list(PLANTED))
        sums, memory, planted = [each.result() for each in playing], remembering.result(), finding.result()
    report.failures += [failure for total in (*sums, memory) for failure in total.failures]
    report.failures += [f"planted and not found: {name}" for name, came in planted.items() if came is None]
    report.figures = {
        "commands": len(PARTS),
        "use cases raced": len({part.use_case for part in PARTS}),
        "use cases left out, with reasons": len(LEFT_OUT.keys() & writers().keys()),
        "pairs": sum(total.pairs for total in sums),
        "pairs that share nothing": sum(total.independent for total in sums),
        "schedules on PostgreSQL": sum(total.schedules for total in sums),
        "distinct ends": sum(total.ends for total in sums),
        "ends by the documented exceptions": sum(total.excused for total in sums),
        "schedules in memory": memory.schedules,
        "violations": len(report.failures),
        "planted bugs": {name: f"found after {came[0]} schedules" for name, came in planted.items() if came},
    }
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
