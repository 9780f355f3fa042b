"""Paying as a person does: clicked through in a real browser, which also judges our content security policy."""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
import uvicorn
from playwright.async_api import Error, Page, async_playwright

from tests.rest.world import World


@pytest_asyncio.fixture(loop_scope="session")
async def address(world: World) -> AsyncIterator[str]:
    """The house's app on a port of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(world.app, lifespan="off", log_config=None))
        serving = asyncio.create_task(server.serve([listening]))
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        await serving


@pytest_asyncio.fixture(loop_scope="session")
async def browser() -> AsyncIterator[tuple[Page, list[str]]]:
    """A page of a headless Chromium, and what it complains of."""
    async with async_playwright() as playwright:
        try:
            chromium = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        except Error as missing:
            pytest.skip(f"no Chromium here: {missing.message.splitlines()[0]}")
        page, complaints = await chromium.new_page(), []
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page, complaints
        await chromium.close()


async def pay_link(world: World, address: str) -> tuple[Any, dict[str, Any], str]:
    """A customer, a held booking, and where it is paid."""
    vera, ana = await world.provider(), await world.person("Ana")
    booking = await world.booking(ana, await world.job(vera))
    url = (await ana.get(f"/v1/bookings/{booking['id']}/pay-link")).json()["url"]
    return ana, booking, url.replace("http://guildhall.test", address)


async def test_a_booking_is_paid_with_the_banks_second_step(
    world: World, address: str, browser: tuple[Page, list[str]]
) -> None:
    page, complaints = browser
    ana, booking, link = await pay_link(world, address)
    await page.goto(link)
    await page.get_by_label("A card with too little money").check()
    await page.get_by_role("button", name="Pay 45.00 EUR").click()
    await world.deliver()
    await page.get_by_text("There is not enough money on the card.").wait_for()
    await page.get_by_role("link", name="Try another way to pay").click()
    await page.get_by_label("3-D Secure").check()
    await page.get_by_role("button", name="Pay 45.00 EUR").click()
    await page.get_by_role("button", name="Approve").click()
    await page.get_by_text("we wait for word of your payment").or_(page.get_by_text("not enough money")).wait_for()
    await world.deliver()
    await page.get_by_text("Your booking is confirmed.").wait_for()  # the page looked again by itself
    assert (await ana.get(f"/v1/bookings/{booking['id']}")).json()["state"] == "confirmed"
    assert complaints == []


async def test_a_mailed_link_signs_in(world: World, address: str, browser: tuple[Page, list[str]]) -> None:
    page, complaints = browser
    ana = await world.person("Ana")
    await world.anybody.post("/v1/magic-links", json={"email": ana.email})
    await world.deliver()
    await page.goto(f"{address}/magic?token={world.token(ana.email, 'magic_link')}")
    await page.get_by_role("button", name="Sign in").click()
    token = await page.get_by_label("Access token").input_value()
    assert (await world.client(authorization=f"Bearer {token}").get("/v1/me")).json()["email"] == ana.email
    assert complaints == []


async def test_the_api_page_works_offline(world: World, address: str, browser: tuple[Page, list[str]]) -> None:
    page, complaints = browser
    foreign: list[str] = []
    page.on("request", lambda asked: foreign.append(asked.url) if not asked.url.startswith(address) else None)
    await page.goto(f"{address}/docs")
    await page.get_by_text("Booking a slot, and all that becomes of a booking.").wait_for()
    assert [url for url in foreign if not url.startswith("data:")] == []
    assert complaints == []
