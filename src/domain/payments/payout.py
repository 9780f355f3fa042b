"""A payout: money on its way from an organization's account at the gateway to its bank."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from domain.payments.refusals import GatewayDisagrees
from domain.shared.aggregate import Aggregate, Event
from domain.shared.ids import OrganizationId, PayeeId, PayoutId
from domain.shared.money import Money


class PayoutState(StrEnum):
    """How a payout stands. A bank can still return one that was paid; a failed or cancelled one stays so."""

    PENDING = "pending"
    IN_TRANSIT = "in_transit"
    PAID = "paid"
    FAILED = "failed"
    CANCELLED = "cancelled"


_RANK = {
    PayoutState.PENDING: 0,
    PayoutState.IN_TRANSIT: 1,
    PayoutState.PAID: 2,
    PayoutState.CANCELLED: 3,
    PayoutState.FAILED: 4,
}
"""News only moves a payout up this ladder, so whatever the order it comes in, the last word is the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutPaid(Event):
    """The money is at the organization's bank."""

    name: ClassVar[str] = "payout.paid"
    payout_id: PayoutId
    organization_id: OrganizationId
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutFailed(Event):
    """The money did not reach the organization's bank, and is on its account at the gateway again."""

    name: ClassVar[str] = "payout.failed"
    payout_id: PayoutId
    organization_id: OrganizationId
    amount: Money
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayPayout:
    """How the gateway says a payout stands at the moment of asking."""

    gateway: str
    ref: str
    state: PayoutState
    amount: Money
    arrives_at: datetime | None = None
    failure: str = ""


@dataclass(eq=False, slots=True, kw_only=True)
class Payout(Aggregate):
    """Money that an organization gets from its account at the gateway, in that account's currency."""

    id: PayoutId
    payee_id: PayeeId
    organization_id: OrganizationId
    gateway: str
    gateway_ref: str
    amount: Money
    state: PayoutState = PayoutState.PENDING
    failure: str = ""
    arrives_at: datetime | None = None
    created_at: datetime
    settled_at: datetime | None = None

    @classmethod
    def adopt(
        cls, news: GatewayPayout, *, id: PayoutId, payee_id: PayeeId, organization_id: OrganizationId, now: datetime
    ) -> "Payout":
        """Take into our books a payout that the gateway tells of; what came of it is settled next."""
        return cls(
            id=id,
            payee_id=payee_id,
            organization_id=organization_id,
            gateway=news.gateway,
            gateway_ref=news.ref,
            amount=news.amount,
            created_at=now,
        )

    @property
    def at_bank(self) -> Money:
        """How much of it is at the organization's bank: all or nothing."""
        return self.amount if self.state is PayoutState.PAID else Money.zero(self.amount.currency)

    def knows(self, news: GatewayPayout) -> bool:
        """Whether following this news would change nothing."""
        return self.amount == news.amount and _RANK[news.state] <= _RANK[self.state]

    def settle(self, news: GatewayPayout, *, now: datetime) -> Money:
        """Follow what the gateway says, forward only. Answers what has reached the bank by this news (negative: what
        the bank returned)."""
        nothing = Money.zero(self.amount.currency)
        if news.amount != self.amount:
            raise GatewayDisagrees("payout", self.amount, news.amount)
        before = self.state
        if _RANK[news.state] <= _RANK[before]:
            return nothing
        self.state, self.failure = news.state, news.failure
        self.arrives_at = news.arrives_at or self.arrives_at
        if news.state is PayoutState.IN_TRANSIT:
            return nothing
        self.settled_at = now
        if news.state is PayoutState.PAID:
            paid = PayoutPaid(payout_id=self.id, organization_id=self.organization_id, amount=self.amount)
            self._record(paid)
            return self.amount
        self._record(
            PayoutFailed(
                payout_id=self.id,
                organization_id=self.organization_id,
                amount=self.amount,
                reason=news.failure or news.state.value,
            )
        )
        return -self.amount if before is PayoutState.PAID else nothing
