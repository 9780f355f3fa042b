"""A headless Chromium, and an instance with the demo town for it to look at."""

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright

from entrypoints.cli.journey.instance import Instance, throw_away
from entrypoints.cli.journey.people import Person
from tests.browser.customer import Customer
from tests.journey.town import DEMO_TOWN, PASSWORD

# Nothing but the pages under test is asked for: no updates, no telemetry, no network but the loopback.
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run"
    " --disable-background-networking --disable-component-update --disable-sync"
).split()


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's program; in CI its absence fails, like that of any counterpart."""
    found = os.environ.get("GUILDHALL_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("there is no Chromium: install Debian's chromium, or set GUILDHALL_TEST_CHROMIUM")
    return found


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """The browser, started once."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def instance() -> AsyncIterator[Instance]:
    """The instance, with the demo town in memory."""
    async with throw_away(wishes=DEMO_TOWN) as instance:
        await instance.open()
        yield instance


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def ana(instance: Instance) -> AsyncIterator[Customer]:
    """Ana, signed in."""
    async with httpx.AsyncClient(base_url=instance.address, trust_env=False) as http:
        person = Person(http=http, name="Ana", email="ana@town.example", password=PASSWORD)
        assert (await person.sign_in()).status_code == 201
        yield Customer(person)


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser, instance: Instance, tmp_path: Path) -> AsyncIterator[Page]:
    """A fresh tab. Afterwards: nothing it showed was broken, and it asked nobody but the instance."""
    context = await browser.new_context(viewport={"width": 900, "height": 900})
    page = await context.new_page()
    page.set_default_timeout(30_000)
    asked: list[str] = []
    broken: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        # That the page itself is a refusal is for the test to judge; that something in it failed is not.
        if message.type in ("error", "warning") and message.location["url"] != page.url:
            broken.append(message.text)

    page.on("request", lambda request: asked.append(request.url))
    page.on("console", hear)
    page.on("pageerror", lambda error: broken.append(str(error)))
    yield page
    await page.screenshot(path=tmp_path / "last.png", full_page=True)
    await context.close()
    assert broken == []
    assert [url for url in asked if not url.startswith((instance.address, "data:"))] == []
