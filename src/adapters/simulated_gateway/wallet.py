"""Cards the simulated gateway keeps: given once by name, charged later without their owner."""

import hmac
from collections.abc import Callable
from sqlite3 import Connection, Row
from typing import TypeVar

from adapters.simulated_gateway.books import Books
from adapters.simulated_gateway.cards import CARDS
from adapters.simulated_gateway.delivery import announce
from adapters.simulated_gateway.gateway import NAME, PAYABLE, Wakes, once, payment_of, row_of, show
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.payments import Declined
from application.ports.wallets import ChargeOrder, SetupDesk, Wallet
from domain.payments import GatewayCard, GatewayPayment, GatewaySetup, PaymentState, SetupState
from domain.shared.errors import Conflict, Invalid, NotFound

T = TypeVar("T")
_ENDS = (12, 2040)


class SimulatedWallet(Wallet, SetupDesk):
    """Keeps cards for the simulated gateway's customers, and takes them from the customer's hand (`SetupDesk`)."""

    def __init__(self, books: Books, deliveries: Wakes, *, clock: Clock, ids: Ids) -> None:
        self._books, self._deliveries, self._clock, self._ids = books, deliveries, clock, ids

    async def begin(self, customer_ref: str, *, key: str) -> GatewaySetup:
        def work(books: Connection) -> GatewaySetup:
            if books.execute("select 1 from customers where ref = ?", (customer_ref,)).fetchone() is None:
                raise Declined("no_such_customer", "the gateway does not know this customer")

            def act() -> str:
                ref = f"ss_{self._ids.new().hex}"
                books.execute(
                    "insert into setups (ref, customer_ref, client_secret, state) values (?, ?, ?, 'open')",
                    (ref, customer_ref, f"{ref}_secret_{self._ids.new().hex}"),
                )
                return f'{{"ref": "{ref}"}}'

            return _setup(books, once(books, key, customer_ref, act)["ref"])

        return await self._books.do(work)

    async def find_setup(self, ref: str) -> GatewaySetup:
        return await self._books.do(lambda books: _setup(books, ref))

    async def find_card(self, ref: str) -> GatewayCard:
        return await self._books.do(lambda books: _card(_kept(books, ref)))

    async def forget(self, card_ref: str) -> None:
        def work(books: Connection) -> None:
            kept = books.execute("select * from kept_cards where ref = ?", (card_ref,)).fetchone()
            if kept is not None and kept["customer_ref"] is not None:
                books.execute("update kept_cards set customer_ref = null where ref = ?", (card_ref,))
                announce(books, "card.detached", thing=("card", card_ref), ids=self._ids, clock=self._clock)

        await self._tell(work)

    async def charge(self, order: ChargeOrder) -> GatewayPayment:
        def work(books: Connection) -> GatewayPayment:
            kept = _kept(books, order.card_ref)
            if kept["customer_ref"] != order.customer_ref:
                raise Declined("no_such_card", "that card is not kept for this customer")

            def act() -> str:
                state = PaymentState(row_of(books, "payments", order.payment_ref)["state"])
                if state not in PAYABLE:
                    raise Declined("not_payable", f"a payment that is {state.value} cannot be paid")
                card = CARDS[kept["card"]]
                show(
                    books,
                    order.payment_ref,
                    kept["card"],
                    card.state,
                    failure=card.failure,
                    ids=self._ids,
                    clock=self._clock,
                )
                return "{}"

            key = f"charge:{order.payment_id}:v{order.attempt}:{order.card_ref}"
            once(books, key, repr(order), act)
            return payment_of(books, row_of(books, "payments", order.payment_ref))

        return await self._tell(work)

    async def give(self, ref: str, client_secret: str, card: str) -> GatewaySetup:
        shown = CARDS.get(card)
        if shown is None:
            raise Invalid(f"there is no test card {card!r}", field="card", cards=sorted(CARDS))

        def work(books: Connection) -> GatewaySetup:
            row = _setup_row(books, ref)
            if not client_secret.isascii() or not hmac.compare_digest(row["client_secret"], client_secret):
                raise NotFound.of("setup", ref)
            if row["state"] != SetupState.OPEN:
                raise Conflict(f"a setup that is {row['state']} takes no card", state=row["state"])
            if shown.failure == "card_declined":
                raise Declined("card_declined", "the card was declined")
            kept = f"sk_{self._ids.new().hex}"
            books.execute("insert into kept_cards values (?, ?, ?)", (kept, row["customer_ref"], card))
            books.execute(
                "update setups set state = 'succeeded', card_ref = ?, card = ? where ref = ?", (kept, card, ref)
            )
            announce(books, "setup.succeeded", thing=("setup", ref), ids=self._ids, clock=self._clock)
            return _setup(books, ref)

        return await self._tell(work)

    async def _tell(self, work: Callable[[Connection], T]) -> T:
        answer = await self._books.do(work)
        self._deliveries.wake()
        return answer


def _setup_row(books: Connection, ref: str) -> Row:
    found: Row | None = books.execute("select * from setups where ref = ?", (ref,)).fetchone()
    if found is None:
        raise NotFound.of("setup", ascii(ref))
    return found


def _kept(books: Connection, ref: str) -> Row:
    found: Row | None = books.execute("select * from kept_cards where ref = ?", (ref,)).fetchone()
    if found is None:
        raise NotFound.of("card", ref)
    return found


def _setup(books: Connection, ref: str) -> GatewaySetup:
    row = _setup_row(books, ref)
    return GatewaySetup(
        gateway=NAME,
        ref=ref,
        customer_ref=row["customer_ref"],
        state=SetupState(row["state"]),
        client_secret=row["client_secret"],
        card=_card(_kept(books, row["card_ref"])) if row["card_ref"] else None,
    )


def _card(row: Row) -> GatewayCard:
    month, year = _ENDS
    return GatewayCard(
        gateway=NAME,
        ref=row["ref"],
        customer_ref=row["customer_ref"],
        brand="visa",
        last4=CARDS[row["card"]].last4,
        exp_month=month,
        exp_year=year,
    )
