"""Rules read over the rows in memory."""

from datetime import datetime

from adapters.memory.store import MemoryStore
from adapters.persistence.rules import Liveness, Step, judge_all, late
from adapters.persistence.rules.reading import AnyRule, Offence, Reading, RuleReader


class MemoryRules(RuleReader):
    """Judges the tables of a memory store. How rows were changed they do not show."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def read(self, rule: AnyRule, *, now: datetime, most: int) -> Reading | None:
        tables = {name: table.rows for name, table in self._store.tables.items()}
        match rule:
            case Step():
                return None
            case Liveness():
                found = late(tables, now=now, rules=(rule,))
            case _:
                found = judge_all(tables, rules=(rule,))
        said = {broken.subject: broken.said for broken in found}
        offences = [Offence(subject, said[subject]) for subject in sorted(said)]
        return Reading(len(offences), offences[:most])
