"""Reading the rules on a store, whichever it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeAlias

from adapters.persistence.rules.rule import Liveness, Rule, Step

AnyRule: TypeAlias = Rule | Step | Liveness


@dataclass(frozen=True, slots=True)
class Offence:
    """What a rule found: the subject, and a sentence."""

    subject: str
    said: str


@dataclass(frozen=True, slots=True)
class Reading:
    """How many offences a rule found, and the first of them by subject."""

    total: int
    offences: Sequence[Offence]


class RuleReader(Protocol):
    """Reads one rule over everything that is stored, in one consistent state."""

    async def read(self, rule: AnyRule, *, now: datetime, most: int) -> Reading | None:
        """What it finds, at most that many told; None when this store shows nothing to read it by."""
        ...
