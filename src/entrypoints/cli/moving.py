"""`guildhall move`: the whole house to another storage, and back."""

# ruff: noqa: PLC0415 - a command loads what it needs when it runs; most need little

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self, TypeVar

import orjson
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from application.moving import (
    CloseMove,
    Copied,
    CutOver,
    FilesVerdict,
    GiveLogins,
    MoveFiles,
    PlanMove,
    RollBack,
    RunMove,
    TakeLogins,
    VerifyFiles,
    VerifyMove,
)
from application.ports.moving import Watching
from entrypoints.cli.commands import said_by, with_examples
from entrypoints.cli.desk import Desk, Json, desk_of, operator
from entrypoints.cli.showing import err, show_rows

if TYPE_CHECKING:
    from entrypoints.settings import Settings
    from entrypoints.use_cases import UseCases

T = TypeVar("T")

app = typer.Typer(
    help="Move: the whole house to another storage, and back. docs/moving.md is the runbook of the day.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
)

To = Annotated[
    Path, typer.Option("--to", metavar="FILE", help="The .env of the installation to move into.", show_default=False)
]
From = Annotated[
    Path | None,
    typer.Option("--from", metavar="FILE", help="The .env of the installation that is left; by default this one's."),
]
TakeOver = Annotated[
    bool, typer.Option("--take-over", help="The mover that holds this move is dead: do not wait for its lease to end.")
]


@app.command("plan", help=said_by(PlanMove), epilog=with_examples("guildhall move plan --to new.env"))
def plan(ctx: typer.Context, to: To, from_: From = None, json_: Json = False) -> None:
    desk = desk_of(ctx, json=json_)
    with desk.busy("Looking at both ends"):
        found = _asked(desk, from_, to, lambda use: use(PlanMove)(operator()))
    if desk.json:
        desk.show(found)
        return
    show_rows(found.tables, ("table", "rows", "bytes", "there"))
    desk.show(
        {
            "way": found.way,
            "revision": found.revision,
            "rows": found.rows,
            "bytes": found.bytes,
            "rows_per_second": found.rows_per_second,
            "takes_about_seconds": found.seconds,
        }
    )


@app.command("run", help=said_by(RunMove), epilog=with_examples("guildhall move run --to new.env --follow"))
def run(
    ctx: typer.Context,
    to: To,
    from_: From = None,
    follow: Annotated[bool, typer.Option("--follow", help="Go on carrying changes until Ctrl-C.")] = False,
    take_over: TakeOver = False,
    json_: Json = False,
) -> None:
    desk = desk_of(ctx, json=json_)
    with Onlooker(desk) as watching:
        outcome = _asked(
            desk,
            from_,
            to,
            lambda use: use(RunMove)(operator(), take_over=take_over, follow=follow, watching=watching),
        )
        watching.told("done", **_figures(outcome))


@app.command("verify", help=f"{said_by(VerifyMove)} Exits with 1 when they are not the same.")
def verify(ctx: typer.Context, to: To, from_: From = None, json_: Json = False) -> None:
    desk = desk_of(ctx, json=json_)
    with desk.busy("Weighing both ends"):
        verdict = _asked(desk, from_, to, lambda use: use(VerifyMove)(operator()))
    if desk.json:
        desk.show({"identical": verdict.identical, **_figures(verdict)})
    else:
        if verdict.differences:
            show_rows(verdict.differences, ("table", "rows", "there", "missing", "too_many", "unlike"))
        desk.show(
            {
                "identical": verdict.identical,
                "tables": verdict.tables,
                "rows": verdict.rows,
                "changes_not_carried_yet": verdict.noted,
            }
        )
    if not verdict.identical:
        raise typer.Exit(1)


@app.command("cutover", help=said_by(CutOver), epilog=with_examples("guildhall move cutover --to new.env"))
def cutover(ctx: typer.Context, to: To, from_: From = None, take_over: TakeOver = False, json_: Json = False) -> None:
    desk = desk_of(ctx, json=json_)
    with Onlooker(desk) as watching:
        cut = _asked(desk, from_, to, lambda use: use(CutOver)(operator(), take_over=take_over, watching=watching))
        watching.told(
            "done",
            move=cut.move,
            state=cut.state,
            frozen_seconds=round(cut.frozen_seconds, 3),
            changes=cut.changes,
            rows_verified=cut.verdict.rows if cut.verdict else None,
        )


@app.command("rollback", help=said_by(RollBack), epilog=with_examples("guildhall move rollback --to new.env"))
def rollback(
    ctx: typer.Context,
    to: To,
    from_: From = None,
    lost: Annotated[bool, typer.Option("--lost", help="The new house is lost: do not ask it.")] = False,
    take_over: TakeOver = False,
    json_: Json = False,
) -> None:
    desk = desk_of(ctx, json=json_)
    with desk.busy("Going back"):
        move = _asked(
            desk,
            from_,
            None if lost else to,
            lambda use: use(RollBack)(operator(), take_over=take_over, lost=lost),
        )
    desk.show({"move": move, "state": "rolled_back"})


@app.command("close", help=said_by(CloseMove))
def close(ctx: typer.Context, to: To, from_: From = None, json_: Json = False) -> None:
    desk = desk_of(ctx, json=json_)
    with desk.busy("Settling in"):
        move = _asked(desk, from_, to, lambda use: use(CloseMove)(operator()))
    desk.show({"move": move, "state": "closed"})


@app.command("files", help=said_by(MoveFiles), epilog=with_examples("guildhall move files --to new.env --verify"))
def files(
    ctx: typer.Context,
    to: To,
    from_: From = None,
    verify_: Annotated[
        bool, typer.Option("--verify", help="Compare every byte at both ends afterwards; exits with 1 on a difference.")
    ] = False,
    json_: Json = False,
) -> None:
    desk = desk_of(ctx, json=json_)

    async def moved(use: "UseCases", watching: Watching) -> tuple[Copied, FilesVerdict | None]:
        copied = await use(MoveFiles)(operator(), watching=watching)
        return copied, await use(VerifyFiles)(operator(), watching=watching) if verify_ else None

    with Onlooker(desk) as watching:
        copied, verdict = _asked(desk, from_, to, lambda use: moved(use, watching))
        told = _figures(copied)
        if verdict is not None:
            told |= {"identical": verdict.identical, **{name: getattr(verdict, name) for name in _WRONG}}
        watching.told("done", **told)
    if verdict is not None and not verdict.identical:
        raise typer.Exit(1)


@app.command("give-logins", help=said_by(GiveLogins), epilog=with_examples("guildhall move give-logins --to new.env"))
def give_logins(ctx: typer.Context, to: To, from_: From = None, json_: Json = False) -> None:
    desk = desk_of(ctx, json=json_)
    with Onlooker(desk) as watching:
        given = _beside(desk, from_, to, lambda use: use(GiveLogins)(operator(), watching=watching))
        watching.told("done", **_figures(given))


@app.command("take-logins", help=said_by(TakeLogins), epilog=with_examples("guildhall move take-logins --from old.env"))
def take_logins(
    ctx: typer.Context,
    from_: Annotated[
        Path,
        typer.Option("--from", metavar="FILE", help="The .env that names the Supabase project.", show_default=False),
    ],
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="FILE", help="The .env of the one that takes them; by default this one's."),
    ] = None,
    json_: Json = False,
) -> None:
    desk = desk_of(ctx, json=json_)
    with Onlooker(desk) as watching:
        taken = _beside(desk, to, from_, lambda use: use(TakeLogins)(operator(), watching=watching))
        watching.told("done", **_figures(taken))


_WRONG = ("missing", "too_many", "unlike")


class Onlooker(Watching):
    """Shows a move as it goes: bars on a terminal, a line of JSON for each event to programs, else nothing but its
    end."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._bars: Progress | None = None
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> Self:
        if not self._desk.json and err().is_terminal:
            self._bars = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                console=err(),
            )
            self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bars is not None:
            self._bars.stop()
            self._bars = None

    def told(self, event: str, **figures: Any) -> None:
        """One event of the move."""
        if self._desk.json:
            typer.echo(orjson.dumps({"event": event, **figures}, default=str).decode())
        elif event == "done":
            self.__exit__()
            self._desk.show(figures)
        elif self._bars is not None:
            self._bar(event, figures)

    def _bar(self, event: str, figures: dict[str, Any]) -> None:
        assert self._bars is not None
        name = str(figures.get("table", event))
        if event == "weighed":
            name = f"weighed {name}"
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(name, total=None)
        rows = figures.get("rows", 0)
        total = figures.get("of", rows) if event != "tail" else None
        told = f"tail, {figures['behind']} behind" if event == "tail" else name
        self._bars.update(self._tasks[name], completed=rows, total=total, description=told)


def _asked(desk: Desk, from_: Path | None, to: Path | None, call: "Callable[[UseCases], Awaitable[T]]") -> T:
    """The answer of a use case between the two installations; without the other one, of this one alone."""
    from entrypoints.container.moving import leaving, moving
    from entrypoints.settings.elsewhere import settings_in

    here: Settings = settings_in(from_) if from_ else desk.settings
    there = settings_in(to) if to else None
    desk.listen(here)

    async def asked() -> T:
        async with moving(here, there) if there else leaving(here) as use:
            return await call(use)

    return asyncio.run(asked())


def _beside(desk: Desk, house: Path | None, project: Path, call: "Callable[[UseCases], Awaitable[T]]") -> T:
    """The answer of a use case of this installation, with the accounts of that project."""
    from entrypoints.container.moving import beside_project
    from entrypoints.settings.elsewhere import settings_in

    here: Settings = settings_in(house) if house else desk.settings
    desk.listen(here)

    async def asked() -> T:
        async with beside_project(here, settings_in(project)) as use:
            return await call(use)

    return asyncio.run(asked())


def _figures(thing: Any) -> dict[str, Any]:
    return {name: getattr(thing, name) for name in thing.__dataclass_fields__}
