"""Payees: an organization's own account, payments that go there less a fee, and payouts from there."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import permutations
from typing import Any

import httpx
import pytest

from adapters.simulated_gateway import signed
from application.bookings import BookSlot, Reservation
from application.payments import (
    BecomePayee,
    GetPayee,
    LinkPayee,
    ListPayees,
    ListPayouts,
    MeetPayee,
    ReceiveWebhook,
    SealLedger,
    StartPayment,
    VerifyLedger,
)
from application.ports.mail import Links
from application.sharing import Sharing
from domain.billing import Product, Subscription, SubscriptionState
from domain.bookings import Booking
from domain.organizations import MayNotManage, MemberRole
from domain.payments import FeeBack, FeeRule, NotSharedHere, PayeeRejected, PayeeState, PayoutState
from domain.shared.actors import ANONYMOUS, SYSTEM
from domain.shared.errors import Forbidden, NotFound, Unauthenticated
from domain.shared.ids import OrganizationId, ProductId, SubscriptionId
from domain.shared.terms import PolicyName
from tests.application.test_payments import ADMIN, PRICE, SECRET, TEN, Shop

TEN_PERCENT = FeeRule(basis_points=1_000)


class Market(Shop):
    """A shop whose provider may be paid on an account of her own."""

    @property
    def organization_id(self) -> OrganizationId:
        return self.lesson.organization_id

    def share(self, rule: FeeRule = TEN_PERCENT) -> None:
        self.ports["sharing"] = Sharing(gateway="simulated", rule=rule)

    async def become(self) -> str:
        """Vera's organization gets its account; nobody has answered anything yet."""
        await self.use(BecomePayee)(self.vera, self.organization_id)
        payee = await self.use(MeetPayee)(self.vera, self.organization_id)
        assert payee.gateway_ref
        return payee.gateway_ref

    async def open(self) -> str:
        """An account that takes charges and pays out."""
        ref = await self.become()
        await self.payees.answer(ref)
        await self.quiet()
        return ref

    @property
    def payee(self) -> dict[str, Any]:
        (row,) = self.rows("payees")
        return row

    @property
    def balances(self) -> dict[str, int]:
        """What each account comes to, by the last word of its name; nothing where it comes to nothing."""
        found: dict[str, int] = {}
        for row in self.rows("ledger"):
            account = "gateway" if row["account"].startswith("gateway") else row["account"].rpartition(":")[2]
            name = "earned" if row["account"] == "platform:fees" else account
            found[name] = found.get(name, 0) + row["amount_minor"]
        return {name: amount for name, amount in found.items() if amount}

    async def tell(self, body: dict[str, Any]) -> None:
        """The gateway tells us this, and what follows follows."""
        raw = json.dumps(body).encode()
        headers = {"simulated-signature": signed(raw, SECRET, self.clock.now())}
        await self.use(ReceiveWebhook)(SYSTEM, "simulated", raw, headers)
        await self.quiet()

    async def there(self, ref: str) -> int:
        """What the gateway says is on the account."""
        return (await self.payees.balance(ref)).get("EUR", 0)

    def must_add_up(self) -> None:
        """Every transaction sums to zero, and nothing of what was captured is lost between the accounts."""
        sums: dict[Any, int] = {}
        for row in self.rows("ledger"):
            key = row["transaction_id"], row["amount_currency"]
            sums[key] = sums.get(key, 0) + row["amount_minor"]
        assert not any(sums.values())
        held = sum(row["captured_minor"] - row["refunded_minor"] for row in self.rows("payments"))
        parts = self.balances
        assert sum(parts.get(name, 0) for name in ("gateway", "account", "bank")) == held
        assert parts.get("receivable", 0) == -held
        assert parts.get("fees", 0) == -parts.get("earned", 0)


@pytest.fixture
async def market() -> AsyncIterator[Market]:
    async def take(request: httpx.Request) -> httpx.Response:
        return await made.take(request)

    async with httpx.AsyncClient(transport=httpx.MockTransport(take)) as client:
        made = Market(client)
        made.ports["links"] = Links("http://shop")
        made.vera = await made.provider()
        made.carl = await made.person("carl")
        made.lesson = await made.job(made.vera, price=PRICE, policy=PolicyName.MODERATE)
        made.share()
        yield made
        made.must_add_up()
        made.books.close()


class TestOnboarding:
    async def test_an_owner_opens_an_account_and_answers_at_the_gateway(self, market: Market) -> None:
        ref = await market.become()
        assert (market.payee["state"], market.payee["wanted"]) == ("onboarding", ["identity", "bank_account"])
        url = await market.use(LinkPayee)(market.vera, market.organization_id)
        assert url == f"http://shop/onboarding/{ref}"
        await market.payees.answer(ref)
        await market.quiet()
        assert (market.payee["state"], market.payee["takes_charges"], market.payee["wanted"]) == ("enabled", True, [])
        assert [row["outcome"] for row in market.rows("webhooks")] == ["settled"]

    async def test_asking_again_is_asking_once(self, market: Market) -> None:
        assert await market.become() == await market.become()
        assert len(market.rows("payees")) == 1
        assert len(market.books.read("select * from payees")) == 1

    async def test_of_two_who_ask_at_once_both_get_the_same_account(self, market: Market) -> None:
        async def other() -> None:
            await market.use(BecomePayee)(market.vera, market.organization_id)

        market.meanwhile = other
        command = market.perform.unkeyed("tests", "BecomePayee")
        await market.perform(command, lambda: market.use(BecomePayee)(market.vera, market.organization_id))
        assert len(market.rows("payees")) == 1

    async def test_a_crash_between_making_the_account_and_noting_it_makes_no_second(self, market: Market) -> None:
        await market.use(BecomePayee)(market.vera, market.organization_id)

        class Crash(Exception):
            pass

        async def crash() -> None:
            # The first block reads; the second is where the answer would be noted.
            market.meanwhile = dies

        async def dies() -> None:
            raise Crash

        market.meanwhile = crash
        with pytest.raises(Crash):
            await market.use(MeetPayee)(market.vera, market.organization_id)
        assert market.payee["gateway_ref"] is None
        await market.use(MeetPayee)(market.vera, market.organization_id)
        assert [row["ref"] for row in market.books.read("select ref from payees")] == [market.payee["gateway_ref"]]

    async def test_an_account_is_for_owners_and_seen_by_managers(self, market: Market) -> None:
        await market.become()
        about = market.organization_id
        manager = await market.member("max", about, MemberRole.MANAGER)
        member = await market.member("mia", about, MemberRole.MEMBER)
        seen = await market.use(GetPayee)(manager, about)
        assert seen.state is PayeeState.ONBOARDING
        for deed in (BecomePayee, MeetPayee, LinkPayee):
            with pytest.raises(MayNotManage):
                await market.use(deed)(manager, about)
            with pytest.raises(NotFound):
                await market.use(deed)(market.carl, about)
            with pytest.raises(Unauthenticated):
                await market.use(deed)(ANONYMOUS, about)
        for see in (market.use(GetPayee), lambda who, their: market.use(ListPayouts)(who, their, limit=9)):
            with pytest.raises(MayNotManage):
                await see(member, about)
        assert [each.state for each in (await market.use(ListPayees)(ADMIN, limit=9)).items] == [PayeeState.ONBOARDING]
        with pytest.raises(Forbidden):
            await market.use(ListPayees)(market.vera, limit=9)

    async def test_a_house_that_shares_nothing_says_so(self, market: Market) -> None:
        market.ports["sharing"] = Sharing()
        with pytest.raises(NotSharedHere):
            await BecomePayee(begin=market.begin, clock=market.clock, ids=market.ids)(
                market.vera, market.organization_id
            )

    async def test_who_was_turned_down_gets_no_link(self, market: Market) -> None:
        ref = await market.become()
        await market.payees.reject(ref)
        await market.quiet()
        assert market.payee["state"] == "rejected"
        with pytest.raises(PayeeRejected):
            await market.use(LinkPayee)(market.vera, market.organization_id)

    async def test_messages_are_hints_whatever_order_they_come_in(self, market: Market) -> None:
        ref = await market.become()
        await market.payees.answer(ref)
        await market.payees.restrict(ref, "proof_of_address")
        await market.quiet()
        assert (market.payee["state"], market.payee["wanted"]) == ("restricted", ["proof_of_address"])
        moved = [row["payload"]["state"] for row in market.rows("outbox") if row["name"] == "payee.moved"]
        assert moved == ["restricted"]  # both messages came when it was restricted already
        assert {row["outcome"] for row in market.rows("webhooks")} == {"settled"}

    async def test_an_account_we_do_not_know_is_nobodys(self, market: Market) -> None:
        ref = await market.become()
        market.store.tables["payees"].remove(market.payee["id"])
        await market.payees.answer(ref)
        await market.quiet()
        assert [row["outcome"] for row in market.rows("webhooks")] == ["unmatched"]


class TestSharing:
    async def test_a_payment_goes_to_the_account_less_the_fee(self, market: Market) -> None:
        ref = await market.open()
        await market.paid()
        assert market.balances == {
            "gateway": 1_000,
            "receivable": -10_000,
            "account": 9_000,
            "fees": 1_000,
            "earned": -1_000,
        }
        assert await market.there(ref) == 9_000

    @pytest.mark.parametrize("state", ["none", "onboarding", "restricted", "rejected"])
    async def test_without_an_account_that_takes_charges_the_platform_takes_it(
        self, market: Market, state: str
    ) -> None:
        if state != "none":
            ref = await market.become()
            if state != "onboarding":
                await (market.payees.restrict(ref, "x") if state == "restricted" else market.payees.reject(ref))
            await market.quiet()
        booking = await market.paid()
        assert market.payment(booking)["share"] is None
        assert market.balances == {"gateway": 10_000, "receivable": -10_000}

    async def test_what_was_agreed_on_stays_when_the_rules_change(self, market: Market) -> None:
        ref = await market.open()
        booking = await market.book()
        market.share(FeeRule(basis_points=5_000, back=FeeBack.KEPT))
        await market.show(booking, "ok")
        assert market.balances["account"] == 9_000
        await market.refund(booking)
        assert await market.there(ref) == 0
        assert market.balances == {}

    async def test_the_lowest_fee_of_the_organizations_plans_counts(self, market: Market) -> None:
        await market.open()
        now = market.clock.now()
        async with market.begin(SYSTEM) as work:
            for ref, limits in (("basic", {"fee_basis_points": 700}), ("team", {"fee_basis_points": 250}), ("odd", {})):
                work.products.add(
                    Product(
                        id=ProductId(market.ids.new()),
                        gateway="simulated",
                        gateway_ref=ref,
                        name=ref,
                        description="",
                        active=True,
                        metadata={},
                        features=(),
                        limits=limits,
                        created_at=now,
                    )
                )
                work.subscriptions.add(_subscription(market, ref))
        await market.paid()
        assert market.balances["earned"] == -250

    async def test_an_account_that_closed_meanwhile_fails_the_payment_and_the_next_try_is_the_platforms(
        self, market: Market
    ) -> None:
        ref = await market.open()
        booking = await self._held(market)
        await market.payees.restrict(ref, "x")
        await market.quiet()
        row = market.payment(booking)
        assert (row["state"], row["failure"]) == ("failed", "payee_takes_no_charges")
        await market.use(StartPayment)(market.carl, market.id_of(booking))
        await market.quiet()
        await market.show(booking, "ok")
        assert market.booking(booking)["state"] == "confirmed"
        assert market.balances == {"gateway": 10_000, "receivable": -10_000}

    async def _held(self, market: Market) -> Booking:
        """A booking whose payment nobody has opened yet."""
        reservation = Reservation(job_id=market.lesson.id, starts_at=TEN)
        return await market.use(BookSlot)(market.carl, reservation)

    async def test_news_of_the_share_is_booked_once_however_often_it_comes(self, market: Market) -> None:
        await market.open()
        booking = await market.paid()
        before = market.balances
        bodies = [json_of(row) for row in market.books.read("select body from deliveries")]
        for number, body in enumerate(bodies * 2):
            await market.tell({**body, "id": f"again_{number}"})
        assert market.balances == before
        assert len(market.rows("ledger")) == 2 + 2 + 4
        assert market.figures(booking) == (10_000, 0, 0)


class TestGoingBack:
    async def test_a_whole_refund_takes_the_transfer_back_and_gives_the_fee_back(self, market: Market) -> None:
        ref = await market.open()
        booking = await market.paid()
        await market.refund(booking)
        assert market.balances == {}
        assert await market.there(ref) == 0

    @pytest.mark.parametrize("parts", [(3_333, 3_333, 3_334), (1, 9_998, 1), (9_999, 1)])
    async def test_whatever_the_parts_all_of_the_fee_goes_back_with_the_last_one(
        self, market: Market, parts: tuple[int, ...]
    ) -> None:
        market.share(FeeRule(basis_points=333))
        await market.open()
        booking = await market.paid()
        for part in parts[:-1]:
            await market.refund(booking, part)
            kept = market.payment(booking)["captured_minor"] - market.payment(booking)["refunded_minor"]
            assert abs(-market.balances.get("earned", 0) - 333 * kept / 10_000) <= 0.5
        await market.refund(booking)
        assert market.balances == {}

    async def test_a_fee_that_is_kept_is_at_the_organizations_expense(self, market: Market) -> None:
        market.share(replace(TEN_PERCENT, back=FeeBack.KEPT))
        ref = await market.open()
        booking = await market.paid()
        await market.refund(booking)
        assert market.balances == {"gateway": 1_000, "account": -1_000, "fees": 1_000, "earned": -1_000}
        assert await market.there(ref) == -1_000

    async def test_a_refund_after_the_payout_leaves_the_account_below_zero(self, market: Market) -> None:
        ref = await market.open()
        booking = await market.paid()
        payout = await market.payees.pay_out(ref)
        assert payout is not None
        await market.payees.arrive(payout.ref, PayoutState.PAID)
        await market.quiet()
        assert market.balances["bank"] == 9_000
        await market.refund(booking)
        assert market.balances == {"account": -9_000, "bank": 9_000}
        assert await market.there(ref) == -9_000
        await market.use(SealLedger)()
        assert (await market.use(VerifyLedger)(ADMIN)).holds

    async def test_a_refund_that_failed_leaves_the_share_for_a_person(self, market: Market) -> None:
        await market.open()
        booking = await market.paid("refund_fails")
        refund = await market.refund(booking)
        assert refund["state"] == "failed"
        assert market.balances == {"gateway": 10_000, "receivable": -10_000}

    async def test_the_stores_refuse_to_book_a_reversal_twice(self, market: Market) -> None:
        await market.open()
        booking = await market.paid()
        await market.refund(booking, 4_000)
        reversals = [row for row in market.rows("ledger") if row["source_kind"] == "transfer_reversed"]
        assert len(reversals) == 2
        assert {abs(row["amount_minor"]) for row in reversals} == {4_000}


class TestPayouts:
    @pytest.mark.parametrize("order", list(permutations((PayoutState.PAID, PayoutState.FAILED))))
    async def test_the_last_word_about_a_payout_is_the_same_in_every_order(
        self, market: Market, order: tuple[PayoutState, ...]
    ) -> None:
        ref = await market.open()
        await market.paid()
        payout = await market.payees.pay_out(ref)
        assert payout is not None
        await market.quiet()
        await market.payees.arrive(payout.ref, PayoutState.PAID)
        await market.payees.arrive(payout.ref, PayoutState.FAILED, failure="account_closed")
        bodies = {body["kind"]: body for body in map(json_of, market.books.read("select body from deliveries"))}
        for number, state in enumerate(order):
            await market.tell({**bodies[f"payout.{state.value}"], "id": f"order_{number}"})
        await market.quiet()
        (row,) = market.rows("payouts")
        assert (row["state"], row["failure"]) == ("failed", "account_closed")
        assert market.balances["account"] == 9_000
        assert "bank" not in market.balances

    async def test_a_payout_that_the_bank_returned_is_on_the_account_again(self, market: Market) -> None:
        ref = await market.open()
        await market.paid()
        payout = await market.payees.pay_out(ref)
        assert payout is not None
        for state in (PayoutState.PAID, PayoutState.FAILED):
            await market.payees.arrive(payout.ref, state, failure="account_closed")
            await market.quiet()
        kinds = [row["source_kind"] for row in market.rows("ledger") if row["source_kind"].startswith("payout")]
        assert kinds == ["payout", "payout", "payout_returned", "payout_returned"]
        assert market.balances["account"] == 9_000
        seen = (await market.use(ListPayouts)(market.vera, market.organization_id, limit=9)).items
        assert [(each.state, each.amount.amount_minor) for each in seen] == [(PayoutState.FAILED, 9_000)]
        names = [row["name"] for row in market.rows("outbox") if row["name"].startswith("payout")]
        assert names == ["payout.paid", "payout.failed"]

    async def test_a_payout_is_booked_once_however_often_it_is_told(self, market: Market) -> None:
        ref = await market.open()
        await market.paid()
        payout = await market.payees.pay_out(ref)
        assert payout is not None
        await market.payees.arrive(payout.ref, PayoutState.PAID)
        await market.quiet()
        for number, row in enumerate(market.books.read("select body from deliveries")):
            await market.tell({**json_of(row), "id": f"again_{number}"})
        assert len(market.rows("payouts")) == 1
        assert (market.balances["bank"], "account" in market.balances) == (9_000, False)


def json_of(row: dict[str, Any]) -> dict[str, Any]:
    """The message of a delivery."""
    return dict(json.loads(row["body"]))


def _subscription(market: Market, ref: str) -> Subscription:
    return Subscription(
        id=SubscriptionId(market.ids.new()),
        organization_id=market.organization_id,
        gateway="simulated",
        gateway_ref=f"ss_{ref}",
        customer_ref="sc",
        product_ref=ref,
        price_ref=f"{ref}_month",
        state=SubscriptionState.ACTIVE,
        quantity=1,
        period_ends_at=None,
        trial_ends_at=None,
        ends_with_period=False,
        created_at=market.clock.now(),
    )
