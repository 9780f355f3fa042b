"""A reconciliation: our books held against the gateway's for a stretch of time, page by page, so that it can stop
anywhere and go on."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.shared.aggregate import Aggregate
from domain.shared.errors import Conflict
from domain.shared.ids import ReconciliationId
from domain.shared.time import Span


class Stage(StrEnum):
    """What is gone through, in this order: messages we never got; what the gateway has (payments, refunds, movements of
    money, last of them what organizations' accounts paid out); and what we have that it should know (payments,
    refunds)."""

    MESSAGES = "messages"
    PAYMENTS = "payments"
    REFUNDS = "refunds"
    MOVEMENTS = "movements"
    OUR_PAYMENTS = "our_payments"
    OUR_REFUNDS = "our_refunds"
    DONE = "done"


_ORDER = tuple(Stage)


class ReconciliationOver(Conflict):
    """It has been gone through to its end."""

    code = "reconciliation.over"


class AlreadyReconciling(Conflict):
    """Somebody else is going through the same stretch at this moment, and will come to its end."""

    code = "reconciliation.under_way"


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """What came of a page: how much was looked at, how many messages were fetched, how much was put right, and how much
    was filed for a person."""

    looked_at: int = 0
    fetched: int = 0
    repaired: int = 0
    filed: int = 0


@dataclass(eq=False, slots=True, kw_only=True)
class Reconciliation(Aggregate):
    """`[since, until)` of one gateway. `cursor` is where the present stage goes on, empty at its beginning."""

    id: ReconciliationId
    gateway: str
    since: datetime
    until: datetime
    stage: Stage = Stage.MESSAGES
    cursor: str | None = None
    looked_at: int = 0
    fetched: int = 0
    repaired: int = 0
    filed: int = 0
    begun_at: datetime
    finished_at: datetime | None = None

    def __post_init__(self) -> None:
        Span(self.since, self.until)

    @property
    def is_finished(self) -> bool:
        """Whether everything was looked at."""
        return self.finished_at is not None

    def turn(self, came: Count, *, cursor: str | None, now: datetime) -> None:
        """A page was gone through, and this came of it; the next is at the cursor, or in the next stage."""
        if self.is_finished:
            raise ReconciliationOver("this was gone through to its end")
        self.looked_at += came.looked_at
        self.fetched += came.fetched
        self.repaired += came.repaired
        self.filed += came.filed
        self.cursor = cursor
        if cursor is None:
            self.stage = _ORDER[_ORDER.index(self.stage) + 1]
        if self.stage is Stage.DONE:
            self.finished_at = now
