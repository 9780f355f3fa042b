"""Tables of billing: the mirrored catalog, customers, purchases and subscriptions."""

from adapters.persistence.schema.tables import (
    Check,
    Index,
    References,
    Table,
    Unique,
    boolean,
    identity,
    instant,
    integer,
    json,
    one_of,
    text,
    uuid,
)
from domain.billing import PriceType, PurchaseState, SubscriptionState

PRODUCTS = Table(
    "products",
    (
        *identity(),
        text("gateway"),
        text("gateway_ref"),
        text("name"),
        text("description"),
        boolean("active"),
        json("metadata", private=True),
        json("features"),
        json("limits"),
        instant("created_at"),
    ),
    constraints=(Unique("products_gateway_ref", ("gateway", "gateway_ref")),),
    indexes=(Index("products_oldest", ("gateway", "created_at", "id")),),
)
"""`metadata` is the owner's own, for their eyes; what it entitles to is read out of it for everybody."""

PRICES = Table(
    "prices",
    (
        *identity(),
        text("gateway"),
        text("gateway_ref"),
        text("product_ref"),
        boolean("active"),
        text("currency"),
        integer("amount_minor", nullable=True),
        text("type"),
        text("interval"),
        integer("interval_count"),
        text("nickname"),
        instant("created_at"),
    ),
    constraints=(
        Unique("prices_gateway_ref", ("gateway", "gateway_ref")),
        one_of("prices_type", "type", PriceType),
    ),
    indexes=(Index("prices_oldest", ("gateway", "created_at", "id")),),
)

CUSTOMERS = Table(
    "customers",
    (*identity(), uuid("user_id"), text("gateway"), text("gateway_ref", nullable=True), instant("created_at")),
    constraints=(
        References("customers_user", "user_id", "users"),
        Unique("customers_one_per_user", ("user_id", "gateway")),
        Unique("customers_gateway_ref", ("gateway", "gateway_ref")),
    ),
)
"""Without a reference, somebody is only meant to be a customer there."""

SUBSCRIPTIONS = Table(
    "subscriptions",
    (
        *identity(),
        uuid("organization_id"),
        text("gateway"),
        text("gateway_ref"),
        text("customer_ref"),
        text("product_ref"),
        text("price_ref"),
        text("state"),
        integer("quantity"),
        instant("period_ends_at", nullable=True),
        instant("trial_ends_at", nullable=True),
        boolean("ends_with_period"),
        instant("trial_told_for", nullable=True),
        instant("created_at"),
    ),
    constraints=(
        References("subscriptions_organization", "organization_id", "organizations"),
        Unique("subscriptions_gateway_ref", ("gateway", "gateway_ref")),
        one_of("subscriptions_state", "state", SubscriptionState),
    ),
    indexes=(Index("subscriptions_of_organization", ("organization_id", "created_at", "id")),),
)

PURCHASES = Table(
    "purchases",
    (
        *identity(),
        text("gateway"),
        text("gateway_ref", nullable=True),
        text("price_ref"),
        text("email"),
        text("organization_name"),
        text("profession"),
        uuid("user_id", nullable=True),
        uuid("organization_id", nullable=True),
        text("subscription_ref", nullable=True),
        text("url", nullable=True, private=True),
        text("state"),
        json("metadata", private=True),
        instant("created_at"),
        instant("provisioned_at", nullable=True),
    ),
    constraints=(
        References("purchases_user", "user_id", "users"),
        References("purchases_organization", "organization_id", "organizations"),
        Unique("purchases_gateway_ref", ("gateway", "gateway_ref")),
        one_of("purchases_state", "state", PurchaseState),
        Check(
            "purchases_provisioned_when_so",
            "(state = 'provisioned') = (provisioned_at is not null)",
            lambda row: (row["state"] == "provisioned") == (row["provisioned_at"] is not None),
        ),
        Check(
            "purchases_provisioned_whole",
            "state <> 'provisioned' or (user_id is not null and organization_id is not null)",
            lambda row: (
                row["state"] != "provisioned" or (row["user_id"] is not None and row["organization_id"] is not None)
            ),
        ),
    ),
    indexes=(
        Index("purchases_of_user", ("user_id", "created_at", "id")),
        Index("purchases_of_organization", ("organization_id", "created_at", "id")),
        Index("purchases_of_subscription", ("gateway", "subscription_ref")),
        Index("purchases_newest", ("created_at", "id")),
    ),
)

TABLES = (PRODUCTS, PRICES, CUSTOMERS, SUBSCRIPTIONS, PURCHASES)
