"""Every rule is broken once on purpose, and both of its readings name the same subjects."""

import pytest

from adapters.persistence.rules import LIVENESS, RULES, Liveness, Rule, judge_all, late
from tests.rules.conftest import Shop
from tests.rules.lives import Town
from tests.rules.plants import PLANTS

MANY = 1000
EVERY: tuple[Rule | Liveness, ...] = (*RULES, *LIVENESS)


async def _by_both(
    town: Town, shop: Shop, *rules: Rule | Liveness
) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """(rule, subject) as the rows tell, and as PostgreSQL tells."""
    found = judge_all(town.tables, rules=[rule for rule in rules if isinstance(rule, Rule)])
    found += late(town.tables, now=town.now, rules=[rule for rule in rules if isinstance(rule, Liveness)])
    told: set[tuple[str, str]] = set()
    async with shop.with_(town.changes) as reader:
        for rule in rules:
            reading = await reader.read(rule, now=town.now, most=MANY)
            assert reading is not None
            assert reading.total == len(reading.offences)
            told |= {(rule.name, offence.subject) for offence in reading.offences}
            assert all(offence.said for offence in reading.offences)
    return {(broken.name, broken.subject) for broken in found}, told


async def test_in_a_town_that_was_lived_in_every_rule_holds(town: Town, shop: Shop) -> None:
    assert await _by_both(town, shop, *EVERY) == (set(), set())


@pytest.mark.parametrize("rule", EVERY, ids=lambda rule: f"{rule.code}-{rule.name}")
async def test_a_broken_rule_is_found_by_both_readings(rule: Rule | Liveness, town: Town, shop: Shop) -> None:
    PLANTS[rule.name](town)
    by_rows, by_sql = await _by_both(town, shop, rule)
    assert by_rows, "the rows do not show it"
    assert by_rows == by_sql


def test_every_rule_has_a_name_of_its_own_and_a_plant() -> None:
    names = [rule.name for rule in EVERY]
    assert len(names) == len(set(names))
    assert set(names) == set(PLANTS)
