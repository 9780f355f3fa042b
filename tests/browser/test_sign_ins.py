"""Signing in by way of GitHub in a real browser: the consent page, the way back, and one press of a button."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from dependency_injector.providers import Object
from playwright.async_api import Browser, Page, expect

from adapters.oauth import GitHub
from domain.identity import Provider
from entrypoints.container import open_house
from entrypoints.container.serving import serve
from entrypoints.container.stopping import Stop
from entrypoints.settings import Settings
from tests.support.authority import CLIENT_ID, CLIENT_SECRET, Authority, authority

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def there() -> AsyncIterator[Authority]:
    """GitHub, on this machine."""
    async with authority() as there:
        yield there


@pytest_asyncio.fixture(loop_scope="session")
async def address(there: Authority, tmp_path: Path) -> AsyncIterator[str]:
    """A house that has an account with it, served."""
    listening = socket.create_server(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    settings = Settings(_env_file=None, storage="memory", mail="memory", data_dir=tmp_path, public_url=address)
    async with open_house(settings, migrate=False) as house, httpx.AsyncClient(trust_env=False) as client:
        known = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        github = GitHub(**known, client=client, site=there.address, api=there.address)
        house.container.oauth_providers.override(Object({Provider.GITHUB: github}))
        stop, ready = Stop(1), asyncio.Event()
        serving = asyncio.ensure_future(serve(house, on=listening, with_worker=False, stop=stop, ready=ready.set))
        await asyncio.wait_for(ready.wait(), 30)
        yield address
        stop.ask()
        await serving


@pytest_asyncio.fixture(loop_scope="session")
async def tab(browser: Browser) -> AsyncIterator[Page]:
    """A fresh tab of a browser nobody has used."""
    context = await browser.new_context()
    page = await context.new_page()
    page.set_default_timeout(30_000)
    yield page
    await context.close()


async def test_somebody_signs_in_by_way_of_github(tab: Page, address: str) -> None:
    await tab.goto(f"{address}/sign-in")
    await tab.get_by_role("link", name="Sign in with GitHub").click()
    await expect(tab.get_by_role("heading", level=1)).to_have_text("Who are you?")
    await tab.get_by_role("button", name="mia").click()
    await expect(tab.get_by_text("You are known")).to_be_visible()
    assert tab.url.startswith(f"{address}/signed-in?code=")
    await tab.get_by_role("button", name="Sign in").click()
    await expect(tab.get_by_role("heading", level=1)).to_have_text("You are signed in")
    token = await tab.get_by_label("Access token").input_value()
    async with httpx.AsyncClient(base_url=address, trust_env=False) as http:
        me = (await http.get("/v1/me", headers={"Authorization": f"Bearer {token}"})).json()
    assert (me["email"], me["name"]) == ("mia@example.org", "Mia")


async def test_who_cancels_is_told_so(tab: Page, address: str) -> None:
    await tab.goto(f"{address}/v1/sign-ins/github")
    await tab.get_by_role("button", name="Cancel").click()
    await expect(tab.get_by_text("Nobody was signed in")).to_be_visible()


async def test_a_link_back_that_another_browser_began_signs_nobody_in(
    tab: Page, address: str, browser: Browser, there: Authority
) -> None:
    """Somebody sends a victim the end of their own sign-in."""
    async with httpx.AsyncClient(base_url=address, trust_env=False) as thief:
        gone = await thief.get("/v1/sign-ins/github")
        asked = dict(httpx.URL(gone.headers["location"]).params)
        lure = there.agree({**asked, "who": "mia"})
    answer = await tab.goto(lure)
    assert answer is not None
    assert answer.status == 422
    await expect(tab.get_by_text("begin again")).to_be_visible()
