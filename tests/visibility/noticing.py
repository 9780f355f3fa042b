"""Doing harm inside a transaction, looking whether the matrix notices, and undoing it."""

from collections.abc import Iterable, Iterator
from typing import Any

import asyncpg

from tests.planted.visibility import KINDS, Harm, functions
from tests.visibility.lints import offences
from tests.visibility.probe import complaints, misfits
from tests.visibility.world import World

FUNCTIONS = "functions that tell more"
SOURCES = """
select proname, pg_get_functiondef(oid) as source from pg_proc
where pronamespace = 'public'::regnamespace and prokind = 'f'
"""


async def kinds(owner: Any) -> dict[str, Iterator[Harm]]:
    """Every harm there is to do, by kind."""
    sources = {row["proname"]: row["source"] for row in await owner.fetch(SOURCES)}
    return {**{kind: harms() for kind, harms in KINDS.items()}, FUNCTIONS: functions(sources)}


async def unnoticed(owner: Any, here: World, harms: Iterable[Harm]) -> tuple[int, list[str]]:
    """How much harm was done, and what of it the matrix lets pass."""
    passed, count = [], 0
    for harm in harms:
        count += 1
        transaction = owner.transaction()
        await transaction.start()
        try:
            await owner.execute(harm.statement)
            if not await _noticed(owner, here, harm):
                passed.append(harm.statement)
        finally:
            await transaction.rollback()
    assert count, "no harm was done"
    return count, passed


async def _noticed(owner: Any, here: World, harm: Harm) -> bool:
    """Whether the matrix complains, or breaks altogether, or a lint has something to say."""
    identities = here.identities if harm.devices else here.witnesses
    try:
        return bool(
            await complaints(owner, here, harm.sources, reads=harm.reads, writes=harm.writes, identities=identities)
            or await misfits(owner)
            or await offences(owner)
        )
    except asyncpg.PostgresError:
        return True
