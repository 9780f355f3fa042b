"""The other pages people open: the front door, signing in, and the API page, which needs no internet."""

import asyncio
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Page, expect

from entrypoints.cli.journey.instance import Instance
from entrypoints.cli.journey.mailbox import Letter, Mailbox
from tests.journey.town import PASSWORD

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_front_door_leads_to_an_api_page_that_works_offline(
    page: Page, instance: Instance, tmp_path: Path
) -> None:
    await page.goto(instance.address)
    await page.get_by_role("link", name="Try the API").click()
    await page.locator("#operations-tag-bookings").click()
    await expect(page.get_by_text("/v1/bookings/{booking_id}/cancel")).to_be_visible()
    await page.screenshot(path=tmp_path / "docs.png")


async def test_signing_in_shows_the_tokens_of_the_session(page: Page, instance: Instance) -> None:
    await page.goto(f"{instance.address}/sign-in")
    await page.get_by_label("E-mail address").fill("ana@town.example")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("You are signed in")
    assert (await page.get_by_label("Access token").input_value()).count(".") == 2


async def test_a_mailed_link_signs_in_only_once_its_button_is_pressed(page: Page, instance: Instance) -> None:
    async with httpx.AsyncClient(base_url=instance.address, trust_env=False) as http:
        assert (await http.post("/v1/magic-links", json={"email": "ben@town.example"})).status_code == 202
    letter = await _letter(Mailbox(instance.data / "mail"))
    await page.goto(letter.link(to="/magic"))
    await page.reload()
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("You are signed in")
    await page.goto(letter.link(to="/magic"))
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", level=1)).not_to_have_text("You are signed in")


async def _letter(mail: Mailbox) -> Letter:
    """Ben's link, once the worker has sent it; it takes an instant."""
    for _ in range(200):
        if letters := mail.of("ben@town.example", "magic_link"):
            return letters[-1]
        await asyncio.sleep(0.05)
    raise AssertionError("no letter in ten seconds")
