"""`python -m tests.proof.moving [--quick]`: a town of 100,000 rows there, on, and back again."""

import argparse
import asyncio
import itertools
import subprocess
import sys
from contextlib import AsyncExitStack

from benchmarks.town import Sizes

from tests.contracts.movers import POSTGRES, SUPABASE, End, end
from tests.proof.databases import postgres
from tests.proof.moving.campaign import ROOT, Leg, killed, moved
from tests.proof.moving.town import built
from tests.proof.reporting import Report

TOWN = Sizes(jobs=16_000, bookings=28_000, customers=4_200)
HOUSE_ROWS = 6_000
CONTROLS = "skips_what or forgets_what or does_not_wait or one_byte or still_has_in_hand"


def main() -> int:
    """Move."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a twentieth of the town, and five kills")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    report = Report(name="moving")
    share = 20 if asked.quick else 1
    sizes = Sizes(jobs=TOWN.jobs // share, bookings=TOWN.bookings // share, customers=TOWN.customers // share)
    with postgres() as server:
        asyncio.run(_legs(report, server, sizes, HOUSE_ROWS // share))
        with server.clone() as url:
            asyncio.run(built(url, sizes, HOUSE_ROWS // share))
            kills = asyncio.run(killed(url, server, kills=5 if asked.quick else asked.kills, seed=asked.seed))
    report.figures |= {
        "kills (-9) of the mover": kills.struck,
        "of them while": kills.phases,
        "moves brought to their end after kills": kills.moves,
    }
    report.failures += kills.failures
    report.figures["planted mistakes caught"] = _controls(report)
    return report.finish()


async def _legs(report: Report, server: object, sizes: Sizes, house_rows: int) -> None:
    class Only:
        """One server under every version."""

        def get(self, _: str) -> object:
            return server

    numbers = itertools.count(1_000)
    async with AsyncExitStack() as stack:
        ends: list[End] = [
            await stack.enter_async_context(end(kind, Only()))  # type: ignore[arg-type]
            for kind in (POSTGRES, SUPABASE, POSTGRES, SUPABASE)
        ]
        rows = await built(ends[0].url, sizes, house_rows)
        report.figures |= {"rows": rows, "users": sizes.providers + sizes.customers}
        legs = {
            "PostgreSQL to Supabase, people writing": await moved(ends[0], ends[1], writers=3, numbers=numbers),
            "Supabase to PostgreSQL": await moved(ends[1], ends[2], seed=2),
            "back to Supabase, people writing": await moved(ends[2], ends[1], writers=3, seed=3, numbers=numbers),
            "and back to PostgreSQL": await moved(ends[1], ends[2], seed=4),
            "on to a fresh Supabase": await moved(ends[2], ends[3], seed=5),
        }
    for name, leg in legs.items():
        report.figures[name] = _told(leg)
        report.failures += [f"{name}: {failure}" for failure in leg.failures]


def _told(leg: Leg) -> dict[str, object]:
    told: dict[str, object] = {"rows": leg.rows, "rows/s": leg.rows_per_second, "frozen s": leg.frozen_seconds}
    if leg.writes:
        told |= {"writes meanwhile": leg.writes, "clients waited s": leg.silence_seconds}
    return told


def _controls(report: Report) -> int:
    """The planted mistakes, each of which a test must catch."""
    command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/contracts/test_moving.py")
    run = subprocess.run((*command, "-k", CONTROLS), cwd=ROOT, capture_output=True, text=True, check=False)
    last = run.stdout.strip().splitlines()[-1] if run.stdout.strip() else run.stderr
    if run.returncode:
        report.failures.append(f"a planted mistake was not caught: {last}")
        return 0
    return 5


if __name__ == "__main__":
    sys.exit(main())
