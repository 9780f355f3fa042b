"""`guildhall doctor --rules`: does the business still hold, rule by rule, and what offends it."""

# ruff: noqa: PLC0415 - a command loads what it needs when it runs; most need little

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from entrypoints.cli.showing import err, out, show_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from domain.shared.actors import Actor
    from entrypoints.cli.desk import Desk
    from entrypoints.container import OpenHouse
    from entrypoints.container.examining.rules import RuleFinding


def ask_the_rules(desk: "Desk") -> bool:
    """Read every rule of the business on the rows that are stored, and tell; whether all of them hold."""

    async def asked(house: "OpenHouse", _: "Actor") -> "list[RuleFinding]":
        from entrypoints.container.examining.rules import rules

        with _bar(quiet=desk.json) as begins:
            return [finding async for finding in rules(house, begins=begins)]

    found = desk.ask(asked)
    well = all(each.holds for each in found)
    if desk.json:
        show_json({"well": well, "rules": [{"holds": each.holds, **_as_data(each)} for each in found]})
    else:
        _tell(found)
    return well


@contextmanager
def _bar(*, quiet: bool) -> "Iterator[Callable[[str, int], None]]":
    """A bar on a terminal, nothing elsewhere."""
    console = err()
    if quiet or not console.is_terminal:
        yield lambda _rule, _many: None
        return
    columns = (MofNCompleteColumn(), BarColumn(24), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None, completed=-1)

        def begins(rule: str, many: int) -> None:
            bar.update(task, description=rule, total=many, advance=1)

        yield begins


def _as_data(finding: "RuleFinding") -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(finding)


def _tell(found: "list[RuleFinding]") -> None:
    console = out()
    for each in found:
        word = (f"{'ok':<6}", "green") if each.holds else (f"{'BROKEN':<6}", "bold red")
        console.print(Text.assemble(word, (f" {each.code:<3} ", "bold"), each.says), soft_wrap=True)
        if each.holds:
            continue
        for offence in each.offences:
            console.print(Text(f"           {offence['subject']}: {offence['said']}"), soft_wrap=True)
        if each.total > len(each.offences):
            console.print(Text(f"           and {each.total - len(each.offences)} more"), soft_wrap=True)
        console.print(Text(f"           it means: {each.means}", style="dim"), soft_wrap=True)
        console.print(Text(f"           -> {each.mend}", style="dim"), soft_wrap=True)
    broken = sum(not each.holds for each in found)
    last = f"{broken} of {len(found)} rules are broken" if broken else f"all {len(found)} rules hold"
    console.print(Text(f"\n{last}", style="bold red" if broken else "bold green"), soft_wrap=True)
    console.print(
        Text(
            "That the ledger equals the gateway (M5) takes the gateway's own books, and is not looked at here.", "dim"
        ),
        soft_wrap=True,
    )
