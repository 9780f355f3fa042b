"""Organizations' own accounts held against the gateway's: standing, payouts and shares that nobody told us of."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from adapters.simulated_gateway import sharing
from application.payments import Reconcile
from application.payments.reconciling import walking
from application.ports.payments import GatewayUnavailable
from domain.bookings import Booking
from domain.payments import PayoutState, Reconciliation, SourceKind
from domain.shared.money import Money
from domain.shared.time import Span
from tests.application.test_reconciling import found, reconciled, records
from tests.planted.reconciling import LooksAwayFromShares
from tests.proof.stories.shop import ADMIN, Shop
from tests.proof.stories.telling import must_be_sound, opened

DAY = timedelta(days=1)


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    """One whose gateway forgets what it could not deliver; sound at the end."""
    async with opened() as made:
        records(made).without = {"unheard"}
        yield made


async def balances(shop: Shop) -> dict[str, int]:
    """What the organization's accounts come to, by the last word of their names."""
    sums: dict[str, int] = {}
    for row in await shop.all("ledger"):
        name = row["account"].rpartition(":")[2]
        sums[name] = sums.get(name, 0) + row["amount_minor"]
    return {name: amount for name, amount in sums.items() if amount}


async def paid_out(shop: Shop, *states: PayoutState) -> str:
    """A shared payment that we know of, and a payout that nobody told us of; its account's reference."""
    ref = await shop.shares()
    await shop.paid()
    await shop.pays_out(ref, *states)
    return ref


async def change(shop: Shop, statement: str, *told: Any) -> None:
    await shop.books.do(lambda books: books.execute(statement, told))


async def test_a_payout_nobody_told_us_of_is_taken_into_the_books(shop: Shop) -> None:
    await paid_out(shop, PayoutState.PAID)
    assert await balances(shop) == {"simulated": 1_000, "account": 9_000, "receivable": -10_000}
    run = await reconciled(shop)
    assert (run.repaired, run.filed) == (1, 0)
    assert await balances(shop) == {"simulated": 1_000, "bank": 9_000, "receivable": -10_000}
    (webhook,) = [row for row in await shop.all("webhooks") if row["kind"] == "reconcile.payout"]
    assert (webhook["topic"], webhook["outcome"]) == ("payees", "settled")
    again = await reconciled(shop)
    assert (again.repaired, again.filed) == (0, 0)
    await must_be_sound(shop)


async def test_a_late_message_about_it_changes_nothing(shop: Shop) -> None:
    await paid_out(shop, PayoutState.PAID)
    await reconciled(shop)
    entries = len(await shop.all("ledger"))
    for told in await shop.untold():
        await shop.hear(told, as_it_stood=False)
    assert len(await shop.all("ledger")) == entries
    assert (await reconciled(shop)).repaired == 0


async def test_a_payout_that_the_bank_returned_days_later_is_found_by_the_day_it_came_back(shop: Shop) -> None:
    await paid_out(shop, PayoutState.PAID)
    await reconciled(shop)
    shop.clock.advance(timedelta(days=6))
    (payout,) = await shop.all("payouts")
    await shop.payees.arrive(payout["gateway_ref"], PayoutState.FAILED, failure="account_closed")
    now = shop.clock.now()
    run = await shop.use(Reconcile)(ADMIN, Span(now - DAY, now))
    await shop.work()
    assert (run.repaired, run.filed) == (1, 0)
    assert await balances(shop) == {"simulated": 1_000, "account": 9_000, "receivable": -10_000}
    assert [row["state"] for row in await shop.all("payouts")] == ["failed"]
    await must_be_sound(shop)


async def test_a_payout_under_way_for_weeks_is_still_asked_about(shop: Shop) -> None:
    await paid_out(shop)
    await reconciled(shop)
    (payout,) = await shop.all("payouts")
    assert payout["state"] == "in_transit"
    shop.clock.advance(timedelta(days=40))
    await shop.payees.arrive(payout["gateway_ref"], PayoutState.PAID)
    run = await reconciled(shop)
    assert (run.repaired, run.filed) == (1, 0)
    assert [row["state"] for row in await shop.all("payouts")] == ["paid"]


async def test_an_account_that_was_restricted_unheard_is_followed(shop: Shop) -> None:
    ref = await shop.shares()
    await shop.payees.restrict(ref, "proof_of_address")
    run = await reconciled(shop)
    assert (run.repaired, run.filed) == (1, 0)
    (payee,) = await shop.all("payees")
    assert (payee["state"], payee["takes_charges"], list(payee["wanted"])) == (
        "restricted",
        False,
        ["proof_of_address"],
    )
    assert (await reconciled(shop)).repaired == 0


async def test_a_share_that_moved_unheard_is_booked_however_old_its_payment(shop: Shop) -> None:
    await shop.shares()
    booking = await shop.paid()
    await without_share(shop)
    assert await balances(shop) == {"simulated": 10_000, "receivable": -10_000}
    run = await reconciled(shop)
    assert (run.repaired, run.filed) == (1, 0)
    assert await balances(shop) == {"simulated": 1_000, "account": 9_000, "receivable": -10_000}
    assert (await reconciled(shop)).repaired == 0
    shop.clock.advance(timedelta(days=60))
    await shop.refund_by_hand(booking, 4_000)
    await take_back(shop, booking, 4_000, fee_back=True)
    run = await reconciled(shop)
    assert (run.repaired, run.filed) == (2, 0)
    assert await balances(shop) == {"simulated": 600, "account": 5_400, "receivable": -6_000}
    await must_be_sound(shop)


async def test_whoever_does_not_ask_for_shares_finds_none_missing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walking, "Shared", LooksAwayFromShares)
    await shop.shares()
    await shop.paid()
    await without_share(shop)
    assert (await reconciled(shop)).repaired == 0
    with pytest.raises(AssertionError, match="M5"):
        await must_be_sound(shop)


async def test_what_the_dashboard_took_back_of_a_share_is_booked(shop: Shop) -> None:
    """No money of the payment itself moved; its share is asked for because it is of that time."""
    await shop.shares()
    await take_back(shop, await shop.paid(), 2_500)
    run = await reconciled(shop)
    assert (run.repaired, run.filed) == (1, 0)
    assert (await balances(shop))["account"] == 6_500


async def test_a_captured_payment_that_went_nowhere_is_left_to_a_person(shop: Shop) -> None:
    await shop.shares()
    await shop.paid()
    await without_share(shop)
    await change(shop, "delete from moved")
    run = await reconciled(shop)
    assert (run.repaired, run.filed) == (0, 1)
    assert await found(shop) == [("missing", "share")]
    assert (await reconciled(shop)).filed == 0


async def test_a_ledger_that_has_more_of_a_share_than_moved_is_left_to_a_person(shop: Shop) -> None:
    await shop.shares()
    await shop.paid()
    await change(shop, "update moved set amount = 900 where kind = 'fee'")
    assert (await reconciled(shop)).filed == 1
    assert await found(shop) == [("unbooked", "share")]
    await change(shop, "update moved set amount = 1000 where kind = 'fee'")
    assert (await reconciled(shop)).filed == 0
    assert await found(shop) == []


async def test_a_payout_that_the_gateway_does_not_know_is_left_to_a_person(shop: Shop) -> None:
    await paid_out(shop, PayoutState.PAID)
    await reconciled(shop)
    await change(shop, "delete from payouts")
    assert (await reconciled(shop)).filed == 1
    assert await found(shop) == [("missing", "payout")]


async def test_an_account_that_the_gateway_does_not_know_is_left_to_a_person(shop: Shop) -> None:
    await shop.shares()
    await change(shop, "delete from payees")
    assert (await reconciled(shop)).filed == 1
    assert await found(shop) == [("missing", "payee")]


async def test_a_payout_that_stands_otherwise_than_we_know_is_left_to_a_person(shop: Shop) -> None:
    await paid_out(shop, PayoutState.PAID)
    await reconciled(shop)
    await change(shop, "update payouts set state = 'in_transit'")
    assert (await reconciled(shop)).filed == 1
    assert await found(shop) == [("disagrees", "payout")]
    await change(shop, "update payouts set state = 'paid', amount = 8000")
    assert (await reconciled(shop)).filed == 1
    assert await found(shop) == [("disagrees", "payout")] * 2


async def test_a_payout_that_the_ledger_lost_is_left_to_a_person(shop: Shop) -> None:
    await paid_out(shop, PayoutState.PAID)
    await reconciled(shop)
    await lose(shop, SourceKind.PAYOUT)
    assert (await reconciled(shop)).filed == 1
    assert await found(shop) == [("unbooked", "payout")]


async def test_accounts_are_gone_through_page_by_page_and_from_where_it_stopped(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walking, "PAGE", 1)
    for _ in range(3):
        await paid_out(shop, PayoutState.PAID)
        await shop.untold()
        await shop.next_story()
    flaky = records(shop)
    flaky.without = {"unheard"}
    reconcile, seen = shop.use(Reconcile), list[str]()
    now = shop.clock.now() + timedelta(seconds=1)
    shop.clock.set(now)
    stretch = Span(now - timedelta(days=5), now)

    def told(run: Reconciliation, _: object) -> None:
        if (run.cursor or "").startswith(walking.ACCOUNTS):
            seen.append(run.cursor or "")
            flaky.down = ["payouts"] if len(seen) == 2 else []

    with pytest.raises(GatewayUnavailable):
        await reconcile(ADMIN, stretch, tell=told)
    assert (len(seen), [row["repaired"] for row in await shop.all("reconciliations")]) == (2, [1])
    run = await reconcile(ADMIN, stretch, tell=told)
    assert (len(seen), run.repaired, run.filed) == (3, 3, 0)
    await shop.work()
    assert [row["state"] for row in await shop.all("payouts")] == ["paid"] * 3
    await must_be_sound(shop)


async def without_share(shop: Shop) -> None:
    """As if the worker had died before it asked for the share."""
    await lose(shop, SourceKind.TRANSFER, SourceKind.FEE)


async def lose(shop: Shop, *kinds: SourceKind) -> None:
    """The ledger loses what moved in these ways."""
    table = shop.store.tables["ledger"]
    for id in [id for id, row in table.rows.items() if row["source_kind"] in kinds]:
        table.remove(id)


async def take_back(shop: Shop, booking: Booking, minor: int, *, fee_back: bool = False) -> None:
    """Somebody takes money back from the account at the gateway's dashboard."""
    ref = (await shop.payment(booking))["gateway_ref"]
    gone = Money(minor, "EUR")
    await shop.books.do(
        lambda books: sharing.take_back(books, ref, gone, fee_back=fee_back, ids=shop.ids, clock=shop.clock)
    )
