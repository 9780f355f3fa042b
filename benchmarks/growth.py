"""How Guildhall fares as its tables grow: more jobs to search, more bookings to fit between."""

from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.contenders import contenders
from benchmarks.database import Cluster
from benchmarks.plot import curves
from benchmarks.report import FOLDER as RESULTS
from benchmarks.rounds import Figures, measure, operations
from benchmarks.tokens import minted
from benchmarks.town import Sizes

JOBS = (10_000, 100_000, 1_000_000)
BOOKINGS = (100, 10_000, 1_000_000)
JOBS_MEANWHILE, BOOKINGS_MEANWHILE = 100_000, 10_000
"""What stays as it is while the other grows."""
_BY_JOBS, _BY_BOOKINGS = ("read", "newest", "relevance"), ("slots_alone", "book")


def run(
    server: Cluster,
    folder: Path,
    halves: tuple[int, int] | None,
    console: Console,
    tell: Callable[[str], None],
    name: str,
    most: int,
) -> None:
    """Measure every size in turn, each on a town of its own that later runs find again."""
    application, rest = halves or (None, None)
    guildhall = next(one for one in contenders() if one.name == "guildhall")
    wanted = {Sizes(jobs, BOOKINGS_MEANWHILE): _BY_JOBS for jobs in JOBS if jobs <= most}
    for bookings in BOOKINGS:
        if bookings <= most:
            sizes = Sizes(JOBS_MEANWHILE, bookings)
            wanted[sizes] = (*wanted.get(sizes, ()), *_BY_BOOKINGS)
    seen: dict[tuple[str, Sizes], Figures] = {}
    for sizes, names in wanted.items():
        with server.town(sizes) as database, guildhall.serve(database, folder, application) as running:
            for one in operations(sizes, minted(folder / "guildhall", sizes.customers), folder):
                if one.name in names:
                    tell(f"{one.title} among {sizes.jobs:,} jobs and {sizes.bookings:,} bookings")
                    some = [
                        measure(one, running, server.postmaster, seconds=2, warm=0.5, processor=rest) for _ in range(3)
                    ]
                    seen[one.name, sizes] = sorted(some, key=lambda figures: figures.p50)[1]
    _show(seen, console)
    _write(seen, name)


def _show(seen: dict[tuple[str, Sizes], Figures], console: Console) -> None:
    table = Table("operation", "jobs", "bookings", "per second", "app us", "database us", "p50 ms", "p95 ms")
    for (name, sizes), figures in sorted(
        seen.items(), key=lambda item: (item[0][0], item[0][1].jobs, item[0][1].bookings)
    ):
        numbers = (figures.rate, figures.cpu, figures.database)
        table.add_row(
            name,
            f"{sizes.jobs:,}",
            f"{sizes.bookings:,}",
            *(f"{number:,.0f}" for number in numbers),
            f"{figures.p50:.2f}",
            f"{figures.p95:.2f}",
        )
    console.print(table)


def _write(seen: dict[tuple[str, Sizes], Figures], name: str) -> None:
    RESULTS.mkdir(exist_ok=True)
    by_jobs = {one: sorted((float(s.jobs), f.database) for (n, s), f in seen.items() if n == one) for one in _BY_JOBS}
    by_bookings = {
        one: sorted((float(s.bookings), f.database) for (n, s), f in seen.items() if n == one) for one in _BY_BOOKINGS
    }
    said = "microseconds of the database's processor per request"
    for which, lines, across in (("jobs", by_jobs, "jobs"), ("bookings", by_bookings, "bookings")):
        drawn = curves(lines, title=f"As {across} grow", across=across, up=said)
        (RESULTS / f"{name}-{which}.svg").write_text(drawn)
    rows = []
    for (operation, sizes), figures in seen.items():
        numbers = f"{figures.rate:,.0f} | {figures.cpu:,.0f} | {figures.database:,.0f}"
        times = f"{figures.p50:.2f} | {figures.p95:.2f}"
        rows.append(f"| {operation} | {sizes.jobs:,} | {sizes.bookings:,} | {numbers} | {times} |")
    head = ["# Growth", "", f"![By jobs]({name}-jobs.svg) ![By bookings]({name}-bookings.svg)", ""]
    head += ["| operation | jobs | bookings | per second | app us | database us | p50 ms | p95 ms |", "|" + "---|" * 8]
    (RESULTS / f"{name}.md").write_text("\n".join([*head, *rows]) + "\n")
