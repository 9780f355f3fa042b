"""The gateway's catalog, mirrored: what is sold to businesses, at which prices, and what each entitles to."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from domain.shared.aggregate import Aggregate
from domain.shared.ids import PriceId, ProductId

FEATURES = "entitlements"
"""The key of a product's metadata that lists what it entitles to, in words."""

LIMIT = "limit_"
"""Keys that begin like this name a number that comes with it, as in `limit_members`."""

_WORD = re.compile(r"[a-z0-9][a-z0-9_.-]{0,59}")


class PriceType(StrEnum):
    """Whether a price is paid once, or again and again."""

    ONE_TIME = "one_time"
    RECURRING = "recurring"


@dataclass(frozen=True, slots=True)
class Entitlements:
    """What a product gives: `features` by their words, and `limits` by the name of what is counted."""

    features: tuple[str, ...] = ()
    limits: dict[str, int] | None = None

    @classmethod
    def told_by(cls, metadata: Mapping[str, str]) -> "Entitlements":
        """What a product's metadata says; what cannot be read is left out, for people type it by hand."""
        words = (word.strip().lower() for word in metadata.get(FEATURES, "").split(","))
        features = tuple(sorted({word for word in words if _WORD.fullmatch(word)}))
        limits = {
            key.removeprefix(LIMIT): int(value)
            for key, value in sorted(metadata.items())
            if key.startswith(LIMIT) and value.isascii() and value.isdecimal() and len(value) < 10
        }
        return cls(features, limits)

    def __or__(self, other: "Entitlements") -> "Entitlements":
        """Both together: all features, and of each limit the higher one."""
        mine, theirs = self.limits or {}, other.limits or {}
        limits = {name: max(mine.get(name, 0), theirs.get(name, 0)) for name in sorted({*mine, *theirs})}
        return Entitlements(tuple(sorted({*self.features, *other.features})), limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayProduct:
    """How the gateway describes a product at the moment of asking."""

    gateway: str
    ref: str
    name: str
    description: str
    active: bool
    metadata: dict[str, str]
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayPrice:
    """How the gateway describes a price at the moment of asking. `amount_minor` is empty where it depends on how much
    is bought; `interval` and `interval_count` say how often a recurring one is paid."""

    gateway: str
    ref: str
    product_ref: str
    active: bool
    currency: str
    amount_minor: int | None
    type: PriceType
    interval: str
    interval_count: int
    nickname: str
    created_at: datetime


@dataclass(eq=False, slots=True, kw_only=True)
class Product(Aggregate):
    """A product of the gateway, as it was when we last asked. What was deleted there is no longer active here."""

    id: ProductId
    gateway: str
    gateway_ref: str
    name: str
    description: str
    active: bool
    metadata: dict[str, str]
    features: tuple[str, ...]
    limits: dict[str, int]
    created_at: datetime

    @classmethod
    def mirror(cls, news: GatewayProduct, *, id: ProductId) -> "Product":
        """One we had not heard of."""
        return cls(id=id, gateway=news.gateway, gateway_ref=news.ref, created_at=news.created_at, **_told(news))

    def follow(self, news: GatewayProduct) -> None:
        """Be as the gateway says now."""
        for field, value in _told(news).items():
            setattr(self, field, value)

    def vanish(self) -> None:
        """The gateway knows it no longer."""
        self.active = False

    @property
    def entitlements(self) -> Entitlements:
        """What it gives to whoever has it."""
        return Entitlements(self.features, self.limits)


@dataclass(eq=False, slots=True, kw_only=True)
class Price(Aggregate):
    """A price of the gateway, as it was when we last asked."""

    id: PriceId
    gateway: str
    gateway_ref: str
    product_ref: str
    active: bool
    currency: str
    amount_minor: int | None
    type: PriceType
    interval: str
    interval_count: int
    nickname: str
    created_at: datetime

    @classmethod
    def mirror(cls, news: GatewayPrice, *, id: PriceId) -> "Price":
        """One we had not heard of."""
        return cls(
            id=id,
            gateway=news.gateway,
            gateway_ref=news.ref,
            product_ref=news.product_ref,
            active=news.active,
            currency=news.currency,
            amount_minor=news.amount_minor,
            type=news.type,
            interval=news.interval,
            interval_count=news.interval_count,
            nickname=news.nickname,
            created_at=news.created_at,
        )

    def follow(self, news: GatewayPrice) -> None:
        """Be as the gateway says now; money, currency and product of a price never change there."""
        self.active, self.nickname = news.active, news.nickname

    def vanish(self) -> None:
        """The gateway knows it no longer."""
        self.active = False


def _told(news: GatewayProduct) -> dict[str, Any]:
    entitlements = Entitlements.told_by(news.metadata)
    return {
        "name": news.name,
        "description": news.description,
        "active": news.active,
        "metadata": dict(news.metadata),
        "features": entitlements.features,
        "limits": entitlements.limits or {},
    }
