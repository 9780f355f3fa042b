"""Bad days: which faults strike is drawn at every await, and each port passes its calls through that."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any, TypeVar

from adapters.persistence.schema.tables import Row
from adapters.persistence.store import Changes, Numbers, Store, Views
from adapters.simulation.processes import PROCESS, Process
from application.commands import OutcomeUnknown
from application.ports.billing import Catalog, CheckoutOrder, CustomerDesk, CustomerOrder, Subscriptions, Till
from application.ports.criteria import Criteria, Order, Position
from application.ports.disputes import DisputeDesk, EvidenceOrder
from application.ports.mail import Mailer, OutgoingMail
from application.ports.payees import PayeeDesk, PayeeOrder, Shares
from application.ports.payments import (
    CaptureOrder,
    GatewaySilent,
    GatewayUnavailable,
    OpenOrder,
    PaymentGateway,
    RefundOrder,
)
from application.ports.reconciling import GatewayRecords, Movement, Sheet, Unheard
from application.ports.wallets import ChargeOrder, Wallet
from domain.billing import GatewayCheckout, GatewayPrice, GatewayProduct, GatewaySubscription
from domain.notifications import MailRefused, MailUnavailable
from domain.payments import (
    GatewayCard,
    GatewayDispute,
    GatewayPayee,
    GatewayPayment,
    GatewayPayout,
    GatewayRefund,
    GatewaySetup,
    GatewayShare,
    GatewayWarning,
    SourceKind,
)
from domain.shared.actors import Actor
from domain.shared.errors import Unavailable
from domain.shared.time import Span

T = TypeVar("T")


class Weather:
    """How likely each fault is just now, what struck, and who is told of it."""

    def __init__(self, chance: Random, rates: Mapping[str, float], told: Callable[[str], None]) -> None:
        self.rates = dict(rates)
        self.struck: Counter[str] = Counter()
        self.draw = chance.random
        self._told = told

    def strikes(self, fault: str) -> bool:
        """Whether this fault happens here and now."""
        rate = self.rates.get(fault)
        if not rate or self.draw() >= rate:
            return False
        self.note(fault)
        return True

    def note(self, fault: str) -> None:
        """It happened."""
        self.struck[fault] += 1
        self._told(fault)

    def calm(self) -> None:
        """No more of it."""
        self.rates.clear()

    async def breathe(self) -> None:
        """Give way: whoever is ready may come first; now and then much later."""
        if self.strikes("slow"):
            await asyncio.sleep(0.001 + 4.0 * self.draw() ** 3)
        else:
            await asyncio.sleep(0)

    async def maybe_die(self) -> None:
        """Sometimes the process that is running ends in this very place."""
        if self.strikes("crash"):
            await die()


async def die() -> None:
    """Crash the process that is running, here; this never returns."""
    process = PROCESS.get()
    assert isinstance(process, Process)
    process.crash()
    await asyncio.get_running_loop().create_future()


class FaultyStore(Store):
    """A store at the end of a network: away for a moment, or silent just when it committed."""

    def __init__(self, good: Store, weather: Weather) -> None:
        self._good, self._weather = good, weather

    async def load(
        self,
        table: str,
        criteria: Criteria,
        *,
        order: Order = Order(),
        after: Position | None = None,
        limit: int | None = None,
    ) -> Sequence[Row]:
        await self._weather.breathe()
        self._there()
        return await self._good.load(table, criteria, order=order, after=after, limit=limit)

    async def count(self, table: str, criteria: Criteria) -> int:
        await self._weather.breathe()
        self._there()
        return await self._good.count(table, criteria)

    async def commit(self, changes: Changes) -> Numbers:
        weather = self._weather
        await weather.breathe()
        self._there()
        if weather.strikes("commit_unknown_before"):
            raise OutcomeUnknown("the connection broke during the commit")
        await weather.maybe_die()
        numbers = await self._good.commit(changes)
        await weather.maybe_die()
        if weather.strikes("commit_unknown_after"):
            raise OutcomeUnknown("the connection broke during the commit")
        await weather.breathe()
        return numbers

    async def claim(self, *, now: datetime, lease: timedelta, limit: int) -> Sequence[Row]:
        await self._weather.breathe()
        self._there()
        rows = await self._good.claim(now=now, lease=lease, limit=limit)
        if rows:
            await self._weather.maybe_die()
            if self._weather.strikes("claim_lost"):
                raise Unavailable("the connection broke while claiming")
        return rows

    def _there(self) -> None:
        if self._weather.strikes("store_away"):
            raise Unavailable("the database does not answer")


class FaultyViews(Views):
    """Reading at the end of a network."""

    def __init__(self, good: Views, weather: Weather) -> None:
        self._good, self._weather = good, weather

    async def rows(
        self,
        actor: Actor,
        source: str,
        columns: Sequence[str],
        criteria: Criteria,
        *,
        order: Order,
        after: Position | None,
        limit: int,
    ) -> Sequence[Row]:
        await self._weather.breathe()
        if self._weather.strikes("store_away"):
            raise Unavailable("the database does not answer")
        return await self._good.rows(actor, source, columns, criteria, order=order, after=after, limit=limit)


class FaultyPayees(PayeeDesk, Shares):
    """The payees of a gateway at the end of the internet."""

    def __init__(self, good: Any, weather: Weather) -> None:
        self._good, self._faulty = good, FaultyGateway(good, weather)

    @property
    def name(self) -> str:
        return str(self._good.name)

    async def enrol(self, order: PayeeOrder) -> str:
        return await self._faulty.act(lambda: self._good.enrol(order))

    async def link(self, ref: str, *, return_url: str, refresh_url: str) -> str:
        return await self._faulty.look(lambda: self._good.link(ref, return_url=return_url, refresh_url=refresh_url))

    async def find(self, ref: str) -> GatewayPayee:
        return await self._faulty.look(lambda: self._good.find(ref))

    async def share(self, payment_ref: str) -> GatewayShare:
        return await self._faulty.look(lambda: self._good.share(payment_ref))

    async def behind(self, kind: SourceKind, ref: str) -> str:
        return await self._faulty.look(lambda: self._good.behind(kind, ref))

    async def payout(self, payee_ref: str, ref: str) -> GatewayPayout:
        return await self._faulty.look(lambda: self._good.payout(payee_ref, ref))


class FaultyGateway(PaymentGateway):
    """A gateway at the end of the internet: an error, no answer, or an effect whose answer is lost."""

    def __init__(self, good: PaymentGateway, weather: Weather) -> None:
        self._good, self._weather = good, weather

    @property
    def name(self) -> str:
        return self._good.name

    async def open(self, order: OpenOrder) -> GatewayPayment:
        return await self.act(lambda: self._good.open(order))

    async def find(self, ref: str) -> GatewayPayment:
        return await self.look(lambda: self._good.find(ref))

    async def capture(self, order: CaptureOrder) -> GatewayPayment:
        return await self.act(lambda: self._good.capture(order))

    async def cancel(self, ref: str) -> GatewayPayment:
        return await self.look(lambda: self._good.cancel(ref))

    async def refund(self, order: RefundOrder) -> GatewayRefund:
        return await self.act(lambda: self._good.refund(order))

    async def find_refund(self, ref: str) -> GatewayRefund:
        return await self.look(lambda: self._good.find_refund(ref))

    async def act(self, ask: Callable[[], Awaitable[T]]) -> T:
        """What may not be guessed about: silence is `GatewaySilent`."""
        return await self._ask(ask, GatewaySilent)

    async def look(self, ask: Callable[[], Awaitable[T]]) -> T:
        """What can simply be asked again."""
        return await self._ask(ask, GatewayUnavailable)

    async def _ask(self, ask: Callable[[], Awaitable[T]], silent: type[Exception]) -> T:
        weather = self._weather
        await weather.breathe()
        if weather.strikes("gateway_error"):
            raise GatewayUnavailable("the gateway answers 500")
        if weather.strikes("gateway_timeout"):
            await asyncio.sleep(30)
            raise silent("the gateway did not answer in time")
        await weather.maybe_die()
        answer = await ask()
        await weather.maybe_die()
        if weather.strikes("gateway_reply_lost"):
            await asyncio.sleep(30)
            raise silent("the answer was lost")
        await weather.breathe()
        return answer


class FaultyBilling(Catalog, CustomerDesk, Till, Subscriptions):
    """The same gateway where it sells plans."""

    def __init__(self, good: Any, weather: Weather) -> None:
        self._good, self._ask = good, FaultyGateway(good, weather)

    @property
    def name(self) -> str:
        return str(self._good.name)

    def products(self) -> AsyncIterator[GatewayProduct]:
        return self._good.products()  # type: ignore[no-any-return]

    def prices(self) -> AsyncIterator[GatewayPrice]:
        return self._good.prices()  # type: ignore[no-any-return]

    async def product(self, ref: str) -> GatewayProduct:
        return await self._ask.look(lambda: self._good.product(ref))

    async def price(self, ref: str) -> GatewayPrice:
        return await self._ask.look(lambda: self._good.price(ref))

    async def enrol(self, order: CustomerOrder) -> str:
        return await self._ask.act(lambda: self._good.enrol(order))

    async def portal(self, ref: str, *, return_url: str) -> str:
        return await self._ask.look(lambda: self._good.portal(ref, return_url=return_url))

    async def open(self, order: CheckoutOrder) -> GatewayCheckout:
        return await self._ask.act(lambda: self._good.open(order))

    async def find(self, ref: str) -> GatewayCheckout:
        return await self._ask.look(lambda: self._good.find(ref))

    async def subscription(self, ref: str) -> GatewaySubscription:
        return await self._ask.look(lambda: self._good.subscription(ref))


class FaultyDisputes(DisputeDesk):
    """Its dispute desk."""

    def __init__(self, good: Any, weather: Weather) -> None:
        self._good, self._ask = good, FaultyGateway(good, weather)

    async def find_dispute(self, ref: str) -> GatewayDispute:
        return await self._ask.look(lambda: self._good.find_dispute(ref))

    async def find_warning(self, ref: str) -> GatewayWarning:
        return await self._ask.look(lambda: self._good.find_warning(ref))

    async def answer(self, order: EvidenceOrder) -> GatewayDispute:
        return await self._ask.act(lambda: self._good.answer(order))


class FaultyWallet(Wallet):
    """The cards it keeps."""

    def __init__(self, good: Any, weather: Weather) -> None:
        self._good, self._ask = good, FaultyGateway(good, weather)

    async def begin(self, customer_ref: str, *, key: str) -> GatewaySetup:
        return await self._ask.act(lambda: self._good.begin(customer_ref, key=key))

    async def find_setup(self, ref: str) -> GatewaySetup:
        return await self._ask.look(lambda: self._good.find_setup(ref))

    async def find_card(self, ref: str) -> GatewayCard:
        return await self._ask.look(lambda: self._good.find_card(ref))

    async def forget(self, card_ref: str) -> None:
        await self._ask.look(lambda: self._good.forget(card_ref))

    async def charge(self, order: ChargeOrder) -> GatewayPayment:
        return await self._ask.act(lambda: self._good.charge(order))


class FaultyRecords(GatewayRecords):
    """Its records, which can be away as anything else."""

    def __init__(self, good: GatewayRecords, weather: Weather) -> None:
        self._good, self._weather = good, weather

    @property
    def name(self) -> str:
        return self._good.name

    async def unheard(self, span: Span, after: str | None) -> Sheet[Unheard]:
        return await self._look(lambda: self._good.unheard(span, after))

    async def payments(self, span: Span, after: str | None) -> Sheet[GatewayPayment]:
        return await self._look(lambda: self._good.payments(span, after))

    async def refunds(self, span: Span, after: str | None) -> Sheet[GatewayRefund]:
        return await self._look(lambda: self._good.refunds(span, after))

    async def movements(self, span: Span, after: str | None) -> Sheet[Movement]:
        return await self._look(lambda: self._good.movements(span, after))

    async def payouts(self, payee_ref: str, span: Span, after: str | None) -> Sheet[GatewayPayout]:
        return await self._look(lambda: self._good.payouts(payee_ref, span, after))

    async def _look(self, ask: Callable[[], Awaitable[T]]) -> T:
        await self._weather.breathe()
        if self._weather.strikes("gateway_error"):
            raise GatewayUnavailable("the gateway answers 500")
        await self._weather.maybe_die()
        return await ask()


class FaultyMailer(Mailer):
    """A mail server that is away, or turns a mail down."""

    def __init__(self, good: Mailer, weather: Weather) -> None:
        self._good, self._weather = good, weather

    async def send(self, mail: OutgoingMail) -> None:
        await self._weather.breathe()
        if self._weather.strikes("mail_away"):
            raise MailUnavailable("the mail server cannot be reached")
        if self._weather.strikes("mail_refused"):
            raise MailRefused("the mail server refused it for good: 550 no such mailbox", to=mail.to, code=550)
        await self._good.send(mail)
        await self._weather.maybe_die()


class SimulatedBell:
    """Rings the workers of this world when somebody commits. A ring may be lost; a worker that rests looks again when
    the next event is due, which is all that polling every second would find."""

    def __init__(self, ring: Callable[[], None], next_due: Callable[[], float | None], weather: Weather) -> None:
        self._ring, self._next_due, self._weather = ring, next_due, weather
        self._rung = asyncio.Event()

    def poke(self) -> None:
        """Something was committed."""
        if not self._weather.strikes("bell_lost"):
            self._ring()

    def heard(self) -> None:
        """It rang."""
        self._rung.set()

    async def rest(self, seconds: float) -> None:
        """Until it rings, or something is due; never less than a poll apart."""
        due = self._next_due()
        try:
            if due is None:
                await self._rung.wait()
            else:
                async with asyncio.timeout(max(due, seconds)):
                    await self._rung.wait()
        except TimeoutError:
            pass
        self._rung.clear()
