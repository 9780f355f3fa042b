"""`guildhall simulate`: play the business in virtual time, with everything going wrong, and watch its rules."""

# ruff: noqa: PLC0415 - a command loads what it needs when it runs; most need little

import os
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from entrypoints.cli.desk import Json, desk_of
from entrypoints.cli.showing import err, out, show_json

if TYPE_CHECKING:
    from entrypoints.simulation.campaign import Failure, Figures, Options
    from entrypoints.simulation.outcome import Outcome


def simulate(
    ctx: typer.Context,
    seeds: Annotated[int, typer.Option(min=1, metavar="NUMBER", help="How many worlds to play.")] = 100,
    first: Annotated[int, typer.Option(metavar="SEED", help="The seed of the first of them.")] = 1,
    seed: Annotated[int | None, typer.Option(metavar="SEED", help="Play only this one.")] = None,
    steps: Annotated[int, typer.Option(min=1, metavar="NUMBER", help="How many acts of people in each.")] = 100,
    days: Annotated[float, typer.Option(min=0.01, metavar="DAYS", help="How many days they are spread over.")] = 3.0,
    faults: Annotated[str, typer.Option(metavar="WHICH", help="none, some, all, or names with commas.")] = "some",
    jobs: Annotated[int | None, typer.Option(min=1, metavar="NUMBER", help="Processes; as many as cores.")] = None,
    trace: Annotated[bool, typer.Option("--trace", help="Print everything that happens.")] = False,
    json_: Json = False,
) -> None:
    """Play the whole business in one process and virtual time: customers, providers, thieves and dashboards over HTTP,
    while processes crash, answers get lost and clocks jump. Every rule is watched at every commit. A seed that fails
    tells its story, shortened; the same seed always plays the same. Exits with 1 when one fails."""
    from entrypoints.simulation.campaign import Options
    from entrypoints.simulation.faults import UnknownFault, chosen

    desk = desk_of(ctx, json=json_)
    options = Options(steps=steps, days=days, faults=faults)
    try:
        chosen(faults, _never())
    except UnknownFault as unknown:
        raise typer.BadParameter(str(unknown), param_hint="--faults") from None
    if trace:
        _traced(seed if seed is not None else first, options, json=desk.json)
        return
    wanted = [seed] if seed is not None else list(range(first, first + seeds))
    figures, digest = _played(wanted, options, jobs or os.cpu_count() or 1, quiet=desk.json)
    if desk.json:
        show_json(_as_data(figures, options, digest))
    else:
        _tell(figures, options, digest)
    if figures.failures:
        raise typer.Exit(1)


def _never() -> Any:
    """Only names are looked at: nothing is drawn."""
    from entrypoints.container.simulating import stream

    return stream(0)


def _played(seeds: list[int], options: "Options", jobs: int, *, quiet: bool) -> "tuple[Figures, str]":
    """The figures, and the trace hash of a seed that was played alone."""
    from entrypoints.simulation.campaign import campaign

    digests: list[str] = []
    columns = (
        TextColumn("worlds"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[bad]}"),
    )
    console = err()
    with Progress(*columns, console=console, disable=quiet or not console.is_terminal, transient=True) as progress:
        bar = progress.add_task("worlds", total=len(seeds), bad="")

        def done(outcome: "Outcome") -> None:
            digests.append(outcome.digest)
            if outcome.failure is None:
                progress.advance(bar)
            else:
                progress.update(bar, advance=1, bad=f"[red]seed {outcome.seed}: {outcome.failure[0]}[/red]")

        figures = campaign(seeds, options, jobs=jobs, done=done)
    return figures, digests[0] if len(seeds) == 1 else ""


def _traced(seed: int, options: "Options", *, json: bool) -> None:
    from entrypoints.simulation.campaign import play

    outcome = play(seed, options, whole=True)
    if json:
        show_json({"seed": seed, "hash": outcome.digest, "failure": outcome.failure, "trace": outcome.story})
    else:
        for line in outcome.story:
            out().print(line, markup=False, soft_wrap=True)
        out().print(f"seed {seed}: {outcome.steps} steps, {outcome.events} events, hash {outcome.digest}")
    if outcome.failure is not None:
        raise typer.Exit(1)


def _as_data(figures: "Figures", options: "Options", digest: str) -> dict[str, Any]:
    return {
        "seeds": figures.seeds,
        "steps": figures.steps,
        "events": figures.events,
        "events_a_minute_per_core": figures.events_a_minute,
        "cpu_seconds": round(figures.cpu, 2),
        "crashes": figures.crashes,
        "faults": dict(sorted(figures.faults.items())),
        "requests": dict(sorted(figures.requests.items())),
        "hash": digest or None,
        "failures": [
            {
                "seed": each.seed,
                "rule": each.rule,
                "said": each.said,
                "steps": each.steps,
                "faults": each.faults,
                "story": each.story,
                "again": options.again(each.seed),
            }
            for each in figures.failures
        ],
    }


def _tell(figures: "Figures", options: "Options", digest: str) -> None:
    console = out()
    asked = sum(figures.requests.values())
    console.print(f"{figures.seeds} worlds, {figures.steps} steps, {asked} requests, {figures.events} events")
    console.print(f"  {figures.events_a_minute} events a minute on one core; {figures.crashes} crashes")
    if figures.faults:
        console.print("  faults: " + ", ".join(f"{name} {count}" for name, count in sorted(figures.faults.items())))
    if digest:
        console.print(f"  hash {digest}")
    for failure in figures.failures:
        _story(failure, options)
    if not figures.failures:
        console.print("[green]No rule was broken.[/green]")


def _story(failure: "Failure", options: "Options") -> None:
    console = out()
    console.print(f"\n[bold red]seed {failure.seed}: {failure.rule}[/bold red]", soft_wrap=True)
    console.print(failure.said, markup=False, soft_wrap=True)
    if failure.story:
        with_faults = f" with {', '.join(failure.faults)}" if failure.faults else ", with no faults"
        console.print(f"What led there, shortened to {failure.steps} steps{with_faults}:", soft_wrap=True)
        for line in failure.story:
            console.print(f"  {line}", markup=False, soft_wrap=True)
    console.print(f"again: {options.again(failure.seed)} --trace", style="dim", soft_wrap=True)
