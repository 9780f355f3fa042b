"""What became of one world."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Outcome:
    """What became of one world."""

    seed: int
    digest: str = ""
    steps: int = 0
    events: int = 0
    requests: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    crashes: int = 0
    failure: tuple[str, str] | None = None
    """The rule that was broken, and how; None when all is well."""
    story: list[str] = field(default_factory=list)
