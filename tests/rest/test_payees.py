"""An organization's own account over the API: opened, paid into, and what its books say."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from application.payments import SealLedger
from domain.payments import PayoutState
from tests.rest.test_business import organization_of
from tests.rest.world import Api, World, keyed, opened


@pytest.fixture
async def market(tmp_path: Path) -> AsyncIterator[World]:
    """A house in which a tenth is kept of payments that go to accounts of organizations."""
    async with opened(tmp_path, connect=True, fee_basis_points=1_000) as world:
        yield world


async def balances(market: World, who: Api, house: str) -> dict[str, int]:
    """What each account comes to, by the last word of its name."""
    await market.house.use(SealLedger)()
    listed = (await who.get(f"{house}/balances")).json()["items"]
    return {each["account"].rpartition(":")[2]: each["amount"]["amount_minor"] for each in listed}


async def open_account(market: World, vera: Api, house: str) -> str:
    """An account whose page was answered; its reference."""
    linked = await vera.post(f"{house}/payee/link")
    page = linked.json()["url"].removeprefix("http://guildhall.test")
    assert "identity" in (await market.anybody.get(page)).text
    assert (await market.anybody.post(page)).status_code == 303
    await market.deliver()
    return str(page.rpartition("/")[2])


async def test_an_account_is_opened_by_its_link_and_payments_go_there(market: World) -> None:
    vera, carl = await market.provider(), await market.person("Carl")
    house = await organization_of(vera)
    missing = await vera.get(f"{house}/payee")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
    ref = await open_account(market, vera, house)
    shown = (await vera.get(f"{house}/payee")).json()
    assert (shown["state"], shown["takes_charges"], shown["gateway_ref"]) == ("enabled", True, ref)
    again = await vera.put(f"{house}/payee")
    assert (again.status_code, again.json()["id"]) == (200, shown["id"])

    booking = await market.booking(carl, await market.job(vera))
    await market.deliver()
    await market.pay(carl, booking)
    assert await balances(market, vera, house) == {"account": 4_050, "fees": 450, "receivable": -4_500}
    payout = await market.house.container.payees().pay_out(ref)
    await market.house.container.payees().arrive(payout.ref, PayoutState.PAID)
    await market.deliver()
    (paid,) = (await vera.get(f"{house}/payouts")).json()["items"]
    assert (paid["state"], paid["amount"]) == ("paid", {"amount_minor": 4_050, "currency": "EUR"})

    refund = await vera.post(f"/v1/payments/{booking['payment_id']}/refunds", json={}, headers=keyed())
    assert refund.status_code == 201
    await market.deliver()
    below = await balances(market, vera, house)
    assert (below["account"], below["bank"]) == (-4_050, 4_050)
    told = [each["title"] for each in (await vera.get("/v1/notifications")).json()["items"]]
    assert {"Payments go to your own account now", "40.50 EUR paid out"} <= set(told)


async def test_strangers_and_members_see_nothing_of_it(market: World) -> None:
    vera, eve = await market.provider(), await market.person("Eve")
    house = await organization_of(vera)
    for method, path in (
        ("PUT", "payee"),
        ("GET", "payee"),
        ("POST", "payee/link"),
        ("GET", "payouts"),
        ("GET", "balances"),
    ):
        assert (await eve.request(method, f"{house}/{path}")).status_code == 404
        assert (await market.anybody.request(method, f"{house}/{path}")).status_code == 401


async def test_all_balances_are_for_admins(market: World) -> None:
    vera, ada = await market.provider(), await market.admin()
    await market.booking(await market.person("Carl"), await market.job(vera))
    assert (await vera.get("/v1/admin/balances")).status_code == 403
    answer: dict[str, Any] = (await ada.get("/v1/admin/balances", params={"books": "platform"})).json()
    assert answer["items"] == []
    assert (await ada.get("/v1/admin/balances", params={"books": "nobody"})).status_code == 422


async def test_a_house_without_connect_says_so(world: World) -> None:
    vera = await world.provider()
    refused = await vera.put(f"{await organization_of(vera)}/payee")
    assert (refused.status_code, refused.json()["code"]) == (409, "payee.not_offered")
