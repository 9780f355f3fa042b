"""The pages people open in a browser: mailed links that only a submitted form uses up, and paying."""

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest

from tests.rest.world import PASSWORD, Api, World, opened

FORM = {"email": "ana@example.org", "password": PASSWORD, "name": "Ana"}


def linked(world: World, email: str, template: str) -> str:
    """Path and query of the first of our own addresses in the latest letter of that kind that carries a token."""
    found = re.search(r"http://guildhall\.test(/\S+token=[\w-]+)", world.letter(email, template).text)
    assert found
    return found[1]


def fields(page: httpx.Response) -> dict[str, str]:
    """What the form of a page carries along."""
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))


async def test_opening_a_confirmation_link_changes_nothing_and_submitting_it_does(world: World) -> None:
    await world.anybody.post("/v1/users", json=FORM)
    await world.deliver()
    for _ in range(3):  # a mail scanner looks first
        page = await world.anybody.get(linked(world, FORM["email"], "verify"))
        assert page.status_code == 200
    assert (await world.anybody.post("/v1/sessions", json=_credentials())).status_code == 401
    done = await world.anybody.post("/verify", data=fields(page))
    assert "ana@example.org is yours" in done.text
    assert (await world.anybody.post("/v1/sessions", json=_credentials())).status_code == 201
    spent = await world.anybody.post("/verify", data=fields(page))
    assert spent.status_code == 422
    assert "Send another" in spent.text
    assert (await world.anybody.post("/verify/again", data={"email": FORM["email"]})).status_code == 200


async def test_a_magic_link_signs_in_when_it_is_submitted(world: World) -> None:
    ana = await world.person("Ana")
    await world.anybody.post("/v1/magic-links", json={"email": ana.email})
    await world.deliver()
    page = await world.anybody.get(linked(world, ana.email, "magic_link"))
    done = await world.anybody.post("/magic", data=fields(page))
    token = re.search(r"ey[\w-]+\.[\w-]+\.[\w-]+", done.text)
    assert token
    assert done.headers["cache-control"] == "no-store"
    assert (await world.client(authorization=f"Bearer {token[0]}").get("/v1/me")).status_code == 200
    assert (await world.anybody.post("/magic", data=fields(page))).status_code == 422


async def test_a_forgotten_password_is_replaced_in_the_browser(world: World) -> None:
    ana = await world.person("Ana")
    assert (await world.anybody.get("/forgot")).status_code == 200
    assert (await world.anybody.post("/forgot", data={"email": ana.email})).status_code == 200
    await world.deliver()
    page = await world.anybody.get(linked(world, ana.email, "reset_password"))
    weak = await world.anybody.post("/reset", data={**fields(page), "password": "short"})
    assert weak.status_code == 422
    done = await world.anybody.post("/reset", data={**fields(page), "password": "seven strings to tune"})
    assert "Password changed" in done.text
    signed_in = await world.anybody.post("/sign-in", data={"email": ana.email, "password": "seven strings to tune"})
    assert "You are signed in" in signed_in.text
    assert (await world.anybody.post("/sign-in", data={"email": ana.email, "password": PASSWORD})).status_code == 401


async def test_every_link_in_every_letter_leads_to_a_page(world: World) -> None:
    vera, ana = await world.provider(), await world.person("Ana")
    job = await world.job(vera, policy="moderate")
    booking = await world.booking(ana, job, day=3)
    await world.pay(ana, booking)
    conversation = (await ana.get(f"/v1/bookings/{booking['id']}/conversation")).json()["conversation"]["id"]
    await ana.post(f"/v1/conversations/{conversation}/messages", json={"text": "Hello!"})
    await ana.post(f"/v1/bookings/{booking['id']}/cancel")
    await world.anybody.post("/v1/users", json={**FORM, "name": "Eve"})
    await world.deliver()
    addresses = {
        address.rstrip(".")
        for mail in world.mailer.sent
        for address in re.findall(r"http://guildhall\.test[^\s\"<>]*", mail.text)
    }
    assert len(addresses) >= 8
    for address in addresses:
        page = await world.anybody.get(address)
        assert page.status_code == 200, address
        assert page.headers["content-type"].startswith("text/html")


async def open_to_pay(world: World) -> tuple[Api, dict[str, Any], str]:
    """A customer, a held booking, and the path of its pay link with its token."""
    vera, ana = await world.provider(), await world.person("Ana")
    booking = await world.booking(ana, await world.job(vera))
    url = (await ana.get(f"/v1/bookings/{booking['id']}/pay-link")).json()["url"]
    return ana, booking, f"{urlsplit(url).path}?{urlsplit(url).query}"


async def test_a_booking_is_paid_by_its_link_and_the_return_page_waits_for_the_webhook(world: World) -> None:
    ana, booking, link = await open_to_pay(world)
    page = await world.anybody.get(link)
    assert "45.00 EUR" in page.text
    assert "Guitar lesson" in page.text
    shown = await world.anybody.post(urlsplit(link).path, data={**fields(page), "card": "ok"})
    assert shown.status_code == 303
    waiting = await world.anybody.get(shown.headers["location"])
    assert "we wait for word of your payment" in waiting.text
    assert (await ana.get(f"/v1/bookings/{booking['id']}")).json()["state"] == "held"
    state = link.replace("/pay?", "/pay/state?")
    before = (await world.anybody.get(state)).json()["known"]
    await world.deliver()
    assert (await world.anybody.get(state)).json()["known"] != before
    assert "Your booking is confirmed" in (await world.anybody.get(shown.headers["location"])).text
    assert "Your booking is confirmed" in (await world.anybody.get(link)).text


async def test_a_declined_card_says_why_and_another_one_pays(world: World) -> None:
    ana, booking, link = await open_to_pay(world)
    path = urlsplit(link).path
    token = fields(await world.anybody.get(link))
    await world.anybody.post(path, data={**token, "card": "insufficient_funds"})
    await world.deliver()
    again = await world.anybody.get(link)
    assert "not enough money on the card" in again.text
    await world.anybody.post(path, data={**token, "card": "ok"})
    await world.deliver()
    assert (await ana.get(f"/v1/bookings/{booking['id']}")).json()["state"] == "confirmed"
    late = await world.anybody.post(path, data={**token, "card": "ok"})
    assert late.headers["location"].startswith(f"{path}/return")


@pytest.mark.parametrize(("card", "approved", "state"), [("3ds", "yes", "confirmed"), ("3ds", "no", "held"),
                                                         ("3ds_fail", "yes", "held")])  # fmt: skip
async def test_a_bank_asks_for_approval(world: World, card: str, approved: str, state: str) -> None:
    ana, booking, link = await open_to_pay(world)
    path, token = urlsplit(link).path, fields(await world.anybody.get(link))
    shown = await world.anybody.post(path, data={**token, "card": card})
    assert shown.headers["location"].startswith(f"{path}/confirm")
    bank = await world.anybody.get(shown.headers["location"])
    assert "do you approve" in bank.text
    back = await world.anybody.post(f"{path}/confirm", data={**fields(bank), "approved": approved})
    await world.deliver()
    assert (await ana.get(f"/v1/bookings/{booking['id']}")).json()["state"] == state
    told = (await world.anybody.get(back.headers["location"])).text
    assert ("confirmed" if state == "confirmed" else "was not approved") in told


async def test_nobody_pays_or_looks_without_the_token(world: World) -> None:
    _, booking, link = await open_to_pay(world)
    path = urlsplit(link).path
    for wrong in ("", "?token=", "?token=guess", f"?token={'é' * 10}", "?token=%00", f"?token={'x' * 400}"):
        for step in ("", "/return", "/state", "/confirm"):
            assert (await world.anybody.get(f"{path}{step}{wrong}")).status_code == 404
    for step in ("", "/confirm"):
        assert (await world.anybody.post(f"{path}{step}", data={"token": "guess", "card": "ok"})).status_code == 404
    other = link.replace(booking["id"], "00000000-0000-0000-0000-000000000007")
    assert (await world.anybody.get(other)).status_code == 404


async def test_an_expired_hold_cannot_be_paid_any_more(world: World) -> None:
    ana, booking, link = await open_to_pay(world)
    await ana.post(f"/v1/bookings/{booking['id']}/cancel")
    await world.deliver()
    assert "This booking is over" in (await world.anybody.get(link)).text


async def test_an_unknown_card_or_a_broken_form_is_told_as_a_page(world: World) -> None:
    _, _, link = await open_to_pay(world)
    path, token = urlsplit(link).path, fields(await world.anybody.get(link))
    assert (await world.anybody.post(path, data={**token, "card": "4242"})).status_code == 422
    assert (await world.anybody.post("/verify", json={"token": "x"})).status_code == 415
    for body in (b"token=%00", b"\xff\xfe", b"&".join(b"a%d=1" % number for number in range(50))):
        answer = await world.anybody.post(
            "/verify", content=body, headers={"content-type": "application/x-www-form-urlencoded"}
        )
        assert answer.status_code == 422
        assert answer.headers["content-type"].startswith("text/html")
    assert (await world.anybody.get("/bookings/x")).status_code == 404


async def test_what_people_wrote_stays_text_on_a_page(world: World) -> None:
    vera, ana = await world.provider(), await world.person("Ana")
    job = await world.job(vera, title="<script>alert(1)</script> & more")
    booking = await world.booking(ana, job)
    url = (await ana.get(f"/v1/bookings/{booking['id']}/pay-link")).json()["url"]
    page = await world.anybody.get(url)
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more" in page.text
    assert '"><script>' not in (await world.anybody.get("/verify", params={"token": '"><script>'})).text


async def test_pages_run_nothing_but_what_is_written_in_them(world: World) -> None:
    _, _, link = await open_to_pay(world)
    await world.anybody.post(urlsplit(link).path, data={**fields(await world.anybody.get(link)), "card": "ok"})
    for address in ("/", "/sign-in", link, link.replace("/pay?", "/pay/return?")):
        page = await world.anybody.get(address)
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        written = re.findall(r"<(?:script|style)>(.*?)</(?:script|style)>", page.text, re.DOTALL)
        assert written
        for text in written:
            assert f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" in policy
        assert not re.findall(r'(?:src|href)="(?:https?:)?//', page.text)


async def test_pages_are_not_in_the_schema(world: World) -> None:
    paths = world.app.openapi()["paths"]
    assert not [path for path in paths if not path.startswith(("/v1/", "/webhooks/", "/.well-known/"))]


def _credentials() -> dict[str, str]:
    return {"email": FORM["email"], "password": FORM["password"]}


async def test_stripes_form_is_the_only_thing_from_elsewhere_and_only_on_its_page(tmp_path: Path) -> None:
    async with opened(tmp_path, stripe_publishable_key="pk_test_123") as world:
        _, booking, link = await open_to_pay(world)
        # The row of a payment that was opened at Stripe; nothing else here talks to it.
        world.house.container.store().tables["payments"].rows[UUID(booking["payment_id"])]["gateway"] = "stripe"
        page = await world.anybody.get(link)
        assert 'data-key="pk_test_123"' in page.text
        assert re.findall(r'src="(http[^"]+)"', page.text) == ["https://js.stripe.com/v3/"]
        policy = page.headers["content-security-policy"]
        assert "script-src 'sha256-" in policy
        assert "https://js.stripe.com; " in policy
        assert "connect-src 'self' https://api.stripe.com" in policy
        assert "stripe" not in (await world.anybody.get("/sign-in")).headers["content-security-policy"]
