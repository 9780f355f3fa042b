"""`python -m tests.proof.moving [--quick]`: a town of 100,000 rows and 1,000 files there, on, and back again."""

import argparse
import asyncio
import itertools
import subprocess
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from benchmarks.town import Sizes

from adapters.supabase.storage import SupabaseObjects
from tests.contracts.movers import POSTGRES, SUPABASE, end
from tests.proof.databases import postgres
from tests.proof.moving.campaign import Home, Leg, moved
from tests.proof.moving.files import Shelves
from tests.proof.moving.kills import ROOT, Kills, killed_on_the_day, killed_while_copying
from tests.proof.moving.town import built
from tests.proof.reporting import Report

TOWN = Sizes(jobs=16_000, bookings=28_000, customers=4_200)
HOUSE_ROWS, FILES = 6_000, 1_000
COPYING_KILLS = 16
"""Besides these, each step of the day is struck three times (`kills.STEPS`)."""
SMALL = 20
"""How many times smaller a town is whose moves are struck on the day itself, and every town of a quick campaign."""
CONTROLS = "skips_what or forgets_what or does_not_wait or one_byte or one_flipped or still_has_in_hand or late_word"


def main() -> int:
    """Move."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a twentieth of the town, and fewer kills")
    parser.add_argument("--copying-kills", type=int, default=COPYING_KILLS)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    report, kills = Report(name="moving"), Kills()
    share = SMALL if asked.quick else 1
    sizes = smaller(TOWN, share)
    with postgres() as server:
        asyncio.run(_legs(report, server, sizes, HOUSE_ROWS // share, FILES // share))
        with server.clone() as url:
            asyncio.run(built(url, sizes, HOUSE_ROWS // share))
            count = 2 if asked.quick else asked.copying_kills
            asyncio.run(killed_while_copying(url, server, kills, count=count, seed=asked.seed))
        with server.clone() as url:
            asyncio.run(built(url, smaller(TOWN, SMALL), HOUSE_ROWS // SMALL))
            most = 2 if asked.quick else None
            asyncio.run(killed_on_the_day(url, server, kills, most=most, seed=asked.seed))
    report.figures |= {
        "kills (-9) of the mover": kills.struck.total(),
        "of them while": dict(kills.struck),
        "who took writes after a kill on the day": dict(kills.left),
        "moves brought to their end after kills": f"{kills.moves}: {kills.cut_over} cut over, {kills.rolled_back} back",
        "commands given again, not answered in time": kills.given_again,
    }
    report.failures += kills.failures
    report.figures["planted mistakes caught"] = _controls(report)
    return report.finish()


def smaller(sizes: Sizes, share: int) -> Sizes:
    """A town so many times smaller."""
    return Sizes(jobs=sizes.jobs // share, bookings=sizes.bookings // share, customers=sizes.customers // share)


async def _legs(report: Report, server: object, sizes: Sizes, house_rows: int, files: int) -> None:
    class Only:
        """One server under every version."""

        def get(self, _: str) -> object:
            return server

    numbers = itertools.count(1_000)
    async with AsyncExitStack() as stack:
        shelves = Shelves(Path(stack.enter_context(tempfile.TemporaryDirectory())))
        homes: list[Home] = []
        for number, kind in enumerate((POSTGRES, SUPABASE, POSTGRES, SUPABASE)):
            house = await stack.enter_async_context(end(kind, Only()))  # type: ignore[arg-type]
            homes.append(Home(house, shelves.of(kind, f"house-{number}")))
            if isinstance(shelf := homes[-1].shelf, SupabaseObjects):
                stack.push_async_callback(shelf.aclose)
        first, second, third, fourth = homes
        rows = await built(first.house.url, sizes, house_rows)
        await shelves.bring(first.house, first.shelf, files, owners=sizes.customers)
        report.figures |= {
            "rows": rows + files,
            "users": sizes.providers + sizes.customers,
            "files": f"{files:,} in {len(shelves.hashes):,} objects of {shelves.weight / 1e6:,.0f} MB",
        }
        told: Any = {"owners": sizes.customers, "numbers": numbers}
        legs = {
            "PostgreSQL to Supabase, people writing": await moved(first, second, shelves, writers=3, **told),
            "Supabase to PostgreSQL": await moved(second, third, shelves, seed=2, **told),
            "back to Supabase, people writing": await moved(third, second, shelves, writers=3, seed=3, **told),
            "and back to PostgreSQL": await moved(second, third, shelves, seed=4, **told),
            "on to a fresh Supabase": await moved(third, fourth, shelves, seed=5, **told),
        }
    for name, leg in legs.items():
        report.figures[name] = _told(leg)
        report.failures += [f"{name}: {failure}" for failure in leg.failures]


def _told(leg: Leg) -> dict[str, object]:
    told: dict[str, object] = {"rows": leg.rows, "rows/s": leg.rows_per_second, "frozen s": leg.frozen_seconds}
    if leg.writes:
        told |= {"writes meanwhile": leg.writes, "clients waited s": leg.silence_seconds}
    files = leg.files
    told |= {"objects": files.objects, "copied": files.copied, "in s": round(files.seconds, 1)}
    return told | {"weighed in s": round(files.weighed_in, 1)}


def _controls(report: Report) -> int:
    """The planted mistakes, each of which a test must catch."""
    tests = ("tests/contracts/test_moving.py", "tests/application/test_moving_files.py")
    command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests, "-k", CONTROLS)
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    last = run.stdout.strip().splitlines()[-1] if run.stdout.strip() else run.stderr
    if run.returncode:
        report.failures.append(f"a planted mistake was not caught: {last}")
        return 0
    return len(CONTROLS.split(" or "))


if __name__ == "__main__":
    sys.exit(main())
