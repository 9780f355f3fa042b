"""Leases and seals move half of all rows there are: a rule that says it does not mind them must not look at them."""

from typing import Any

import pytest
from hypothesis import given, settings

from adapters.persistence.rules import RULES, judge_all
from adapters.persistence.rules.rule import ASIDE
from adapters.persistence.schema.tables import Row
from tests.rules.test_agreement import PILE, piled

UNMINDFUL = [rule for rule in RULES if not rule.minds]


class Veiled(dict[str, Any]):
    """A row whose moving columns nobody may see."""

    aside: frozenset[str] = frozenset()

    def __getitem__(self, column: str) -> Any:
        assert column not in self.aside, f"{column} was looked at"
        return super().__getitem__(column)

    def get(self, column: str, default: Any = None) -> Any:
        assert column not in self.aside, f"{column} was looked at"
        return super().get(column, default)

    def items(self) -> Any:
        raise AssertionError("every column was looked at")

    values = items


def veiled(tables: dict[str, dict[Any, Row]]) -> dict[str, dict[Any, Row]]:
    """The same rows, with what leases and seals move out of sight."""
    kinds = {name: type("Veiled", (Veiled,), {"aside": aside}) for name, aside in ASIDE.items()}
    return {name: {key: kinds.get(name, dict)(row) for key, row in rows.items()} for name, rows in tables.items()}


@settings(max_examples=30, deadline=None)
@given(PILE)
def test_a_rule_that_does_not_mind_leases_and_seals_never_looks_at_them(drawn: list[tuple[str, int]]) -> None:
    tables, _ = piled(drawn)
    assert judge_all(veiled(tables), rules=UNMINDFUL) == judge_all(tables, rules=UNMINDFUL)


def test_a_rule_that_looks_is_found() -> None:
    tables, _ = piled([("audit", seed) for seed in range(50)])
    with pytest.raises(AssertionError, match="looked at"):
        judge_all(veiled(tables), rules=[rule for rule in RULES if rule.minds])
