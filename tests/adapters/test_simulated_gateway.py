"""What only the simulated gateway does: its cards, its books on disk, its persistence in telling, and its signature."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from adapters.simulated_gateway import Books, Deliveries, SimulatedGateway, SimulatedVerifier, signed
from adapters.system.clock import StandingClock
from adapters.system.ids import SeededIds
from application.ports.payments import BadSignature, Declined, MalformedWebhook, OpenOrder, RefundOrder, StaleSignature
from domain.payments import GatewayPayment, PaymentState, RefundState
from domain.shared.errors import Conflict, Invalid, NotFound
from domain.shared.ids import BookingId, PaymentId, RefundId
from domain.shared.money import Money

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SECRET = "whsec_simulated"
PRICE = Money(10_000, "EUR")
URL = "http://here/webhooks/simulated"


class Bench:
    """A gateway on its books, and an endpoint that answers as told."""

    def __init__(self, path: Path | str = ":memory:", seed: str = "bench") -> None:
        self.clock = StandingClock(NOW)
        self.answers: list[int | Exception] = []
        self.posted: list[httpx.Request] = []
        self.arrivals: asyncio.Queue[httpx.Request] = asyncio.Queue()
        self.client = httpx.AsyncClient(transport=httpx.MockTransport(self.take))
        self.books = Books(path)
        self.post = Deliveries(self.books, client=self.client, url=URL, secret=SECRET, clock=self.clock)
        ids = SeededIds(self.clock, seed=seed)
        self.gateway = SimulatedGateway(self.books, self.post, clock=self.clock, ids=ids, secret="till")

    async def take(self, request: httpx.Request) -> httpx.Response:
        self.posted.append(request)
        self.arrivals.put_nowait(request)
        answer = self.answers.pop(0) if self.answers else 204
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer)

    async def open(self, number: int = 1) -> GatewayPayment:
        return await self.gateway.open(
            OpenOrder(
                payment_id=PaymentId(UUID(int=number)), booking_id=BookingId(UUID(int=2)), attempt=1, amount=PRICE
            )
        )

    async def pay(self, card: str = "ok", number: int = 1) -> GatewayPayment:
        payment = await self.open(number)
        return await self.gateway.confirm(payment.ref, payment.client_secret or "", card)

    async def close(self) -> None:
        await self.client.aclose()
        self.books.close()


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench()
    yield made
    await made.close()


class TestCards:
    @pytest.mark.parametrize(
        ("card", "state", "failure"),
        [
            ("ok", PaymentState.CAPTURED, ""),
            ("declined", PaymentState.FAILED, "card_declined"),
            ("insufficient_funds", PaymentState.FAILED, "insufficient_funds"),
            ("3ds", PaymentState.REQUIRES_ACTION, ""),
            ("3ds_fail", PaymentState.REQUIRES_ACTION, ""),
            ("refund_fails", PaymentState.CAPTURED, ""),
        ],
    )
    async def test_each_card_does_what_its_name_says(
        self, bench: Bench, card: str, state: PaymentState, failure: str
    ) -> None:
        paid = await bench.pay(card)
        assert (paid.state, paid.failure) == (state, failure)
        assert paid.captured == (PRICE if state is PaymentState.CAPTURED else Money.zero("EUR"))

    @pytest.mark.parametrize(
        ("card", "approved", "state"),
        [
            ("3ds", True, PaymentState.CAPTURED),
            ("3ds", False, PaymentState.FAILED),
            ("3ds_fail", True, PaymentState.FAILED),
            ("3ds_fail", False, PaymentState.FAILED),
        ],
    )
    async def test_a_second_step_may_end_well_or_not(
        self, bench: Bench, card: str, approved: bool, state: PaymentState
    ) -> None:
        paid = await bench.pay(card)
        done = await bench.gateway.authenticate_3ds(paid.ref, paid.client_secret or "", approved)
        assert (done.state, done.failure) == (state, "" if state is PaymentState.CAPTURED else "authentication_failed")

    async def test_another_card_may_be_tried_on_the_same_payment(self, bench: Bench) -> None:
        paid = await bench.pay("declined")
        again = await bench.gateway.confirm(paid.ref, paid.client_secret or "", "ok")
        assert (again.state, again.failure) == (PaymentState.CAPTURED, "")

    async def test_what_is_paid_or_needs_no_second_step_takes_no_more_cards(self, bench: Bench) -> None:
        paid = await bench.pay()
        with pytest.raises(Conflict):
            await bench.gateway.confirm(paid.ref, paid.client_secret or "", "ok")
        with pytest.raises(Conflict):
            await bench.gateway.authenticate_3ds(paid.ref, paid.client_secret or "", True)

    async def test_there_are_no_other_cards(self, bench: Bench) -> None:
        with pytest.raises(Invalid):
            await bench.pay("4242424242424242")

    @pytest.mark.parametrize("secret", ["", "wrong", "sp_1_secret_é", "\ud800"])
    async def test_a_wrong_secret_finds_nothing(self, bench: Bench, secret: str) -> None:
        payment = await bench.open()
        for ask in (
            bench.gateway.look(payment.ref, secret),
            bench.gateway.confirm(payment.ref, secret, "ok"),
            bench.gateway.authenticate_3ds(payment.ref, secret, True),
        ):
            with pytest.raises(NotFound):
                await ask
        assert (await bench.gateway.look(payment.ref, payment.client_secret or "")) == payment
        with pytest.raises(NotFound):
            await bench.gateway.look("\ud800", secret)

    async def test_a_refund_to_a_lost_card_fails_and_leaves_the_money(self, bench: Bench) -> None:
        paid = await bench.pay("refund_fails")
        order = RefundOrder(refund_id=RefundId(UUID(int=1)), payment_ref=paid.ref, amount=PRICE)
        assert (await bench.gateway.refund(order)).state is RefundState.FAILED
        again = RefundOrder(refund_id=RefundId(UUID(int=2)), payment_ref=paid.ref, amount=PRICE)
        assert (await bench.gateway.refund(again)).state is RefundState.FAILED

    async def test_a_refund_is_in_the_currency_of_its_payment(self, bench: Bench) -> None:
        paid = await bench.pay()
        order = RefundOrder(refund_id=RefundId(UUID(int=1)), payment_ref=paid.ref, amount=Money(1, "USD"))
        with pytest.raises(Declined):
            await bench.gateway.refund(order)


class TestTelling:
    async def test_every_change_is_told_once_in_a_signed_message(self, bench: Bench) -> None:
        paid = await bench.pay("3ds")
        await bench.gateway.authenticate_3ds(paid.ref, paid.client_secret or "", True)
        await bench.gateway.refund(
            RefundOrder(refund_id=RefundId(UUID(int=1)), payment_ref=paid.ref, amount=Money(1, "EUR"))
        )
        assert await bench.post.deliver_due() == 3
        assert await bench.post.deliver_due() == 0
        verifier = SimulatedVerifier([SECRET], bench.clock)
        notices = [verifier.verify(request.content, request.headers) for request in bench.posted]
        assert {notice.kind for notice in notices} == {
            "payment.requires_action",
            "payment.captured",
            "refund.succeeded",
        }
        assert len({notice.external_id for notice in notices}) == 3
        assert {notice.payment_ref for notice in notices} == {paid.ref}
        assert str(bench.posted[0].url) == URL

    async def test_what_is_not_accepted_is_told_again_with_growing_patience_and_a_fresh_signature(
        self, bench: Bench
    ) -> None:
        bench.answers = [503, httpx.ConnectError("nobody there"), 401]
        await bench.pay()
        waited: list[int] = []
        for _ in range(4):
            before, accepted = bench.clock.now(), 0
            while not (accepted or len(bench.posted) > len(waited)):
                accepted = await bench.post.deliver_due()
                bench.clock.advance(timedelta(seconds=1))
            waited.append((bench.clock.now() - before) // timedelta(seconds=1) - 1)
        assert waited == [0, 4, 9, 19]
        assert len({request.headers["simulated-signature"] for request in bench.posted}) == 4
        assert len({request.content for request in bench.posted}) == 1
        assert await bench.post.deliver_due() == 0

    async def test_after_many_tries_it_gives_up(self, bench: Bench) -> None:
        bench.answers = [500] * 100
        await bench.pay()
        for _ in range(40):
            await bench.post.deliver_due()
            bench.clock.advance(timedelta(hours=1))
        assert len(bench.posted) == 16

    async def test_the_loop_delivers_as_soon_as_something_happens(self, bench: Bench) -> None:
        loop = asyncio.create_task(bench.post.run())
        await asyncio.sleep(0)
        await bench.pay()
        await asyncio.wait_for(bench.arrivals.get(), 5)
        loop.cancel()
        with pytest.raises(asyncio.CancelledError):
            await loop

    async def test_a_broken_delivery_does_not_end_the_loop(self, bench: Bench) -> None:
        bench.answers = [RuntimeError("a bug")]
        loop = asyncio.create_task(bench.post.run())
        await bench.pay()
        await asyncio.wait_for(bench.arrivals.get(), 5)
        bench.clock.advance(timedelta(minutes=2))
        bench.post.wake()
        await asyncio.wait_for(bench.arrivals.get(), 5)
        loop.cancel()
        with pytest.raises(asyncio.CancelledError):
            await loop


class TestBooks:
    async def test_what_it_knows_outlives_the_process(self, tmp_path: Path) -> None:
        first = Bench(tmp_path / "gateway" / "books.sqlite")
        paid = await first.pay()
        await first.close()
        second = Bench(tmp_path / "gateway" / "books.sqlite", seed="another")
        assert await second.gateway.find(paid.ref) == paid
        assert (await second.open()).ref == paid.ref
        assert await second.post.deliver_due() == 1
        await second.close()

    async def test_two_processes_do_not_post_the_same_message_at_once(self, tmp_path: Path) -> None:
        one, other = Bench(tmp_path / "books.sqlite", seed="one"), Bench(tmp_path / "books.sqlite", seed="other")
        for number in range(30):
            await one.pay(number=number)
        delivered = await asyncio.gather(one.post.deliver_due(), other.post.deliver_due())
        assert sum(delivered) == 30
        assert len(one.posted) + len(other.posted) == 30
        await one.close()
        await other.close()

    async def test_of_many_refunds_at_once_no_more_succeed_than_there_is_money(self, tmp_path: Path) -> None:
        bench = Bench(tmp_path / "books.sqlite")
        paid = await bench.pay()
        orders = [
            RefundOrder(refund_id=RefundId(UUID(int=n)), payment_ref=paid.ref, amount=Money(3_000, "EUR"))
            for n in range(10)
        ]
        answers = await asyncio.gather(*(bench.gateway.refund(o) for o in orders), return_exceptions=True)
        assert sum(not isinstance(answer, Exception) for answer in answers) == 3
        assert all(isinstance(answer, Declined) for answer in answers if isinstance(answer, Exception))
        await bench.close()


def message(**told: Any) -> bytes:
    facts = {"id": "se_1", "kind": "payment.captured", "occurred_at": 1_772_442_000, "payment": "sp_1", "refund": None}
    return json.dumps(facts | told).encode()


class TestSignature:
    verifier = SimulatedVerifier(["whsec_old", SECRET], StandingClock(NOW))

    def test_any_of_our_secrets_is_believed_within_five_minutes(self) -> None:
        for secret in ("whsec_old", SECRET):
            for drift in (-300, 0, 300):
                header = signed(message(), secret, NOW + timedelta(seconds=drift))
                notice = self.verifier.verify(message(), {"Simulated-Signature": header})
                assert (notice.payment_ref, notice.refund_ref, notice.occurred_at) == ("sp_1", None, NOW)

    @pytest.mark.parametrize("drift", [-301, 301])
    def test_more_is_not(self, drift: int) -> None:
        header = signed(message(), SECRET, NOW + timedelta(seconds=drift))
        with pytest.raises(StaleSignature):
            self.verifier.verify(message(), {"simulated-signature": header})

    @pytest.mark.parametrize(
        "header",
        [
            "",
            "t=1772442000",
            "v1=abc",
            "t=soon,v1=abc",
            "t=1772442000,v1=\u00e9",
            signed(message(), "whsec_forged", NOW),
            signed(message(id="se_2"), SECRET, NOW),
            "t=1772442001," + signed(message(), SECRET, NOW).partition(",")[2],
        ],
    )
    def test_anything_else_is_forged(self, header: str) -> None:
        with pytest.raises(BadSignature):
            self.verifier.verify(message(), {"simulated-signature": header})

    @pytest.mark.parametrize(
        "raw",
        [
            b"",
            b"null",
            b"{}",
            b"\xff",
            message(id="a b"),
            message(kind=None),
            message(occurred_at="x"),
            message(payment=1),
        ],
    )
    def test_what_is_signed_and_still_nonsense_is_malformed(self, raw: bytes) -> None:
        with pytest.raises(MalformedWebhook):
            self.verifier.verify(raw, {"simulated-signature": signed(raw, SECRET, NOW)})

    @pytest.mark.parametrize("secrets", [[], [""]])
    def test_without_a_secret_nobody_is_believed(self, secrets: list[str]) -> None:
        with pytest.raises(ValueError, match="secret"):
            SimulatedVerifier(secrets, StandingClock(NOW))
