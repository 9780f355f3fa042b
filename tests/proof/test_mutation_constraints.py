"""The campaign `mutation_constraints` in small: every kind of object once and some at random, dropped and noticed."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from tests.proof.mutation_constraints.__main__ import judged


def test_whatever_is_dropped_somebody_notices(database: str) -> None:
    with ThreadPoolExecutor(1) as thread:
        verdicts, controls = thread.submit(lambda: asyncio.run(judged(database, sample=40, seed=2))).result()
    assert [(str(each.held), each.why) for each in verdicts if not each.by] == []
    assert len(verdicts) == 40
    assert [str(each.held) for each in controls if each.by] == []
    assert len(controls) == 9
