"""What every test stands on: a clean environment, deterministic chance, and no skipping in CI."""

import os
from collections.abc import Generator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from adapters.system.clock import StandingClock
from adapters.system.ids import SeededIds
from entrypoints.settings import Settings, env_name

pytest_plugins = ["tests.support.servers", "tests.support.postgrest"]

# What a developer has set for an instance of their own must not reach the tests.
for _name in [env_name(field) for field in Settings.model_fields]:
    os.environ.pop(_name, None)
    os.environ.pop(f"{_name}_FILE", None)

# The same examples every time in `make test`; HYPOTHESIS_PROFILE=search looks for new ones, and keeps what it finds.
settings.register_profile(
    "same", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("search", deadline=None, max_examples=1000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


@pytest.fixture
def clock() -> StandingClock:
    """A clock that stands at noon on a working day until the test moves it."""
    return StandingClock(datetime(2026, 3, 18, 12, tzinfo=UTC))


@pytest.fixture
def ids(clock: StandingClock) -> SeededIds:
    """The same ids in every run of the test."""
    return SeededIds(clock, seed=1)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """In CI a missing counterpart is a failure: what was skipped was not proven."""
    report = yield
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped in CI: {report.longrepr[-1]}"
    return report
