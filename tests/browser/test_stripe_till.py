"""The till as Stripe hosts it, on its counterpart: a buyer comes by our link and pays in a real browser."""

from uuid import UUID

import pytest
from playwright.async_api import Browser, expect

from adapters.stripe import StripeBilling, StripeGateway
from application.ports.billing import CheckoutOrder
from domain.billing import TillState
from domain.shared.ids import PurchaseId
from tests.support.emulate_server import API_KEY, emulate, emulated

__all__ = ["emulate"]

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    # stripe's own client hands httpx its form the old way.
    pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning"),
]


async def test_who_pays_at_the_hosted_till_has_bought(browser: Browser, request: pytest.FixtureRequest) -> None:
    there: str = request.getfixturevalue("emulate")
    async with emulated(there) as stripe:
        _, price = await stripe.sell("Team", amount=4900, interval="month", entitlements="bookings")
        connected = StripeGateway(api_key=API_KEY, api_base=stripe.api_base)
        till = StripeBilling(connected)
        order = CheckoutOrder(
            purchase_id=PurchaseId(UUID(int=90)),
            price_ref=price,
            email="zoe@example.org",
            customer_ref=None,
            success_url=f"{there}/bought",
            cancel_url=f"{there}/left",
        )
        opened = await till.open(order)
        assert opened.url is not None
        page = await browser.new_page()
        await page.goto(opened.url)
        await expect(page.locator("body")).to_contain_text("49.00")
        assert (await till.find(opened.ref)).state is TillState.OPEN, "looking at the till buys nothing"
        await page.get_by_role("button").first.click()
        await page.wait_for_url(f"{there}/bought*")
        await page.close()
        done = await till.find(opened.ref)
        assert (done.state, done.paid, done.buyer.email) == (TillState.COMPLETE, True, "zoe@example.org")
        await connected.aclose()
