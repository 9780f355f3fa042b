"""The terms two parties agree on: payment, who must say yes, what a cancellation gives back, and the two sides."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from uuid import UUID, uuid5

from domain.shared.errors import Invalid
from domain.shared.ids import JobId
from domain.shared.time import instant


class PaymentTerms(StrEnum):
    """Whether a booking is paid before it is confirmed, is held by money that is set aside and confirmed when the
    provider takes it, costs nothing, or is paid some other way afterwards."""

    PREPAID = "prepaid"
    AUTHORISED = "authorised"
    FREE = "free"
    LATER = "later"

    @property
    def by_card(self) -> bool:
        """Whether the customer pays through the gateway, so that the slot is held until they have."""
        return self in (PaymentTerms.PREPAID, PaymentTerms.AUTHORISED)


class Acceptance(StrEnum):
    """Whether a free slot is the customer's at once, or only when the provider has said yes."""

    INSTANT = "instant"
    REQUEST = "request"


class Side(StrEnum):
    """The two sides of a booking. The performing provider, their organization and the house stand on the provider's."""

    CUSTOMER = "customer"
    PROVIDER = "provider"


class PolicyName(StrEnum):
    """Flexible gives all back until a day before; moderate all until five days and half until one; strict all until two
    weeks and half until one."""

    FLEXIBLE = "flexible"
    MODERATE = "moderate"
    STRICT = "strict"


LONGEST_NOTICE_HOURS = 24 * 365
MOST_TIERS = 10


@dataclass(frozen=True, slots=True, order=True)
class Tier:
    """Cancelled at least `hours_before` the start, the customer gets `refund_percent` back."""

    hours_before: int
    refund_percent: int

    def __post_init__(self) -> None:
        if type(self.hours_before) is not int or not 0 <= self.hours_before <= LONGEST_NOTICE_HOURS:
            raise Invalid(f"notice is 0 to {LONGEST_NOTICE_HOURS} whole hours", field="policy.tiers.hours_before")
        _percentage(self.refund_percent, field="policy.tiers.refund_percent")


@dataclass(frozen=True, slots=True)
class CancellationPolicy:
    """What a customer who cancels gets back: the tier with the most notice they kept decides, nothing below the last.
    `no_show_percent` is what is given back to a customer who does not turn up."""

    tiers: tuple[Tier, ...] = ()
    no_show_percent: int = 0

    def __post_init__(self) -> None:
        tiers = tuple(sorted(self.tiers, reverse=True))
        if len(tiers) > MOST_TIERS:
            raise Invalid(f"a policy has at most {MOST_TIERS} tiers", field="policy.tiers", most=MOST_TIERS)
        for longer, shorter in pairwise(tiers):
            if shorter.hours_before == longer.hours_before:
                raise Invalid("two tiers give the same notice", field="policy.tiers", hours=shorter.hours_before)
            if shorter.refund_percent > longer.refund_percent:
                raise Invalid("less notice never gives more back", field="policy.tiers", hours=shorter.hours_before)
        object.__setattr__(self, "tiers", tiers)
        _percentage(self.no_show_percent, field="policy.no_show_percent")

    def refund_percent(self, starts_at: datetime, now: datetime) -> int:
        """The whole percentage a customer who cancels at `now` gets back of a booking that starts at `starts_at`."""
        notice = starts_at - now
        kept = (tier.refund_percent for tier in self.tiers if notice >= timedelta(hours=tier.hours_before))
        return next(kept, 0)

    @classmethod
    def named(cls, name: PolicyName) -> "CancellationPolicy":
        """One of the policies everybody knows."""
        return POLICIES[name]


_SESSIONS = UUID("6a1f2a0c-6a6e-5f0e-9d0c-0f6a8f9f7c11")


def occupancy_of(job_id: JobId, starts_at: datetime) -> UUID:
    """The key under which all seats of one shared session hold the provider's time: one per job and start."""
    return uuid5(_SESSIONS, f"{job_id}@{instant(starts_at).isoformat()}")


def _percentage(value: int, *, field: str) -> None:
    if type(value) is not int or not 0 <= value <= 100:
        raise Invalid("a percentage is a whole number from 0 to 100", field=field)


POLICIES: dict[PolicyName, CancellationPolicy] = {
    PolicyName.FLEXIBLE: CancellationPolicy((Tier(24, 100),)),
    PolicyName.MODERATE: CancellationPolicy((Tier(120, 100), Tier(24, 50))),
    PolicyName.STRICT: CancellationPolicy((Tier(336, 100), Tier(168, 50))),
}
"""What the names mean, in hours of notice and percent given back."""
