"""Quotes and invoices over the API: offered, accepted, issued, paid in parts, credited."""

from typing import Any
from urllib.parse import urlsplit

from tests.rest.test_pages import fields, linked
from tests.rest.world import Api, World, keyed

LINES = [
    {
        "description": "Mending the roof",
        "quantity_thousandths": 2500,
        "unit_price_minor": 6000,
        "tax_basis_points": 2300,
    },
    {"description": "Tiles", "unit_price_minor": 18000, "discount_basis_points": 1000, "tax_basis_points": 600},
]
"""150.00 and 162.00, with 34.50 and 9.72 of tax: 356.22."""


async def business(world: World) -> tuple[Api, str]:
    """A provider, and the organization that is theirs."""
    vera = await world.provider()
    await world.job(vera)
    memberships = (await vera.get("/v1/organizations/mine")).json()["items"]
    return vera, memberships[0]["organization_id"]


def asked(organization_id: str, **said: Any) -> dict[str, Any]:
    """A draft of an invoice to Ana."""
    buyer = {"name": "Ana Lima", "email": "ana@example.org"}
    return {"organization_id": organization_id, "buyer": buyer, "currency": "EUR", "lines": LINES, **said}


async def issued(world: World, vera: Api, organization_id: str, **said: Any) -> tuple[str, dict[str, Any]]:
    """An issued invoice: its id, and its paper."""
    drafted = await vera.post("/v1/invoices", json=asked(organization_id, **said))
    assert drafted.status_code == 201, drafted.text
    paper = await vera.post(f"/v1/invoices/{drafted.json()['id']}/issue", headers=keyed())
    assert paper.status_code == 201, paper.text
    await world.deliver()
    return drafted.json()["id"], paper.json()


async def test_an_invoice_is_drafted_issued_sent_and_paid(world: World) -> None:
    vera, organization_id = await business(world)
    ana = await world.person("Ana")
    drafted = await vera.post("/v1/invoices", json=asked(organization_id))
    address = f"/v1/invoices/{drafted.json()['id']}"
    assert drafted.json()["total"] == {"amount_minor": 35622, "currency": "EUR"}
    assert (drafted.json()["number"], drafted.json()["state"]) == (None, "draft")
    assert (await ana.get(address)).status_code == 404
    paper = (await vera.post(f"{address}/issue", headers=keyed())).json()
    assert (paper["number"], paper["due_on"]) == ("2026-0001", "2026-03-16")
    sent = await vera.post(f"{address}/send")
    assert sent.json()["number"] == "2026-0001"
    await world.deliver()
    letter = world.letter("ana@example.org", "invoice")
    assert [each.name for each in letter.attachments] == ["2026-0001.pdf"]
    assert letter.attachments[0].content.startswith(b"%PDF-")
    seen = (await ana.get(address)).json()
    assert (seen["number"], seen["left"]["amount_minor"]) == ("2026-0001", 35622)
    part = await ana.post(f"{address}/payments", json={"amount_minor": 10000}, headers=keyed())
    assert part.status_code == 201, part.text
    await world.deliver()
    await world.pay(ana, {"payment_id": part.json()["id"]})
    assert (await ana.get(address)).json()["state"] == "partly_paid"
    rest = await ana.post(f"{address}/payments", headers=keyed())
    assert rest.json()["amount"]["amount_minor"] == 25622
    await world.deliver()
    await world.pay(ana, {"payment_id": rest.json()["id"]})
    paid = (await ana.get(address)).json()
    assert (paid["state"], paid["left"]["amount_minor"]) == ("paid", 0)
    assert "received" in world.letter("ana@example.org", "invoice_receipt").text.lower()


async def test_a_quote_is_accepted_in_the_browser_and_becomes_one_invoice(world: World) -> None:
    vera, organization_id = await business(world)
    quote = await vera.post("/v1/quotes", json=asked(organization_id))
    assert (quote.status_code, quote.json()["reference"]) == (201, "Q2026-0001")
    address = f"/v1/quotes/{quote.json()['id']}"
    assert (await vera.post(f"{address}/send")).json()["state"] == "sent"
    await world.deliver()
    link = linked(world, "ana@example.org", "quote")
    for _ in range(3):  # a mail scanner looks first
        page = await world.anybody.get(link)
        assert "Mending the roof" in page.text
    assert (await vera.get(address)).json()["state"] == "sent"
    for _ in range(2):
        done = await world.anybody.post(urlsplit(link).path, data={**fields(page), "answer": "accept"})
        assert done.status_code == 303
    assert "accepted" in (await world.anybody.get(link)).text
    await world.deliver()
    accepted = (await vera.get(address)).json()
    found = (await vera.get("/v1/invoices", params={"quote_id": accepted["id"]})).json()["items"]
    assert [each["id"] for each in found] == [accepted["invoice_id"]]
    assert (found[0]["state"], found[0]["total"]) == ("draft", accepted["total"])


async def test_an_invoice_is_paid_by_its_link_without_an_account(world: World) -> None:
    vera, organization_id = await business(world)
    id, paper = await issued(world, vera, organization_id)
    await vera.post(f"/v1/invoices/{id}/send")
    await world.deliver()
    link = linked(world, "ana@example.org", "invoice")
    page = await world.anybody.get(link)
    assert "356.22" in page.text
    document = await world.anybody.get(link.replace("?", "/pdf?"))
    assert document.content.startswith(b"%PDF-")
    begun = await world.anybody.post(urlsplit(link).path, data=fields(page))
    await world.deliver()
    till = await world.anybody.get(begun.headers["location"])
    assert paper["number"] in till.text
    shown = await world.anybody.post(urlsplit(begun.headers["location"]).path, data={**fields(till), "card": "ok"})
    await world.deliver()
    assert "Nothing is left to pay" in (await world.anybody.get(shown.headers["location"])).text
    assert (await vera.get(f"/v1/invoices/{id}")).json()["state"] == "paid"
    assert (await world.anybody.get(f"{urlsplit(link).path}?token=guessed")).status_code == 404
