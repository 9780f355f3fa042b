"""Disputes and warnings: what a customer's bank asks, what it moves, what we answer, and what is told of it."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from application.bookings import CancelBooking, Cancellation
from application.notifications import TellOfDispute, TellOfWarning
from application.payments import (
    DisputeFilter,
    EvidenceDraft,
    GetDispute,
    HeedWarning,
    ListDisputes,
    ListFraudWarnings,
    PrepareEvidence,
    RefundPayment,
    Repayment,
    ReplayWebhook,
    SubmitEvidence,
)
from application.ports.disputes import MOST_DOCUMENT_BYTES, EvidenceOrder
from application.ports.payments import GatewaySilent
from domain.bookings import Booking
from domain.files import Bucket, FileNotStored, FileTooLarge, StoredFile, TypeNotAllowed
from domain.files.file import Content
from domain.organizations import MemberRole
from domain.payments import (
    DisputeClosed,
    DisputeOpened,
    DisputeOver,
    EvidenceDue,
    EvidenceRefused,
    EvidenceTooLate,
    FraudWarned,
    NothingToSay,
    PaymentDisputed,
    WarningHeeded,
)
from domain.shared.actors import ANONYMOUS, SYSTEM, Actor, Role
from domain.shared.errors import Forbidden, Invalid, NotFound, Outdated, Unauthenticated
from domain.shared.ids import DisputeId, FileId, UserId, WebhookId
from tests.application.shop import ADMIN, Shop, shop
from tests.support.moody_gateway import DOWN
from tests.support.pictures import in_pieces

__all__ = ["shop"]
FEE = 1_500
SAID = EvidenceDraft(explanation="They came, and thanked us.", customer_name="Carl")


async def disputed(shop: Shop, booking: Booking | None = None, **told: Any) -> tuple[Booking, DisputeId]:
    """A paid booking whose customer's bank wants the money back, and we know."""
    booking = booking or await shop.paid()
    ref = await shop.banks.dispute(shop.payment(booking)["gateway_ref"], **told)
    await shop.quiet()
    return booking, next(row["id"] for row in shop.rows("disputes") if row["gateway_ref"] == ref)


async def decided(shop: Shop, dispute_id: DisputeId, *, won: bool) -> None:
    await shop.banks.decide(shop.row("disputes", dispute_id)["gateway_ref"], won=won)
    await shop.quiet()


def books(shop: Shop) -> dict[str, int]:
    """What each kind of movement has done to the gateway's account."""
    sums: dict[str, int] = {}
    for row in shop.rows("ledger"):
        if row["account"].startswith("gateway:"):
            sums[row["source_kind"]] = sums.get(row["source_kind"], 0) + row["amount_minor"]
    return sums


class TestBeingDisputed:
    async def test_the_money_and_the_fee_are_gone_from_the_books_at_once(self, shop: Shop) -> None:
        booking, dispute_id = await disputed(shop)
        dispute, payment = shop.row("disputes", dispute_id), shop.payment(booking)
        assert (dispute["state"], dispute["amount_minor"], dispute["taken_minor"]) == ("needs_response", 10_000, 10_000)
        assert dispute["due_at"] == shop.clock.now() + timedelta(days=14)
        assert (payment["disputed_minor"], payment["open_disputes"]) == (10_000, 1)
        assert books(shop) == {"capture": 10_000, "dispute": -10_000, "dispute_fee": -FEE}
        assert shop.booking(booking)["state"] == "confirmed"

    async def test_a_won_dispute_brings_the_money_back_but_not_the_fee(self, shop: Shop) -> None:
        booking, dispute_id = await disputed(shop)
        await decided(shop, dispute_id, won=True)
        payment = shop.payment(booking)
        assert shop.row("disputes", dispute_id)["state"] == "won"
        assert (payment["disputed_minor"], payment["open_disputes"]) == (0, 0)
        assert books(shop) == {"capture": 10_000, "dispute": -10_000, "dispute_returned": 10_000, "dispute_fee": -FEE}

    async def test_a_lost_one_leaves_it_with_the_customer(self, shop: Shop) -> None:
        booking, dispute_id = await disputed(shop)
        await decided(shop, dispute_id, won=False)
        assert shop.row("disputes", dispute_id)["state"] == "lost"
        assert (shop.payment(booking)["disputed_minor"], shop.payment(booking)["open_disputes"]) == (10_000, 0)
        with pytest.raises(PaymentDisputed):
            await shop.refund(booking)

    @pytest.mark.parametrize("won", [True, False])
    async def test_whatever_the_order_and_number_of_messages_it_ends_the_same(self, shop: Shop, won: bool) -> None:
        booking = await shop.paid()
        came = len(shop.came)
        ref = await shop.banks.dispute(shop.payment(booking)["gateway_ref"])
        await shop.banks.decide(ref, won=won)
        await shop.post.deliver_due()
        news = shop.came[came:]
        assert len(news) == (4 if won else 3)
        known = len(shop.rows("webhooks"))
        assert known
        before = {row["id"] for row in shop.rows("webhooks") if row["processed_at"]}
        for order in list(permutations(range(len(news))))[:6]:
            for number in (*order, *order):
                waiting = [row for row in shop.rows("webhooks") if row["id"] not in before]
                await shop.use(ReplayWebhook)(ADMIN, WebhookId(waiting[number % len(waiting)]["id"]))
                await shop.worker.all()
        taken = 0 if won else 10_000
        assert (shop.payment(booking)["disputed_minor"], len(shop.rows("disputes"))) == (taken, 1)
        assert len(shop.told(DisputeOpened)) == 1
        assert [event.won for event in shop.told(DisputeClosed)] == [won]

    async def test_one_heard_of_before_the_money_asks_about_that_first(self, shop: Shop) -> None:
        booking = await shop.book()
        await shop.show(booking, "disputed", quiet=False)
        rows = shop.books.read("select id, body from deliveries order by rowid desc")
        assert "dispute" in rows[0]["body"]
        await shop.books.do(
            lambda books: books.execute("update deliveries set due_at = due_at + 60 where body like '%payment.%'")
        )
        await shop.quiet()
        assert shop.payment(booking)["disputed_minor"] == 10_000
        assert shop.booking(booking)["state"] == "confirmed"
        await shop.later(minutes=2)
        assert books(shop) == {"capture": 10_000, "dispute": -10_000, "dispute_fee": -FEE}

    async def test_one_about_nothing_of_ours_is_kept_and_said_so(self, shop: Shop) -> None:
        await shop.paid()
        await shop.books.do(
            lambda books: books.execute(
                "insert into payments (ref, payment_id, attempt, state, amount, currency, captured, client_secret)"
                " values ('sp_other', '00000000-0000-0000-0000-000000000009', 1, 'captured', 5, 'EUR', 5, 'x')"
            )
        )
        await shop.banks.dispute("sp_other")
        await shop.quiet()
        assert shop.rows("disputes") == []
        assert {row["outcome"] for row in shop.rows("webhooks") if row["thing"] == "dispute"} == {"unmatched"}

    async def test_a_part_can_be_disputed_and_the_rest_given_back_afterwards(self, shop: Shop) -> None:
        booking, dispute_id = await disputed(shop, amount=4_000)
        with pytest.raises(PaymentDisputed):
            await shop.refund(booking, 1_000)
        await decided(shop, dispute_id, won=False)
        await shop.refund(booking)
        assert shop.figures(booking) == (10_000, 0, 6_000)


class TestGivingBack:
    async def test_nothing_is_given_back_by_hand_while_a_bank_decides(self, shop: Shop) -> None:
        booking, dispute_id = await disputed(shop)
        with pytest.raises(PaymentDisputed):
            await shop.use(RefundPayment)(shop.vera, shop.id_of(booking), Repayment())
        await decided(shop, dispute_id, won=True)
        await shop.refund(booking)
        assert shop.figures(booking) == (10_000, 0, 10_000)

    async def test_what_a_cancellation_owes_waits_for_the_bank_and_then_goes_back(self, shop: Shop) -> None:
        booking, dispute_id = await disputed(shop)
        await shop.use(CancelBooking)(shop.vera, booking.id, Cancellation())
        await shop.quiet()
        assert shop.figures(booking) == (10_000, 0, 0)
        await decided(shop, dispute_id, won=True)
        assert shop.figures(booking) == (10_000, 0, 10_000)

    async def test_what_the_bank_took_is_not_given_back_again(self, shop: Shop) -> None:
        booking, dispute_id = await disputed(shop)
        await shop.use(CancelBooking)(shop.vera, booking.id, Cancellation())
        await decided(shop, dispute_id, won=False)
        assert shop.figures(booking) == (10_000, 0, 0)

    async def test_a_refund_that_was_under_way_fails_and_is_made_when_the_money_is_back(self, shop: Shop) -> None:
        booking = await shop.paid()
        shop.gateway.moods = [DOWN]
        await shop.use(CancelBooking)(shop.vera, booking.id, Cancellation())
        await shop.worker.all()
        _, dispute_id = await disputed(shop, booking)
        await shop.later(minutes=5)
        assert shop.figures(booking) == (10_000, 0, 0)
        assert [row["failure"] for row in shop.rows("refunds")] == ["charge_disputed"]
        await decided(shop, dispute_id, won=True)
        assert shop.figures(booking) == (10_000, 0, 10_000)

    async def test_a_dispute_after_a_refund_can_cost_it_twice_and_the_books_say_so(self, shop: Shop) -> None:
        booking = await shop.paid()
        await shop.refund(booking)
        _, dispute_id = await disputed(shop, booking)
        assert books(shop)["dispute"] == -10_000
        assert shop.figures(booking) == (10_000, 0, 10_000)
        await decided(shop, dispute_id, won=True)
        assert shop.payment(booking)["disputed_minor"] == 0


class TestAnswering:
    async def test_evidence_is_written_rewritten_and_submitted_once(self, shop: Shop) -> None:
        _, dispute_id = await disputed(shop)
        draft = await shop.use(PrepareEvidence)(shop.vera, dispute_id, EvidenceDraft(explanation="Wait."))
        await shop.use(PrepareEvidence)(shop.vera, dispute_id, SAID)
        with pytest.raises(Outdated):
            await shop.use(PrepareEvidence)(
                shop.vera, dispute_id, EvidenceDraft(explanation="Late.", expected_version=draft.version)
            )
        await shop.use(SubmitEvidence)(shop.vera, dispute_id)
        with pytest.raises(DisputeOver):
            await shop.use(SubmitEvidence)(shop.vera, dispute_id)
        await shop.quiet()
        dispute = shop.row("disputes", dispute_id)
        assert (dispute["state"], dispute["submitting"], dispute["failure"]) == ("under_review", False, "")
        assert dispute["submitted_at"] == shop.clock.now()
        with pytest.raises(DisputeOver):
            await shop.use(PrepareEvidence)(shop.vera, dispute_id, SAID)
        (kept,) = shop.books.read("select answer from disputes")
        assert "thanked us" in kept["answer"]

    async def test_evidence_that_persuades_wins_it(self, shop: Shop) -> None:
        booking, dispute_id = await disputed(shop)
        await shop.use(PrepareEvidence)(shop.vera, dispute_id, EvidenceDraft(explanation="winning_evidence"))
        await shop.use(SubmitEvidence)(shop.vera, dispute_id)
        await shop.quiet()
        assert shop.row("disputes", dispute_id)["state"] == "won"
        assert shop.payment(booking)["disputed_minor"] == 0

    async def test_after_the_deadline_nothing_is_taken_any_more(self, shop: Shop) -> None:
        _, dispute_id = await disputed(shop)
        await shop.use(PrepareEvidence)(shop.vera, dispute_id, SAID)
        shop.clock.advance(timedelta(days=14))
        with pytest.raises(EvidenceTooLate):
            await shop.use(SubmitEvidence)(shop.vera, dispute_id)
        with pytest.raises(EvidenceTooLate):
            await shop.use(PrepareEvidence)(shop.vera, dispute_id, SAID)
        shop.clock.advance(timedelta(hours=1))
        await shop.worker.all()  # no message has come: we ask
        assert shop.row("disputes", dispute_id)["state"] == "lost"

    async def test_saying_nothing_is_no_evidence_and_says_so(self, shop: Shop) -> None:
        _, dispute_id = await disputed(shop)
        with pytest.raises(NothingToSay):
            await shop.use(SubmitEvidence)(shop.vera, dispute_id)
        with pytest.raises(Invalid):
            await shop.use(PrepareEvidence)(shop.vera, dispute_id, EvidenceDraft(explanation="x" * 20_001))

    async def test_what_was_submitted_in_time_and_arrives_too_late_is_told(self, shop: Shop) -> None:
        _, dispute_id = await disputed(shop)
        await shop.use(PrepareEvidence)(shop.vera, dispute_id, SAID)
        await shop.use(SubmitEvidence)(shop.vera, dispute_id)
        shop.clock.advance(timedelta(days=15))
        await shop.quiet()
        assert [event.reason for event in shop.told(EvidenceRefused)] == ["dispute_not_open"]
        dispute = shop.row("disputes", dispute_id)
        assert (dispute["state"], dispute["submitted_at"], dispute["submitting"]) == ("lost", None, False)

    async def test_evidence_without_an_answer_is_handed_in_again_and_counts_once(
        self, shop: Shop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _, dispute_id = await disputed(shop)
        good, asked = shop.banks.answer, []

        async def silent_first(order: EvidenceOrder) -> Any:
            asked.append(order)
            answer = await good(order)
            if len(asked) == 1:
                raise GatewaySilent("no answer")
            return answer

        monkeypatch.setattr(shop.banks, "answer", silent_first)
        await shop.use(PrepareEvidence)(shop.vera, dispute_id, SAID)
        await shop.use(SubmitEvidence)(shop.vera, dispute_id)
        await shop.quiet()
        await shop.later(minutes=1)
        assert len(asked) == 2
        assert shop.row("disputes", dispute_id)["submitted_at"]
        assert shop.told(EvidenceRefused) == []

    async def test_a_document_of_ones_own_goes_along(self, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        _, dispute_id = await disputed(shop)
        file_id = await put(shop, shop.vera.signed_in(), b"%PDF-1.7 signed")
        orders: list[EvidenceOrder] = []
        good = shop.banks.answer

        async def seen(order: EvidenceOrder) -> Any:
            orders.append(order)
            return await good(order)

        monkeypatch.setattr(shop.banks, "answer", seen)
        await shop.use(PrepareEvidence)(shop.vera, dispute_id, EvidenceDraft(file_id=file_id))
        await shop.use(SubmitEvidence)(shop.vera, dispute_id)
        await shop.quiet()
        (order,) = orders
        assert order.document
        assert (order.document.content, order.document.name) == (b"%PDF-1.7 signed", "proof.pdf")

    async def test_documents_of_others_of_other_kinds_too_large_or_gone_are_refused(self, shop: Shop) -> None:
        _, dispute_id = await disputed(shop)
        vera = shop.vera.signed_in()
        wrong: list[tuple[FileId, type[Exception]]] = [
            (await put(shop, shop.carl.signed_in(), b"x"), NotFound),
            (await put(shop, vera, b"x", kind="text/plain", name="proof.txt"), TypeNotAllowed),
            (await put(shop, vera, b"x", claims=MOST_DOCUMENT_BYTES + 1), FileTooLarge),
            (await put(shop, vera, b"x", stored=False), FileNotStored),
        ]
        for file_id, refusal in wrong:
            with pytest.raises(refusal):
                await shop.use(PrepareEvidence)(shop.vera, dispute_id, EvidenceDraft(file_id=file_id))
        file_id = await put(shop, vera, b"x")
        await shop.use(PrepareEvidence)(shop.vera, dispute_id, EvidenceDraft(file_id=file_id))
        async with shop.begin(SYSTEM) as work:
            (await work.files.get(file_id)).go(now=shop.clock.now())
        await shop.use(SubmitEvidence)(shop.vera, dispute_id)
        await shop.quiet()
        assert [event.reason for event in shop.told(EvidenceRefused)] == ["the document is gone"]
        await shop.use(PrepareEvidence)(shop.vera, dispute_id, SAID)

    async def test_to_those_whom_it_does_not_concern_it_does_not_exist(self, shop: Shop) -> None:
        booking, dispute_id = await disputed(shop)
        hand = await shop.member("hand", booking.organization_id, MemberRole.MEMBER)
        boss = await shop.member("boss", booking.organization_id, MemberRole.MANAGER)
        for who in (shop.carl, hand, await shop.person("stranger")):
            with pytest.raises(NotFound):
                await shop.use(PrepareEvidence)(who, dispute_id, SAID)
            with pytest.raises(NotFound):
                await shop.use(GetDispute)(who, dispute_id)
            assert (await shop.use(ListDisputes)(who, limit=9)).items == []
        with pytest.raises(Unauthenticated):
            await shop.use(ListDisputes)(ANONYMOUS, limit=9)
        with pytest.raises(Unauthenticated):
            await shop.use(SubmitEvidence)(ANONYMOUS, dispute_id)
        assert (await shop.use(GetDispute)(boss, dispute_id)).reason == "fraudulent"
        found = await shop.use(ListDisputes)(shop.vera, DisputeFilter(organization_id=booking.organization_id), limit=9)
        assert [dispute.id for dispute in found.items] == [dispute_id]


class TestWarnings:
    async def warned(self, shop: Shop) -> tuple[Booking, Any]:
        booking = await shop.paid("warned")
        (warning,) = shop.rows("fraud_warnings")
        return booking, warning["id"]

    async def test_an_admin_gives_the_money_back_at_once_and_once(self, shop: Shop) -> None:
        booking, warning_id = await self.warned(shop)
        with pytest.raises(Forbidden):
            await shop.use(HeedWarning)(shop.vera, warning_id)
        refund = await shop.use(HeedWarning)(ADMIN, warning_id)
        await shop.quiet()
        assert shop.figures(booking) == (10_000, 0, 10_000)
        assert shop.row("fraud_warnings", warning_id)["refund_id"] == refund.id
        with pytest.raises(WarningHeeded):
            await shop.use(HeedWarning)(ADMIN, warning_id)

    async def test_told_twice_it_is_one_warning_that_only_grows_old(self, shop: Shop) -> None:
        booking, warning_id = await self.warned(shop)
        await shop.refund(booking)
        for row in shop.rows("webhooks"):
            await shop.use(ReplayWebhook)(ADMIN, WebhookId(row["id"]))
            await shop.quiet()
        assert len(shop.told(FraudWarned)) == 1
        assert shop.row("fraud_warnings", warning_id)["actionable"] is False

    async def test_once_it_is_disputed_it_is_too_late(self, shop: Shop) -> None:
        booking, warning_id = await self.warned(shop)
        await disputed(shop, booking)
        with pytest.raises(PaymentDisputed):
            await shop.use(HeedWarning)(ADMIN, warning_id)
        assert shop.row("fraud_warnings", warning_id)["refund_id"] is None

    async def test_managers_see_it_and_others_do_not(self, shop: Shop) -> None:
        await self.warned(shop)
        assert len((await shop.use(ListFraudWarnings)(shop.vera, limit=9)).items) == 1
        assert (await shop.use(ListFraudWarnings)(shop.carl, limit=9)).items == []


class TestTelling:
    async def news(self, shop: Shop, who: Actor) -> list[tuple[str, str]]:
        return [(row["title"], row["body"]) for row in shop.rows("notifications") if row["user_id"] == who.user_id]

    async def test_the_provider_and_those_who_answer_for_the_money_hear_of_it_with_the_deadline(
        self, shop: Shop
    ) -> None:
        booking = await shop.paid()
        boss = await shop.member("boss", booking.organization_id, MemberRole.MANAGER)
        hand = await shop.member("hand", booking.organization_id, MemberRole.MEMBER)
        _, dispute_id = await disputed(shop, booking)
        (opened,) = shop.told(DisputeOpened)
        await shop.use(TellOfDispute)(SYSTEM, opened)
        for who in (shop.vera, boss):
            ((title, body),) = await self.news(shop, who)
            assert title == "100.00 EUR is disputed"
            assert "fraudulent. Answer by Monday 15 June 2026" in body
        assert await self.news(shop, hand) == []
        assert await self.news(shop, shop.carl) == []
        await decided(shop, dispute_id, won=False)
        (closed,) = shop.told(DisputeClosed)
        await shop.use(TellOfDispute)(SYSTEM, closed)
        assert (await self.news(shop, boss))[-1][0] == "A dispute of 100.00 EUR is lost"

    async def test_before_the_deadline_those_who_have_not_answered_are_reminded_once(self, shop: Shop) -> None:
        booking, dispute_id = await disputed(shop)
        _, answered = await disputed(shop, booking, amount=100)
        assert len(shop.due(EvidenceDue)) == 2
        assert set(shop.due(EvidenceDue)) == {shop.clock.now() + timedelta(days=12)}
        await shop.use(PrepareEvidence)(shop.vera, answered, SAID)
        await shop.use(SubmitEvidence)(shop.vera, answered)
        await shop.quiet()
        for event in shop.told(EvidenceDue):
            await shop.use(TellOfDispute)(SYSTEM, event)
        ((title, _),) = await self.news(shop, shop.vera)
        assert title == "A dispute of 100.00 EUR is not answered"
        assert dispute_id

    async def test_a_warning_is_for_those_and_for_the_admins(self, shop: Shop) -> None:
        root = await shop.person("root", Role.ADMIN)
        await shop.paid("warned")
        (warned,) = shop.told(FraudWarned)
        await shop.use(TellOfWarning)(SYSTEM, warned)
        for who in (shop.vera, root):
            ((title, body),) = await self.news(shop, who)
            assert title == "A bank warns of fraud: 100.00 EUR"
            assert "made_with_stolen_card" in body


async def put(
    shop: Shop,
    owner_id: UserId,
    content: bytes,
    *,
    kind: str = "application/pdf",
    name: str = "proof.pdf",
    claims: int | None = None,
    stored: bool = True,
) -> FileId:
    """A file of somebody's, as if it had been uploaded and looked into."""
    now = shop.clock.now()
    file = StoredFile.announce(
        id=FileId(shop.ids.new()),
        bucket=Bucket.ATTACHMENTS,
        owner_id=owner_id,
        role=Role.PROVIDER,
        name=name,
        content_type=kind,
        size=claims or len(content),
        sha256=None,
        now=now,
        expires_at=now + timedelta(hours=1),
    )
    if stored:
        size = claims or len(content)
        file.keep(
            Content(content_type=kind, size=size, sha256="0" * 64, arrived_size=size, arrived_sha256="0" * 64), now=now
        )
        await shop.ports["objects"].put(file.key(), in_pieces(content), size=len(content), content_type=kind)
    async with shop.begin(SYSTEM) as work:
        work.files.add(file)
    return FileId(file.id)
