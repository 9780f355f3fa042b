"""Saved cards: given to the gateway, known to us by four digits, charged when their owner says so."""

from datetime import timedelta

import pytest

from application.billing import BecomeCustomer, MeetCustomer
from application.payments import (
    BeginSetup,
    CardNotSaved,
    GivenCard,
    ListPaymentMethods,
    PaymentMethodView,
    PayWithSaved,
    PreferPaymentMethod,
    RemovePaymentMethod,
    SavedCard,
    SavePaymentMethod,
)
from application.ports.payments import Declined, GatewaySilent
from application.ports.wallets import ChargeOrder
from domain.billing import NoCustomerYet
from domain.payments import AlreadyPaid, GatewayPayment, NotPayable, PaymentCalledOff, PaymentMethod
from domain.shared.actors import ANONYMOUS, SYSTEM, Actor
from domain.shared.errors import NotFound, Unauthenticated
from domain.shared.terms import PaymentTerms
from tests.application.shop import PRICE, Shop, shop

__all__ = ["shop"]
HOUR = timedelta(hours=1)


@pytest.fixture
async def carl(shop: Shop) -> Actor:
    """Somebody the gateway knows."""
    await become_customer(shop, shop.carl)
    return shop.carl


async def become_customer(shop: Shop, who: Actor) -> None:
    customer = await shop.use(BecomeCustomer)(who)
    await shop.use(MeetCustomer)(who, customer.id)


async def saved(shop: Shop, who: Actor, card: str = "ok") -> PaymentMethod:
    """A card that is kept, as its owner does it in a browser."""
    setup = await shop.use(BeginSetup)(who)
    await shop.wallet.give(setup.ref, setup.client_secret or "", card)
    method = await shop.use(SavePaymentMethod)(who, GivenCard(setup_ref=setup.ref))
    await shop.quiet()
    return method


async def listed(shop: Shop, who: Actor) -> list[PaymentMethodView]:
    return list((await shop.use(ListPaymentMethods)(who, limit=9)).items)


class TestSaving:
    async def test_of_a_saved_card_we_know_what_is_printed_on_a_receipt(self, shop: Shop, carl: Actor) -> None:
        await saved(shop, carl)
        (card,) = await listed(shop, carl)
        assert (card.brand, card.last4, card.exp_month, card.exp_year) == ("visa", "4242", 12, 2040)
        (row,) = shop.rows("payment_methods")
        assert set(row) == {
            *("id", "version", "user_id", "gateway", "gateway_ref", "brand", "last4", "exp_month", "exp_year"),
            *("preferred_at", "created_at"),
        }

    async def test_it_is_saved_once_whether_we_are_told_or_the_browser_comes_back(
        self, shop: Shop, carl: Actor
    ) -> None:
        setup = await shop.use(BeginSetup)(carl)
        await shop.wallet.give(setup.ref, setup.client_secret or "", "ok")
        await shop.quiet()
        assert len(await listed(shop, carl)) == 1
        await shop.use(SavePaymentMethod)(carl, GivenCard(setup_ref=setup.ref))
        assert len(await listed(shop, carl)) == 1

    async def test_a_setup_that_was_given_no_card_saves_none(self, shop: Shop, carl: Actor) -> None:
        setup = await shop.use(BeginSetup)(carl)
        with pytest.raises(Declined):
            await shop.wallet.give(setup.ref, setup.client_secret or "", "declined")
        with pytest.raises(CardNotSaved):
            await shop.use(SavePaymentMethod)(carl, GivenCard(setup_ref=setup.ref))
        with pytest.raises(NotFound):
            await shop.wallet.give(setup.ref, "guessed", "ok")
        with pytest.raises(NotFound):
            await shop.use(SavePaymentMethod)(carl, GivenCard(setup_ref="ss_guessed"))

    async def test_nobody_saves_a_card_that_somebody_else_gave(self, shop: Shop, carl: Actor) -> None:
        bob = await shop.person("bob")
        with pytest.raises(NoCustomerYet):
            await shop.use(BeginSetup)(bob)
        await become_customer(shop, bob)
        setup = await shop.use(BeginSetup)(carl)
        await shop.wallet.give(setup.ref, setup.client_secret or "", "ok")
        with pytest.raises(NotFound):
            await shop.use(SavePaymentMethod)(bob, GivenCard(setup_ref=setup.ref))
        with pytest.raises(Unauthenticated):
            await shop.use(BeginSetup)(ANONYMOUS)
        with pytest.raises(Unauthenticated):
            await listed(shop, ANONYMOUS)

    async def test_the_one_preferred_last_comes_first(self, shop: Shop, carl: Actor) -> None:
        first = await saved(shop, carl)
        shop.clock.advance(HOUR)
        second = await saved(shop, carl, "3ds")
        assert [card.id for card in await listed(shop, carl)] == [second.id, first.id]
        shop.clock.advance(HOUR)
        await shop.use(PreferPaymentMethod)(carl, first.id)
        assert [card.id for card in await listed(shop, carl)] == [first.id, second.id]

    async def test_a_removed_card_is_forgotten_by_the_gateway_too_and_does_not_come_back(
        self, shop: Shop, carl: Actor
    ) -> None:
        method = await saved(shop, carl)
        await shop.use(RemovePaymentMethod)(carl, method.id)
        assert await listed(shop, carl) == []
        await shop.quiet()
        assert shop.books.read("select customer_ref from kept_cards") == [{"customer_ref": None}]
        for row in shop.rows("webhooks"):
            async with shop.begin(SYSTEM) as work:
                (await work.webhooks.get(row["id"])).replay()
            await shop.quiet()
        assert await listed(shop, carl) == []
        with pytest.raises(NotFound):
            await shop.use(RemovePaymentMethod)(carl, method.id)

    async def test_one_removed_at_the_gateway_is_gone_here(self, shop: Shop, carl: Actor) -> None:
        method = await saved(shop, carl)
        await shop.wallet.forget(method.gateway_ref)
        await shop.quiet()
        assert await listed(shop, carl) == []

    async def test_to_others_it_does_not_exist(self, shop: Shop, carl: Actor) -> None:
        method = await saved(shop, carl)
        bob = await shop.person("bob")
        assert await listed(shop, bob) == []
        for use_case in (PreferPaymentMethod, RemovePaymentMethod):
            with pytest.raises(NotFound):
                await shop.use(use_case)(bob, method.id)


class TestPayingWithIt:
    async def test_the_preferred_card_pays_without_being_shown(self, shop: Shop, carl: Actor) -> None:
        await saved(shop, carl)
        booking = await shop.book()
        payment = await shop.use(PayWithSaved)(carl, shop.id_of(booking))
        assert payment.state == "captured"
        await shop.quiet()
        assert shop.booking(booking)["state"] == "confirmed"
        assert shop.figures(booking) == (10_000, 0, 0)
        with pytest.raises(AlreadyPaid):
            await shop.use(PayWithSaved)(carl, shop.id_of(booking))

    async def test_a_bank_that_wants_to_hear_from_its_customer_is_answered_in_the_browser(
        self, shop: Shop, carl: Actor
    ) -> None:
        method = await saved(shop, carl, "3ds")
        booking = await shop.book()
        payment = await shop.use(PayWithSaved)(carl, shop.id_of(booking), SavedCard(method_id=method.id))
        assert payment.state == "requires_action"
        row = shop.payment(booking)
        await shop.till.authenticate_3ds(row["gateway_ref"], row["client_secret"], True)
        await shop.quiet()
        assert shop.booking(booking)["state"] == "confirmed"

    async def test_a_card_without_money_fails_and_another_can_be_tried(self, shop: Shop, carl: Actor) -> None:
        empty = await saved(shop, carl, "insufficient_funds")
        booking = await shop.book()
        payment = await shop.use(PayWithSaved)(carl, shop.id_of(booking), SavedCard(method_id=empty.id))
        assert (payment.state, payment.failure) == ("failed", "insufficient_funds")
        good = await saved(shop, carl)
        payment = await shop.use(PayWithSaved)(carl, shop.id_of(booking), SavedCard(method_id=good.id))
        assert payment.state == "captured"

    async def test_what_is_taken_later_is_set_aside(self, shop: Shop, carl: Actor) -> None:
        shop.lesson = await shop.job(shop.vera, price=PRICE, terms=PaymentTerms.AUTHORISED, title="Session")
        await saved(shop, carl)
        booking = await shop.book()
        payment = await shop.use(PayWithSaved)(carl, shop.id_of(booking))
        assert payment.state == "authorised"

    @pytest.mark.parametrize("acts", [True, False])
    async def test_without_an_answer_the_gateway_is_asked_how_it_stands(
        self, shop: Shop, carl: Actor, monkeypatch: pytest.MonkeyPatch, acts: bool
    ) -> None:
        await saved(shop, carl)
        booking = await shop.book()
        good = shop.wallet.charge

        async def silent(order: ChargeOrder) -> GatewayPayment:
            if acts:
                await good(order)
            raise GatewaySilent("no answer")

        with monkeypatch.context() as patched:
            patched.setattr(shop.wallet, "charge", silent)
            payment = await shop.use(PayWithSaved)(carl, shop.id_of(booking))
        assert payment.state == ("captured" if acts else "open")
        if not acts:
            await shop.use(PayWithSaved)(carl, shop.id_of(booking))
        await shop.quiet()
        assert shop.figures(booking) == (10_000, 0, 0)

    async def test_only_what_is_open_and_wanted_is_paid_and_only_with_ones_own_card(
        self, shop: Shop, carl: Actor
    ) -> None:
        booking = await shop.book()
        with pytest.raises(NotFound):
            await shop.use(PayWithSaved)(carl, shop.id_of(booking))
        bob = await shop.person("bob")
        await become_customer(shop, bob)
        theirs = await saved(shop, bob)
        with pytest.raises(NotFound):
            await shop.use(PayWithSaved)(carl, shop.id_of(booking), SavedCard(method_id=theirs.id))
        with pytest.raises(NotFound):
            await shop.use(PayWithSaved)(bob, shop.id_of(booking))
        await saved(shop, carl)
        async with shop.begin(SYSTEM) as work:
            (await work.payments.get(shop.id_of(booking))).client_secret = None
        with pytest.raises(NotPayable):
            await shop.use(PayWithSaved)(carl, shop.id_of(booking))
        await shop.later(minutes=16)
        with pytest.raises(PaymentCalledOff):
            await shop.use(PayWithSaved)(carl, shop.id_of(booking))
