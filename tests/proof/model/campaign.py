"""Running the machine: so many examples of so many steps, the same for the same seed, and how soon it finds what was
planted."""

import time
from dataclasses import dataclass
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import FlakyFailure
from hypothesis.stateful import run_state_machine_as_test

from tests.planted.model import PLANTED, Planted
from tests.proof.model.circles import Circles
from tests.proof.model.machine import Town
from tests.proof.model.pair import Divergence, Pair
from tests.proof.model.till import Till
from tests.proof.model.trade import Passing, Trade

CHUNK = 10
"""Examples run between two looks at the watch."""
WEIGHTS = {
    "book_a_free_slot": 6,
    "pay": 5,
    "finish": 4,
    "review": 3,
    "cancel": 3,
    "answer_request": 3,
    "reschedule": 2,
    "time_passes": 2,
    "give_back": 2,
    "send_again": 2,
    "book": 2,
    "book_what_is_taken": 2,
    "read_booking": 3,
    "refresh": 2,
    "refresh_again": 2,
    "say": 2,
    "add_member": 2,
    "talk_about_a_job": 2,
}
"""How many times as often as others a rule is tried: a business is mostly bookings."""
PARTS: dict[str, tuple[type[Town], ...]] = {
    "all": (Circles, Trade, Till, Passing),
    "people": (Circles, Passing),
    "work": (Trade, Till, Passing),
}


def machine(pair: Pair, *, parts: str = "all", looks: int = 2, only: tuple[str, ...] = ()) -> type[Town]:
    """The machine of these rules, or of only some of them, on these houses."""
    rules: dict[str, Any] = {
        f"{name}_{n}": getattr(part, name)
        for part in PARTS[parts]
        for name, weight in WEIGHTS.items()
        if hasattr(part, name)
        for n in range(1, weight)
    }
    if only:
        rules = {name: None for part in PARTS[parts] for name in vars(part) if name not in only}
    return type("Guildhall", PARTS[parts], {**rules, "pair": pair, "looks": looks})


@dataclass(frozen=True, slots=True)
class Found:
    """A divergence, and the steps that led there."""

    what: str
    story: str


def run(pair: Pair, made: type[Town], *, examples: int, steps: int, seed: int | None = None) -> Found | None:
    """Up to so many examples; the first divergence, if there is one."""
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        derandomize=seed is None,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate,),
        report_multiple_bugs=False,
        print_blob=False,
    )
    try:
        run_state_machine_as_test(made if seed is None else hypothesis.seed(seed)(made), settings=chosen)
    except (Divergence, FlakyFailure) as divergence:
        # What did not show a second time depends on something we do not hold still: that is a finding, too.
        seen = divergence.exceptions[0] if isinstance(divergence, FlakyFailure) else divergence
        return Found(f"{type(divergence).__name__}: {seen}"[:2000], "\n".join(pair.story))
    return None


def explore(pair: Pair, *, examples: int, steps: int, seed: int, budget: float) -> Found | None:
    """The whole campaign, in chunks of examples that have seeds of their own, as long as the budget lasts."""
    until = time.monotonic() + budget
    for chunk in range(0, examples, CHUNK):
        made, most = machine(pair), min(CHUNK, examples - chunk)
        if found := run(pair, made, examples=most, steps=steps, seed=seed + chunk):
            return found
        if time.monotonic() > until:
            return None
    return None


def hunt(
    pair: Pair, planted: Planted, *, examples: int, steps: int = 30, closely: bool = False
) -> tuple[int, str] | None:
    """After how many examples the machine finds what was planted, and how it shows. What is in memory shows in memory
    already, against the model. `closely`: with the few rules by which it shows, for those in a hurry."""
    asked = Pair(pair.runner, pair.houses if planted.on_postgres else pair.houses[:1])
    made = machine(asked, parts=planted.parts, only=planted.shows_by if closely else ())
    with planted.planted(asked):
        found = run(asked, made, examples=examples, steps=steps)
    return (asked.figures.examples, found.what) if found else None


__all__ = ["PLANTED", "Found", "explore", "hunt", "machine", "run"]
