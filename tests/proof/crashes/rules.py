"""The rules of the business, read by PostgreSQL once everything has come to rest."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from adapters.persistence.rules import LIVENESS, RULES, STEPS, Liveness
from adapters.persistence.rules.reading import AnyRule
from tests.proof.crashes.fleet import Fleet

_SETTLED_IN_ORDER = """
select a.id::text as subject, a.name || ' was settled after ' || b.name as said
from outbox a join outbox b using (subject_table, subject_id)
where not a.scheduled and not b.scheduled and (a.subject_version, a.position) < (b.subject_version, b.position)
  and a.finished_at > b.finished_at
"""
"""A week's events are still there, so here their order can be read from the rows."""


def questions(now: datetime) -> Iterator[tuple[str, str, tuple[Any, ...]]]:
    """Every rule that has a reading in SQL: its name, its question, and what the question needs to know."""
    yield "E5 events of one aggregate were settled in their order", _SETTLED_IN_ORDER, ()
    every: tuple[AnyRule, ...] = (*RULES, *STEPS, *LIVENESS)
    for rule in every:
        if rule.sql is not None:
            before = (now - rule.grace,) if isinstance(rule, Liveness) else ()
            yield f"{rule.code} {rule.says}", rule.sql, before


async def broken(fleet: Fleet) -> tuple[int, list[str]]:
    """How many rules were read, and those that do not hold, each with some of what breaks it."""
    wrong, read = [], 0
    for rule, sql, arguments in questions(fleet.clock.now()):
        read += 1
        if rows := await fleet.rows(sql, *arguments):
            wrong.append(f"{rule}: broken {len(rows)} times, such as {[tuple(row) for row in rows[:3]]}")
    return read, wrong
