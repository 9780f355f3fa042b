"""`python -m benchmarks`: measure everybody in turn, and say which goals were reached."""

import argparse
import os
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime

from rich.console import Console

from benchmarks import growth, machine, scenes
from benchmarks.contenders import HERE, Contender, contenders
from benchmarks.database import SETTINGS, Cluster, cluster
from benchmarks.questions import Bookings
from benchmarks.report import Results
from benchmarks.rounds import CONNECTIONS, Measured, measure, operations
from benchmarks.tokens import minted, warmed
from benchmarks.town import Sizes

KNOWN = 512
"""Customers who book, each signed in and seen before, as those are who have looked around for a minute."""
CROWDED = ": requests per second say little then, the microseconds of processor and their ratios somewhat more."
FOLDER = HERE.parent / "build" / "bench"


def main(arguments: list[str]) -> int:
    """The command."""
    given = _parsed(arguments)
    console = Console(width=None if sys.stdout.isatty() else 150)
    FOLDER.mkdir(parents=True, exist_ok=True)
    described, halves = machine.described(), machine.halves()
    application, rest = halves or (None, None)
    machine.pin(rest)
    sizes = Sizes(given.jobs, given.bookings)
    stamp = f"{datetime.now(UTC):%Y-%m-%d}-{described['processors']}cpu" + ("-quick" if given.quick else "")

    def tell(what: str) -> None:
        console.print(f"[dim]{datetime.now(UTC):%H:%M:%S} {what}[/dim]")

    with cluster(FOLDER / "postgres", tell) as server:
        machine.pin(rest, server.postmaster)
        if given.growth:
            growth.run(server, FOLDER, halves, console, tell, f"growth-{stamp}", given.most)
            return 0
        chosen = [one for one in contenders(tell=tell) if not given.only or one.name in given.only]
        results = _measured(server, sizes, chosen, halves, given, tell)
        if not given.only or "guildhall" in given.only:
            _scenes(server, sizes, results, application, given.quick, tell)
    results.machine = described
    results.settings["pinned"] = "application on one processor, database and load on another" if halves else "no"
    results.show(console)
    tell(f"written: {results.write(given.name or stamp)}")
    return 0


def _measured(
    server: Cluster,
    sizes: Sizes,
    chosen: list[Contender],
    halves: tuple[int, int] | None,
    given: argparse.Namespace,
    tell: Callable[[str], None],
) -> Results:
    application, rest = halves or (None, None)
    rounds, seconds, warm = (3, 1.0, 0.4) if given.quick else (given.rounds, given.seconds, 0.5)
    with server.town(sizes) as database, ExitStack() as stack:
        running = [stack.enter_context(one.serve(database, FOLDER, application)) for one in chosen]
        tokens = minted(FOLDER / "guildhall", min(KNOWN, sizes.customers))
        for who in running:
            if who.name == "guildhall":
                warmed(who.port, tokens)
        asked = operations(sizes, tokens, FOLDER)
        if given.operations:
            asked = [one for one in asked if one.name in given.operations]
        plan = [(one, [who for who in running if one.only is None or who.name in one.only]) for one in asked]
        measured = {one.name: Measured(one.name, {who.name: [] for who in able}) for one, able in plan if able}
        begun, others = time.perf_counter(), machine.busy() - machine.used(os.getpid(), server.postmaster)
        for number in range(rounds):
            for one, able in plan:
                tell(f"round {number + 1} of {rounds}: {one.title}")
                for turn in range(len(able)):
                    # Who comes first changes from round to round.
                    who = able[(turn + number) % len(able)]
                    figures = measure(one, who, server.postmaster, seconds=seconds, warm=warm, processor=rest)
                    measured[one.name].rounds[who.name].append(figures)
        took = time.perf_counter() - begun
        others = (machine.busy() - machine.used(os.getpid(), server.postmaster) - others) / took
    settings = {
        "data": f"{sizes.jobs:,} jobs, {sizes.bookings:,} bookings, {sizes.providers:,} providers",
        "load": f"{CONNECTIONS} keep-alive connections, {rounds} interleaved rounds of {seconds:g} s, medians; "
        "ratios are taken within a round",
        "database": "embedded PostgreSQL 18, durable; " + ", ".join(f"{k} = {v}" for k, v in SETTINGS.items()),
    }
    return Results(
        machine={},
        settings=settings,
        about={one.name: one.about for one in chosen},
        titles={one.name: one.title for one in asked},
        measured=measured,
        notes=[f"Others used {max(0.0, others):.2f} processors meanwhile" + (CROWDED if others > 0.1 else ".")],
    )


def _scenes(
    server: Cluster, sizes: Sizes, results: Results, application: int | None, quick: bool, tell: Callable[[str], None]
) -> None:
    times, times_of = results.times, (10, 30, 1) if quick else (40, 120, 3)
    if "slots_alone" in results.measured:
        times["slots_alone"] = results.measured["slots_alone"].median("guildhall", "p95")
    few = Sizes(min(sizes.jobs, 10_000), min(sizes.bookings, 20_000))
    with server.town(few) as database:
        folder = FOLDER / "guildhall-and-worker"
        tokens = minted(folder, few.customers)
        guildhall = next(one for one in contenders() if one.name == "guildhall")
        with guildhall.serve(database, FOLDER, application) as running:
            tell(f"{scenes.RACERS} at one slot")
            times |= scenes.race(running.port, Bookings(few, minted(FOLDER / "guildhall", scenes.RACERS)), times_of[0])
        tell("webhooks")
        times |= scenes.webhook(database, folder, application, Bookings(few, tokens, offset=1), times_of[1])
    tell("starting")
    times |= scenes.starts(times_of[2])


def _parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three short rounds: figures to look at, not to quote")
    parser.add_argument("--growth", action="store_true", help="only how Guildhall fares as its tables grow")
    parser.add_argument("--most", type=int, default=1_000_000, help="the largest size of --growth")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2.0, help="measured seconds per operation and contender")
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--bookings", type=int, default=200_000)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="only these: guildhall floor orm django fastify")
    parser.add_argument("--operations", nargs="+", metavar="NAME", help="only these: read newest relevance book ...")
    parser.add_argument("--name", help="of the files in benchmarks/results, instead of the date")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
