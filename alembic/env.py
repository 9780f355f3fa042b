"""Runs migrations on one connection, under one lock, whoever starts them at the same time."""

import asyncio
from collections.abc import Callable

from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

URL: str = context.config.attributes["url"]


def migrate(connection: Connection) -> None:
    """Upgrade inside one transaction; a second runner waits here and then finds nothing to do."""
    context.configure(connection=connection)
    with context.begin_transaction():
        connection.execute(text("select pg_advisory_xact_lock(hashtextextended('guildhall:migrations', 0))"))
        context.run_migrations()


async def online(work: Callable[[Connection], None]) -> None:
    """Run the work on a connection of its own."""
    engine = create_async_engine(URL, poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(work)
        await connection.commit()
    await engine.dispose()


if context.is_offline_mode():
    context.configure(url=URL, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    asyncio.run(online(migrate))
