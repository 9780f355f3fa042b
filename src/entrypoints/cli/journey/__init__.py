"""`guildhall demo`: the whole customer journey, played over HTTP on a throw-away instance, every step checked."""

# ruff: noqa: PLC0415 - a command loads what it needs when it runs

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from entrypoints.cli.desk import Json, desk_of
from entrypoints.cli.showing import out, show_json

if TYPE_CHECKING:
    from entrypoints.cli.journey.report import Report
    from entrypoints.cli.journey.story import Act

__all__ = ["play", "played"]


def play(
    ctx: typer.Context,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the instance's folder behind: database, mails and log.")
    ] = False,
    json_: Json = False,
) -> None:
    """Play the whole customer journey on a throw-away instance with a movable clock, over real HTTP: signing up,
    searching, booking, paying, talking, moving, reviewing, refunding. Says what was checked, and exits with 0 only when
    everything held. With GUILDHALL_STORAGE=supabase its rows are kept in that project, which has to be empty."""
    from entrypoints.cli.journey.acts import ACTS
    from entrypoints.cli.journey.outside import outside

    desk = desk_of(ctx, json=json_)
    raise typer.Exit(played(ACTS, json=desk.json, keep=keep, wishes=outside(desk)).exit_code)


def played(
    acts: "Sequence[Act]", *, json: bool = False, keep: bool = False, wishes: Mapping[str, str] | None = None
) -> "Report":
    """Play these acts, tell how it goes, and at the end how it went. `wishes` are further settings of the instance."""
    from entrypoints.cli.journey.performance import perform
    from entrypoints.cli.journey.report import Stand, show

    console = out()
    with Stand(console, steps=sum(len(act.steps) for act in acts), quiet=json) as stand:
        report = asyncio.run(perform(acts, stand, keep=keep, wishes=wishes))
    if json:
        show_json(report.as_data())
    else:
        show(report, console)
    return report
