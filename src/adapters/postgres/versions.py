"""Which schema a database has, asked without the machinery of migrations: starting must be quick."""

import re
from functools import cache
from pathlib import Path

import asyncpg

VERSIONS = Path(__file__).parents[3] / "alembic" / "versions"


_SAID = re.compile(r'^(revision|down_revision) = "(\d{4})"$', re.MULTILINE)


@cache
def newest() -> str:
    """The newest revision in this checkout: the one that no other comes after. Numbers were given when work began, and
    do not say in which order it ended."""
    told = [dict(_SAID.findall(file.read_text())) for file in VERSIONS.glob("*.py")]
    before = {each.get("down_revision") for each in told}
    (last,) = (each["revision"] for each in told if each["revision"] not in before)
    return last


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
