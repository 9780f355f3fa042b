"""Whose tokens the database takes for our own: it is told what our access tokens name as their issuer."""

from typing import Any

import asyncpg

_LOCK = "select pg_advisory_xact_lock(hashtextextended('guildhall:migrations', 0))"


def function(issuer: str) -> str:
    """The function that says so."""
    quoted = issuer.replace("'", "''")
    if "$$" in quoted:
        raise ValueError("an issuer with $$ in its name cannot be told to the database")
    return (
        "create or replace function our_issuer() returns text\n"
        f"language sql stable set search_path = '' as $$ select '{quoted}'::text $$"
    )


async def known(owner_url: str) -> str:
    """What the database behind this owner's address was told."""
    connection: Any = await asyncpg.connect(owner_url, timeout=10)
    try:
        return str(await connection.fetchval("select public.our_issuer()"))
    finally:
        await connection.close()


async def introduce(owner_url: str, issuer: str) -> None:
    """Tell the database behind this owner's address, unless it knows; of two who do at once the second waits."""
    connection: Any = await asyncpg.connect(owner_url, timeout=10)
    try:
        if await connection.fetchval("select public.our_issuer()") == issuer:
            return
        async with connection.transaction():
            await connection.execute(_LOCK)
            await connection.execute("set local search_path = public")
            await connection.execute(function(issuer))
    finally:
        await connection.close()
