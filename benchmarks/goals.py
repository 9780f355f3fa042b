"""What was to be reached: ratios of Guildhall to another in the same round, and times of single scenes."""

from dataclasses import dataclass

from benchmarks.rounds import Measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """At least so many times as fast as another (`than`), or at most so many milliseconds; what is a `stretch` is
    reported, not owed."""

    operation: str
    least: float = 0.0
    than: str = ""
    most: float = 0.0
    stretch: bool = False


RATIOS = (
    Goal(operation="read", least=8, than="django"),
    Goal(operation="read", least=0.85, than="floor", stretch=True),
    Goal(operation="read", least=1, than="fastify", stretch=True),
    Goal(operation="newest", least=0.9, than="floor"),
    Goal(operation="relevance", least=0.9, than="floor"),
    Goal(operation="book", least=1.15, than="fastify"),
    Goal(operation="book", least=7, than="django"),
)
TIMES = (
    Goal(operation="slots_alone", most=10),
    Goal(operation="race", most=40),
    Goal(operation="webhook", most=100),
    Goal(operation="start_fresh", most=5000),
    Goal(operation="start_again", most=2000),
)
SAID = {
    "slots_alone": "free slots of 4 weeks, p95",
    "race": "50 at one slot, p99",
    "webhook": "webhook to confirmed booking, p95",
    "start_fresh": "start on a fresh data directory",
    "start_again": "start again",
}
NOT_MEASURED = (
    "free slots of a team of 200: there is no such endpoint",
    "a message to 1,000 sockets on 2 processes: there are no sockets yet",
    "5,000 clients at one slot: the stampede of `make prove`",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A goal, what was seen, and whether that is enough; None where it could not be measured."""

    goal: Goal
    what: str
    wanted: str
    seen: str
    reached: bool | None


def judged(measured: dict[str, Measured], times: dict[str, float]) -> list[Verdict]:
    """Every goal beside what was seen."""
    verdicts = []
    for goal in RATIOS:
        one = measured.get(goal.operation)
        wanted = f">= {goal.least:g} x {goal.than}" + (" (stretch)" if goal.stretch else "")
        ratio = one.ratio("guildhall", goal.than) if one and goal.than in one.rounds else None
        seen = "not measured"
        if one and ratio is not None:
            seen = f"{ratio:.2f} x ({one.ratio(goal.than, 'guildhall', 'cpu'):.2f} x by processor time)"
        reached = None if ratio is None else ratio >= goal.least
        verdicts.append(Verdict(goal=goal, what=goal.operation, wanted=wanted, seen=seen, reached=reached))
    for goal in TIMES:
        took = times.get(goal.operation)
        seen = "not measured" if took is None else f"{took:,.1f} ms"
        reached = None if took is None else took <= goal.most
        wanted = f"<= {goal.most:,.0f} ms"
        verdicts.append(Verdict(goal=goal, what=SAID[goal.operation], wanted=wanted, seen=seen, reached=reached))
    return verdicts
