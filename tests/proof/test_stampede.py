"""A small stampede, and its checks without a lock to stand in line at."""

from collections import Counter

import pytest

from tests.proof.stampede.campaign import Came, judged, stampede


async def test_one_of_a_hundred_customers_gets_the_slot() -> None:
    came = await stampede(100, 2)
    assert came.failures == []
    assert came.stampede.statuses == {201: 1, 409: 99}


@pytest.mark.parametrize("answers", [{201: 2, 409: 98}, {409: 100}, {201: 1, 409: 98, 503: 1}, {201: 1, 409: 98, 0: 1}])
def test_anything_else_is_a_failure(answers: dict[int, int]) -> None:
    came = Came(100)
    came.stampede.statuses = Counter(answers)
    assert judged(came)
