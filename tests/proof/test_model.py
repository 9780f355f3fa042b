"""The stateful model in a few examples, and differences it must find; `python -m tests.proof.model` looks longer."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from tests.planted.model import PLANTED
from tests.proof.model.campaign import hunt, machine, run
from tests.proof.model.pair import Divergence, Pair, paired

SOON = ("memory takes a second review", "the policy gives everything back", "a policy of the database is gone")
"""Those that show within a second or two; the campaign looks for all of them."""


@pytest.fixture(scope="module")
def pair(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Both houses, quiet."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with paired(Path(tmp_path_factory.mktemp("houses")), module_database) as opened:
        yield opened
    structlog.configure(**before)


def test_memory_postgres_and_the_model_agree(pair: Pair) -> None:
    assert run(pair, machine(pair), examples=4, steps=20) is None
    assert pair.figures.rows
    assert pair.figures.answers > 100


@pytest.mark.parametrize("name", SOON)
def test_what_is_planted_is_found(pair: Pair, name: str) -> None:
    assert hunt(pair, PLANTED[name], examples=20, steps=12, closely=True) is not None


def test_a_row_that_differs_is_found(pair: Pair) -> None:
    pair.renew(1)
    pair.admin("ada@example.org", "correct horse battery")
    pair.runner.run(pair.houses[1].owner.execute("update profiles set headline = 'another'"))
    with pytest.raises(Divergence, match="headline"):
        pair.compare()
