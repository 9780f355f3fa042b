"""What was found: a table on the terminal, and JSON, Markdown and a picture in `benchmarks/results/`."""

import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.goals import NOT_MEASURED, Verdict, judged
from benchmarks.plot import bars
from benchmarks.rounds import Measured

FOLDER = Path(__file__).parent / "results"
COLUMNS = (
    "operation",
    "variant",
    "per second",
    "app us",
    "database us",
    "app busy",
    "p50 ms",
    "p99 ms",
    "x floor",
    "x by cpu",
)


@dataclass(slots=True, kw_only=True)
class Results:
    """One run."""

    machine: dict[str, str | int]
    settings: dict[str, str]
    about: dict[str, str]
    titles: dict[str, str]
    measured: dict[str, Measured]
    times: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def table(self) -> list[tuple[str, ...]]:
        """A row per operation and contender."""
        rows: list[tuple[str, ...]] = []
        for operation, one in self.measured.items():
            for name in one.rounds:
                floor = "floor" in one.rounds
                ratio = f"{one.ratio(name, 'floor'):.2f}" if floor else ""
                by_cpu = f"{one.ratio('floor', name, 'cpu'):.2f}" if floor else ""
                rows.append(
                    (
                        self.titles[operation],
                        name,
                        f"{one.median(name):,.0f}",
                        f"{one.median(name, 'cpu'):,.0f}",
                        f"{one.median(name, 'database'):,.0f}",
                        f"{one.median(name, 'busy'):.0%}",
                        f"{one.median(name, 'p50'):.1f}",
                        f"{one.median(name, 'p99'):.1f}",
                        ratio,
                        by_cpu,
                    )
                )
        return rows

    def show(self, console: Console) -> None:
        """On the terminal."""
        table = Table(*COLUMNS)
        before = ""
        for row in self.table():
            if before and row[0] != before:
                table.add_section()
            shown = ("" if row[0] == before else row[0], *row[1:])
            table.add_row(*shown, style="bold" if row[1] == "guildhall" else "")
            before = row[0]
        console.print(table)
        goals = Table("goal", "wanted", "seen", "")
        for verdict in judged(self.measured, self.times):
            goals.add_row(verdict.what, verdict.wanted, verdict.seen, said(verdict))
        console.print(goals)
        for line in (*self.notes, *(f"not measured: {one}" for one in NOT_MEASURED)):
            console.print(line)

    def write(self, name: str) -> Path:
        """As files; the Markdown one's path."""
        FOLDER.mkdir(exist_ok=True)
        (FOLDER / f"{name}.json").write_text(json.dumps(self._kept(), indent=1) + "\n")
        (FOLDER / f"{name}.svg").write_text(bars(self.measured, self.titles))
        path = FOLDER / f"{name}.md"
        path.write_text("\n".join(self._markdown(name)) + "\n")
        return path

    def _kept(self) -> dict[str, Any]:
        verdicts = [
            {"what": v.what, "wanted": v.wanted, "seen": v.seen, "verdict": said(v)}
            for v in judged(self.measured, self.times)
        ]
        rounds = {
            operation: {name: [asdict(figures) for figures in some] for name, some in one.rounds.items()}
            for operation, one in self.measured.items()
        }
        return {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": self.machine,
            "settings": self.settings,
            "contenders": self.about,
            "goals": verdicts,
            "times_ms": self.times,
            "rounds": rounds,
            "notes": self.notes,
        }

    def _markdown(self, name: str) -> list[str]:
        machine = ", ".join(f"{key.replace('_', ' ')}: {value}" for key, value in self.machine.items())
        lines = [f"# Benchmarks, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC", "", f"Machine: {machine}.", ""]
        lines += [f"- {key}: {value}" for key, value in self.settings.items()]
        lines += [f"- {who}: {what}" for who, what in self.about.items()]
        lines += ["", f"![Requests per second]({name}.svg)", "", _row(COLUMNS), _row(["---"] * len(COLUMNS))]
        lines += [_row(row) for row in self.table()]
        lines += ["", "| goal | wanted | seen | |", "|---|---|---|---|"]
        lines += [_row((v.what, v.wanted, v.seen, said(v))) for v in judged(self.measured, self.times)]
        extra = ", ".join(f"{key} {value:,.1f} ms" for key, value in self.times.items())
        lines += ["", f"Times: {extra}.", ""]
        lines += [*(f"- {note}" for note in self.notes), *(f"- Not measured: {one}." for one in NOT_MEASURED)]
        return lines


def said(verdict: Verdict) -> str:
    """Reached or missed, in words."""
    if verdict.reached is None:
        return "not measured"
    return "reached" if verdict.reached else "missed"


def _row(cells: Any) -> str:
    return f"| {' | '.join(cells)} |"
