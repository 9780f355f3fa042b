"""The rules of the business, read on whatever storage is configured."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from adapters.persistence.rules import LIVENESS, RULES, STEPS
from adapters.persistence.rules.reading import AnyRule, RuleReader
from domain.shared.errors import Unavailable
from entrypoints.container.injection import Container
from entrypoints.container.opening import OpenHouse
from entrypoints.settings import Storage

MOST = 10
"""So many offences of a rule are told one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFinding:
    """One rule, and what offends it: how many, and the first of them as subject and sentence. `means` says what that
    does to the business, `mend` what to do about it."""

    code: str
    name: str
    says: str
    means: str
    mend: str
    total: int
    offences: list[dict[str, str]]

    @property
    def holds(self) -> bool:
        """Whether nothing offends it."""
        return self.total == 0


async def rules(house: OpenHouse, *, begins: Callable[[str, int], Any]) -> AsyncIterator[RuleFinding]:
    """Every rule that can be read here, one after the other; `begins` hears of each before, and how many there are."""
    now = house.container.clock().now()
    every: tuple[AnyRule, ...] = (*RULES, *STEPS, *LIVENESS)
    readable = [rule for rule in every if rule.sql is not None]
    async with _reader(house) as reader:
        for rule in readable:
            begins(f"{rule.code} {rule.says}", len(readable))
            reading = await reader.read(rule, now=now, most=MOST)
            if reading is not None:
                yield RuleFinding(
                    code=rule.code,
                    name=rule.name,
                    says=rule.says,
                    means=rule.means,
                    mend=rule.mend,
                    total=reading.total,
                    offences=[{"subject": each.subject, "said": each.said} for each in reading.offences],
                )


@asynccontextmanager
async def _reader(house: OpenHouse) -> AsyncIterator[RuleReader]:
    if house.settings.storage is Storage.MEMORY:
        from adapters.memory.rules import MemoryRules

        yield MemoryRules(house.container.store())
        return
    from adapters.postgres.rules import PostgresRules

    if house.settings.storage is Storage.POSTGRES:
        yield PostgresRules(house.container.pools().house)
        return
    if not house.owner_url:
        # Read over HTTP, one table after the other, a business that goes on would seem to break its rules.
        raise Unavailable(
            "rules are read by SQL, which PostgREST does not take: set DATABASE_URL to the connection string of the "
            "project's database (Connect, session pooler or direct), of a login that may become service_role; "
            "rules only read"
        )
    pools = Container(settings=house.settings, database_url=house.owner_url).pools()
    try:
        yield PostgresRules(pools.house)
    finally:
        await pools.close()
