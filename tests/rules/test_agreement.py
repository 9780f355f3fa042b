"""Whatever rows there are: both readings name the same subjects, and judging changes is judging everything."""

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.persistence.rules import LIVENESS, RULES, Broken, Judge, judge_all, late
from adapters.persistence.rules.rule import Group, Rule
from adapters.persistence.schema import TABLES
from adapters.persistence.schema.tables import Row
from tests.rules.chaos import NOON, chaos
from tests.rules.conftest import shop_at

READ = tuple({table for rule in RULES for table in rule.by})
DRAWN = st.tuples(st.sampled_from(sorted(READ)), st.integers(0, 10**6))
PILE = st.lists(DRAWN, min_size=100, max_size=200)
Tables = dict[str, dict[Any, Row]]


def piled(drawn: list[tuple[str, int]]) -> tuple[Tables, list[tuple[str, Row | None, Row | None]]]:
    """Tables of these rows, one per id, and what makes them."""
    tables: Tables = {name: {} for name in TABLES}
    for table, seed in drawn:
        row = chaos(table, seed)
        tables[table].setdefault(_key(row), row)
    return tables, [(name, None, row) for name, rows in tables.items() for row in rows.values()]


def _key(row: Row) -> Any:
    return row["id"] if "id" in row else row["name"]


def test_both_readings_name_the_same_subjects_in_any_rows(spoilt_nothing: str) -> None:
    with asyncio.Runner() as runner:
        opened = shop_at(spoilt_nothing)
        shop = runner.run(opened.__aenter__())
        seen: set[str] = set()

        async def by_sql(changes: list[tuple[str, Row | None, Row | None]]) -> set[tuple[str, str]]:
            found: set[tuple[str, str]] = set()
            async with shop.with_(changes) as reader:
                for rule in (*RULES, *LIVENESS):
                    reading = await reader.read(rule, now=NOON, most=1000)
                    assert reading is not None
                    found |= {(rule.name, offence.subject) for offence in reading.offences}
            return found

        @settings(max_examples=40)
        @given(PILE)
        def agree(drawn: list[tuple[str, int]]) -> None:
            tables, changes = piled(drawn)
            by_rows = {(each.name, each.subject) for each in (*judge_all(tables), *late(tables, now=NOON))}
            assert by_rows == runner.run(by_sql(changes))
            seen.update(name for name, _ in by_rows)

        agree()
        runner.run(opened.__aexit__(None, None, None))
    assert len(seen) >= 0.85 * len((*RULES, *LIVENESS)), "the rows are too tame to say much"


@settings(max_examples=40)
@given(st.lists(st.tuples(DRAWN, st.sampled_from(("put", "put", "remove"))), max_size=60))
def test_judging_every_change_is_judging_everything(history: list[tuple[tuple[str, int], str]]) -> None:
    tables: Tables = {name: {} for name in TABLES}
    judge = Judge(tables, steps=())
    for number, ((table, seed), what) in enumerate(history):
        row = chaos(table, seed)
        before = tables[table].get(_key(row))
        if what == "put":
            tables[table][_key(row)] = row
            judge.note(table, before, row)
        elif before is not None:
            del tables[table][_key(row)]
            judge.note(table, before, None)
        if number % 3 == 0:
            assert judge.judge() == judge_all(tables)
    assert judge.judge() == judge_all(tables)


def test_a_change_is_judged_in_its_own_groups_only() -> None:
    looked_at: list[int] = []

    def broken(group: Group) -> list[tuple[Any, str]]:
        looked_at.append(len(group["bookings"]))
        return [(row["id"], "it was requested") for row in group["bookings"] if row["state"] == "requested"]

    rule = Rule(
        code="X",
        name="x",
        says="",
        means="",
        mend="",
        by={"bookings": "provider_id"},
        broken=broken,
        sql="",
    )
    first, second = ({**chaos("bookings", n), "id": n, "provider_id": n, "state": "held"} for n in (1, 2))
    judge = Judge({"bookings": {1: first, 2: second}}, rules=(rule,), steps=())
    assert judge.judge() == []
    assert sorted(looked_at) == [1, 1]
    looked_at.clear()
    judge.note("bookings", first, {**first, "state": "requested"})
    assert judge.judge() == [Broken("X", "x", "1", "it was requested")]
    assert looked_at == [1]
    assert judge.judge() == [Broken("X", "x", "1", "it was requested")], "it stays broken until it is mended"
    assert looked_at == [1]
    judge.note("bookings", {**first, "state": "requested"}, {**first, "provider_id": 2})
    assert judge.judge() == []
