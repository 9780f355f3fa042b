"""The login that everything but migrations uses."""

from urllib.parse import quote, urlsplit

import asyncpg

APP = "guildhall_app"


async def admit_app(owner_url: str, password: str) -> str:
    """Give the application's login this password; returns its address of the same database."""
    connection = await asyncpg.connect(owner_url, timeout=10)
    try:
        verb = await connection.fetchval("select format('alter role guildhall_app password %L', $1::text)", password)
        await connection.execute(verb)
    finally:
        await connection.close()
    parts = urlsplit(owner_url)
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{APP}:{quote(password, safe='')}@{host}").geturl()
