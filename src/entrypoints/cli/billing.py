"""`guildhall billing`: the plans of the house, and what organizations have of it."""

from application.billing import (
    GetEntitlements,
    GetPurchase,
    ListPrices,
    ListProducts,
    ListSubscriptions,
    RefreshCatalog,
)
from entrypoints.cli.commands import Group

group = Group("Billing: the plans of the house, and what organizations have of it.")
app = group.app

group.does("refresh", RefreshCatalog)
group.lists(
    "products", ListProducts, "gateway_ref", "name", "active", "features", examples=("guildhall billing products",)
)
group.lists(
    "prices",
    ListPrices,
    "gateway_ref",
    "product_ref",
    "amount_minor",
    "currency",
    "interval",
    "active",
    examples=("guildhall billing prices --active --currency EUR",),
)
group.asks("purchase", GetPurchase)
group.lists("subscriptions", ListSubscriptions, "id", "product_ref", "state", "period_ends_at")
group.asks("entitlements", GetEntitlements)
