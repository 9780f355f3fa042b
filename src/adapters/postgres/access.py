"""The login that everything but migrations uses."""

from urllib.parse import quote, urlsplit

import asyncpg

APP = "guildhall_app"


async def admit_app(owner_url: str, password: str) -> str:
    """Give the application's login this password; returns its address of the same database."""
    connection = await asyncpg.connect(owner_url, timeout=10)
    try:
        # Roles belong to the cluster: two processes that start at once would trip over each other's change.
        async with connection.transaction():
            await connection.execute("select pg_advisory_xact_lock(hashtextextended('guildhall:roles', 0))")
            verb = await connection.fetchval(
                "select format('alter role guildhall_app password %L', $1::text)", password
            )
            await connection.execute(verb)
    finally:
        await connection.close()
    parts = urlsplit(owner_url)
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{APP}:{quote(password, safe='')}@{host}").geturl()
