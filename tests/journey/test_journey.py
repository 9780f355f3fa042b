"""`guildhall demo` plays the whole journey, and fails when anything in it is not as it says."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from typer.testing import CliRunner

from entrypoints.cli.app import app
from entrypoints.cli.journey import played
from entrypoints.cli.journey.acts import ACTS
from entrypoints.cli.journey.acts.arriving import opens
from entrypoints.cli.journey.calendar import Week
from entrypoints.cli.journey.checking import Checks, Unmet
from entrypoints.cli.journey.story import Act, Story

IN_MEMORY = {"GUILDHALL_STORAGE": "memory"}


def test_the_whole_journey_holds_and_each_of_its_steps_was_checked() -> None:
    outcome = CliRunner().invoke(app, ["demo", "--json"])
    report = json.loads(outcome.stdout)
    assert [step for step in report["steps"] if not step["passed"]] == []
    assert outcome.exit_code == 0
    assert len(report["steps"]) == sum(len(act.steps) for act in ACTS)
    assert all(step["checks"] and step["seconds"] is not None for step in report["steps"])


async def _expects_the_wrong_thing(story: Story, check: Checks) -> None:
    """A step whose expectation is wrong"""
    check.done("this holds", await story.http.get("/healthz"))
    check.done("and this does not", await story.http.get("/healthz"), 418)


async def _is_played(story: Story, check: Checks) -> None:
    """A step after it"""
    check.that("never", True)


def test_a_wrong_expectation_ends_the_journey_with_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    act = Act("An act with a bug planted in it", (opens, _expects_the_wrong_thing, _is_played))
    report = played([act], wishes=IN_MEMORY)
    assert report.exit_code == 1
    assert [entry.passed for entry in report.entries] == [True, False, False]
    assert [entry.seconds is None for entry in report.entries] == [False, False, True]
    assert "GET /healthz was answered 200" in report.entries[1].trouble
    told = capsys.readouterr().out
    assert "FAIL" in told
    assert "! and this does not" in told
    assert "The journey does not hold: 1 of 3 steps" in told


async def _checks_nothing(story: Story, check: Checks) -> None:
    """A step that checks nothing"""


async def _breaks(story: Story, check: Checks) -> None:
    """A step that breaks"""
    check.that("so far", True)
    raise LookupError("lost the way")


@pytest.mark.parametrize(
    ("step", "trouble"), [(_checks_nothing, "nothing was checked"), (_breaks, "LookupError: lost the way")]
)
def test_a_step_that_checks_nothing_or_breaks_does_not_hold_either(step: object, trouble: str) -> None:
    report = played([Act("An act", (step,))], json=True)  # type: ignore[arg-type]
    assert report.exit_code == 1
    assert trouble in report.entries[0].trouble


def test_a_journey_without_steps_proves_nothing() -> None:
    assert played([], json=True).exit_code == 1


async def test_what_does_not_happen_in_time_counts_as_not_happening() -> None:
    async def look() -> str:
        return "still waiting"

    with pytest.raises(Unmet, match="still waiting"):
        await Checks(patience=0.01).soon("it comes", look, lambda seen: seen == "here")


@pytest.mark.parametrize(
    ("now", "sunday", "shift", "real_hours"),
    [
        (datetime(2026, 1, 5, tzinfo=UTC), date(2026, 3, 29), timedelta(hours=1), 3),
        (datetime(2026, 3, 26, tzinfo=UTC), date(2026, 10, 25), timedelta(hours=-1), 5),
    ],
)
def test_the_week_of_the_journey_is_around_the_next_change_of_the_clocks(
    now: datetime, sunday: date, shift: timedelta, real_hours: int
) -> None:
    week = Week.after(now)
    assert (week.sunday, week.shift) == (sunday, shift)
    assert len(week.starts(0, "01:00-05:00")) == real_hours
    assert week.at(1, "09:00") - week.at(-1, "09:00") == timedelta(hours=48) - shift
    assert week.opening > now
