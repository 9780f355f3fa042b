"""What an operator does to the house itself: migrate, seed, look at settings, rotate keys, move a demo's clock."""

# ruff: noqa: PLC0415 - a command loads what it needs when it runs; most need little

import asyncio
import re
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from domain.shared.actors import Actor
from domain.shared.errors import Conflict
from domain.shared.time import instant
from entrypoints.cli.desk import Desk, Json, desk_of
from entrypoints.cli.showing import as_json, show_json, show_rows

if TYPE_CHECKING:
    from entrypoints.cli.demo_town import Login
    from entrypoints.container import OpenHouse

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_LENGTH = re.compile(r"(?:\d+(?:\.\d+)?[smhdw])+")
_PART = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")


class ClockFixed(Conflict):
    """This instance goes by the machine's own clock, which nobody moves."""

    code = "clock.fixed"

    def __init__(self) -> None:
        super().__init__("only a demo or test has a movable clock: set GUILDHALL_CLOCK=movable")


def migrate(
    ctx: typer.Context,
    sql: Annotated[bool, typer.Option("--sql", help="Print the whole way as SQL, and change nothing.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Only look: exit with 1 unless there is nothing to do.")
    ] = False,
    json_: Json = False,
) -> None:
    """Bring the database to the schema of this version. Two who do so at once wait for one another; what is there
    already is not done again."""
    from entrypoints.container import migrating

    desk = desk_of(ctx, json=json_)
    if sql:
        sys.stdout.write(asyncio.run(migrating.script(desk.settings)))
        return
    settings = desk.settings
    if settings.storage == "memory":
        raise typer.BadParameter("what is kept in memory has no schema to migrate")
    desk.listen()
    with desk.busy("Looking at the database" if check else "Migrating"):
        before = asyncio.run(migrating.standing(settings) if check else migrating.upgrade(settings))
    at = before.found if check else before.wanted
    desk.show({"revision": at, "newest": before.wanted, "before": before.found, "present": at == before.wanted})
    if at != before.wanted:
        raise typer.Exit(1)


def seed(
    ctx: typer.Context,
    demo: Annotated[bool, typer.Option("--demo", help="A demo town, with people one can sign in as.")] = False,
    json_: Json = False,
) -> None:
    """Fill an empty store. A house for real needs nothing but its first admin (`guildhall user create-admin`); with
    --demo a town moves in, unless somebody lives there already."""
    desk = desk_of(ctx, json=json_)
    if not demo:
        raise typer.BadParameter(
            "say what with: --demo for a demo town; a house for real begins with `guildhall user create-admin`"
        )
    desk.given or desk.settings_with(demo=True)

    async def seeded(house: "OpenHouse", _: Actor) -> "tuple[tuple[Login, ...], bool]":
        from entrypoints.cli.demo_town import found_town, logins, settled

        if await settled(house):
            return await logins(house), False
        return await found_town(house), True

    with desk.busy("Building the demo town"):
        people, new = desk.ask(seeded)
    if desk.json:
        show_json({"seeded": new, "logins": people})
        return
    desk.note("a town has moved in" if new else "somebody lives here already: nothing was done")
    if people:
        show_rows(people, ("role", "email", "password", "about"))


config = typer.Typer(no_args_is_help=True, add_completion=False)


@config.callback()
def _config() -> None:
    """Settings: what is set, and where."""


@config.command("show")
def show_config(ctx: typer.Context, json_: Json = False) -> None:
    """Every setting by its name in the environment, secrets masked; what differs from the default is marked."""
    from entrypoints.settings import env_name

    desk = desk_of(ctx, json=json_)
    settings = desk.settings
    shown = settings.shown()
    if desk.json:
        show_json(shown)
        return
    chosen = {env_name(field) for field in settings.model_fields_set}
    show_rows(
        [
            {"name": name, "value": value or "-", "set": "set" if name in chosen else ""}
            for name, value in shown.items()
        ],
        ("name", "value", "set"),
    )


keys = typer.Typer(help="Keys that access tokens are signed with.", no_args_is_help=True, add_completion=False)


@keys.command("rotate")
def rotate(
    ctx: typer.Context,
    keep: Annotated[
        str, typer.Option(metavar="LENGTH", help="How long the present keys go on verifying, such as 24h or 90m.")
    ] = "24h",
    at_once: Annotated[
        bool, typer.Option("--at-once", help="Drop the present keys now: every token they signed is worthless.")
    ] = False,
    json_: Json = False,
) -> None:
    """Sign with a new key from now on. Running processes notice by themselves."""
    from entrypoints.container import Container

    desk = desk_of(ctx, json=json_)
    container = Container(settings=desk.settings)
    kept = timedelta() if at_once else _length(keep)
    fresh = container.keyring().rotate(now=container.clock().now(), keep=kept)
    desk.show({"signs": fresh.kid, "verify": [key.kid for key in container.keyring().keys]})


@keys.command("list")
def list_keys(ctx: typer.Context, json_: Json = False) -> None:
    """The keys there are, the one that signs first; their public halves are at /.well-known/jwks.json."""
    from entrypoints.container import Container

    desk = desk_of(ctx, json=json_)
    found = [
        {"kid": key.kid, "made_at": key.made_at, "retired_at": key.retired_at}
        for key in Container(settings=desk.settings).keyring().keys
    ]
    if desk.json:
        show_json({"items": found, "more": False})
    else:
        show_rows(found, ("kid", "made_at", "retired_at"))


clock = typer.Typer(help="The clock of a demo or test instance.", no_args_is_help=True, add_completion=False)


@clock.command("show")
def show_clock(ctx: typer.Context, json_: Json = False) -> None:
    """What time it is for this instance."""
    from entrypoints.container import Container

    desk = desk_of(ctx, json=json_)
    container = Container(settings=desk.settings)
    desk.show({"now": container.clock().now(), "clock": desk.settings.clock.value})


@clock.command("advance")
def advance(
    ctx: typer.Context,
    by: Annotated[str, typer.Argument(metavar="LENGTH", help="Such as 90m, 36h or 2w.", show_default=False)],
    json_: Json = False,
) -> None:
    """Move time forward, for every process of this instance."""
    desk = desk_of(ctx, json=json_)
    desk.show({"now": _movable(desk).advance(_length(by))})


@clock.command("set")
def set_clock(
    ctx: typer.Context,
    to: Annotated[str, typer.Argument(metavar="MOMENT", help='Such as "2026-03-28T12:00Z".', show_default=False)],
    json_: Json = False,
) -> None:
    """Make it that moment now; time goes on from there."""
    desk = desk_of(ctx, json=json_)
    try:
        moment = datetime.fromisoformat(to)
    except ValueError:
        raise typer.BadParameter(f"{to!r} is no moment") from None
    desk.show({"now": _movable(desk).set(instant(moment))})


def openapi(
    ctx: typer.Context,
    to: Annotated[Path | None, typer.Argument(metavar="FILE", help="Write it there instead of printing it.")] = None,
) -> None:
    """The OpenAPI document of the API, as JSON."""
    from entrypoints.container.serving import api_description

    desk = desk_of(ctx)
    document = as_json(api_description()) + "\n"
    if to is None:
        sys.stdout.write(document)
        return
    to.write_text(document)
    desk.note(f"written to {to}")


def _movable(desk: Desk) -> Any:
    from entrypoints.container import Container

    if desk.settings.clock != "movable":
        raise ClockFixed
    return Container(settings=desk.settings).clock()


def _length(text: str) -> timedelta:
    """A length of time such as 1d12h."""
    if not _LENGTH.fullmatch(text):
        raise typer.BadParameter(f"{text!r} is no length of time: say 90m, 36h or 2w")
    try:
        return sum((timedelta(**{_UNITS[unit]: float(count)}) for count, unit in _PART.findall(text)), timedelta())
    except OverflowError:
        raise typer.BadParameter(f"{text!r} is longer than there is time") from None
