"""`guildhall doctor`: is everything as it should be, and if not, what to do."""

# ruff: noqa: PLC0415 - a command loads what it needs when it runs; most need little

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from entrypoints.cli.desk import Json, desk_of
from entrypoints.cli.showing import out, show_json

if TYPE_CHECKING:
    from entrypoints.container.examining import Finding
    from entrypoints.settings import Settings

_STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red", "skipped": "dim"}


def doctor(
    ctx: typer.Context,
    offline: Annotated[
        bool, typer.Option("--offline", help="Leave out what needs the network or the database.")
    ] = False,
    rules: Annotated[
        bool, typer.Option("--rules", help="Instead, check every rule of the business on the rows that are stored.")
    ] = False,
    json_: Json = False,
) -> None:
    """Look the house over: versions, settings, keys, the port, mail, the database with its roles and policies, the
    audit trail, the ledger, ratings and events. Exits with 1 when something fails; warnings alone are no failure."""
    from entrypoints.settings import SettingsProblems

    desk = desk_of(ctx, json=json_)
    if rules:
        if offline:
            raise typer.BadParameter("--rules reads the database, --offline leaves it out")
        from entrypoints.cli.rulebook import ask_the_rules

        if not ask_the_rules(desk):
            raise typer.Exit(1)
        return
    try:
        settings = desk.settings
    except SettingsProblems as problems:
        found = _wrong(problems)
    else:
        desk.listen()
        with desk.busy("Looking"):
            found = asyncio.run(_examined(settings, offline=offline))
    well = all(each.verdict != "fail" for each in found)
    if desk.json:
        show_json({"well": well, "findings": found})
    else:
        _tell(found)
    if not well:
        raise typer.Exit(1)


async def _examined(settings: "Settings", *, offline: bool) -> "list[Finding]":
    from entrypoints.container.examining import Finding, Verdict, abroad, at_home

    found = [*at_home(settings), _port(settings)]
    if offline:
        skipped = Finding(part="database and mail", verdict=Verdict.SKIPPED, seen="not looked at: --offline")
        return [*found, skipped]
    return [*found, *[each async for each in abroad(settings)]]


def _wrong(problems: Exception) -> "list[Finding]":
    from entrypoints.container.examining import fail
    from entrypoints.settings import SettingsProblems

    assert isinstance(problems, SettingsProblems)
    return [fail(f"settings: {each.name}", each.wrong, each.fix) for each in problems.problems]


def _port(settings: "Settings") -> "Finding":
    from entrypoints.cli.doors import PortTaken, holder, taken
    from entrypoints.container.examining import ok, warn

    place = f"{settings.host}:{settings.port}"
    try:
        taken(settings.host, settings.port).close()
    except PortTaken as refusal:
        who = holder(settings.host, settings.port)
        if who.version:
            return ok("port", f"{place}: {who} answers")
        return warn("port", refusal.message, "stop it, or choose another with GUILDHALL_PORT")
    return ok("port", f"{place} is free")


def _tell(found: "list[Finding]") -> None:
    console = out()
    widest = max(len(each.part) for each in found)
    for each in found:
        verdict = (f"{each.verdict.value:<8}", _STYLES[each.verdict])
        console.print(Text.assemble(verdict, (f"{each.part:<{widest}}  ", "bold"), each.seen), soft_wrap=True)
        if each.fix:
            console.print(Text(f"{'':<8}{'':<{widest}}  -> {each.fix}", style="dim"), soft_wrap=True)
