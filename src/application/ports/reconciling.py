"""A gateway's own records, page by page: what it could not tell us, what it holds, and what it moved."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from application.ports.payments import Notice
from domain.payments import GatewayPayment, GatewayPayout, GatewayRefund, SourceKind
from domain.shared.money import Money
from domain.shared.time import Span

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sheet(Generic[T]):
    """Some of the records, the newest first, and where to go on; `next` is None on the last sheet. `reached` is how far
    back it goes."""

    items: Sequence[T]
    next: str | None = None
    reached: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unheard:
    """A message that the gateway has not got through to us yet, as it would have come."""

    notice: Notice
    payload: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """Money that moved at the gateway. `ref` is of the payment captured, or of the refund that left or came back;
    `amount` is always what moved, never less than nothing."""

    kind: SourceKind
    ref: str
    payment_ref: str | None
    amount: Money


class GatewayRecords(Protocol):
    """What happened at the gateway in a stretch of time, in its own records. Each refuses with `GatewayUnavailable`.
    Money that plans are paid with is not among it."""

    @property
    def name(self) -> str:
        """The word under which rows remember their gateway."""
        ...

    async def unheard(self, span: Span, after: str | None) -> Sheet[Unheard]:
        """Messages that it has not delivered, or not yet. It may have forgotten those older than thirty days."""
        ...

    async def payments(self, span: Span, after: str | None) -> Sheet[GatewayPayment]:
        """Payments opened in that time, as they stand now."""
        ...

    async def refunds(self, span: Span, after: str | None) -> Sheet[GatewayRefund]:
        """Refunds made in that time, as they stand now."""
        ...

    async def movements(self, span: Span, after: str | None) -> Sheet[Movement]:
        """Money that moved in that time, whenever its payment was opened."""
        ...

    async def payouts(self, payee_ref: str, span: Span, after: str | None) -> Sheet[GatewayPayout]:
        """Payouts from that payee's account that were made in that time, as they stand now; of an account that it does
        not know, none."""
        ...
