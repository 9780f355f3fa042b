"""A marketplace that takes money: a provider, a customer, and a gateway whose messages come in by the real use case."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from adapters.memory.objects import MemoryObjects
from adapters.simulated_gateway import (
    Books,
    Deliveries,
    SimulatedBilling,
    SimulatedDisputes,
    SimulatedGateway,
    SimulatedPayees,
    SimulatedVerifier,
    SimulatedWallet,
)
from application.bookings import BookSlot, Reservation
from application.payments import GetCheckout, ReceiveWebhook, RefundPayment, Repayment
from application.ports.payments import BadSignature
from application.reactions import REACTIONS
from domain.bookings import Booking
from domain.jobs import Job
from domain.payments import PaymentState, RefundState
from domain.shared.actors import SYSTEM, Actor, Kind
from domain.shared.aggregate import Event
from domain.shared.ids import PaymentId
from domain.shared.money import Money
from domain.shared.terms import PolicyName
from entrypoints.worker.delivery import Deliver
from tests.application.marketplace import NOW, Marketplace
from tests.support.moody_gateway import MoodyGateway

SECRET = "whsec_simulated"
TEN = datetime(2026, 6, 3, 9, 0, tzinfo=NOW.tzinfo)
"""Ten in the morning in Lisbon, two days from now."""
PRICE = Money(10_000, "EUR")
S, R = PaymentState, RefundState
ADMIN = Actor(kind=Kind.OPERATOR, name="tests")


class Shop(Marketplace):
    """A marketplace with a gateway that may have bad days; its messages come in by the real use case."""

    vera: Actor
    carl: Actor
    lesson: Job

    def __init__(self, client: httpx.AsyncClient) -> None:
        super().__init__()
        self.books = Books(":memory:")
        self.post = Deliveries(
            self.books, client=client, url="http://shop/webhooks/simulated", secret=SECRET, clock=self.clock
        )
        self.till = SimulatedGateway(self.books, self.post, clock=self.clock, ids=self.ids, secret="till")
        self.gateway = MoodyGateway(self.till)
        self.ports["gateway"] = self.gateway
        self.payees = SimulatedPayees(self.books, self.post, clock=self.clock, ids=self.ids, url="http://shop")
        self.ports |= {"payee_desk": self.payees, "shares": self.payees}
        self.banks = SimulatedDisputes(self.books, self.post, clock=self.clock, ids=self.ids)
        self.wallet = SimulatedWallet(self.books, self.post, clock=self.clock, ids=self.ids)
        plans = SimulatedBilling(self.books, self.post, clock=self.clock, ids=self.ids, url="http://shop")
        self.ports |= dict.fromkeys(("catalog", "customer_desk"), plans)
        self.ports |= {"dispute_desk": self.banks, "wallet": self.wallet, "objects": MemoryObjects(self.clock)}
        self.ports["verifiers"] = {"simulated": SimulatedVerifier([SECRET], self.clock)}
        self.came: list[tuple[bytes, dict[str, str]]] = []

    async def take(self, request: httpx.Request) -> httpx.Response:
        """The endpoint."""
        self.came.append((request.content, dict(request.headers)))
        try:
            await self.use(ReceiveWebhook)(SYSTEM, "simulated", request.content, request.headers)
        except BadSignature:
            return httpx.Response(401)
        return httpx.Response(204)

    @property
    def worker(self) -> Deliver:
        """Everything that bookings and payments do by themselves."""
        ours = ("application.payments", "application.bookings")
        reactions: dict[type[Event], tuple[Any, ...]] = {
            event: tuple(self.use(each) for each in some if each.__module__.startswith(ours))
            for event, some in REACTIONS.items()
        }
        return Deliver(outbox=self.outbox, reactions=reactions, perform=self.perform, clock=self.clock)

    async def quiet(self) -> None:
        """Let worker and gateway work until neither has anything to do."""
        while await self.worker.all() + await self.post.deliver_due():
            pass

    async def later(self, **by: Any) -> None:
        """Time passes, and what was due happens."""
        self.clock.advance(timedelta(**by))
        await self.quiet()

    async def book(self, *, by: Actor | None = None, starts_at: datetime = TEN) -> Booking:
        booking = await self.use(BookSlot)(by or self.carl, Reservation(job_id=self.lesson.id, starts_at=starts_at))
        await self.worker.all()
        return booking

    async def show(self, booking: Booking, card: str, *, quiet: bool = True) -> None:
        """The customer shows a card on the pay page."""
        checkout = await self.use(GetCheckout)(self.carl_of(booking), self.id_of(booking))
        assert checkout.gateway_ref
        assert checkout.client_secret
        await self.till.confirm(checkout.gateway_ref, checkout.client_secret, card)
        if quiet:
            await self.quiet()

    async def paid(self, card: str = "ok") -> Booking:
        """A booking that was paid and confirmed."""
        booking = await self.book()
        await self.show(booking, card)
        assert self.booking(booking)["state"] == "confirmed"
        return booking

    async def refund(self, booking: Booking, minor: int | None = None, *, by: Actor | None = None) -> Any:
        refund = await self.use(RefundPayment)(by or self.vera, self.id_of(booking), Repayment(amount_minor=minor))
        await self.quiet()
        return self.row("refunds", refund.id)

    def carl_of(self, booking: Booking) -> Actor:
        return Actor(user_id=booking.customer_id)

    def id_of(self, booking: Booking) -> PaymentId:
        assert booking.payment_id
        return booking.payment_id

    def booking(self, booking: Booking) -> dict[str, Any]:
        return self.row("bookings", booking.id)

    def payment(self, booking: Booking) -> dict[str, Any]:
        return self.row("payments", booking.payment_id)

    def figures(self, booking: Booking) -> tuple[int, int, int]:
        """Captured, under way back, gone back."""
        row = self.payment(booking)
        return row["captured_minor"], row["refunding_minor"], row["refunded_minor"]

    async def intents(self) -> list[tuple[int, str]]:
        """Attempt and state of everything the gateway ever opened."""
        return await self.books.do(
            lambda books: [tuple(row) for row in books.execute("select attempt, state from payments order by rowid")]
        )

    def must_add_up(self) -> None:
        """The ledger balances, and says what the payments say."""
        sums: dict[Any, int] = {}
        for row in self.rows("ledger"):
            for key in (row["transaction_id"], row["account"].split(":")[0]):
                sums[key] = sums.get(key, 0) + row["amount_minor"]
        held = sum(
            row["captured_minor"] - row["refunded_minor"] - row["disputed_minor"] for row in self.rows("payments")
        )
        held -= sum(row["fee_minor"] - row["fee_returned_minor"] for row in self.rows("disputes"))
        assert sums.pop("gateway", 0) == held
        assert sums.pop("organization", 0) == -held
        assert not any(sums.values())


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    async def take(request: httpx.Request) -> httpx.Response:
        return await made.take(request)

    async with httpx.AsyncClient(transport=httpx.MockTransport(take)) as client:
        made = Shop(client)
        made.vera = await made.provider()
        made.carl = await made.person("carl")
        made.lesson = await made.job(made.vera, price=PRICE, policy=PolicyName.MODERATE)
        yield made
        made.must_add_up()
        made.books.close()
