"""Runs migrations on one connection, under one lock, whoever starts them at the same time."""

import asyncio
from collections.abc import Callable

from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

URL: str = context.config.attributes["url"]
TELL_POSTGREST = "notify pgrst, 'reload schema'"
"""Whoever serves this database over HTTP keeps its schema in mind, and is told here after every upgrade, whatever the
revisions in it do. It is heard when the upgrade is committed; where nobody listens it is nothing."""


def migrate(connection: Connection) -> None:
    """Upgrade inside one transaction; a second runner waits here and then finds nothing to do."""
    context.configure(connection=connection)
    with context.begin_transaction():
        connection.execute(text("select pg_advisory_xact_lock(hashtextextended('guildhall:migrations', 0))"))
        context.run_migrations()
        connection.execute(text(TELL_POSTGREST))


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
        context.execute(TELL_POSTGREST)
else:
    asyncio.run(online(migrate))
