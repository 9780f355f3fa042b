"""`guildhall serve` and `guildhall worker`: processes that run until they are told to stop."""

# ruff: noqa: PLC0415 - a command loads what it needs when it runs; most need little

import asyncio
import gc
import signal
import socket
from collections.abc import Callable, Coroutine
from contextlib import closing
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated

import typer

from entrypoints.cli.desk import Desk, Json, desk_of
from entrypoints.cli.doors import taken
from entrypoints.cli.showing import out, show_json

if TYPE_CHECKING:
    from entrypoints.cli.demo_town import Login
    from entrypoints.container import OpenHouse
    from entrypoints.container.stopping import Stop
    from entrypoints.settings import Settings

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def serve(
    ctx: typer.Context,
    demo: Annotated[
        bool | None,
        typer.Option("--demo", help="Fill an empty store with a demo town, and print the logins of its people."),
    ] = None,
    no_worker: Annotated[
        bool, typer.Option("--no-worker", help="Answer requests only; `guildhall worker` does the rest.")
    ] = False,
    host: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Listen there instead of as set.")] = None,
    port: Annotated[int | None, typer.Option(metavar="NUMBER", help="Listen there instead of as set.")] = None,
    json_: Json = False,
) -> None:
    """Run the house: its database if it has none of its own, migrations, the API and the worker, until Ctrl-C or
    SIGTERM. What is under way is finished first."""
    desk = desk_of(ctx, json=json_)
    settings = desk.settings_with(demo=demo or None, host=host, port=port)
    if no_worker:
        _must_be_shared(settings)
    with closing(taken(settings.host, settings.port)) as door:
        desk.listen(settings, always=True)
        _until_told(settings, lambda stop: _serve(desk, settings, door, stop, with_worker=not no_worker))


def worker(ctx: typer.Context, json_: Json = False) -> None:
    """Run only the worker: events, mails, webhooks and the duties of the clock, until Ctrl-C or SIGTERM. As many as
    you like may run beside one another."""
    desk = desk_of(ctx, json=json_)
    settings = desk.settings
    _must_be_shared(settings)
    desk.listen(settings, always=True)
    _until_told(settings, lambda stop: _work(desk, settings, stop))


async def _serve(desk: Desk, settings: "Settings", door: socket.socket, stop: "Stop", *, with_worker: bool) -> None:
    # While the database starts there is time to read what serving takes.
    reading = asyncio.get_running_loop().run_in_executor(None, import_module, "entrypoints.container.serving")
    async with desk.enter(settings, True) as house:
        await reading
        from entrypoints.container.serving import serve

        logins = await _logins(desk, house) if settings.demo else ()

        def ready() -> None:
            gc.freeze()
            gc.enable()
            _say_open(desk, settings, logins)

        await serve(house, on=door, with_worker=with_worker, stop=stop, ready=ready)
        desk.note("closing")


async def _work(desk: Desk, settings: "Settings", stop: "Stop") -> None:
    async with desk.enter(settings, None) as house:
        from entrypoints.container.serving import work

        def ready() -> None:
            if desk.json:
                show_json({"working": True})
            else:
                out().print("The worker works. Ctrl-C stops it.")

        await work(house, stop=stop, ready=ready)
        desk.note("closing")


async def _logins(desk: Desk, house: "OpenHouse") -> "tuple[Login, ...]":
    """The logins of the demo town, which is built if nobody lives here yet."""
    from entrypoints.cli.demo_town import found_town, logins, settled

    if await settled(house):
        return await logins(house)
    with desk.busy("Building the demo town"):
        return await found_town(house)


def _say_open(desk: Desk, settings: "Settings", logins: "tuple[Login, ...]") -> None:
    address = settings.public_url
    if desk.json:
        people = [
            {"role": one.role, "email": one.email, "password": one.password, "about": one.about} for one in logins
        ]
        show_json({"address": address, "docs": f"{address}/docs", "logins": people})
        return
    console = out()
    console.print(f"[bold]Guildhall {version('guildhall')} is open[/bold] at {address}", soft_wrap=True)
    console.print(f"  API page    {address}/docs", soft_wrap=True)
    console.print(f"  Data        {_where(settings)}", soft_wrap=True)
    if settings.mail == "folder":
        console.print(f"  Mail        {settings.data_dir / 'mail'}", soft_wrap=True)
    if logins:
        console.print(f"  Demo logins, all with the password [bold]{logins[0].password}[/bold]")
        for one in logins:
            console.print(f"    {one.role:<10}{one.email:<28}{one.about}", soft_wrap=True)
    console.print("Ctrl-C stops it.")


def _where(settings: "Settings") -> str:
    if settings.storage == "memory":
        return "in memory: gone when it stops"
    if settings.storage == "supabase":
        return f"{settings.supabase_url}, a Supabase project"
    return (
        f"{settings.data_dir / 'postgres'}, an embedded PostgreSQL" if settings.database_url is None else "PostgreSQL"
    )


def _must_be_shared(settings: "Settings") -> None:
    if settings.storage == "memory":
        raise typer.BadParameter("what one process has in memory no other sees: run `guildhall serve` alone")


def _until_told(settings: "Settings", run: "Callable[[Stop], Coroutine[None, None, None]]") -> None:
    """Run it on a loop of its own until a signal. It closes in order then, once it is open: nothing that start-up
    does is left half done. A second signal ends it at once."""
    import uvloop

    from entrypoints.container.stopping import Stop

    # Start-up makes much that stays, and no rubbish worth looking for.
    gc.disable()

    async def main() -> None:
        stop = Stop(settings.drain_seconds)
        loop = asyncio.get_running_loop()
        for each in _SIGNALS:
            loop.add_signal_handler(each, stop.ask)
        running = asyncio.ensure_future(run(stop))
        insisted = asyncio.ensure_future(stop.insisted.wait())
        await asyncio.wait((running, insisted), return_when=asyncio.FIRST_COMPLETED)
        insisted.cancel()
        if not running.done():
            running.cancel()
            await asyncio.wait((running,))
        if running.cancelled():
            raise typer.Exit(130)
        running.result()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
