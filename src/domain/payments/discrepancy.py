"""What does not fit between our books and the gateway's, and could not be put right by asking: for a person."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.shared.aggregate import Aggregate
from domain.shared.errors import Conflict
from domain.shared.ids import DiscrepancyId, PaymentId
from domain.shared.text import text


class DiscrepancyKind(StrEnum):
    """`stranger`: the gateway holds or moved money that is none of ours; `missing`: we know of something it does not;
    `disagrees`: both know it and say different things; `unbooked`: our ledger lacks, or has more than, what moved."""

    STRANGER = "stranger"
    MISSING = "missing"
    DISAGREES = "disagrees"
    UNBOOKED = "unbooked"


BY_ITSELF = "reconciliation"
"""Who closed what needed nobody."""


class DiscrepancyClosed(Conflict):
    """Somebody has closed this already."""

    code = "discrepancy.closed"


@dataclass(eq=False, slots=True, kw_only=True)
class Discrepancy(Aggregate):
    """One such thing. `about` says what the reference is of (payment, refund, movement, ledger, share, payee, payout),
    `said` what each side says: the same difference is filed once, another one of the same thing anew."""

    id: DiscrepancyId
    gateway: str
    kind: DiscrepancyKind
    about: str
    gateway_ref: str
    payment_id: PaymentId | None = None
    said: str
    found_at: datetime
    closed_at: datetime | None = None
    closed_by: str = ""
    reason: str = ""

    @property
    def is_closed(self) -> bool:
        """Whether a person has dealt with it."""
        return self.closed_at is not None

    def fit(self, *, now: datetime) -> None:
        """Both sides say the same again; no person has to look any more."""
        if not self.is_closed:
            self.closed_at, self.closed_by, self.reason = now, BY_ITSELF, "both sides say the same again"

    def differ(self) -> bool:
        """The same difference is there again. One that a person has dealt with stays closed; says whether it is open
        anew."""
        anew = self.closed_by == BY_ITSELF
        if anew:
            self.closed_at, self.closed_by, self.reason = None, "", ""
        return anew

    def close(self, *, by: str, reason: str, now: datetime) -> None:
        """A person has looked at it and says how it was settled."""
        if self.is_closed:
            raise DiscrepancyClosed("this was closed before", closed_by=self.closed_by)
        self.reason = text(reason, field="reason", longest=500, lines=True)
        self.closed_at, self.closed_by = now, by
