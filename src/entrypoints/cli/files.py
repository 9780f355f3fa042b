"""`guildhall files`: what people have put here, and whether rows and bytes agree."""

# ruff: noqa: PLC0415 - a command loads what it needs when it runs; most need little

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from application.files import ListMyFiles
from entrypoints.cli.commands import Group, with_examples
from entrypoints.cli.desk import As, Json, desk_of
from entrypoints.cli.showing import err, show_json, show_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from domain.shared.actors import Actor
    from entrypoints.cli.desk import Desk
    from entrypoints.container import OpenHouse

group = Group("Files: what people have put here, and whether rows and bytes agree.")
app = group.app

group.lists(
    "list",
    ListMyFiles,
    "id",
    "bucket",
    "name",
    "content_type",
    "state",
    "size",
    "owner_id",
    "created_at",
    helps={"bucket": "Only those of this bucket."},
    examples=("guildhall files list --bucket attachments", "guildhall files list --as ana@town.example"),
)


@app.command("sweep", epilog=with_examples("guildhall files sweep", "guildhall files sweep --look"))
def sweep(
    ctx: typer.Context,
    look: Annotated[bool, typer.Option("--look", help="Only count what would go.")] = False,
    as_: As = None,
    json_: Json = False,
) -> None:
    """Give up uploads nobody has completed in time, and remove bytes that belong to no file. The worker does the same
    by itself."""
    desk = desk_of(ctx, json=json_, acting_as=as_)

    async def swept(house: "OpenHouse", actor: "Actor") -> Any:
        from application.files import SweepFiles

        return await house.use(SweepFiles)(actor, look_only=look)

    with desk.busy("Sweeping"):
        found = desk.ask(swept)
    desk.show({"abandoned": found.abandoned, "orphans": found.orphans, "objects": found.objects, "removed": not look})


@app.command("verify", epilog=with_examples("guildhall files verify", "guildhall files verify --thoroughly"))
def verify(
    ctx: typer.Context,
    thoroughly: Annotated[
        bool, typer.Option("--thoroughly", help="Read every file whole, and hold it against its hash.")
    ] = False,
    as_: As = None,
    json_: Json = False,
) -> None:
    """Look whether every stored file has its bytes, and whether there are any that belong to none. Exits with 1 when
    something is wrong."""
    desk = desk_of(ctx, json=json_, acting_as=as_)

    async def verified(house: "OpenHouse", actor: "Actor") -> dict[str, Any]:
        from entrypoints.container.examining.files import examined

        with _counting(desk) as tell:
            return await examined(house, actor, thoroughly=thoroughly, tell=tell)

    found = desk.ask(verified)
    if desk.json:
        show_json(found)
    else:
        if found["wrong"]:
            show_rows(found["wrong"], ("subject", "said"))
        desk.note(f"{found['files']} files looked at, {len(found['wrong'])} wrong, {found['orphans']} bytes of no file")
    if not found["well"]:
        raise typer.Exit(1)


@contextmanager
def _counting(desk: "Desk") -> "Iterator[Callable[[int], object]]":
    """On a terminal, how many files have been looked at."""
    console = err()
    if desk.json or not console.is_terminal:
        yield lambda _: None
        return
    with console.status("Looking at files") as status:
        yield lambda files: status.update(f"Looking at files: {files}")
