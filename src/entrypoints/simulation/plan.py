"""What a seed means: when and where it plays, who does what and when, and what goes wrong. Everything in it can be left
out piece by piece, which is how a failing run is shortened."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from domain.shared.time import zone
from entrypoints.container.simulating import Dice, Pace
from entrypoints.simulation.faults import BLOWS, RATES, chosen
from entrypoints.simulation.town import CAST, PROVIDERS

Stream = Callable[..., Dice]
DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Step:
    """One act of one actor: `at` seconds from the start, with dice of its own."""

    number: int
    at: float
    who: str
    act: str
    dice: int


@dataclass(frozen=True, slots=True)
class Blow:
    """A fault that comes at a moment of its own and lasts a while, both in seconds."""

    number: int
    at: float
    fault: str
    lasts: float
    amount: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run, before it is played."""

    seed: int
    start: datetime
    days: float
    apis: int
    steps: tuple[Step, ...]
    blows: tuple[Blow, ...]
    rates: Mapping[str, float]
    pace: Pace
    salt: int = 0
    """Another salt, another order of turns: a shortened plan may need another one to go wrong the same way."""

    @classmethod
    def drawn(cls, seed: int, stream: Stream, *, steps: int, days: float, faults: str) -> "Plan":
        """The plan of that seed: the same again for the same options."""
        draw = stream(seed, "plan")
        factors = chosen(faults, stream(seed, "which faults"))
        providers = draw.sample(PROVIDERS, draw.choice((1, 2, 3)))
        customers = draw.choice((3, 4, 6))
        cast = [one for one in CAST if _plays(one.name, one.role, [each.name for each in providers], customers)]
        # What customers began is for few providers to go on with.
        busy = {"provider": 0.8 * customers / len(providers)}
        acts = [(one.name, act, weight * busy.get(one.role, 1.0)) for one in cast for act, weight in one.acts.items()]
        eager = [one.name for one in cast if "book" in one.acts or "book_twice" in one.acts]
        script = []
        for number, (at, crowded) in enumerate(_moments(draw, steps, days)):
            who, act, _ = draw.choices(acts, [weight for *_, weight in acts])[0]
            if crowded and draw.random() < 0.8:
                who, act = draw.choice(eager), "rush"
            script.append(Step(number, at, who, act, draw.getrandbits(32)))
        return cls(
            seed=seed,
            start=_start(draw, [each.zone for each in providers], days),
            days=days,
            apis=draw.choice((1, 1, 2)),
            steps=tuple(script),
            blows=_blows(draw, factors, days, steps),
            pace=Pace(
                sweeping=draw.choice((15.0, 60.0, 60.0, 600.0, 600.0, 3600.0, 3600.0, 3600.0)),
                sealing=draw.choice((3600.0, 21_600.0, 21_600.0, 43_200.0)),
            ),
            rates={name: min(rate * factors[name], 0.9) for name, rate in RATES.items() if name in factors},
        )

    def without(
        self, *, steps: Collection[int] = (), blows: Collection[int] = (), faults: Collection[str] = ()
    ) -> "Plan":
        """The same plan with these left out."""
        return replace(
            self,
            steps=tuple(step for step in self.steps if step.number not in steps),
            blows=tuple(blow for blow in self.blows if blow.number not in blows),
            rates={name: rate for name, rate in self.rates.items() if name not in faults},
        )


def _plays(name: str, role: str, providers: Collection[str], customers: int) -> bool:
    if role == "provider":
        return name in providers
    return role != "customer" or name in {one.name for one in [each for each in CAST if each.role == role][:customers]}


def _moments(draw: Dice, steps: int, days: float) -> list[tuple[float, bool]]:
    """Busy moments with quiet between them: in a busy one several act within seconds, or all at once; in a crowded one
    nearly all of them want to book."""
    moments: list[tuple[float, bool]] = []
    while len(moments) < steps:
        burst = draw.uniform(0, days * DAY)
        crowded = draw.random() < 0.25
        width = draw.choice((0.0, 0.0, 0.05) if crowded else (0.0, 0.05, 3.0, 60.0))
        moments += [(burst + draw.uniform(0, width), crowded) for _ in range(draw.randint(1, 9))]
    return sorted(moments[:steps])


def _blows(draw: Dice, factors: Mapping[str, float], days: float, steps: int) -> tuple[Blow, ...]:
    blows: list[Blow] = []
    for fault in BLOWS:
        often = factors.get(fault, 0.0) * max(1.0, steps / 150)
        for _ in range(int(often) + (draw.random() < often % 1)):
            lasts = draw.uniform(600, 5 * 3600) if "dead" in fault else draw.uniform(0.1, 60)
            amount = draw.choice((1, -1)) * draw.choice((2.0, 45.0, 200.0, 1900.0, 3700.0))
            blows.append(Blow(len(blows), draw.uniform(0, days * DAY), fault, lasts, amount))
    return tuple(blows)


def _start(draw: Dice, zones: list[str], days: float) -> datetime:
    """In half of the seeds shortly before a night in which the clocks of one of the providers change."""
    if draw.random() < 0.5 and (nights := [night for name in zones for night in nights_of_change(name)]):
        moment = draw.choice(nights) - timedelta(seconds=draw.uniform(0, days * DAY))
    else:
        moment = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=draw.uniform(0, 700 * DAY))
    return moment.replace(microsecond=0)


@lru_cache
def nights_of_change(name: str) -> tuple[datetime, ...]:
    """The days of 2025 and 2026 on which that zone changes its offset, at their beginning in UTC."""
    there, found = zone(name), []
    for day in range(729):
        noon = [datetime.combine(date(2025, 1, 1) + timedelta(days=day + more), time(12), UTC) for more in (0, 1)]
        if noon[0].astimezone(there).utcoffset() != noon[1].astimezone(there).utcoffset():
            found.append(noon[0])
    return tuple(found)
