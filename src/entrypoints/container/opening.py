"""Opening the house: the database up and migrated, pools ready, everything wired; and closing it again."""

import asyncio
import hmac
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import structlog

from entrypoints.container.injection import Container
from entrypoints.settings import Settings, Storage
from entrypoints.use_cases import UseCases

log = structlog.get_logger("house")


@dataclass(frozen=True, slots=True)
class OpenHouse:
    """A wired Guildhall, ready for whoever asks. `owner_url` is the database owner's address, if there is one."""

    settings: Settings
    container: Container
    owner_url: str = ""

    @property
    def use(self) -> UseCases:
        """The use cases."""
        use: UseCases = self.container.use_cases()
        return use


@asynccontextmanager
async def open_house(settings: Settings, *, migrate: bool = True) -> AsyncIterator[OpenHouse]:
    """The house for the length of the block; with `migrate`, its database is brought to this version first."""
    async with AsyncExitStack() as stack:
        if settings.storage is Storage.MEMORY:
            yield OpenHouse(settings, Container(settings=settings))
            return
        if settings.storage is Storage.SUPABASE:
            owner_url = settings.database_url.asyncpg if settings.database_url else ""
            if migrate and owner_url:
                await migrated(owner_url, settings)
            container = Container(settings=settings)
            stack.push_async_callback(container.rest().close)
            yield OpenHouse(settings, container, owner_url)
            return
        owner_url = await owner_address(settings, stack)
        if migrate:
            await migrated(owner_url, settings)
        container = Container(settings=settings, database_url=await _app_url(settings, owner_url))
        pools = container.pools()
        stack.push_async_callback(pools.close)
        yield OpenHouse(settings, container, owner_url)


async def owner_address(settings: Settings, stack: AsyncExitStack) -> str:
    """The owner's address of the database, of the embedded one while the stack lasts if no other is named."""
    if settings.database_url is not None:
        return settings.database_url.asyncpg
    from adapters.postgres.server import EmbeddedServer

    server = EmbeddedServer(settings.data_dir / "postgres")
    owner_url = await stack.enter_async_context(server.use_async())
    await stack.enter_async_context(_watched(server))
    return owner_url


@asynccontextmanager
async def _watched(server: Any) -> AsyncIterator[None]:
    """While the block lasts, an embedded server that dies is started again; pools then find it by themselves."""

    async def watch() -> None:
        while True:
            await asyncio.sleep(1)
            try:
                if await asyncio.to_thread(server.postmaster) is None:
                    log.warning("the embedded database ended; starting it again")
                    await asyncio.to_thread(server.revive)
            except Exception as error:
                # Whatever it was, the next second tries again: a watch that ends watches nothing.
                log.error("the embedded database cannot be started", error=f"{type(error).__name__}: {error}")

    task = asyncio.ensure_future(watch())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def migrated(owner_url: str, settings: Settings) -> None:
    """Bring the database to the newest schema, unless it is there, and tell it whose tokens are ours."""
    from adapters.postgres.issuer import introduce
    from adapters.postgres.versions import present

    if not await present(owner_url):
        from adapters.postgres.migrations import migrate

        await asyncio.to_thread(migrate, owner_url)
    await introduce(owner_url, settings.token_issuer)


async def _app_url(settings: Settings, owner_url: str) -> str:
    """The address everything but migrations uses: its own login where there is one, else the owner's."""
    if settings.database_app_url is not None:
        return settings.database_app_url.asyncpg
    if settings.database_url is not None:
        return owner_url
    from adapters.postgres.access import admit_app

    secret: str = Container(settings=settings).secret()
    password = hmac.digest(secret.encode(), b"guildhall_app", "sha256").hex()
    return await admit_app(owner_url, password)
