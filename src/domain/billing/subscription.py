"""Subscriptions: what an organization has of the house, for as long as the gateway says so."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from domain.shared.aggregate import Aggregate, Event
from domain.shared.ids import OrganizationId, PurchaseId, SubscriptionId


class SubscriptionState(StrEnum):
    """How a subscription stands at the gateway; `unknown` is a word of theirs that we have not heard before."""

    INCOMPLETE = "incomplete"
    INCOMPLETE_EXPIRED = "incomplete_expired"
    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    UNPAID = "unpaid"
    PAUSED = "paused"
    CANCELED = "canceled"
    UNKNOWN = "unknown"


ENTITLED = frozenset({SubscriptionState.TRIALING, SubscriptionState.ACTIVE, SubscriptionState.PAST_DUE})
"""States in which the organization has what it subscribed to; while a payment is late it is still asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySubscription:
    """How the gateway says a subscription stands at the moment of asking; `purchase_id` is ours, where it began with a
    purchase of ours."""

    gateway: str
    ref: str
    purchase_id: PurchaseId | None
    customer_ref: str
    product_ref: str
    price_ref: str
    state: SubscriptionState
    quantity: int
    period_ends_at: datetime | None
    trial_ends_at: datetime | None
    ends_with_period: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionBegan(Event):
    """An organization subscribes to something."""

    name: ClassVar[str] = "subscription.began"
    subscription_id: SubscriptionId
    organization_id: OrganizationId
    state: SubscriptionState


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionMoved(Event):
    """A subscription stands otherwise than before."""

    name: ClassVar[str] = "subscription.moved"
    subscription_id: SubscriptionId
    organization_id: OrganizationId
    before: SubscriptionState
    state: SubscriptionState


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialEnding(Event):
    """A trial is about to end; said once for each end."""

    name: ClassVar[str] = "subscription.trial_ending"
    subscription_id: SubscriptionId
    organization_id: OrganizationId
    trial_ends_at: datetime


@dataclass(eq=False, slots=True, kw_only=True)
class Subscription(Aggregate):
    """What an organization subscribed to. It never moves by itself: every change is what the gateway said when it was
    asked, and events only make us ask."""

    id: SubscriptionId
    organization_id: OrganizationId
    gateway: str
    gateway_ref: str
    customer_ref: str
    product_ref: str
    price_ref: str
    state: SubscriptionState
    quantity: int
    period_ends_at: datetime | None
    trial_ends_at: datetime | None
    ends_with_period: bool
    trial_told_for: datetime | None = None
    created_at: datetime

    @classmethod
    def begin(
        cls, news: GatewaySubscription, *, id: SubscriptionId, organization_id: OrganizationId, now: datetime
    ) -> "Subscription":
        """The organization's from now on, as it stands."""
        subscription = cls(
            id=id,
            organization_id=organization_id,
            gateway=news.gateway,
            gateway_ref=news.ref,
            customer_ref=news.customer_ref,
            product_ref=news.product_ref,
            price_ref=news.price_ref,
            state=news.state,
            quantity=news.quantity,
            period_ends_at=news.period_ends_at,
            trial_ends_at=news.trial_ends_at,
            ends_with_period=news.ends_with_period,
            created_at=now,
        )
        subscription._record(
            SubscriptionBegan(subscription_id=id, organization_id=organization_id, state=subscription.state)
        )
        return subscription

    @property
    def entitles(self) -> bool:
        """Whether the organization has what it subscribed to."""
        return self.state in ENTITLED

    def follow(self, news: GatewaySubscription) -> None:
        """Stand as the gateway says now."""
        before, self.state = self.state, news.state
        self.customer_ref, self.product_ref, self.price_ref = news.customer_ref, news.product_ref, news.price_ref
        self.quantity, self.ends_with_period = news.quantity, news.ends_with_period
        self.period_ends_at, self.trial_ends_at = news.period_ends_at, news.trial_ends_at
        if before is not self.state:
            self._record(
                SubscriptionMoved(
                    subscription_id=self.id, organization_id=self.organization_id, before=before, state=self.state
                )
            )

    def remind_of_trial(self) -> None:
        """The gateway says that the trial is about to end; told once, and only while it is one."""
        ends_at = self.trial_ends_at
        if self.state is SubscriptionState.TRIALING and ends_at is not None and self.trial_told_for != ends_at:
            self.trial_told_for = ends_at
            self._record(
                TrialEnding(subscription_id=self.id, organization_id=self.organization_id, trial_ends_at=ends_at)
            )
