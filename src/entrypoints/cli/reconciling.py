"""`guildhall payment reconcile`: our books held against the gateway's, with a bar, a report, and what is left for a
person."""

# ruff: noqa: PLC0415 - a command loads what it needs when it runs; most need little

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from application.payments import (
    CloseDiscrepancy,
    DiscrepancyView,
    ListDiscrepancies,
    ListReconciliations,
    Reconcile,
    ReconciliationView,
)
from domain.payments import Stage
from domain.shared.time import Span, instant
from entrypoints.cli.commands import Group, said_by, with_examples
from entrypoints.cli.desk import As, Json, desk_of
from entrypoints.cli.showing import err, projected, show_json, show_rows

if TYPE_CHECKING:
    from domain.payments import Reconciliation
    from domain.shared.actors import Actor
    from entrypoints.cli.desk import Desk
    from entrypoints.container import OpenHouse

_STAGES = tuple(stage for stage in Stage if stage is not Stage.DONE)
_COLUMNS = ("id", "kind", "about", "gateway_ref", "said", "payment_id", "found_at")
_MOST_SHOWN = 50
_EXAMPLES = (
    "guildhall payment reconcile",
    "guildhall payment reconcile --from 2026-03-01 --until 2026-04-01",
)


def add_to(group: Group) -> None:
    """The commands about reconciling, beside those about payments."""
    group.app.command("reconcile", help=_HELP, epilog=with_examples(*_EXAMPLES))(reconcile)
    group.lists(
        "reconciliations",
        ListReconciliations,
        "begun_at",
        "gateway",
        "since",
        "until",
        "stage",
        "looked_at",
        "fetched",
        "repaired",
        "filed",
        "finished_at",
    )
    group.lists(
        "discrepancies",
        ListDiscrepancies,
        *_COLUMNS,
        "closed_by",
        "reason",
        helps={"kind": "Only those of this kind.", "closed": "Those that a person has dealt with."},
    )
    group.does("close-discrepancy", CloseDiscrepancy, DiscrepancyView)


_HELP = f"{said_by(Reconcile)} Exits with 1 while anything is left for a person."


def reconcile(
    ctx: typer.Context,
    since: Annotated[
        str | None, typer.Option("--from", metavar="MOMENT", help="Where to begin: a date (its first moment in UTC).")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="MOMENT", help="Where to end, itself not included; by default now.")
    ] = None,
    as_: As = None,
    json_: Json = False,
) -> None:
    desk = desk_of(ctx, json=json_, acting_as=as_)

    async def reconciled(house: "OpenHouse", actor: "Actor") -> "tuple[Reconciliation, list[Any]]":
        with _watching(desk) as tell:
            run = await house.use(Reconcile)(actor, _span(since, until, house.container.clock().now()), tell=tell)
        left = await house.use(ListDiscrepancies)(actor, limit=_MOST_SHOWN)
        return run, left.items

    run, left = desk.ask(reconciled)
    report = projected(run, ReconciliationView)
    if desk.json:
        show_json({**report, "left_for_a_person": left})
    else:
        desk.show(report)
        if left:
            show_rows(left, _COLUMNS)
            desk.note("`guildhall payment close-discrepancy ID --reason ...` says how one of them was settled")
    if left:
        raise typer.Exit(1)


@contextmanager
def _watching(desk: "Desk") -> "Iterator[Callable[[Reconciliation, datetime | None], object]]":
    """A bar for each stage on a terminal, as far as the stage reaches in time."""
    console = err()
    if desk.json or not console.is_terminal:
        yield lambda _run, _reached: None
        return
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    with Progress(TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), console=console) as bars:
        tasks = {stage: bars.add_task(_said(stage), total=1.0) for stage in _STAGES}

        def tell(run: "Reconciliation", reached: datetime | None) -> None:
            for stage in _STAGES[: _at(run.stage)]:
                bars.update(tasks[stage], completed=1.0)
            if run.stage in tasks and reached is not None:
                bars.update(tasks[run.stage], completed=_share(run, reached))

        yield tell


def _at(stage: Stage) -> int:
    return len(_STAGES) if stage is Stage.DONE else _STAGES.index(stage)


def _share(run: "Reconciliation", reached: datetime) -> float:
    """The gateway's records go back in time, our own forward."""
    whole = (run.until - run.since).total_seconds()
    forward = (reached - run.since).total_seconds() / whole
    own = run.stage in (Stage.OUR_PAYMENTS, Stage.OUR_REFUNDS)
    return min(1.0, max(0.0, forward if own else 1.0 - forward))


def _said(stage: Stage) -> str:
    told = stage.value.replace("_", " ")
    return told if stage in (Stage.OUR_PAYMENTS, Stage.OUR_REFUNDS) else f"the gateway's {told}"


def _span(since: str | None, until: str | None, now: datetime) -> Span | None:
    """What was typed; nothing for what was left unfinished, or else the last day."""
    if since is None and until is None:
        return None
    if since is None:
        raise typer.BadParameter("say --from when")
    return Span(_moment(since), _moment(until) if until else now)


def _moment(typed: str) -> datetime:
    try:
        moment = datetime.fromisoformat(typed)
    except ValueError:
        raise typer.BadParameter(f"{typed!r} is no date or moment, such as 2026-03-02 or 2026-03-02T09:00Z") from None
    return instant(moment.replace(tzinfo=UTC) if "T" not in typed and moment.tzinfo is None else moment)
