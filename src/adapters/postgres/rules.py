"""Rules read by PostgreSQL: each is one query for what offends it."""

from datetime import datetime

from adapters.persistence.rules import Liveness
from adapters.persistence.rules.reading import AnyRule, Offence, Reading, RuleReader
from adapters.postgres.pools import Pool

PATIENCE_SECONDS = 600.0
"""A big house takes longer than a request would wait."""
ROOM = "64MB"
"""What sorting may take in memory: a rule reads whole tables."""


class PostgresRules(RuleReader):
    """Asks as the house itself, which sees all rows."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def read(self, rule: AnyRule, *, now: datetime, most: int) -> Reading | None:
        if rule.sql is None:
            return None
        before = (now - rule.grace,) if isinstance(rule, Liveness) else ()
        # A subject is told once, whatever else is wrong with it.
        statement = f"""
            select subject, min(said) as said, count(*) over () as total from ({rule.sql}) as found
            group by subject order by subject collate "C" limit ${len(before) + 1}
        """
        async with self._pool.connection() as connection, connection.transaction(readonly=True):
            await connection.execute(f"set local work_mem = '{ROOM}'")
            records = await connection.fetch(statement, *before, most, timeout=PATIENCE_SECONDS)
        offences = [Offence(record["subject"], record["said"]) for record in records]
        return Reading(records[0]["total"] if records else 0, offences)
