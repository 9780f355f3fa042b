"""Quotes and invoices over the API: offered, accepted, issued, paid in parts, credited."""

import csv
import io
from datetime import timedelta
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


async def test_drafts_are_revised_on_the_version_that_was_read_and_made_void(world: World) -> None:
    vera, organization_id = await business(world)
    drafted = await vera.post("/v1/invoices", json=asked(organization_id))
    address, tag = f"/v1/invoices/{drafted.json()['id']}", drafted.headers["etag"]
    assert (await vera.patch(address, json={"due_days": 7})).status_code == 428
    revised = await vera.patch(address, json={"due_days": 7, "lines": LINES[:1]}, headers={"If-Match": tag})
    assert (revised.json()["due_days"], revised.json()["total"]["amount_minor"]) == (7, 18450)
    assert (await vera.patch(address, json={"due_days": 8}, headers={"If-Match": tag})).status_code == 412
    assert (await vera.post(f"{address}/void")).json()["state"] == "void"
    refused = await vera.post(f"{address}/issue", headers=keyed())
    assert (refused.status_code, refused.json()["code"]) == (409, "invoice.state")
    odd = await vera.post("/v1/invoices", json=asked(organization_id, lines=[{**LINES[0], "discount_minor": 15001}]))
    assert (odd.status_code, odd.json()["field"]) == (422, "lines.discount_minor")
    unknown = await vera.post("/v1/invoices", json=asked(organization_id, lines=[{**LINES[0], "colour": "red"}]))
    assert unknown.status_code == 422


async def test_issuing_twice_under_one_key_takes_one_number(world: World) -> None:
    vera, organization_id = await business(world)
    drafted = await vera.post("/v1/invoices", json=asked(organization_id))
    address, key = f"/v1/invoices/{drafted.json()['id']}/issue", keyed()
    first, again = await vera.post(address, headers=key), await vera.post(address, headers=key)
    assert first.json() == again.json()
    assert (again.headers["idempotent-replayed"], again.json()["number"]) == ("true", "2026-0001")
    assert (await vera.post(address, headers=keyed())).json()["code"] == "invoice.state"
    _, other = await issued(world, vera, organization_id)
    assert other["number"] == "2026-0002"


async def test_papers_are_signed_by_the_letterhead_of_their_day_and_printed_the_same_each_time(world: World) -> None:
    vera, organization_id = await business(world)
    address = f"/v1/organizations/{organization_id}/letterhead"
    plain = await vera.get(address)
    assert (plain.json()["seller"]["name"], plain.headers["etag"]) == ("Vera", '"0"')
    said = {"name": "Vera & Söhne Lda.", "address": "Rua da Rosa 12", "zone": "Europe/Lisbon"}
    assert (await vera.put(address, json=said, headers={"If-Match": '"0"'})).status_code == 200
    assert (await vera.put(address, json=said, headers={"If-Match": '"0"'})).status_code == 412
    _, paper = await issued(world, vera, organization_id)
    await vera.put(address, json={**said, "name": "Another"}, headers={"If-Match": "*"})
    assert (await vera.get(f"/v1/papers/{paper['id']}")).json()["seller"]["name"] == "Vera & Söhne Lda."
    document = f"/v1/papers/{paper['id']}/pdf"
    first, again = await vera.get(document), await vera.get(document)
    assert first.content == again.content
    assert first.headers["content-disposition"] == 'attachment; filename="2026-0001.pdf"'
    unchanged = await vera.get(document, headers={"If-None-Match": first.headers["etag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")


async def test_only_those_concerned_see_an_invoice_and_only_managers_write_one(world: World) -> None:
    vera, organization_id = await business(world)
    ana, rui = await world.person("Ana"), await world.person("Rui")
    id, paper = await issued(world, vera, organization_id)
    for address in (f"/v1/invoices/{id}", f"/v1/papers/{paper['id']}", f"/v1/papers/{paper['id']}/pdf"):
        assert [(await each.get(address)).status_code for each in (vera, ana, rui)] == [200, 200, 404]
    assert (await ana.get("/v1/invoices")).json()["items"][0]["number"] == "2026-0001"
    assert (await rui.get("/v1/invoices")).json()["items"] == []
    assert (await ana.get(f"/v1/invoices/{id}/settlements")).json()["items"] == []
    for person, status in ((ana, 403), (rui, 404)):
        assert (await person.post(f"/v1/invoices/{id}/send")).status_code == status
        assert (await person.post("/v1/invoices", json=asked(organization_id))).status_code == 403
    assert (await rui.post(f"/v1/invoices/{id}/payments", headers=keyed())).status_code == 404
    assert (await world.anybody.get(f"/v1/invoices/{id}")).status_code == 401


async def test_money_received_by_hand_is_counted_and_goes_into_the_ledger(world: World) -> None:
    vera, organization_id = await business(world)
    id, _ = await issued(world, vera, organization_id)
    receipts = f"/v1/invoices/{id}/receipts"
    part = await vera.post(receipts, json={"amount_minor": 5622, "reason": "cash"}, headers=keyed())
    assert (part.json()["state"], part.json()["left"]["amount_minor"]) == ("partly_paid", 30000)
    much = await vera.post(receipts, json={"amount_minor": 30001, "reason": "cash"}, headers=keyed())
    assert (much.json()["code"], much.json()["left"]) == ("invoice.more_than_is_owed", 30000)
    back = await vera.post(receipts, json={"amount_minor": -622, "reason": "miscounted"}, headers=keyed())
    assert back.json()["left"]["amount_minor"] == 30622
    for wrong in ({"amount_minor": 0, "reason": "cash"}, {"amount_minor": 1, "reason": " "}):
        assert (await vera.post(receipts, json=wrong, headers=keyed())).status_code == 422
    future = {"amount_minor": 1, "reason": "cash", "received_on": "2026-03-03"}
    assert (await vera.post(receipts, json=future, headers=keyed())).json()["field"] == "received_on"
    listed = (await vera.get(f"/v1/invoices/{id}/settlements")).json()["items"]
    assert [each["amount"]["amount_minor"] for each in listed] == [-622, 5622]
    admin = await world.admin()
    entries = (await admin.get("/v1/admin/ledger")).json()["items"]
    by_hand = [entry["amount"]["amount_minor"] for entry in entries if entry["account"].endswith(":by_hand")]
    assert sorted(by_hand) == [-622, 5622]
    assert sum(entry["amount"]["amount_minor"] for entry in entries) == 0


async def test_a_credit_note_on_a_paid_invoice_sends_the_money_back(world: World) -> None:
    vera, organization_id = await business(world)
    ana = await world.person("Ana")
    id, _ = await issued(world, vera, organization_id)
    payment = await ana.post(f"/v1/invoices/{id}/payments", headers=keyed())
    await world.deliver()
    await world.pay(ana, {"payment_id": payment.json()["id"]})
    credit = {"reason": "The tiles broke.", "lines": [LINES[1]]}
    note = await vera.post(f"/v1/invoices/{id}/credit-notes", json=credit, headers=keyed())
    assert (note.json()["number"], note.json()["corrects"]) == ("C2026-0001", "2026-0001")
    assert note.json()["total"]["amount_minor"] == 17172
    await world.deliver()
    seen = (await ana.get(f"/v1/invoices/{id}")).json()
    assert (seen["state"], seen["left"]["amount_minor"], seen["credited"]["amount_minor"]) == ("paid", 0, 17172)
    refunds = (await vera.get("/v1/refunds", params={"invoice_id": id})).json()["items"]
    assert [(each["amount"]["amount_minor"], each["state"]) for each in refunds] == [(17172, "succeeded")]
    rest = await vera.post(f"/v1/invoices/{id}/credit-notes", json={"reason": "All of it."}, headers=keyed())
    assert rest.json()["total"]["amount_minor"] == 35622 - 17172
    await world.deliver()
    gone = (await ana.get(f"/v1/invoices/{id}")).json()
    assert (gone["state"], gone["paid"]["amount_minor"]) == ("credited", 0)
    more = await vera.post(f"/v1/invoices/{id}/credit-notes", json=credit, headers=keyed())
    assert (more.status_code, more.json()["code"]) == (409, "invoice.more_than_is_left")
    assert [each.name for each in world.letter("ana@example.org", "credit_note").attachments] == ["C2026-0002.pdf"]


async def test_what_is_paid_twice_goes_back_once(world: World) -> None:
    """Ana's card is charged just when the bank transfer is recorded."""
    vera, organization_id = await business(world)
    ana = await world.person("Ana")
    id, _ = await issued(world, vera, organization_id)
    payment = await ana.post(f"/v1/invoices/{id}/payments", headers=keyed())
    await world.deliver()
    found = (await ana.get(f"/v1/payments/{payment.json()['id']}/checkout")).json()
    await world.house.container.gateway().confirm(found["gateway_ref"], found["client_secret"], "ok")
    await vera.post(f"/v1/invoices/{id}/receipts", json={"amount_minor": 30000, "reason": "bank"}, headers=keyed())
    await world.deliver()
    seen = (await ana.get(f"/v1/invoices/{id}")).json()
    assert (seen["state"], seen["left"]["amount_minor"]) == ("paid", 0)
    refunds = (await vera.get("/v1/refunds", params={"invoice_id": id})).json()["items"]
    assert [each["amount"]["amount_minor"] for each in refunds] == [30000]


async def test_a_payment_nobody_needs_any_more_is_closed(world: World) -> None:
    vera, organization_id = await business(world)
    ana = await world.person("Ana")
    id, _ = await issued(world, vera, organization_id)
    payment = await ana.post(f"/v1/invoices/{id}/payments", headers=keyed())
    await world.deliver()
    other = await ana.post(f"/v1/invoices/{id}/payments", json={"amount_minor": 1}, headers=keyed())
    assert (other.status_code, other.json()["code"]) == (409, "invoice.payment_under_way")
    await vera.post(f"/v1/invoices/{id}/receipts", json={"amount_minor": 35622, "reason": "bank"}, headers=keyed())
    await world.deliver()
    assert (await ana.get(f"/v1/payments/{payment.json()['id']}")).json()["state"] == "cancelled"
    again = await ana.post(f"/v1/invoices/{id}/payments", headers=keyed())
    assert again.json()["code"] == "invoice.state"


async def test_a_paid_booking_has_one_invoice_that_is_paid(world: World) -> None:
    vera, ana = await world.provider(), await world.person("Ana")
    booking = await world.booking(ana, await world.job(vera))
    address = f"/v1/bookings/{booking['id']}/invoice"
    assert (await vera.post(address)).json()["code"] == "invoice.booking_not_billable"
    await world.pay(ana, booking)
    drafted = await vera.post(address, json={"tax_basis_points": 2300})
    assert (drafted.status_code, drafted.json()["total"]["amount_minor"]) == (201, 4500)
    assert (await vera.post(address)).json()["code"] == "invoice.already_invoiced"
    assert (await ana.post(address)).status_code == 403
    assert (await (await world.person("Rui")).post(address)).status_code == 404
    await vera.post(f"/v1/invoices/{drafted.json()['id']}/issue", headers=keyed())
    await world.deliver()
    seen = (await ana.get(f"/v1/invoices/{drafted.json()['id']}")).json()
    assert (seen["state"], seen["left"]["amount_minor"]) == ("paid", 0)
    assert [(s["net_minor"], s["tax_minor"]) for s in seen["bill"]["shares"]] == [(3659, 841)]


async def test_a_list_is_filtered_and_exported_without_formulas(world: World) -> None:
    vera, organization_id = await business(world)
    await issued(world, vera, organization_id, buyer={"name": "=HYPERLINK(1)", "tax_id": "+351 1"})
    await vera.post("/v1/invoices", json=asked(organization_id))
    found = (await vera.get("/v1/invoices", params={"state": "issued", "overdue": "false"})).json()["items"]
    assert [each["number"] for each in found] == ["2026-0001"]
    dated = {"issued_from": "2026-03-02", "issued_before": "2026-03-03"}
    assert len((await vera.get("/v1/invoices", params=dated)).json()["items"]) == 1
    assert not (await vera.get("/v1/invoices", params={"issued_before": "2026-03-02"})).json()["items"]
    table = await vera.get("/v1/invoices/export", params={"organization_id": organization_id})
    assert table.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert [row["state"] for row in rows] == ["draft", "issued"]
    assert (rows[1]["buyer"], rows[1]["buyer_tax_id"]) == ("'=HYPERLINK(1)", "'+351 1")
    assert (rows[1]["net"], rows[1]["tax"], rows[1]["total"], rows[1]["left"]) == (
        "312.00",
        "44.22",
        "356.22",
        "356.22",
    )
    assert (await world.anybody.get("/v1/invoices/export")).status_code == 401


async def test_reminders_come_before_and_after_the_due_date_each_once_and_never_after_payment(world: World) -> None:
    vera, organization_id = await business(world)
    (first, _), (second, _) = [await issued(world, vera, organization_id) for _ in range(2)]
    receipt = {"amount_minor": 35622, "reason": "bank"}
    reminded: list[tuple[int, int]] = []
    for day in range(1, 40):
        world.clock.advance(timedelta(days=1))
        await world.deliver()
        letters = [m for m in world.mailer.to("ana@example.org") if m.template.value == "invoice_reminder"]
        if len(letters) > sum(count for _, count in reminded):
            reminded.append((day, len(letters) - sum(count for _, count in reminded)))
        if day == 15:
            vera = await world.sign_in(vera.email)
            assert (await vera.get(f"/v1/invoices/{first}")).json()["overdue"]
            await vera.post(f"/v1/invoices/{second}/receipts", json=receipt, headers=keyed())
    assert reminded == [(11, 2), (15, 2), (29, 1)]
    subjects = [m.subject for m in world.mailer.to("ana@example.org") if m.template.value == "invoice_reminder"]
    assert subjects[-1] == "Still overdue: invoice 2026-0001 from Vera"
    vera = await world.sign_in(vera.email)
    assert not (await vera.get(f"/v1/invoices/{second}")).json()["overdue"]
    found = (await vera.get("/v1/invoices", params={"overdue": "true"})).json()["items"]
    assert [each["id"] for each in found] == [first]


async def test_a_quote_is_reminded_of_once_and_expires(world: World) -> None:
    vera, organization_id = await business(world)
    quote = (await vera.post("/v1/quotes", json=asked(organization_id, valid_days=10))).json()
    address = f"/v1/quotes/{quote['id']}"
    await vera.post(f"{address}/send")
    for _ in range(12):
        world.clock.advance(timedelta(days=1))
        await world.deliver()
    vera = await world.sign_in(vera.email)
    letters = [m.subject for m in world.mailer.to("ana@example.org") if m.template.value == "quote"]
    assert letters == ["Quote Q2026-0001 from Vera", "Still open: quote Q2026-0001 from Vera"]
    assert (await vera.get(address)).json()["state"] == "expired"
    late = await vera.post(f"{address}/accept")
    assert (late.status_code, late.json()["code"]) == (409, "quote.state")


async def test_a_quote_is_answered_by_its_buyer_and_thrown_away_only_as_a_draft(world: World) -> None:
    vera, organization_id = await business(world)
    ana, rui = await world.person("Ana"), await world.person("Rui")
    quote = await vera.post("/v1/quotes", json=asked(organization_id))
    address = f"/v1/quotes/{quote.json()['id']}"
    assert (await ana.get(address)).status_code == 404
    revised = await vera.patch(address, json={"valid_days": 5}, headers={"If-Match": quote.headers["etag"]})
    assert revised.json()["valid_days"] == 5
    assert (await vera.get(f"{address}/pdf")).content.startswith(b"%PDF-")
    await vera.post(f"{address}/send")
    assert (await rui.post(f"{address}/decline")).status_code == 404
    assert (await ana.get(f"{address}/link")).json()["url"].startswith("http://guildhall.test/quotes/")
    declined = await ana.post(f"{address}/decline", json={"by": "Ana, for the family"})
    assert (declined.json()["state"], declined.json()["answered_by"]) == ("declined", "Ana, for the family")
    assert (await vera.delete(address)).status_code == 409
    other = await vera.post("/v1/quotes", json=asked(organization_id))
    assert (await vera.delete(f"/v1/quotes/{other.json()['id']}")).status_code == 204
    listed = (await vera.get("/v1/quotes", params={"state": "declined"})).json()["items"]
    assert [each["reference"] for each in listed] == ["Q2026-0001"]
