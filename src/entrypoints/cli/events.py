"""`guildhall events`: what happened and is on its way to what follows from it."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar
from uuid import UUID

import typer

from application.ports.criteria import Order, Present
from application.ports.readers import Page
from domain.shared.actors import Actor
from entrypoints.cli.commands import USUAL, Group, gathered, with_examples
from entrypoints.cli.desk import As, Desk, Json, an_id, desk_of

if TYPE_CHECKING:
    from entrypoints.container import OpenHouse

group = Group("Events: what happened and is on its way to what follows from it.")
app = group.app

_COLUMNS = ("id", "name", "subject_id", ("state", lambda event: event.state), "attempts", "due_at", "last_error")
_Limit = Annotated[int, typer.Option(min=1, metavar="NUMBER", help="Show at most so many.")]
_Event = Annotated[str, typer.Argument(metavar="EVENT_ID", help="Such as `dead` lists.", show_default=False)]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventView:
    """An event in the outbox, and how far it is."""

    source: ClassVar[str] = "outbox"
    id: UUID
    name: str
    subject_table: str
    subject_id: UUID
    actor: str
    created_at: datetime
    due_at: datetime
    scheduled: bool
    attempts: int
    leased_until: datetime | None
    finished_at: datetime | None
    dead_at: datetime | None
    last_error: str | None

    @property
    def state(self) -> str:
        """In one word."""
        if self.finished_at:
            return "finished"
        if self.dead_at:
            return "dead"
        return "under way" if self.leased_until else "scheduled" if self.scheduled else "waiting"


@app.command(
    "list", epilog=with_examples("guildhall events list --name booking.confirmed", "guildhall events list --waiting")
)
def list_events(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Option(metavar="TEXT", help='Only these, such as "booking.confirmed".')] = None,
    waiting: Annotated[bool, typer.Option("--waiting", help="Only those not finished.")] = False,
    subject: Annotated[str | None, typer.Option(metavar="ID", help="Only those about the thing of this id.")] = None,
    limit: _Limit = USUAL,
    as_: As = None,
    json_: Json = False,
) -> None:
    """Events, the newest first. Finished ones are forgotten after a week."""
    where: dict[str, Any] = {"name": name} if name else {}
    where |= {"finished_at": None} if waiting else {}
    where |= {"subject_id": an_id(subject)} if subject else {}
    _show(desk_of(ctx, json=json_, acting_as=as_), where, limit)


@app.command("dead")
def dead_events(ctx: typer.Context, limit: _Limit = USUAL, as_: As = None, json_: Json = False) -> None:
    """Events that were given up. Later ones about the same thing wait until somebody replays or skips them."""
    _show(desk_of(ctx, json=json_, acting_as=as_), {"finished_at": None, "dead_at": Present()}, limit)


@app.command("replay", epilog=with_examples("guildhall events replay ID"))
def replay(ctx: typer.Context, event: _Event, as_: As = None, json_: Json = False) -> None:
    """Let a dead event run again, once its cause is mended. What it did before is not done twice."""
    _revive(desk_of(ctx, json=json_, acting_as=as_), an_id(event), skip=False)


@app.command("skip", epilog=with_examples("guildhall events skip ID"))
def skip(ctx: typer.Context, event: _Event, as_: As = None, json_: Json = False) -> None:
    """Count a dead event as done without what should have followed, so that later ones go on."""
    _revive(desk_of(ctx, json=json_, acting_as=as_), an_id(event), skip=True)


def _show(desk: Desk, where: dict[str, Any], limit: int) -> None:
    async def listed(house: "OpenHouse", actor: Actor) -> Page[EventView]:
        actor.must_be_admin()
        readers = house.container.readers()

        async def ask(**page: Any) -> Page[EventView]:
            order = Order("id", descending=True)
            found: Page[EventView] = await readers.page(actor, EventView, where, order=order, **page)
            return found

        return await gathered(ask, limit)

    desk.show_page(desk.ask(listed), _COLUMNS)


def _revive(desk: Desk, id: UUID, *, skip: bool) -> None:
    async def revived(house: "OpenHouse", actor: Actor) -> None:
        actor.must_be_admin()
        await house.container.outbox().revive(id, skip=skip)
        kind = "event.skipped" if skip else "event.replayed"
        await house.container.security_log().note(kind, actor=actor, subject=str(id), details={})

    desk.ask(revived)
    desk.show(None)
