"""Entering the house from a command: whatever stands in the way is told as one clear refusal."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from domain.shared.errors import Refusal, Unavailable
from entrypoints.container.opening import OpenHouse, open_house
from entrypoints.settings import Settings, Storage


class SchemaBehind(Unavailable):
    """The database has another schema than this version works with."""

    code = "schema.behind"

    def __init__(self, found: str | None, wanted: str) -> None:
        seen = f"is at revision {found}" if found else "is empty"
        super().__init__(
            f"the database {seen}, this version wants {wanted}: run `guildhall migrate`", found=found, wanted=wanted
        )


@asynccontextmanager
async def entered(settings: Settings, *, migrate: bool | None = None) -> AsyncIterator[OpenHouse]:
    """The open house. Unless told otherwise it migrates the embedded database only: of anybody else's it asks that
    somebody has."""
    own = settings.database_url is None
    async with AsyncExitStack() as stack:
        try:
            opening = open_house(settings, migrate=own if migrate is None else migrate)
            house = await stack.enter_async_context(opening)
            if migrate is None and not own and settings.storage is Storage.POSTGRES:
                await _must_be_present(house.owner_url)
        except Refusal:
            raise
        except Exception as error:
            if settings.storage is Storage.MEMORY:
                raise
            from adapters.postgres.examination import explained

            raise (explained(error) or error) from error
        yield house


async def _must_be_present(owner_url: str) -> None:
    from adapters.postgres.versions import newest, revision

    found = await revision(owner_url)
    if found != newest():
        raise SchemaBehind(found, newest())
