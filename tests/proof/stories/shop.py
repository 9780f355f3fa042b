"""A shop whose gateway tells of everything more than once, and whose whole state can be taken back to a moment."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid5

import httpx

from adapters.memory.objects import MemoryObjects
from adapters.memory.store import MemoryStore
from adapters.persistence.outbox import StoredOutbox
from adapters.signed_links import HandedOutHere
from adapters.simulated_gateway import (
    HEADER,
    Books,
    Deliveries,
    SimulatedBilling,
    SimulatedDisputes,
    SimulatedGateway,
    SimulatedPayees,
    SimulatedRecords,
    SimulatedVerifier,
    SimulatedWallet,
    note,
    signed,
)
from adapters.simulation.cheap import CheapPasswords
from application.bookings import BookSlot, Reservation
from application.payments import BecomePayee, GetCheckout, MeetPayee, ReceiveWebhook, RefreshPayment
from application.ports.mail import (
    Attachment,
    Invite,
    Invites,
    Letters,
    Links,
    Mailbox,
    Mailer,
    OutgoingMail,
    Written,
)
from application.ports.payments import CaptureOrder, GatewayUnavailable
from application.reactions import REACTIONS
from application.sharing import Sharing
from domain.bookings import Booking
from domain.identity import IdentityRules
from domain.jobs import Job
from domain.payments import (
    FeeRule,
    GatewayDispute,
    GatewayPayment,
    GatewayRefund,
    GatewayWarning,
    PayoutState,
)
from domain.shared.actors import SYSTEM, Actor, Kind, Role
from domain.shared.aggregate import Event
from domain.shared.ids import OneTimeTokenId, PaymentId
from domain.shared.money import Money
from domain.shared.terms import PaymentTerms, PolicyName
from entrypoints.worker.delivery import Deliver
from tests.application.marketplace import HOLD, NOW, Marketplace
from tests.support.house import House
from tests.support.moody_gateway import MoodyGateway

SECRET = "whsec_stories"
TEN = datetime(2026, 6, 3, 9, 0, tzinfo=NOW.tzinfo)
"""Ten in the morning in Lisbon, two days from now."""
PRICE = Money(10_000, "EUR")
ADMIN = Actor(kind=Kind.OPERATOR, name="stories")
SETTLES_IN = (timedelta(minutes=1), timedelta(minutes=5), timedelta(hours=1), timedelta(hours=5), timedelta(hours=30))
"""Waits after the last message, in which what was postponed or doubted is tried again; two days in all."""


@dataclass(frozen=True, slots=True)
class Told:
    """A message of the gateway, and how its thing stood when it was written."""

    body: dict[str, Any]
    then: GatewayPayment | GatewayRefund | GatewayDispute | GatewayWarning | None

    @property
    def id(self) -> str:
        """The message's own id."""
        return str(self.body["id"])

    def again(self, id: str) -> "Told":
        """The same change, told under another id."""
        return replace(self, body={**self.body, "id": id, "kind": f"charge.{self.body['kind']}"})


class Secrets:
    """Makes a link's secret of its id."""

    def secret(self, token_id: OneTimeTokenId) -> str:
        return f"secret-of-{token_id.hex}"

    def digest(self, secret: str) -> str:
        return secret


@dataclass(slots=True)
class Post(Letters, Invites, Mailer):
    """Letters of one line. Who is told what, and how often, is the story; how it looks is tested elsewhere."""

    sent: list[OutgoingMail] = field(default_factory=list)

    def write(self, what: Any, context: Mapping[str, Any] | None = None) -> Any:
        if isinstance(what, Invite):
            return Attachment(f"{what.sequence}{' off' * what.cancelled}.ics", "text/calendar", b"")
        return Written(subject=str(what), text="", html="")

    async def send(self, mail: OutgoingMail) -> None:
        self.sent.append(mail)


class Till(MoodyGateway):
    """A gateway with bad days. While a message is processed it can answer as things stood when that was written, which
    is what a slow worker knows when it comes to act; every `hiccups`-th look is refused."""

    __slots__ = ("hiccups", "looks", "told")

    def __init__(self, good: SimulatedGateway) -> None:
        super().__init__(good)
        self.told: Told | None = None
        self.hiccups = 0
        self.looks = 0

    async def find(self, ref: str) -> GatewayPayment:
        self._hiccup()
        then = self.told.then if self.told else None
        if isinstance(then, GatewayPayment) and then.ref == ref:
            return then
        return await MoodyGateway.find(self, ref)

    async def find_refund(self, ref: str) -> GatewayRefund:
        self._hiccup()
        then = self.told.then if self.told else None
        if isinstance(then, GatewayRefund) and then.ref == ref:
            return then
        return await MoodyGateway.find_refund(self, ref)

    def _hiccup(self) -> None:
        self.looks += 1
        if self.hiccups and self.looks % self.hiccups == 0:
            raise GatewayUnavailable("a bad moment")


class Banks(SimulatedDisputes):
    """Customers' banks. While a message is processed they too can answer as things stood when it was written."""

    told: Told | None = None

    async def find_dispute(self, ref: str) -> GatewayDispute:
        then = self.told.then if self.told else None
        if isinstance(then, GatewayDispute) and then.ref == ref:
            return then
        return await super().find_dispute(ref)

    async def find_warning(self, ref: str) -> GatewayWarning:
        then = self.told.then if self.told else None
        if isinstance(then, GatewayWarning) and then.ref == ref:
            return then
        return await super().find_warning(ref)


class Shop(Marketplace):
    """A provider, a customer and what the one sells to the other; what the gateway says is held back until told.
    `instead` puts other reactions in the place of ours, for planted bugs."""

    vera: Actor
    carl: Actor
    lesson: Job
    session: Job

    def __init__(
        self,
        client: httpx.AsyncClient,
        *,
        instead: Mapping[type, Callable[["Shop"], Any]] | None = None,
        **house: Any,
    ) -> None:
        House.__init__(self, now=NOW, hold=HOLD, seed=7, **house)
        self.meanwhile: Callable[[], Awaitable[Any]] | None = None
        self.books = Books(":memory:")
        self.post = Deliveries(self.books, client=client, url="http://shop/", secret=SECRET, clock=self.clock)
        self.till = SimulatedGateway(self.books, self.post, clock=self.clock, ids=self.ids, secret="till")
        self.gateway = Till(self.till)
        self.banks = Banks(self.books, self.post, clock=self.clock, ids=self.ids)
        self.wallet = SimulatedWallet(self.books, self.post, clock=self.clock, ids=self.ids)
        self.mailer = Post()
        plans = SimulatedBilling(self.books, self.post, clock=self.clock, ids=self.ids, url="https://shop.example.org")
        self.payees = SimulatedPayees(
            self.books, self.post, clock=self.clock, ids=self.ids, url="https://shop.example.org"
        )
        self.ports.update(
            **dict.fromkeys(("payee_desk", "shares"), self.payees),
            **dict.fromkeys(("catalog", "customer_desk", "till", "subscriptions"), plans),
            passwords=CheapPasswords(),
            begin=self.interrupted,
            gateway=self.gateway,
            gateway_records=SimulatedRecords(self.books),
            dispute_desk=self.banks,
            wallet=self.wallet,
            verifiers={"simulated": SimulatedVerifier([SECRET], self.clock)},
            mailer=self.mailer,
            letters=self.mailer,
            invites=self.mailer,
            printer=self.mailer,
            links=Links("https://shop.example.org"),
            sender=Mailbox.read("Shop <hello@shop.example.org>"),
            one_time_secrets=Secrets(),
            identity_rules=IdentityRules(),
            news_readers={},
            objects=MemoryObjects(self.clock),
            picture_delivery=HandedOutHere(),
        )
        self.instead = instead or {}
        self.heard: set[str] = set()
        self.earlier: list[Told] = []
        self.promptly = False
        self.ten = TEN
        self.chapter = 0

    async def settle_in(self) -> "Shop":
        """People and a job; a late cancellation gives half back."""
        self.vera = await self.provider()
        self.carl = await self.person("carl")
        self.lesson = await self.job(self.vera, price=PRICE, policy=PolicyName.MODERATE)
        self.session = await self.job(self.vera, price=PRICE, title="Session", terms=PaymentTerms.AUTHORISED)
        await self.work()
        return self

    async def next_story(self) -> None:
        """Other people, another job, another day: what is told of it is nobody else's."""
        self.chapter += 1
        self.gateway.moods.clear()
        while self.ten < self.clock.now() + timedelta(days=2):
            self.ten += timedelta(days=1)
        await self.settle_in()

    async def person(self, name: str, role: Role = Role.CUSTOMER) -> Actor:
        return await Marketplace.person(self, f"{name}{self.chapter or ''}", role)

    @property
    def worker(self) -> Deliver:
        """All reactions, some exchanged."""
        reactions: dict[type[Event], tuple[Any, ...]] = {
            event: tuple(self.instead[each](self) if each in self.instead else self.use(each) for each in some)
            for event, some in REACTIONS.items()
        }
        return Deliver(outbox=self.outbox, reactions=reactions, perform=self.perform, clock=self.clock)

    async def work(self) -> None:
        """The worker does what is due."""
        await self.worker.all()

    async def book(self, by: Actor | None = None, starts_at: datetime | None = None, job: Job | None = None) -> Booking:
        """A hold, opened at the gateway."""
        wanted = Reservation(job_id=(job or self.lesson).id, starts_at=starts_at or self.ten)
        booking = await self.use(BookSlot)(by or self.carl, wanted)
        await self.work()
        return booking

    async def set_aside(self, *, know: bool = True) -> Booking:
        """A hold whose price is set aside on the customer's card, and with `know` we know."""
        booking = await self.book(job=self.session)
        await self.show(booking, "ok")
        if know:
            await self.returns(booking)
        return booking

    async def disputed(self, booking: Booking, minor: int | None = None) -> str:
        """The customer's bank asks for the money back; the dispute's reference there."""
        ref = await self.banks.dispute((await self.payment(booking))["gateway_ref"], amount=minor)
        await self.happened()
        return ref

    async def decided(self, ref: str, *, won: bool) -> None:
        """The bank decides."""
        await self.banks.decide(ref, won=won)
        await self.happened()

    async def hears_of_dispute(self) -> dict[str, Any]:
        """Somebody tells us of what has happened so far; the dispute as we have it then."""
        for told in await self.untold():
            await self.hear(told, as_it_stood=False)
        (row,) = await self.all("disputes")
        return row

    async def show(self, booking: Booking, card: str) -> None:
        """The customer shows a card on the pay page; nobody has told us yet."""
        checkout = await self.use(GetCheckout)(Actor(user_id=booking.customer_id), self.id_of(booking))
        assert checkout.gateway_ref, checkout
        assert checkout.client_secret
        await self.till.confirm(checkout.gateway_ref, checkout.client_secret, card)
        await self.happened()

    async def approve(self, booking: Booking, approved: bool = True) -> None:
        """The customer finishes the second step."""
        row = await self.payment(booking)
        await self.till.authenticate_3ds(row["gateway_ref"], row["client_secret"], approved)
        await self.happened()

    async def returns(self, booking: Booking) -> None:
        """The customer comes back from the gateway, and we ask how it stands."""
        await self.use(RefreshPayment)(Actor(user_id=booking.customer_id), self.id_of(booking))
        await self.work()

    async def paid(self, card: str = "ok") -> Booking:
        """A booking that we know to be paid; the gateway's messages about it are still to come."""
        booking = await self.book()
        await self.show(booking, card)
        await self.returns(booking)
        return booking

    async def later(self, by: timedelta) -> None:
        """Time passes, and what was due happens."""
        self.clock.advance(by)
        await self.work()
        await self.happened()

    async def all(self, table: str) -> list[dict[str, Any]]:
        """The rows of a table, whatever the store."""
        return [dict(row) for row in await self.store.load(table, {})]

    async def payment(self, booking: Booking) -> dict[str, Any]:
        """The stored payment of a booking."""
        (row,) = await self.store.load("payments", {"id": self.id_of(booking)})
        return dict(row)

    async def happened(self) -> None:
        """Something happened at the gateway; a prompt one tells us before anything else happens."""
        if not self.promptly:
            self.earlier += await self._news()  # told later, as things stand now
            return
        for told in await self._news():
            await self.hear(told, as_it_stood=False)

    def id_of(self, booking: Booking) -> PaymentId:
        """The id of its payment."""
        assert booking.payment_id
        return booking.payment_id

    def say(self, body: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
        """A signed message."""
        raw = json.dumps(body, separators=(",", ":")).encode()
        return raw, {HEADER: signed(raw, SECRET, self.clock.now())}

    async def untold(self) -> list[Told]:
        """What the gateway has announced since we last heard, in order."""
        told, self.earlier = [*self.earlier, *await self._news()], []
        return told

    async def _news(self) -> list[Told]:
        rows = await self.books.do(
            lambda books: [r["body"] for r in books.execute("select body from deliveries order by rowid")]
        )
        new = [body for row in rows if (body := json.loads(row))["id"] not in self.heard]
        self.heard |= {body["id"] for body in new}
        return [await self._as_it_stands(body) for body in new]

    async def _as_it_stands(self, body: dict[str, Any]) -> Told:
        if body.get("thing"):
            return Told(body, None)
        if body["refund"]:
            return Told(body, await self.till.find_refund(body["refund"]))
        if body.get("thing") == "dispute":
            return Told(body, await SimulatedDisputes.find_dispute(self.banks, body["thing_ref"]))
        if body.get("thing") == "warning":
            return Told(body, await SimulatedDisputes.find_warning(self.banks, body["thing_ref"]))
        return Told(body, await self.till.find(body["payment"]))

    async def hear(self, told: Told, *, as_it_stood: bool) -> None:
        """The message arrives and is acted on."""
        self.gateway.told = self.banks.told = told if as_it_stood else None
        try:
            raw, headers = self.say(told.body)
            await self.use(ReceiveWebhook)(SYSTEM, "simulated", raw, headers)
            await self.work()
        finally:
            self.gateway.told = self.banks.told = None

    async def refund_by_hand(self, booking: Booking, minor: int) -> None:
        """Somebody gives money back at the gateway's dashboard."""
        ref = (await self.payment(booking))["gateway_ref"]

        def give(books: Any) -> None:
            number = books.execute("select count(*) from refunds").fetchone()[0]
            made = f"sr_dashboard_{number}"
            books.execute(
                "insert into refunds (ref, refund_id, payment_ref, state, amount, currency)"
                " values (?, ?, ?, 'succeeded', ?, 'EUR')",
                (made, str(uuid5(booking.id, made)), ref, minor),
            )
            books.execute("update payments set refunded = refunded + ? where ref = ?", (minor, ref))
            self.noted(books, made, "refund_made", "refund", minor=minor)
            self.announce(books, "refund.succeeded", payment=ref, refund=made)

        await self.books.do(give)
        await self.happened()

    async def capture_by_hand(self, booking: Booking, minor: int) -> None:
        """Somebody takes what is set aside at the gateway's dashboard."""
        row = await self.payment(booking)
        order = CaptureOrder(
            payment_id=self.id_of(booking),
            payment_ref=row["gateway_ref"],
            attempt=row["attempt"],
            amount=Money(minor, "EUR"),
        )
        await self.till.capture(order)
        await self.happened()

    async def bank_returns(self, booking: Booking) -> None:
        """The customer's bank sends a refund back to the gateway."""
        ref = (await self.payment(booking))["gateway_ref"]

        def back(books: Any) -> None:
            row = books.execute("select ref, amount from refunds where payment_ref = ?", (ref,)).fetchone()
            books.execute(
                "update refunds set state = 'failed', failure = 'account_closed' where ref = ?", (row["ref"],)
            )
            books.execute("update payments set refunded = refunded - ? where ref = ?", (row["amount"], ref))
            self.noted(books, row["ref"], "refund_returned", minor=row["amount"])
            self.announce(books, "refund.failed", payment=ref, refund=row["ref"])

        await self.books.do(back)
        await self.happened()

    def noted(self, books: Any, ref: str, *what: str, minor: int) -> None:
        """The gateway writes it into its journal."""
        for each in what:
            note(books, each, ref, minor, "EUR", at=self.clock.now().timestamp())

    def announce(self, books: Any, kind: str, *, payment: str, refund: str | None = None) -> None:
        """The gateway owes a message."""
        number = books.execute("select count(*) from deliveries").fetchone()[0]
        now = self.clock.now().timestamp()
        body = {
            "id": f"se_extra_{number}",
            "kind": kind,
            "occurred_at": int(now),
            "payment": payment,
            "refund": refund,
        }
        books.execute(
            "insert into deliveries (id, body, created_at, due_at, tries) values (?, ?, ?, ?, 0)",
            (body["id"], json.dumps(body), now, now),
        )

    async def shares(self, rule: FeeRule = FeeRule(basis_points=1_000)) -> str:
        """The provider has an account of her own, which we know to take charges; its reference."""
        self.ports["sharing"] = Sharing(gateway="simulated", rule=rule)
        self.use._built.clear()
        payee = await self.use(BecomePayee)(self.vera, self.lesson.organization_id)
        payee = await self.use(MeetPayee)(self.vera, payee.organization_id)
        assert payee.gateway_ref
        await self.payees.answer(payee.gateway_ref)
        for told in await self.untold():
            await self.hear(told, as_it_stood=False)
        return payee.gateway_ref

    async def pays_out(self, ref: str, *states: PayoutState) -> None:
        """What is on the account leaves for its bank; so it goes on."""
        payout = await self.payees.pay_out(ref)
        assert payout is not None
        for state in states:
            await self.payees.arrive(payout.ref, state, failure="account_closed" if state is PayoutState.FAILED else "")
            await self.happened()

    async def opened(self, booking: Booking) -> None:
        """The gateway tells that it has opened the payment."""
        ref = (await self.payment(booking))["gateway_ref"]
        await self.books.do(lambda books: self.announce(books, "payment.open", payment=ref))
        await self.happened()


class Moment:
    """A shop as it was: its rows, the gateway's books, its clock, its chance."""

    def __init__(self, shop: Shop) -> None:
        store: MemoryStore = shop.store
        self._rows = {name: list(table.rows.values()) for name, table in store.tables.items()}
        self._books = shop.books._connection.serialize()
        self._now = shop.clock.now()
        self._chance = shop.ids._chance.getstate()
        self._last = shop.ids._last
        self._heard = set(shop.heard)
        self._sent = len(shop.mailer.sent)
        self._moods = list(shop.gateway.moods)

    def restore(self, shop: Shop) -> None:
        """Make the shop what it was."""
        before = MemoryStore()
        before.fill(self._rows)
        # Everything in the shop holds this store; its inside becomes that of one that was filled anew.
        vars(shop.store).update(vars(before))
        shop.books._connection.deserialize(self._books)
        shop.clock.set(self._now)
        shop.ids._chance.setstate(self._chance)
        shop.ids._last = self._last
        shop.heard = set(self._heard)
        del shop.mailer.sent[self._sent :]
        shop.gateway.moods[:] = self._moods
        shop.earlier = []
        shop.gateway.looks = 0
        shop.outbox = StoredOutbox(shop.store, shop.clock)
