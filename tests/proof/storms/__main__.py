"""`python -m tests.proof.storms [--storms 5000]`: whatever becomes of the messages, every storm ends in one state."""

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tests.planted.payments import PLANTED
from tests.planted.reconciling import CARELESS
from tests.proof.reporting import Report
from tests.proof.storms.campaign import ASIDE, MENDED, PER_SET, Stormy, noticed, played

CHUNK = 10
"""Sets a process plays at a time."""


def main() -> int:
    """Play them, on two cores."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--storms", type=int, default=5_000)
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    report, came = Report(name="storms"), Stormy()
    sets = -(-asked.storms // PER_SET)
    bugs = [*(name for name in PLANTED if name not in ASIDE), *CARELESS]
    with ProcessPoolExecutor(asked.jobs, mp_context=get_context("spawn")) as pool:
        finding = pool.map(noticed, bugs)
        for some in pool.map(played, [range(first, min(first + CHUNK, sets)) for first in range(0, sets, CHUNK)]):
            came.add(some)
        found = dict(zip(bugs, finding, strict=True))
    report.failures = came.failures[:20]
    mended = [name for name in MENDED if found.pop(name) is None]
    report.failures += [f"planted and not noticed: {name}" for name, soon in found.items() if soon is None]
    report.figures = {
        "storms": came.storms,
        "sets of stories": came.sets,
        "messages told": came.messages,
        "messages lost": came.lost,
        "fetched afterwards": came.fetched,
        "put right by comparing": came.repaired,
        "storms that did not end as calm weather does": len(came.failures),
        "bugs of hearing that comparing mends": mended,
        "planted bugs": {name: f"noticed after {soon} storms" for name, soon in found.items() if soon},
    }
    report.shortfalls.append(
        "storms that lose or delay messages are compared in bookings, payments, refunds and ledger: what people were"
        " told meanwhile differs, as it must"
    )
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
