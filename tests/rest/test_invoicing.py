"""Quotes and invoices over the API: offered, accepted, issued, paid in parts, credited."""

from typing import Any

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
