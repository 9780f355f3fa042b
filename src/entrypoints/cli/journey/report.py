"""What the journey was: acts and their steps, how each went, told while it happens and once more at the end."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text


@dataclass(slots=True, kw_only=True)
class Entry:
    """How one step went. `trouble` says why it did not hold; a step that was never reached has no seconds."""

    act: str
    step: str
    seconds: float | None = None
    checks: list[str] = field(default_factory=list)
    trouble: str = ""

    @property
    def passed(self) -> bool:
        """Whether it was played, everything held, and something was checked at all."""
        return self.seconds is not None and not self.trouble and bool(self.checks)

    @property
    def mark(self) -> tuple[str, str]:
        """A word for it, and its colour."""
        if self.seconds is None:
            return "never", "yellow"
        return ("ok", "green") if self.passed else ("FAIL", "bold red")


@dataclass(slots=True)
class Report:
    """All steps in their order, and what the instance said last if one of them failed."""

    entries: list[Entry]
    seconds: float = 0.0
    last_words: str = ""

    @property
    def passed(self) -> bool:
        """Whether there were steps, and every one of them was played and held."""
        return bool(self.entries) and all(entry.passed for entry in self.entries)

    @property
    def exit_code(self) -> int:
        """What a command that played it exits with."""
        return 0 if self.passed else 1

    def summed_up(self) -> str:
        """In one line."""
        good, checks = sum(entry.passed for entry in self.entries), sum(len(entry.checks) for entry in self.entries)
        verdict = "The journey holds" if self.passed else "The journey does not hold"
        return f"{verdict}: {good} of {len(self.entries)} steps, {checks} checks, {self.seconds:.1f} s"

    def as_data(self) -> dict[str, Any]:
        """For programs."""
        steps = [
            {
                "act": entry.act,
                "step": entry.step,
                "passed": entry.passed,
                "seconds": entry.seconds,
                "checks": entry.checks,
                "trouble": entry.trouble,
            }
            for entry in self.entries
        ]
        return {"passed": self.passed, "seconds": round(self.seconds, 3), "steps": steps, "last_words": self.last_words}


class Stand:
    """Where people watch: a bar on a terminal, a line per step elsewhere, nothing for programs."""

    def __init__(self, console: Console, *, steps: int, quiet: bool = False) -> None:
        self._console, self._quiet = console, quiet
        self._live = ExitStack()
        columns = (
            SpinnerColumn(),
            MofNCompleteColumn(),
            BarColumn(24),
            TimeElapsedColumn(),
            TextColumn("{task.description}"),
        )
        self._bar = Progress(*columns, console=console, transient=True) if console.is_terminal and not quiet else None
        self._task = None if self._bar is None else self._bar.add_task("", total=steps)

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._live.enter_context(self._bar)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.close()

    def begins(self, entry: Entry) -> None:
        """This step is played now."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, description=entry.step)

    def ends(self, entry: Entry) -> None:
        """And that is how it went."""
        if self._bar is not None and self._task is not None:
            self._bar.advance(self._task)
        elif not self._quiet:
            self._console.print(_line(entry), soft_wrap=True)


def show(report: Report, console: Console) -> None:
    """The whole report: act by act, step by step, with every check."""
    for act, entries in _by_act(report.entries).items():
        console.print()
        console.print(Text(act, style="bold"), soft_wrap=True)
        for entry in entries:
            console.print(_line(entry), soft_wrap=True)
            for check in entry.checks:
                console.print(Text(f"              - {check}", style="dim"), soft_wrap=True)
            if entry.trouble:
                console.print(Text(f"              ! {entry.trouble}", style="red"), soft_wrap=True)
    if report.last_words:
        console.print(Text("\nWhat the instance said last:", style="bold"))
        console.print(Text(report.last_words, style="dim"), soft_wrap=True)
    console.print()
    console.print(Text(report.summed_up(), style="bold green" if report.passed else "bold red"), soft_wrap=True)


def _line(entry: Entry) -> Text:
    word, colour = entry.mark
    took = "" if entry.seconds is None else f"{entry.seconds:.2f} s"
    return Text.assemble((f"{word:>5}", colour), (f"{took:>8}", "dim"), f" {entry.step}")


def _by_act(entries: Iterable[Entry]) -> Mapping[str, Sequence[Entry]]:
    acts: dict[str, list[Entry]] = {}
    for entry in entries:
        acts.setdefault(entry.act, []).append(entry)
    return acts
