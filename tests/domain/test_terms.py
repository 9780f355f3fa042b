"""What two parties agree on."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.shared.errors import Invalid
from domain.shared.ids import JobId
from domain.shared.terms import MOST_TIERS, POLICIES, CancellationPolicy, PolicyName, Tier, occupancy_of

START = datetime(2026, 6, 1, 12, tzinfo=UTC)
JOB = JobId(UUID(int=1))


def back(policy: CancellationPolicy, **before: int) -> int:
    return policy.refund_percent(START, START - timedelta(**before))


@pytest.mark.parametrize(
    ("name", "before", "percent"),
    [
        (PolicyName.FLEXIBLE, {"hours": 24}, 100),
        (PolicyName.FLEXIBLE, {"hours": 24, "microseconds": -1}, 0),
        (PolicyName.MODERATE, {"days": 5}, 100),
        (PolicyName.MODERATE, {"days": 4}, 50),
        (PolicyName.MODERATE, {"hours": 23}, 0),
        (PolicyName.STRICT, {"days": 14}, 100),
        (PolicyName.STRICT, {"days": 7}, 50),
        (PolicyName.STRICT, {"days": 6}, 0),
    ],
)
def test_the_named_policies_give_back_by_the_notice_that_was_kept(name, before, percent):
    assert back(CancellationPolicy.named(name), **before) == percent


def test_every_name_has_its_policy():
    assert set(POLICIES) == set(PolicyName)


def test_nothing_is_given_back_after_the_start_unless_a_tier_says_so():
    assert back(POLICIES[PolicyName.FLEXIBLE], hours=-1) == 0
    assert back(CancellationPolicy(), days=300) == 0


def test_tiers_are_sorted_whatever_order_they_come_in():
    said = CancellationPolicy((Tier(1, 10), Tier(48, 90), Tier(24, 50)))
    assert said == CancellationPolicy((Tier(48, 90), Tier(24, 50), Tier(1, 10)))
    assert [back(said, hours=hours) for hours in (50, 48, 30, 2, 0)] == [90, 90, 50, 10, 0]


@pytest.mark.parametrize(
    "nonsense",
    [
        lambda: Tier(-1, 50),
        lambda: Tier(24 * 366, 50),
        lambda: Tier(True, 50),
        lambda: Tier(1, 101),
        lambda: Tier(1, -1),
        lambda: CancellationPolicy((Tier(1, 10), Tier(1, 20))),
        lambda: CancellationPolicy((Tier(1, 50), Tier(24, 20))),
        lambda: CancellationPolicy((), no_show_percent=101),
        lambda: CancellationPolicy(tuple(Tier(hours, 0) for hours in range(MOST_TIERS + 1))),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(nonsense):
    with pytest.raises(Invalid):
        nonsense()


def test_one_session_has_one_key_whatever_the_zone_its_start_is_told_in():
    lisbon = START.astimezone(UTC).isoformat()
    elsewhere = datetime.fromisoformat("2026-06-01T17:30:00+05:30")
    assert lisbon == START.isoformat()
    assert occupancy_of(JOB, START) == occupancy_of(JOB, elsewhere)


def test_another_start_or_another_job_is_another_session():
    keys = {
        occupancy_of(JOB, START),
        occupancy_of(JOB, START + timedelta(minutes=1)),
        occupancy_of(JobId(UUID(int=2)), START),
    }
    assert len(keys) == 3
