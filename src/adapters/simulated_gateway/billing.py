"""Plans at the simulated gateway: a small catalog, customers, a till that takes test cards, and subscriptions that do
as they are told."""

import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from sqlite3 import Connection, Row
from typing import Any, TypeVar
from uuid import UUID

from adapters.simulated_gateway.books import Books
from adapters.simulated_gateway.cards import CARDS
from adapters.simulated_gateway.delivery import announce
from adapters.simulated_gateway.gateway import NAME, Wakes
from application.ports.billing import Catalog, CheckoutOrder, CustomerDesk, CustomerOrder, PlanDesk, Subscriptions, Till
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.payments import Declined
from domain.billing import (
    Buyer,
    GatewayCheckout,
    GatewayPrice,
    GatewayProduct,
    GatewaySubscription,
    PriceType,
    SubscriptionState,
    TillState,
)
from domain.payments import PaymentState
from domain.shared.errors import Conflict, Invalid, NotFound
from domain.shared.ids import PurchaseId

T = TypeVar("T")
MONTH = timedelta(days=30)

PLANS: dict[str, dict[str, Any]] = {
    "solo": {
        "name": "Solo",
        "description": "For one who works alone: bookings, payments and a page of your own.",
        "metadata": {"entitlements": "bookings, payments", "limit_members": "1"},
        "prices": {"solo_month_eur": ("EUR", 1900, "month"), "solo_year_eur": ("EUR", 19000, "year")},
    },
    "team": {
        "name": "Team",
        "description": "For a business of several: everything of Solo, people, roles and reports.",
        "metadata": {"entitlements": "bookings, payments, reports, team", "limit_members": "15"},
        "prices": {"team_month_eur": ("EUR", 4900, "month"), "team_month_usd": ("USD", 5400, "month")},
    },
    "setup": {
        "name": "Help with the start",
        "description": "Two hours in which we set it up with you.",
        "metadata": {},
        "prices": {"setup_once_eur": ("EUR", 12000, "")},
    },
}
"""What is sold until somebody changes it."""


class SimulatedBilling(Catalog, CustomerDesk, Till, Subscriptions, PlanDesk):
    """Sells the house's plans and behaves as if somebody paid for them. `url` is where its own till is shown."""

    def __init__(self, books: Books, deliveries: Wakes, *, clock: Clock, ids: Ids, url: str) -> None:
        self._books, self._deliveries, self._clock, self._ids = books, deliveries, clock, ids
        self._url = url.rstrip("/")

    @property
    def name(self) -> str:
        return NAME

    # --- The catalog

    async def products(self) -> AsyncIterator[GatewayProduct]:
        for row in await self._books.do(lambda books: self._plans(books, "product")):
            yield _product(row)

    async def prices(self) -> AsyncIterator[GatewayPrice]:
        for row in await self._books.do(lambda books: self._plans(books, "price")):
            yield _price(row)

    async def product(self, ref: str) -> GatewayProduct:
        return _product(await self._books.do(lambda books: self._plan(books, "product", ref)))

    async def price(self, ref: str) -> GatewayPrice:
        return _price(await self._books.do(lambda books: self._plan(books, "price", ref)))

    async def put_product(self, ref: str, **facts: Any) -> None:
        """Sell something else, or the same otherwise; `active` too."""
        await self._put("product", ref, facts)

    async def put_price(self, ref: str, **facts: Any) -> None:
        """The same for a price."""
        await self._put("price", ref, facts)

    # --- Customers

    async def enrol(self, order: CustomerOrder) -> str:
        ref = f"sc_{order.customer_id.hex}"
        statement = "insert into customers values (?, ?, ?, ?) on conflict do nothing"
        told = (ref, str(order.customer_id), order.email, order.name)
        await self._books.do(lambda books: books.execute(statement, told))
        return ref

    async def portal(self, ref: str, *, return_url: str) -> str:
        await self._books.do(lambda books: _found(books, "customers", ref))
        return return_url

    # --- The till

    async def open(self, order: CheckoutOrder) -> GatewayCheckout:
        ref = f"sk_{order.purchase_id.hex}"

        def work(books: Connection) -> GatewayCheckout:
            if all(row["ref"] != order.price_ref for row in self._plans(books, "price")):
                raise Declined("no_such_price", "nothing is sold at this price")
            books.execute(
                "insert into checkouts (ref, purchase_id, price_ref, state, customer_ref, email, success_url)"
                " values (?, ?, ?, 'open', ?, ?, ?) on conflict do nothing",
                (ref, str(order.purchase_id), order.price_ref, order.customer_ref, order.email, order.success_url),
            )
            return self._checkout(_found(books, "checkouts", ref))

        return await self._books.do(work)

    async def find(self, ref: str) -> GatewayCheckout:
        return await self._books.do(lambda books: self._checkout(_found(books, "checkouts", ref)))

    async def show_card(self, ref: str, card: str) -> GatewayCheckout:
        shown = CARDS.get(card)
        if shown is None:
            raise Invalid(f"there is no test card {card!r}", field="card", cards=sorted(CARDS))
        if shown.state is PaymentState.FAILED:
            raise Conflict("the card was declined", reason=shown.failure)
        return await self.complete(ref, paid=True)

    async def complete(self, ref: str, *, paid: bool) -> GatewayCheckout:
        """The customer went through with it; with `paid` False by a way that takes days."""

        def work(books: Connection) -> GatewayCheckout:
            row = _found(books, "checkouts", ref)
            if row["state"] != "open":
                raise Conflict("this till is closed", state=row["state"])
            customer = row["customer_ref"] or f"sc_{self._ids.new().hex}"
            subscription = f"ss_{self._ids.new().hex}"
            books.execute(
                "insert into customers values (?, '', ?, '') on conflict do nothing", (customer, row["email"])
            )
            ends = (self._clock.now() + MONTH).timestamp()
            state = SubscriptionState.ACTIVE if paid else SubscriptionState.INCOMPLETE
            books.execute(
                "insert into subscriptions (ref, purchase_id, customer_ref, price_ref, state, period_ends_at)"
                " values (?, ?, ?, ?, ?, ?)",
                (subscription, row["purchase_id"], customer, row["price_ref"], state.value, ends),
            )
            books.execute(
                "update checkouts set state = 'complete', paid = ?, customer_ref = ?, subscription_ref = ?"
                " where ref = ?",
                (paid, customer, subscription, ref),
            )
            self._announce(books, "subscription.created", "subscription", subscription)
            self._announce(books, "checkout.completed", "checkout", ref)
            return self._checkout(_found(books, "checkouts", ref))

        return await self._tell(work)

    async def arrive(self, ref: str, *, paid: bool) -> GatewayCheckout:
        """Money that was on its way for days has arrived, or was turned down."""

        def work(books: Connection) -> GatewayCheckout:
            row = _found(books, "checkouts", ref)
            state = SubscriptionState.ACTIVE if paid else SubscriptionState.INCOMPLETE_EXPIRED
            books.execute("update checkouts set paid = ? where ref = ?", (paid, ref))
            books.execute("update subscriptions set state = ? where ref = ?", (state.value, row["subscription_ref"]))
            self._announce(books, "subscription.updated", "subscription", row["subscription_ref"])
            self._announce(books, f"checkout.async_payment_{'succeeded' if paid else 'failed'}", "checkout", ref)
            return self._checkout(_found(books, "checkouts", ref))

        return await self._tell(work)

    async def lapse(self, ref: str) -> None:
        """Nobody paid in time."""

        def work(books: Connection) -> None:
            books.execute("update checkouts set state = 'expired' where ref = ? and state = 'open'", (ref,))
            self._announce(books, "checkout.expired", "checkout", ref)

        await self._tell(work)

    # --- Subscriptions

    async def subscription(self, ref: str) -> GatewaySubscription:
        return await self._books.do(lambda books: self._subscription(books, ref))

    async def move(
        self, ref: str, state: SubscriptionState, *, kind: str = "subscription.updated", **also: Any
    ) -> None:
        """Let a subscription stand otherwise, and tell of it; `trial_ends_at` and `price_ref` too."""
        trial = also.get("trial_ends_at")

        def work(books: Connection) -> None:
            books.execute(
                "update subscriptions set state = ?, trial_ends_at = coalesce(?, trial_ends_at),"
                " price_ref = coalesce(?, price_ref), ends_with_period = ? where ref = ?",
                (
                    state.value,
                    trial.timestamp() if trial else None,
                    also.get("price_ref"),
                    also.get("ends_with_period", False),
                    ref,
                ),
            )
            self._announce(books, kind, "subscription", ref)

        await self._tell(work)

    async def _put(self, kind: str, ref: str, facts: dict[str, Any]) -> None:
        def work(books: Connection) -> None:
            self._plans(books, kind)
            known = books.execute("select * from plans where ref = ? and kind = ?", (ref, kind)).fetchone()
            now = self._clock.now().timestamp()
            told = {**(json.loads(known["facts"]) if known else {}), **facts}
            active = facts.get("active", bool(known["active"]) if known else True)
            parent = facts.get("product_ref", known["parent"] if known else "")
            books.execute(
                "insert into plans values (?, ?, ?, ?, ?, ?) on conflict (ref) do update"
                " set active = excluded.active, facts = excluded.facts",
                (ref, kind, parent, active, json.dumps(told), now),
            )
            verb = "updated" if known else "created"
            self._announce(books, f"{kind}.{verb}", kind, ref)

        await self._tell(work)

    def _plans(self, books: Connection, kind: str) -> list[Row]:
        if books.execute("select count(*) from plans").fetchone()[0] == 0:
            self._stock(books)
        return books.execute("select * from plans where kind = ? order by created_at, ref", (kind,)).fetchall()

    def _plan(self, books: Connection, kind: str, ref: str) -> Row:
        found = next((row for row in self._plans(books, kind) if row["ref"] == ref), None)
        if found is None:
            raise NotFound.of(kind, ref)
        return found

    def _stock(self, books: Connection) -> None:
        now = self._clock.now().timestamp()
        insert = "insert into plans values (?, ?, ?, 1, ?, ?)"
        for ref, plan in PLANS.items():
            facts = {name: value for name, value in plan.items() if name != "prices"}
            books.execute(insert, (ref, "product", "", json.dumps(facts), now))
            for price, (currency, amount, interval) in plan["prices"].items():
                told = {"currency": currency, "amount_minor": amount, "interval": interval}
                books.execute(insert, (price, "price", ref, json.dumps(told), now))

    def _checkout(self, row: Row) -> GatewayCheckout:
        return GatewayCheckout(
            gateway=NAME,
            ref=row["ref"],
            purchase_id=PurchaseId(UUID(row["purchase_id"])) if row["purchase_id"] else None,
            state=TillState(row["state"]),
            paid=bool(row["paid"]),
            url=f"{self._url}/till/{row['ref']}" if row["state"] == "open" else None,
            customer_ref=row["customer_ref"],
            subscription_ref=row["subscription_ref"],
            buyer=Buyer(email=row["email"]),
            metadata={},
        )

    def _subscription(self, books: Connection, ref: str) -> GatewaySubscription:
        row = _found(books, "subscriptions", ref)
        return GatewaySubscription(
            gateway=NAME,
            ref=row["ref"],
            purchase_id=PurchaseId(UUID(row["purchase_id"])) if row["purchase_id"] else None,
            customer_ref=row["customer_ref"],
            product_ref=self._plan(books, "price", row["price_ref"])["parent"],
            price_ref=row["price_ref"],
            state=SubscriptionState(row["state"]),
            quantity=1,
            period_ends_at=_moment(row["period_ends_at"]),
            trial_ends_at=_moment(row["trial_ends_at"]),
            ends_with_period=bool(row["ends_with_period"]),
        )

    def _announce(self, books: Connection, kind: str, thing: str, ref: str) -> None:
        announce(books, kind, thing=(thing, ref), ids=self._ids, clock=self._clock)

    async def _tell(self, work: Callable[[Connection], T]) -> T:
        answer = await self._books.do(work)
        self._deliveries.wake()
        return answer


def _found(books: Connection, table: str, ref: str) -> Row:
    statements = {
        "customers": "select * from customers where ref = ?",
        "checkouts": "select * from checkouts where ref = ?",
        "subscriptions": "select * from subscriptions where ref = ?",
    }
    found: Row | None = books.execute(statements[table], (ref,)).fetchone()
    if found is None:
        raise NotFound.of(table.removesuffix("s"), ref)
    return found


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _product(row: Row) -> GatewayProduct:
    facts = json.loads(row["facts"])
    return GatewayProduct(
        gateway=NAME,
        ref=row["ref"],
        name=facts.get("name", row["ref"]),
        description=facts.get("description", ""),
        active=bool(row["active"]),
        metadata=facts.get("metadata", {}),
        created_at=datetime.fromtimestamp(row["created_at"], UTC),
    )


def _price(row: Row) -> GatewayPrice:
    facts = json.loads(row["facts"])
    interval = facts.get("interval", "")
    return GatewayPrice(
        gateway=NAME,
        ref=row["ref"],
        product_ref=row["parent"],
        active=bool(row["active"]),
        currency=facts["currency"],
        amount_minor=facts.get("amount_minor"),
        type=PriceType.RECURRING if interval else PriceType.ONE_TIME,
        interval=interval,
        interval_count=1 if interval else 0,
        nickname=facts.get("nickname", ""),
        created_at=datetime.fromtimestamp(row["created_at"], UTC),
    )
