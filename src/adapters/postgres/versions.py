"""Which schema a database has, asked without the machinery of migrations: starting must be quick."""

import re
from pathlib import Path

import asyncpg

VERSIONS = Path(__file__).parents[3] / "alembic" / "versions"


def newest() -> str:
    """The newest revision in this checkout: revisions are numbered."""
    return max(found[1] for file in VERSIONS.glob("*.py") if (found := re.match(r"(\d{4})_", file.name)))


async def revision(owner_url: str) -> str | None:
    """The revision the database is at, or None when it has none."""
    connection = await asyncpg.connect(owner_url, timeout=10)
    try:
        if not await connection.fetchval("select to_regclass('public.alembic_version')"):
            return None
        found: str | None = await connection.fetchval("select version_num from public.alembic_version")
        return found
    finally:
        await connection.close()


async def present(owner_url: str) -> bool:
    """Whether the database is at the newest revision."""
    return await revision(owner_url) == newest()
