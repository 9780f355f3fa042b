"""`guildhall review`: what the parties of completed bookings said."""

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from application.ports.readers import Page
from application.reviews import (
    GetReview,
    HideReview,
    ListJobReviews,
    ListMyReviews,
    ListProviderReviews,
    PostReview,
    RestoreReview,
    ReviewView,
)
from domain.shared.actors import Actor
from domain.shared.ids import JobId
from entrypoints.cli.commands import USUAL, Group, gathered, with_examples
from entrypoints.cli.desk import As, Json, an_id, desk_of, found_user, operator

if TYPE_CHECKING:
    from entrypoints.container import OpenHouse

group = Group("Reviews: what the parties of completed bookings said.")
app = group.app


@app.command(
    "list",
    epilog=with_examples(
        "guildhall review list --job ID",
        "guildhall review list --provider rosa@town.example",
        "guildhall review list --as ana@town.example --received",
    ),
)
def list_reviews(
    ctx: typer.Context,
    job: Annotated[str | None, typer.Option(metavar="ID", help="What customers said about this job.")] = None,
    provider: Annotated[
        str | None, typer.Option(metavar="WHO", help="What they said about all jobs of this provider.")
    ] = None,
    received: Annotated[bool, typer.Option("--received", help="With --as: those about that user.")] = False,
    limit: Annotated[int, typer.Option(min=1, metavar="NUMBER", help="Show at most so many.")] = USUAL,
    as_: As = None,
    json_: Json = False,
) -> None:
    """Reviews of a job, of a provider, or of whoever --as names: those they wrote, or received."""
    desk = desk_of(ctx, json=json_, acting_as=as_)
    if job is None and provider is None and desk.acting_as is None:
        raise typer.BadParameter("say whose: --job, --provider or --as")

    async def listed(house: "OpenHouse", actor: Actor) -> Page[Any]:
        if job is not None:
            return await gathered(partial(house.use(ListJobReviews), actor, JobId(an_id(job))), limit)
        if provider is not None:
            who = await found_user(house, operator(), provider)
            return await gathered(partial(house.use(ListProviderReviews), actor, who.id), limit)
        return await gathered(partial(house.use(ListMyReviews), actor, received=received), limit)

    desk.show_page(desk.ask(listed), ("id", "stars", "author_name", "job_title", "text", "state", "created_at"))


group.asks("show", GetReview)
group.does(
    "post", PostReview, ReviewView, examples=("guildhall review post BOOKING_ID --stars 5 --as ana@town.example",)
)
group.does("hide", HideReview, ReviewView, examples=('guildhall review hide ID --reason "names a third person"',))
group.does("restore", RestoreReview, ReviewView)
