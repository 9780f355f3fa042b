"""The desk an operator stands at: settings, the house while a command needs it open, who asks, and how it is told."""

# ruff: noqa: PLC0415 - a command loads what it needs when it runs; most need little

import asyncio
import getpass
import hashlib
import os
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, TypeVar
from uuid import UUID

import orjson
import typer

from domain.shared.actors import Actor, Kind
from domain.shared.aggregate import Aggregate
from domain.shared.errors import NotFound
from domain.shared.ids import UserId
from entrypoints.cli.showing import Column, err, projected, show_json, show_rows, show_thing, with_columns

if TYPE_CHECKING:
    from application.ports.readers import Page
    from entrypoints.container import OpenHouse
    from entrypoints.settings import Settings

T = TypeVar("T")
_PANEL = "Everywhere"

As = Annotated[
    str | None,
    typer.Option("--as", metavar="WHO", help="Act as this user: an e-mail address or an id.", rich_help_panel=_PANEL),
]
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.", rich_help_panel=_PANEL)]
Key = Annotated[
    str | None,
    typer.Option(
        "--key",
        metavar="TEXT",
        help="Your own key for this command: given again with the same input, it finds its first answer.",
        rich_help_panel=_PANEL,
    ),
]


def _enter(settings: "Settings", migrate: bool | None) -> "AbstractAsyncContextManager[OpenHouse]":
    from entrypoints.container.entering import entered

    return entered(settings, migrate=migrate)


@dataclass(slots=True)
class Desk:
    """One command's surroundings. `enter` opens the house; `settings` are read when they are first needed."""

    enter: "Callable[[Settings, bool | None], AbstractAsyncContextManager[OpenHouse]]" = _enter
    given: "Settings | None" = None
    json: bool = False
    verbose: bool = False
    logs: bool = True
    acting_as: str | None = None
    _read: "dict[str, Settings]" = field(default_factory=dict)

    @property
    def settings(self) -> "Settings":
        """What is set."""
        return self.settings_with()

    def settings_with(self, **chosen: object) -> "Settings":
        """What is set, and what this command's options choose instead."""
        if self.given is not None:
            return self.given
        chosen = {name: value for name, value in chosen.items() if value is not None}
        found = repr(chosen)
        if found not in self._read:
            from entrypoints.settings import Settings

            self._read[found] = Settings(**chosen)  # type: ignore[arg-type]
        return self._read[found]

    def ask(self, call: "Callable[[OpenHouse, Actor], Awaitable[T]]", *, migrate: bool | None = None) -> T:
        """The answer of `call`, in the open house and as whoever `--as` names."""
        self.listen()

        async def asked() -> T:
            async with self.enter(self.settings, migrate) as house:
                return await call(house, await self._actor(house))

        return asyncio.run(asked())

    async def once(
        self,
        house: "OpenHouse",
        actor: Actor,
        call: Callable[[], Awaitable[T]],
        *,
        operation: str,
        key: str | None,
        request: object,
    ) -> T:
        """Carry out a command once: under its key, or under one made up for this run."""
        from application.commands import Command

        perform = house.container.perform()
        if key is None:
            command = perform.unkeyed(actor.principal, operation)
        else:
            digest = hashlib.sha256(orjson.dumps(request, default=str, option=orjson.OPT_NON_STR_KEYS)).hexdigest()
            command = Command(principal=actor.principal, operation=operation, key=key, fingerprint=digest)
        outcome = await perform(command, call)
        if outcome.replayed:
            self.note("this was done before under that key; here is the first answer")
        answer: T = outcome.answer
        return answer

    def listen(self, settings: "Settings | None" = None, *, always: bool = False) -> None:
        """Let logs be heard: of a command only what went wrong, of a process (`always`) what the settings say."""
        if not self.logs:
            return
        settings = settings or self.settings
        from entrypoints.logs import configure_logs
        from entrypoints.settings import LogLevel

        heard = settings.log_level if always or self.verbose else LogLevel.WARNING
        configure_logs(LogLevel.DEBUG if self.verbose else heard, settings.log_format)

    def show(self, answer: object, view: type[Any] | None = None) -> None:
        """One thing; what was just changed, as its view shows it."""
        if isinstance(answer, Aggregate) and view is not None:
            answer = projected(answer, view)
        if self.json:
            show_json({"done": True} if answer is None else answer)
        elif answer is None:
            self.note("done")
        else:
            show_thing(answer)

    def show_page(self, page: "Page[Any]", columns: tuple[Column, ...]) -> None:
        """A list, and whether it goes on."""
        if self.json:
            items = [with_columns(item, columns) for item in page.items]
            show_json({"items": items, "more": page.next is not None})
        else:
            show_rows(page.items, columns, more=page.next is not None)

    def note(self, line: str) -> None:
        """A word to people, beside the answer."""
        if not self.json:
            err().print(line, style="dim", soft_wrap=True)

    def busy(self, doing: str) -> AbstractContextManager[object]:
        """Show on a terminal that something takes its time."""
        console = err()
        return nullcontext() if self.json or not console.is_terminal else console.status(doing)

    async def _actor(self, house: "OpenHouse") -> Actor:
        if self.acting_as is None:
            return operator()
        from domain.identity import AccountSuspended

        user = await found_user(house, operator(), self.acting_as)
        if user.suspended_at is not None:
            raise AccountSuspended
        return Actor(user_id=user.id, role=user.role)


def desk_of(ctx: typer.Context, *, json: bool = False, acting_as: str | None = None) -> Desk:
    """The desk of this command, with what its own options say."""
    desk: Desk = ctx.obj
    desk.json = desk.json or json
    desk.acting_as = acting_as if acting_as is not None else desk.acting_as
    return desk


def operator() -> Actor:
    """Who sits at this machine, by the name the audit trail keeps."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = f"uid {os.getuid()}"
    return Actor(kind=Kind.OPERATOR, name=name)


async def found_user(house: "OpenHouse", asker: Actor, who: str) -> Any:
    """The user of that e-mail address or id."""
    from application.identity import GetUser, ListUsers, UserFilter

    if "@" in who:
        page = await house.use(ListUsers)(asker, UserFilter(email=who), limit=1)
        if not page.items:
            raise NotFound.of("user", who)
        return page.items[0]
    return await house.use(GetUser)(asker, UserId(an_id(who)))


def an_id(text: str) -> UUID:
    """What was typed as an id, or a usage error."""
    try:
        return UUID(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no id") from None
