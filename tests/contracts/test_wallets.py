"""What everybody who keeps cards promises: the simulated gateway, and Stripe's adapter against Stripe's counterpart."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

import pytest

from adapters.simulated_gateway import Books, SimulatedBilling, SimulatedGateway, SimulatedWallet
from adapters.stripe import StripeGateway, StripeWallet
from adapters.system.clock import StandingClock
from adapters.system.ids import SeededIds
from application.ports.billing import CustomerOrder
from application.ports.payments import Declined, OpenOrder, PaymentGateway
from application.ports.wallets import ChargeOrder, Wallet
from domain.payments import GatewayCard, GatewayPayment, GatewaySetup, PaymentState, SetupState
from domain.shared.errors import NotFound
from domain.shared.ids import BookingId, CustomerId, PaymentId, UserId
from domain.shared.money import Money
from tests.application.till import Quiet
from tests.support.house import MONDAY
from tests.support.localstripe_server import API_KEY, local_stripe, localstripe

__all__ = ["localstripe"]

pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

CARDS = {"ok": "4242424242424242", "3ds": "4000002500003155", "empty": "4000000000000341"}
NAMES = {"ok": "ok", "3ds": "3ds", "empty": "insufficient_funds"}
S = PaymentState


@dataclass(slots=True, kw_only=True)
class Keeper:
    """A gateway that keeps cards, one of its customers, and that customer's hand."""

    gateway: PaymentGateway
    wallet: Wallet
    customer: str
    give: Callable[[GatewaySetup, str], Awaitable[object]]

    async def keep(self, card: str = "ok") -> GatewayCard:
        """A card that is kept for the customer."""
        setup = await self.wallet.begin(self.customer, key=f"setup:{card}")
        await self.give(setup, card)
        kept = (await self.wallet.find_setup(setup.ref)).card
        assert kept
        return kept

    async def open(self, number: int = 1) -> GatewayPayment:
        """Something to pay."""
        return await self.gateway.open(
            OpenOrder(
                payment_id=PaymentId(UUID(int=number)),
                booking_id=BookingId(UUID(int=2)),
                attempt=1,
                amount=Money(10_000, "EUR"),
            )
        )

    async def charge(self, payment: GatewayPayment, card: GatewayCard, customer: str = "") -> GatewayPayment:
        """Pay it with that card."""
        assert payment.payment_id
        return await self.wallet.charge(
            ChargeOrder(
                payment_id=payment.payment_id,
                payment_ref=payment.ref,
                attempt=payment.attempt,
                customer_ref=customer or self.customer,
                card_ref=card.ref,
            )
        )


@pytest.fixture(params=["simulated", "stripe"])
async def keeper(request: pytest.FixtureRequest) -> AsyncIterator[Keeper]:
    if request.param == "simulated":
        clock, books = StandingClock(MONDAY), Books(":memory:")
        ids = SeededIds(clock, seed="wallet")
        desk = SimulatedBilling(books, Quiet(), clock=clock, ids=ids, url="http://here")
        wallet = SimulatedWallet(books, Quiet(), clock=clock, ids=ids)
        order = CustomerOrder(customer_id=CustomerId(UUID(int=1)), user_id=UserId(UUID(int=1)), email="a@b.c", name="")
        yield Keeper(
            gateway=SimulatedGateway(books, Quiet(), clock=clock, ids=ids, secret="a secret"),
            wallet=wallet,
            customer=await desk.enrol(order),
            give=lambda setup, card: wallet.give(setup.ref, setup.client_secret or "", NAMES[card]),
        )
        books.close()
        return
    async with local_stripe(request.getfixturevalue("localstripe")) as local:
        gateway = StripeGateway(api_key=API_KEY, api_base=local.api_base)
        made = await local.direct.post("/v1/customers", data={"email": "a@b.c"})
        yield Keeper(
            gateway=gateway,
            wallet=StripeWallet(gateway),
            customer=made.json()["id"],
            give=lambda setup, card: local.give(setup.ref, CARDS[card]),
        )
        await gateway.aclose()


async def test_a_setup_is_one_per_key_and_waits_for_a_card(keeper: Keeper) -> None:
    setup = await keeper.wallet.begin(keeper.customer, key="setup:1")
    assert (setup.state, setup.customer_ref, setup.card) == (SetupState.OPEN, keeper.customer, None)
    assert setup.client_secret
    assert (await keeper.wallet.begin(keeper.customer, key="setup:1")).ref == setup.ref
    assert (await keeper.wallet.begin(keeper.customer, key="setup:2")).ref != setup.ref


async def test_a_given_card_is_known_by_what_is_printed_on_a_receipt(keeper: Keeper) -> None:
    card = await keeper.keep()
    assert (card.brand, card.last4, card.exp_month, card.exp_year) == ("visa", "4242", 12, 2040)
    assert card.customer_ref == keeper.customer
    assert await keeper.wallet.find_card(card.ref) == card


async def test_a_kept_card_pays_once_however_often_it_is_asked_to(keeper: Keeper) -> None:
    card, payment = await keeper.keep(), await keeper.open()
    paid = await keeper.charge(payment, card)
    assert (paid.state, paid.captured) == (S.CAPTURED, Money(10_000, "EUR"))
    assert (await keeper.gateway.find(payment.ref)).captured == Money(10_000, "EUR")
    with pytest.raises(Declined):
        await keeper.charge(payment, await keeper.keep("3ds"))


async def test_a_bank_may_want_to_hear_from_the_owner_first(keeper: Keeper) -> None:
    payment = await keeper.open()
    asked = await keeper.charge(payment, await keeper.keep("3ds"))
    assert (asked.state, asked.captured.amount_minor) == (S.REQUIRES_ACTION, 0)
    assert asked.client_secret


async def test_a_card_without_money_fails_the_payment(keeper: Keeper) -> None:
    payment = await keeper.open()
    assert (await keeper.charge(payment, await keeper.keep("empty"))).state is S.FAILED
    assert (await keeper.gateway.find(payment.ref)).captured.amount_minor == 0


async def test_a_forgotten_card_is_kept_for_nobody_and_forgetting_twice_is_fine(keeper: Keeper) -> None:
    card = await keeper.keep()
    for _ in range(2):
        await keeper.wallet.forget(card.ref)
    assert (await keeper.wallet.find_card(card.ref)).customer_ref is None


async def test_what_it_does_not_know_is_not_found(keeper: Keeper) -> None:
    with pytest.raises(NotFound):
        await keeper.wallet.find_setup("seti_nothing")
    with pytest.raises(NotFound):
        await keeper.wallet.find_card("pm_nothing")
    await keeper.wallet.forget("pm_nothing")
    with pytest.raises(Declined):
        await keeper.wallet.begin("cus_nobody", key="setup:9")
