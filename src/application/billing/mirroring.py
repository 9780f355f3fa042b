"""The catalog, mirrored. What is stored was asked for after the row it replaces was read, so that an old answer never
takes the place of a newer one."""

from dataclasses import dataclass
from typing import ClassVar

from application.ports.billing import Catalog
from application.ports.ids import Ids
from application.ports.payments import GatewayUnavailable
from application.ports.unit_of_work import Begin, Work
from domain.billing import GatewayPrice, GatewayProduct, Price, Product
from domain.shared.actors import Actor
from domain.shared.errors import Forbidden, Refusal, StaleVersion, Unauthenticated
from domain.shared.ids import PriceId, ProductId

Seen = dict[str, int]
"""References to the versions their rows had; what is not there had none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirrored:
    """How many products and prices the gateway has now."""

    products: int
    prices: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshCatalog:
    """Ask the gateway for all its products and prices, and be as it says. Webhooks do the same one by one."""

    begin: Begin
    ids: Ids
    catalog: Catalog
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, Forbidden, GatewayUnavailable)

    async def __call__(self, actor: Actor) -> Mirrored:
        actor.must_be_admin()
        gateway = self.catalog.name
        async with self.begin(actor) as work:
            products = {row.gateway_ref: row.version for row in await work.products.find(gateway=gateway)}
            prices = {row.gateway_ref: row.version for row in await work.prices.find(gateway=gateway)}
        sold = [product async for product in self.catalog.products()]
        priced = [price async for price in self.catalog.prices()]
        for product in sold:
            async with self.begin(actor) as work:
                await mirror_product(
                    work, gateway, product.ref, product, seen=products.pop(product.ref, 0), ids=self.ids
                )
        for price in priced:
            async with self.begin(actor) as work:
                await mirror_price(work, gateway, price.ref, price, seen=prices.pop(price.ref, 0), ids=self.ids)
        for ref, version in products.items():
            async with self.begin(actor) as work:
                await mirror_product(work, gateway, ref, None, seen=version, ids=self.ids)
        for ref, version in prices.items():
            async with self.begin(actor) as work:
                await mirror_price(work, gateway, ref, None, seen=version, ids=self.ids)
        return Mirrored(products=len(sold), prices=len(priced))


async def mirror_product(
    work: Work, gateway: str, ref: str, news: GatewayProduct | None, *, seen: int, ids: Ids
) -> None:
    """Be as the news says about that product (None: it is gone), unless somebody mirrored it since it was asked for."""
    known = await work.products.first(gateway=gateway, gateway_ref=ref)
    must_be_as_seen(known, seen)
    if news is None:
        if known is not None:
            known.vanish()
    elif known is None:
        work.products.add(Product.mirror(news, id=ProductId(ids.new())))
    else:
        known.follow(news)


async def mirror_price(work: Work, gateway: str, ref: str, news: GatewayPrice | None, *, seen: int, ids: Ids) -> None:
    """The same for a price."""
    known = await work.prices.first(gateway=gateway, gateway_ref=ref)
    must_be_as_seen(known, seen)
    if news is None:
        if known is not None:
            known.vanish()
    elif known is None:
        work.prices.add(Price.mirror(news, id=PriceId(ids.new())))
    else:
        known.follow(news)


def must_be_as_seen(known: Product | Price | None, seen: int) -> None:
    """Refuse to write over what was written after the gateway was asked."""
    if (known.version if known else 0) != seen:
        raise StaleVersion("this was mirrored meanwhile")
