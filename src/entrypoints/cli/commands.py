"""Commands made from use cases: arguments and options from its form, help from its docstring, answers shown."""

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from application.ports.criteria import Position
from application.ports.readers import Page
from domain.shared.actors import Actor
from entrypoints.cli.desk import As, Desk, Json, Key, desk_of
from entrypoints.cli.forms import Form
from entrypoints.cli.showing import Column

if TYPE_CHECKING:
    from entrypoints.container import OpenHouse

USUAL = 50
_AT_ONCE = 200
_Limit = Annotated[int, typer.Option("--limit", min=1, metavar="NUMBER", help="Show at most so many.")]
_All = Annotated[bool, typer.Option("--all", help="Show all of them, however many.", show_default=False)]
_PAGED = (("limit", _Limit, USUAL), ("everything", _All, False))
_KEYED = (("key", Key, None),)
_COMMON = (("as_", As, None), ("json_", Json, False))

Run = Callable[[Desk, Form, dict[str, Any]], None]
"""Carries a command out, with what was typed."""


class Group:
    """A word of the command line, and what can be done with it."""

    def __init__(self, help: str) -> None:
        self.app = typer.Typer(help=help, no_args_is_help=True, rich_markup_mode="rich", add_completion=False)

    def lists(
        self,
        name: str,
        use_case: type[Any],
        *columns: Column,
        helps: Mapping[str, str] | None = None,
        examples: tuple[str, ...] = (),
    ) -> None:
        """A command that lists, page after page."""

        def run(desk: Desk, form: Form, typed: dict[str, Any]) -> None:
            most = None if typed.pop("everything") else typed["limit"]
            del typed["limit"]

            async def listed(house: "OpenHouse", actor: Actor) -> Page[Any]:
                ask = partial(house.use(use_case), actor, **await form.arguments(house, typed))
                return await gathered(ask, most)

            desk.show_page(desk.ask(listed), columns)

        self._add(name, use_case, run, extra=_PAGED, helps=helps, examples=examples)

    def asks(
        self,
        name: str,
        use_case: type[Any],
        *,
        helps: Mapping[str, str] | None = None,
        examples: tuple[str, ...] = (),
        show: Callable[[Desk, Any], None] = Desk.show,
    ) -> None:
        """A command that shows one thing."""

        def run(desk: Desk, form: Form, typed: dict[str, Any]) -> None:
            async def asked(house: "OpenHouse", actor: Actor) -> Any:
                return await house.use(use_case)(actor, **await form.arguments(house, typed))

            show(desk, desk.ask(asked))

        self._add(name, use_case, run, helps=helps, examples=examples)

    def does(
        self,
        name: str,
        use_case: type[Any],
        view: type[Any] | None = None,
        *,
        helps: Mapping[str, str] | None = None,
        examples: tuple[str, ...] = (),
        secret: str | None = None,
    ) -> None:
        """A command that changes something once, and shows it as `view` does. A field that is `secret` need not be
        typed where others read it."""

        def run(desk: Desk, form: Form, typed: dict[str, Any]) -> None:
            key = typed.pop("key")
            form.secrets(typed)

            async def done(house: "OpenHouse", actor: Actor) -> Any:
                arguments = await form.arguments(house, typed)
                call = partial(house.use(use_case), actor, **arguments)
                operation = f"cli.{use_case.__name__}"
                return await desk.once(house, actor, call, operation=operation, key=key, request=arguments)

            desk.show(desk.ask(done), view)

        self._add(name, use_case, run, extra=_KEYED, helps=helps, examples=examples, secret=secret)

    def _add(
        self,
        name: str,
        use_case: type[Any],
        run: Run,
        *,
        extra: tuple[tuple[str, Any, object], ...] = (),
        helps: Mapping[str, str] | None,
        examples: tuple[str, ...],
        secret: str | None = None,
    ) -> None:
        form = Form(use_case, helps=helps or {}, secret=secret)
        keyword = inspect.Parameter.KEYWORD_ONLY
        everything = [
            inspect.Parameter("ctx", keyword, annotation=typer.Context),
            *form.parameters,
            *(inspect.Parameter(each, keyword, annotation=hint, default=default) for each, hint, default in extra),
            *(inspect.Parameter(each, keyword, annotation=hint, default=default) for each, hint, default in _COMMON),
        ]

        def command(**typed: Any) -> None:
            desk = desk_of(typed.pop("ctx"), json=typed.pop("json_"), acting_as=typed.pop("as_"))
            run(desk, form, typed)

        command.__signature__ = inspect.Signature(everything)  # type: ignore[attr-defined]
        command.__annotations__ = {each.name: each.annotation for each in everything}
        help = said_by(use_case)
        short = help.split(". ")[0].split("; ")[0].rstrip(".") + "."
        self.app.command(name, help=help, short_help=short, epilog=with_examples(*examples))(command)


async def gathered(ask: Callable[..., Any], most: int | None) -> Page[Any]:
    """At most so many rows, or all of them, page after page."""
    items: list[Any] = []
    after: Position | None = None
    while True:
        left = _AT_ONCE if most is None else min(_AT_ONCE, most - len(items))
        page: Page[Any] = await ask(after=after, limit=left)
        items += page.items
        after = page.next
        if after is None or (most is not None and len(items) >= most):
            return Page(items, after)


def said_by(thing: type[Any]) -> str:
    """A docstring as help."""
    return " ".join((thing.__doc__ or "").split())


def with_examples(*lines: str) -> str | None:
    """Examples, below the options."""
    return "\n\n".join(["[bold]Examples[/bold]", *(f"  {line}" for line in lines)]) if lines else None
