"""Billing: the plans of the house, who buys them, and what an organization has of it."""

from domain.billing.catalog import Entitlements, GatewayPrice, GatewayProduct, Price, PriceType, Product
from domain.billing.customer import Customer, CustomerKnown, NoCustomerYet
from domain.billing.purchase import (
    Buyer,
    GatewayCheckout,
    Purchase,
    PurchaseOver,
    PurchaseProvisioned,
    PurchaseState,
    TillState,
)
from domain.billing.subscription import (
    ENTITLED,
    GatewaySubscription,
    Subscription,
    SubscriptionBegan,
    SubscriptionMoved,
    SubscriptionState,
    TrialEnding,
)

__all__ = [
    "ENTITLED",
    "Buyer",
    "Customer",
    "CustomerKnown",
    "Entitlements",
    "GatewayCheckout",
    "GatewayPrice",
    "GatewayProduct",
    "GatewaySubscription",
    "NoCustomerYet",
    "Price",
    "PriceType",
    "Product",
    "Purchase",
    "PurchaseOver",
    "PurchaseProvisioned",
    "PurchaseState",
    "Subscription",
    "SubscriptionBegan",
    "SubscriptionMoved",
    "SubscriptionState",
    "TillState",
    "TrialEnding",
]
