"""What can be done about the plans of the house: read them, buy one, and follow what the gateway says of them."""

from application.billing.buying import GetPurchase, NewPurchase, OpenCheckout, PlanNotSold, RequestPurchase
from application.billing.customers import BecomeCustomer, MeetCustomer, OpenPortal
from application.billing.following import ProcessBilling
from application.billing.mirroring import Mirrored, RefreshCatalog
from application.billing.reading import (
    Entitled,
    GetEntitlements,
    ListPrices,
    ListProducts,
    ListSubscriptions,
    PriceFilter,
    PriceView,
    ProductFilter,
    ProductView,
    SubscriptionView,
)

__all__ = [
    "BecomeCustomer",
    "Entitled",
    "GetEntitlements",
    "GetPurchase",
    "ListPrices",
    "ListProducts",
    "ListSubscriptions",
    "MeetCustomer",
    "Mirrored",
    "NewPurchase",
    "OpenCheckout",
    "OpenPortal",
    "PlanNotSold",
    "PriceFilter",
    "PriceView",
    "ProcessBilling",
    "ProductFilter",
    "ProductView",
    "RefreshCatalog",
    "RequestPurchase",
    "SubscriptionView",
]
