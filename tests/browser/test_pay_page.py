"""The pay page, clicked through in a real browser: what a customer sees, and what the webhook makes of it."""

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser.customer import Customer

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAY = "Pay 45.00 EUR"


async def test_a_good_card_pays_and_the_webhook_confirms(page: Page, ana: Customer, tmp_path: Path) -> None:
    booking = await ana.holds_a_lesson()
    await opens(page, await ana.pay_link(booking))
    for fact in (booking["job_title"], booking["reference"], "45.00 EUR", "Europe/Lisbon"):
        await expect(page.get_by_role("main")).to_contain_text(fact)
    await page.screenshot(path=tmp_path / "pay.png", full_page=True)
    await pays_with(page, "ok")
    await confirmed(page)
    now = await ana.sees(booking)
    assert (now["state"], now["paid"]) == ("confirmed", True)
    await page.goto(await ana.pay_link(booking))
    await expect(page.get_by_role("status")).to_have_text("Your booking is confirmed.")
    await expect(page.get_by_role("button")).to_have_count(0)


async def test_a_declined_card_is_told_and_another_one_may_be_tried(page: Page, ana: Customer, tmp_path: Path) -> None:
    booking = await ana.holds_a_lesson()
    await opens(page, await ana.pay_link(booking))
    await pays_with(page, "declined")
    await expect(page.get_by_role("status")).to_have_text("The card was declined.")
    await page.screenshot(path=tmp_path / "declined.png", full_page=True)
    assert (await ana.sees(booking))["state"] == "held"
    await page.get_by_role("link", name="Try another way to pay").click()
    await expect(page.get_by_role("alert")).to_have_text("The card was declined.")
    await pays_with(page, "ok")
    await confirmed(page)
    assert (await ana.sees(booking))["paid"] is True


async def test_a_bank_that_asks_is_answered_yes(page: Page, ana: Customer, tmp_path: Path) -> None:
    booking = await ana.holds_a_lesson()
    await opens(page, await ana.pay_link(booking))
    await pays_with(page, "3ds")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Your bank")
    await page.screenshot(path=tmp_path / "bank.png", full_page=True)
    assert (await ana.sees(booking))["state"] == "held"
    await page.get_by_role("button", name="Approve").click()
    await confirmed(page)
    assert (await ana.sees(booking))["state"] == "confirmed"


async def test_a_bank_that_asks_is_answered_no(page: Page, ana: Customer) -> None:
    booking = await ana.holds_a_lesson()
    await opens(page, await ana.pay_link(booking))
    await pays_with(page, "3ds")
    await page.get_by_role("button", name="Deny").click()
    await expect(page.get_by_role("status")).to_have_text("The payment was not approved.")
    now = await ana.sees(booking)
    assert (now["state"], now["paid"]) == ("held", False)
    await page.get_by_role("link", name="Try another way to pay").click()
    await expect(page.get_by_role("button", name=PAY)).to_be_enabled()


async def test_a_link_that_was_tampered_with_shows_nothing_of_the_booking(page: Page, ana: Customer) -> None:
    booking = await ana.holds_a_lesson()
    answer = await page.goto((await ana.pay_link(booking))[:-3] + "abc")
    assert answer is not None
    assert answer.status == 404
    assert booking["reference"] not in await page.content()


async def opens(page: Page, link: str) -> None:
    """Open the link; while the gateway is being asked, the page waits and looks again by itself."""
    await page.goto(link)
    await expect(page.get_by_role("button", name=PAY)).to_be_visible()


async def pays_with(page: Page, card: str) -> None:
    """Choose the test card and pay."""
    await page.locator(f"input[name=card][value='{card}']").check()
    await page.get_by_role("button", name=PAY).click()


async def confirmed(page: Page) -> None:
    """The page it returns to shows the booking as confirmed, as soon as the webhook has come."""
    await expect(page.get_by_role("status")).to_have_text("Your booking is confirmed.")
    await expect(page.get_by_role("heading", level=1)).to_have_text("It is yours")
    assert "/return?" in page.url
