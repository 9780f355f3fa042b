"""The books: whose each entry is, sealed once, and no change to them goes unnoticed."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest

from application.payments import (
    BalanceFilter,
    ListBalances,
    OrganizationBalances,
    SealLedger,
    VerifyLedger,
)
from application.ports.books import LedgerChain
from domain.organizations import MayNotManage, MemberRole
from domain.payments import Books
from domain.shared.actors import ANONYMOUS, SYSTEM, Role
from domain.shared.chains import AlreadySealed, Break, Fault, Head, seal
from domain.shared.errors import Forbidden, NotFound, Unauthenticated
from tests.application.test_payments import ADMIN, TEN, Shop, shop

__all__ = ["shop"]


class Desk:
    """A shop with two bookings paid and part of one given back, looked at by whoever keeps its books."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.chain: LedgerChain = shop.ports["ledger_chain"]

    @classmethod
    async def begins(cls, shop: Shop) -> "Desk":
        booking = await shop.paid()
        await shop.refund(booking, 2_500)
        return cls(shop)

    async def seal(self) -> None:
        while await self.shop.use(SealLedger)():
            pass

    async def verify(self, batch: int = 1000) -> Any:
        return await self.shop.use(VerifyLedger)(ADMIN, batch=batch)

    async def balances(self) -> dict[str, int]:
        found = await self.shop.use(ListBalances)(ADMIN, limit=100)
        return {each.account.rpartition(":")[2]: each.amount.amount_minor for each in found.items}

    @property
    def table(self) -> Any:
        return self.shop.store.tables["ledger"]

    @property
    def rows(self) -> dict[Any, dict[str, Any]]:
        return self.table.rows

    def place(self, position: int) -> Any:
        return next(id for id, row in self.rows.items() if row["position"] == position)


@pytest.fixture
async def desk(shop: Shop) -> Desk:
    return await Desk.begins(shop)


@pytest.fixture
async def sealed(desk: Desk) -> AsyncIterator[Desk]:
    """The desk with sealed books, whose entries are put right afterwards: the shop adds them up at the end."""
    await desk.seal()
    whole = dict(desk.rows)
    yield desk
    for id in {*desk.rows, *whole}:
        desk.table.restore(id, whole.get(id))


async def test_every_entry_is_in_somebodys_books(desk: Desk) -> None:
    said = {(row["books"], row["account"].split(":")[0]) for row in desk.rows.values()}
    assert said == {("platform", "gateway"), ("organization", "organization")}


async def test_what_is_sealed_is_counted_into_the_balance_of_its_account(desk: Desk) -> None:
    assert await desk.balances() == {}
    await desk.shop.use(SealLedger)(limit=3)
    await desk.seal()
    assert await desk.balances() == {"simulated": 7_500, "receivable": -7_500}
    await desk.shop.later(minutes=1)
    other = await desk.shop.book(starts_at=TEN + timedelta(hours=2))
    await desk.shop.show(other, "ok")
    await desk.seal()
    assert await desk.balances() == {"simulated": 17_500, "receivable": -17_500}
    assert (await desk.verify()).holds


async def test_a_manager_sees_the_balances_of_their_organization_and_nobody_elses(desk: Desk) -> None:
    shop = desk.shop
    await desk.seal()
    (payment,) = shop.rows("payments")
    ours = payment["organization_id"]
    asks = shop.use(OrganizationBalances)
    seen = (await asks(shop.vera, ours, limit=10)).items
    assert [(each.books, each.organization_id, each.amount.amount_minor) for each in seen] == [
        (Books.ORGANIZATION, ours, -7_500)
    ]
    member = await shop.member("mia", ours, MemberRole.MEMBER)
    with pytest.raises(MayNotManage):
        await asks(member, ours, limit=10)
    with pytest.raises(NotFound):
        await asks(shop.carl, ours, limit=10)
    with pytest.raises(Unauthenticated):
        await asks(ANONYMOUS, ours, limit=10)


async def test_all_balances_are_for_those_who_look_after_the_house(desk: Desk) -> None:
    await desk.seal()
    root = await desk.shop.person("root", Role.ADMIN)
    listed = desk.shop.use(ListBalances)
    platform = (await listed(root, BalanceFilter(books=Books.PLATFORM), limit=10)).items
    assert [(each.account, each.amount.amount_minor) for each in platform] == [("gateway:simulated", 7_500)]
    for use in (lambda who: listed(who, limit=1), desk.shop.use(VerifyLedger)):
        with pytest.raises(Forbidden):
            await use(desk.shop.vera)


async def test_sealing_goes_on_where_it_ended(desk: Desk) -> None:
    sealer = desk.shop.use(SealLedger)
    assert [await sealer(limit=3), await sealer(), await sealer()] == [3, 1, 0]
    report = await desk.verify(batch=2)
    assert (report.holds, report.waiting_since) == (True, None)
    assert report.verified == await desk.chain.head()
    assert sorted(row["position"] for row in desk.rows.values()) == [1, 2, 3, 4]


async def test_of_two_sealers_at_once_nothing_is_counted_twice(desk: Desk) -> None:
    head, entries = await desk.chain.head(), await desk.chain.unsealed(limit=4)

    class Slow:
        """The chain as a sealer sees it when another one is faster by a moment."""

        head, unsealed = desk.chain.head, desk.chain.unsealed

        async def seal(self, seals: Any) -> None:
            await SealLedger(ledger_chain=desk.chain)(limit=1)
            await desk.chain.seal(seals)

    assert await SealLedger(ledger_chain=Slow())() == 0  # type: ignore[arg-type]
    with pytest.raises(AlreadySealed):
        await desk.chain.seal(seal(entries, onto=head))
    await desk.seal()
    assert await desk.balances() == {"simulated": 7_500, "receivable": -7_500}
    assert (await desk.verify()).holds


async def test_books_that_were_never_sealed_hold_and_say_what_waits(desk: Desk) -> None:
    report = await desk.verify()
    assert (report.holds, report.verified) == (True, Head())
    assert report.waiting_since == min(row["created_at"] for row in desk.rows.values())


def _flipped(desk: Desk) -> None:
    row = desk.rows[desk.place(2)]
    desk.rows[row["id"]] = {**row, "amount_minor": -row["amount_minor"]}


def _handed_over(desk: Desk) -> None:
    row = desk.rows[desk.place(2)]
    desk.rows[row["id"]] = {**row, "books": "platform"}


def _removed(desk: Desk) -> None:
    desk.table.remove(desk.place(2))


def _put_in_between(desk: Desk) -> None:
    row = desk.rows[desk.place(2)]
    desk.table.remove(row["id"])
    desk.table.fill([{**row, "id": desk.shop.ids.new()}])


@pytest.mark.parametrize(
    ("tamper", "fault"),
    [
        (_flipped, Fault.ALTERED),
        (_handed_over, Fault.ALTERED),
        (_removed, Fault.GAP),
        (_put_in_between, Fault.ALTERED),
    ],
)
@pytest.mark.parametrize("batch", [1, 1000])
async def test_an_entry_that_was_changed_shows_where(
    sealed: Desk, tamper: Callable[[Desk], None], fault: Fault, batch: int
) -> None:
    tamper(sealed)
    report = await sealed.verify(batch)
    assert (report.holds, report.first_break) == (False, Break(position=2, fault=fault))


async def test_books_cut_off_at_their_end_show_by_their_balance(sealed: Desk) -> None:
    for position in (3, 4):
        sealed.table.remove(sealed.place(position))
    report = await sealed.verify()
    assert (report.holds, report.first_break, len(report.wrong_balances)) == (False, None, 2)
    assert "gateway:simulated says 75.00 EUR, its entries come to 100.00 EUR" in report.wrong_balances


async def test_a_balance_that_was_moved_alone_is_found(desk: Desk) -> None:
    await desk.seal()
    balances = desk.shop.store.tables["balances"].rows
    for id, row in list(balances.items()):
        balances[id] = {**row, "amount_minor": row["amount_minor"] + 1}
    report = await desk.verify()
    assert (report.holds, len(report.wrong_balances)) == (False, 2)


async def test_an_account_whose_balance_was_taken_away_is_found(desk: Desk) -> None:
    await desk.seal()
    balances = desk.shop.store.tables["balances"]
    for row in [row for row in balances.rows.values() if row["account"].startswith("gateway:")]:
        balances.remove(row["id"])
    report = await desk.verify()
    assert report.wrong_balances == ("gateway:simulated has no balance, its entries come to 75.00 EUR",)
    assert not report.holds


async def test_what_is_sealed_while_somebody_verifies_is_no_fault(desk: Desk) -> None:
    await desk.shop.use(SealLedger)(limit=2)
    read = desk.chain.chain

    class Meanwhile:
        """The chain, lengthened between its balances and its links."""

        head, balances, unsealed = desk.chain.head, desk.chain.balances, desk.chain.unsealed

        async def chain(self, *, after: int, limit: int) -> Any:
            await desk.seal()
            return await read(after=after, limit=limit)

    assert (await VerifyLedger(ledger_chain=Meanwhile())(SYSTEM)).holds  # type: ignore[arg-type]
