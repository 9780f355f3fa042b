"""Entering the house from a command: whatever stands in the way is told as one clear refusal."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from domain.shared.errors import Refusal
from entrypoints.container.opening import OpenHouse, open_house
from entrypoints.container.standing import SchemaBehind, must_be_present
from entrypoints.settings import Settings, Storage

__all__ = ["SchemaBehind", "entered"]


@asynccontextmanager
async def entered(settings: Settings, *, migrate: bool | None = None) -> AsyncIterator[OpenHouse]:
    """The open house. Unless told otherwise it migrates the embedded database only: of anybody else's it asks that
    somebody has."""
    own = settings.database_url is None and settings.storage is Storage.POSTGRES
    async with AsyncExitStack() as stack:
        try:
            opening = open_house(settings, migrate=own if migrate is None else migrate)
            house = await stack.enter_async_context(opening)
            migrated = own if migrate is None else migrate and bool(house.owner_url)
            if not migrated and migrate is not False and settings.storage is not Storage.MEMORY:
                await must_be_present(house)
        except Refusal:
            raise
        except Exception as error:
            if settings.storage is Storage.MEMORY:
                raise
            from adapters.postgres.examination import explained

            raise (explained(error) or error) from error
        yield house
