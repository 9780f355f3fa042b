"""Worlds: well without and with faults, the same again for the same seed, and told by the command line."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from entrypoints.container.simulating import stream
from entrypoints.simulation.campaign import Options, campaign, play
from entrypoints.simulation.faults import ALL, UnknownFault, chosen
from entrypoints.simulation.plan import Plan, nights_of_change

ROOT = Path(__file__).resolve().parents[2]
SHORT = Options(steps=40)


@pytest.mark.parametrize(("faults", "seed"), [("none", 1), ("some", 2), ("all", 3), ("all", 4)])
def test_a_few_worlds_break_no_rule(faults: str, seed: int) -> None:
    outcome = play(seed, Options(steps=40, faults=faults))
    assert outcome.failure is None
    assert outcome.steps == 40
    assert outcome.events > 40
    assert bool(outcome.faults) is (faults != "none")


def test_the_same_seed_is_the_same_world_in_another_process_with_other_hashes() -> None:
    """Nothing in it may depend on how Python orders sets, on addresses, or on the machine's time."""
    told = "from entrypoints.simulation.campaign import *; print(play(5, Options(steps=40, faults='all')).digest)"
    # This process has hashes of its own, drawn when it began, unless somebody chose them.
    other = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    environment = {**os.environ, "PYTHONHASHSEED": other, "PYTHONPATH": str(ROOT / "src")}
    ran = subprocess.run([sys.executable, "-c", told], env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == play(5, Options(steps=40, faults="all")).digest


def test_a_kept_trace_hashes_like_one_that_is_not_kept() -> None:
    kept, unkept = play(6, SHORT, whole=True), play(6, SHORT)
    assert kept.digest == unkept.digest
    assert len(kept.story) > len(unkept.story)


def test_another_seed_is_another_world() -> None:
    assert len({play(seed, Options(steps=10)).digest for seed in range(5)}) == 5


def test_a_campaign_adds_up() -> None:
    seen: Counter[int] = Counter()
    figures = campaign(range(3), Options(steps=10, faults="none"), done=lambda outcome: seen.update([outcome.seed]))
    assert (figures.seeds, figures.steps, figures.failures) == (3, 30, [])
    assert figures.events_a_minute > 0
    assert not figures.faults
    assert seen == Counter({0: 1, 1: 1, 2: 1})


def test_faults_are_chosen_by_name() -> None:
    assert chosen("none", stream(1)) == {}
    assert set(chosen("all", stream(1))) == set(ALL)
    assert set(chosen("crash, mail_away", stream(1))) == {"crash", "mail_away"}
    assert {len(chosen("some", stream(seed))) for seed in range(30)} > {0}
    with pytest.raises(UnknownFault, match="no fault 'rain'"):
        chosen("rain", stream(1))


def test_half_of_the_worlds_are_placed_around_a_night_in_which_clocks_change() -> None:
    nights = {night.date() for zone in ("Europe/Lisbon", "Australia/Lord_Howe") for night in nights_of_change(zone)}
    assert len(nights) == 8
    near = 0
    for seed in range(60):
        plan = Plan.drawn(seed, stream, steps=1, days=3, faults="none")
        near += any(0 <= (night - plan.start.date()).days <= 4 for night in nights)
    assert near > 10


def test_the_command_tells_what_was_played() -> None:
    ran = _run("--json", "simulate", "--seeds", "2", "--steps", "10", "--jobs", "1")
    told = json.loads(ran.stdout)
    assert (ran.returncode, told["seeds"], told["steps"], told["failures"]) == (0, 2, 20, [])
    assert told["events_a_minute_per_core"] > 0


def _run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from entrypoints.cli import main; main()", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=ROOT)
