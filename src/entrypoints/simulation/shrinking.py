"""Making a failing run short: leave out steps, people and faults as long as the same rule still breaks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from entrypoints.simulation.outcome import Outcome
from entrypoints.simulation.plan import Plan

Play = Callable[[Plan], Outcome]
MOST_RUNS = 300
SALTS = 3
LATEST = (1, 2, 3, 5, 8, 13, 21, 34)


@dataclass(slots=True)
class _Search:
    """The shortest plan so far that breaks the rule, and how many runs may still be spent."""

    plan: Plan
    rule: str
    play: Play
    left: int

    def tries(self, plan: Plan) -> bool:
        """Whether this plan breaks the same rule; if so it is the shortest now."""
        if plan == self.plan:
            return False
        for salt in range(SALTS):
            if self.left <= 0:
                return False
            self.left -= 1
            salted = replace(plan, salt=plan.salt + salt)
            failure = self.play(salted).failure
            if failure is not None and failure[0] == self.rule:
                self.plan = salted
                return True
        return False


def shrunk(plan: Plan, rule: str, play: Play, *, runs: int = MOST_RUNS) -> Plan:
    """A plan that breaks the same rule and from which little more can be left out."""
    search = _Search(plan, rule, play, runs)
    _only_the_latest(search)
    search.tries(replace(plan, blows=(), rates={}))
    search.tries(replace(search.plan, rates={}))
    search.tries(replace(search.plan, blows=()))
    before = None
    while before != search.plan and search.left > 0:
        before = search.plan
        for who in sorted({step.who for step in search.plan.steps}):
            theirs = [step.number for step in search.plan.steps if step.who == who]
            search.tries(search.plan.without(steps=theirs))
        _leave_out(search, [step.number for step in search.plan.steps], lambda some: search.plan.without(steps=some))
        for fault in sorted(search.plan.rates):
            search.tries(search.plan.without(faults=[fault]))
        _leave_out(search, [blow.number for blow in search.plan.blows], lambda some: search.plan.without(blows=some))
    return search.plan


def _only_the_latest(search: _Search) -> None:
    """Often the last few steps before it broke are enough."""
    steps = search.plan.steps
    for count in LATEST:
        shorter = [replace(search.plan, steps=steps[-count:])]
        shorter.append(replace(shorter[0], blows=(), rates={}))
        if count < len(steps) and any(search.tries(each) for each in shorter):
            return


def _leave_out(search: _Search, numbers: Sequence[int], without: Callable[[Sequence[int]], Plan]) -> None:
    """Leave out halves, then quarters, and so on down to single ones."""
    size = max(1, len(numbers) // 2)
    while numbers and search.left > 0:
        kept: list[int] = []
        for start in range(0, len(numbers), size):
            some = numbers[start : start + size]
            if not search.tries(without(some)):
                kept += some
        numbers = kept
        if size == 1:
            return
        size //= 2
