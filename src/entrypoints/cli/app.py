"""`guildhall`: every command by its name, each loaded when it is asked for, and how refusals end a command."""

# ruff: noqa: PLC0415 - a command loads what it needs when it runs; most need little

import gc
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from domain.shared.errors import Refusal, Unavailable
from entrypoints.cli.desk import Desk
from entrypoints.cli.showing import err, show_refusal

REFUSED, WRONG_SETTINGS, UNAVAILABLE = 1, 2, 3

EPILOG = """[bold]Exit codes[/bold]

  0  done

  1  refused: the business says no, or a check failed

  2  wrong usage, or wrong settings

  3  a part that is needed does not answer

Settings come from the environment and from .env: `guildhall config show`. Commands act as you, the operator, or as the
user that --as names. A command repeated under the same --key finds its first answer."""


@dataclass(frozen=True, slots=True)
class Lazy:
    """Where a command lives, and the panel of the help that lists it."""

    module: str
    name: str
    panel: str

    @property
    def is_there(self) -> bool:
        """Whether its module is."""
        found = find_spec(f"entrypoints.cli.{self.module}")
        return found is not None and found.origin is not None

    def load(self, called: str) -> Any:
        """The command itself, called like that."""
        found = getattr(import_module(f"entrypoints.cli.{self.module}"), self.name)
        if not isinstance(found, typer.Typer):
            found = _alone(found)
        command: Any = get_command(found)
        command.name, command.rich_help_panel = called, self.panel
        return command


_RUN, _BUSINESS, _HOUSE = "Running it", "The business", "The house"

COMMANDS = {
    "serve": Lazy("serving", "serve", _RUN),
    "worker": Lazy("serving", "worker", _RUN),
    "migrate": Lazy("keeping", "migrate", _RUN),
    "seed": Lazy("keeping", "seed", _RUN),
    "demo": Lazy("journey", "play", _RUN),
    "move": Lazy("moving", "app", _RUN),
    "doctor": Lazy("doctor", "doctor", _RUN),
    "simulate": Lazy("simulate", "simulate", _RUN),
    "user": Lazy("identity", "app", _BUSINESS),
    "organization": Lazy("organizations", "app", _BUSINESS),
    "job": Lazy("jobs", "app", _BUSINESS),
    "availability": Lazy("scheduling", "app", _BUSINESS),
    "booking": Lazy("bookings", "app", _BUSINESS),
    "payment": Lazy("payments", "app", _BUSINESS),
    "payee": Lazy("payees", "app", _BUSINESS),
    "dispute": Lazy("disputes", "app", _BUSINESS),
    "quote": Lazy("quoting", "app", _BUSINESS),
    "invoice": Lazy("invoicing", "app", _BUSINESS),
    "billing": Lazy("billing", "app", _BUSINESS),
    "review": Lazy("reviews", "app", _BUSINESS),
    "message": Lazy("messaging", "app", _BUSINESS),
    "files": Lazy("files", "app", _BUSINESS),
    "mail": Lazy("notifications", "app", _HOUSE),
    "events": Lazy("events", "app", _HOUSE),
    "webhooks": Lazy("webhooks", "app", _HOUSE),
    "audit": Lazy("audit", "app", _HOUSE),
    "config": Lazy("keeping", "config", _HOUSE),
    "keys": Lazy("keeping", "keys", _HOUSE),
    "clock": Lazy("keeping", "clock", _HOUSE),
    "openapi": Lazy("keeping", "openapi", _HOUSE),
}


class Guildhall(TyperGroup):
    """The root: it knows its commands by name only, and turns refusals into exit codes."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        here = [name for name, lazy in COMMANDS.items() if lazy.is_there]
        self.commands = {name: TyperGroup(name=name) for name in here}

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name, loaded now."""
        return COMMANDS[cmd_name].load(cmd_name) if cmd_name in self.commands else None

    def invoke(self, ctx: Any) -> Any:
        """Run a command; whatever is refused is told in one line."""
        from entrypoints.settings.rules import SettingsProblems

        try:
            return super().invoke(ctx)
        except Refusal as refusal:
            desk: Desk = ctx.obj
            show_refusal(refusal, json=desk.json, details=desk.verbose)
            raise typer.Exit(UNAVAILABLE if isinstance(refusal, Unavailable) else REFUSED) from refusal
        except SettingsProblems as problems:
            err().print(str(problems), markup=False, soft_wrap=True)
            raise typer.Exit(WRONG_SETTINGS) from problems


app = typer.Typer(
    name="guildhall",
    cls=Guildhall,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"guildhall {version('guildhall')}")
        raise typer.Exit


@app.callback()
def guildhall(
    ctx: typer.Context,
    json: Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log everything, and tell refusals whole.")] = False,
    _version: Annotated[
        bool, typer.Option("--version", help="Say which version this is.", callback=_tell_version, is_eager=True)
    ] = False,
) -> None:
    """The backend of a business that sells bookable work."""
    if ctx.obj is None:
        ctx.obj = Desk()
    ctx.obj.json, ctx.obj.verbose = ctx.obj.json or json, ctx.obj.verbose or verbose


def main() -> None:
    """The console script."""
    # A command makes much that stays, modules above all, and little rubbish: looking for it more rarely saves a tenth.
    gc.set_threshold(50_000, 20, 20)
    app()


def _alone(function: Callable[..., Any]) -> typer.Typer:
    single = typer.Typer(rich_markup_mode="rich", add_completion=False, pretty_exceptions_enable=False)
    single.command()(function)
    return single
