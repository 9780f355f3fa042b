"""Which faults there are, and how likely each is where it can strike."""

from collections.abc import Iterable, Mapping

from entrypoints.container.simulating import Dice

RATES: Mapping[str, float] = {
    "crash": 0.001,
    "store_away": 0.002,
    "commit_unknown_before": 0.004,
    "commit_unknown_after": 0.006,
    "claim_lost": 0.01,
    "slow": 0.01,
    "bell_lost": 0.05,
    "answer_lost": 0.03,
    "gateway_error": 0.04,
    "gateway_timeout": 0.03,
    "gateway_reply_lost": 0.05,
    "mail_away": 0.03,
    "mail_refused": 0.01,
    "webhook_twice": 0.25,
    "webhook_reordered": 0.3,
    "webhook_late": 0.12,
    "webhook_renamed": 0.1,
    "webhook_lost": 0.04,
}
"""Those that are drawn at every await, each with the share of the times it could strike that it does."""

BLOWS = ("api_dies", "worker_dies", "worker_dead_for_hours", "sweeper_dead", "clock_jumps", "api_clock_jumps")
"""Those that come at a moment of the plan."""

ALL = (*RATES, *BLOWS)


class UnknownFault(ValueError):
    """There is no fault of that name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no fault {name!r}; there are none, some, all, {', '.join(ALL)}")


def chosen(wanted: str, draw: Dice) -> dict[str, float]:
    """The faults of one seed, each with a factor to its usual rate: `none`, `some` (each seed draws its own), `all`, or
    names separated by commas."""
    if wanted == "none":
        return {}
    if wanted == "all":
        return dict.fromkeys(ALL, 1.0)
    if wanted == "some":
        few = draw.random() < 0.15
        share = 0.0 if few else draw.choice((0.2, 0.5, 0.8))
        return {name: draw.choice((0.3, 1.0, 3.0)) for name in ALL if draw.random() < share}
    return dict.fromkeys(_named(wanted.split(",")), 1.0)


def _named(names: Iterable[str]) -> Iterable[str]:
    for name in names:
        if name.strip() not in ALL:
            raise UnknownFault(name.strip())
        yield name.strip()
