"""What people reckon for themselves from what they were shown."""

from typing import Any

import pytest

from entrypoints.simulation.expectations import share_of

SHOWN: dict[str, Any] = {
    "span": {"starts_at": "2026-03-30T08:00:00Z", "ends_at": "2026-03-30T09:00:00Z"},
    "price": {"amount_minor": 1205, "currency": "EUR"},
    "policy": {"tiers": [{"hours_before": 24, "refund_percent": 90}, {"hours_before": 6, "refund_percent": 50}]},
    "paid": True,
    "sequence": 0,
    "cancelled_by": "customer",
}


@pytest.mark.parametrize(
    ("cancelled_at", "share"),
    [
        ("2026-03-29T08:00:00Z", 1084),
        ("2026-03-29T08:00:01Z", 602),
        ("2026-03-30T02:00:00Z", 602),
        ("2026-03-30T02:00:01Z", 0),
    ],
)
def test_the_notice_that_was_kept_decides_and_half_a_cent_goes_to_the_even_side(cancelled_at: str, share: int) -> None:
    assert share_of({**SHOWN, "cancelled_at": cancelled_at}) == share


def test_a_provider_gives_all_back_and_what_was_not_paid_gives_nothing() -> None:
    late = {**SHOWN, "cancelled_at": "2026-03-30T07:59:00Z"}
    assert share_of({**late, "cancelled_by": "provider"}) == 1205
    assert share_of({**late, "paid": False}) == 0
    assert share_of({**late, "sequence": 1}) is None
