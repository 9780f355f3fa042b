"""Banks over the API: money set aside, cards that are kept, disputes that are answered, warnings that are heeded."""

from typing import Any

from tests.rest.world import Api, World, keyed


async def paid(world: World, card: str = "ok", **job: Any) -> tuple[Api, Api, dict[str, Any]]:
    """A provider, a customer, and a booking for which that card was shown."""
    vera, ana = await world.provider(), await world.person("Ana")
    booking = await world.booking(ana, await world.job(vera, **job))
    await world.pay(ana, booking, card=card)
    return vera, ana, booking


async def test_what_is_set_aside_is_taken_in_part_by_the_provider_and_confirms_the_booking(world: World) -> None:
    vera, ana, booking = await paid(world, terms="authorised")
    address = f"/v1/payments/{booking['payment_id']}"
    held = (await ana.get(f"/v1/bookings/{booking['id']}")).json()
    payment = (await ana.get(address)).json()
    assert (held["state"], payment["state"]) == ("held", "authorised")
    assert held["expires_at"] == payment["authorised_until"]
    refused = await ana.post(f"{address}/capture", headers=keyed())
    assert (refused.status_code, refused.json()["code"]) == (403, "payment.not_yours_to_capture")
    much = await vera.post(f"{address}/capture", json={"amount_minor": 4_501}, headers=keyed())
    assert (much.status_code, much.json()["code"], much.json()["most"]) == (409, "payment.capture_too_large", 4_500)
    taken = await vera.post(f"{address}/capture", json={"amount_minor": 3_000}, headers=keyed())
    assert taken.json()["capturing"] == {"amount_minor": 3_000, "currency": "EUR"}
    await world.deliver()
    assert (await ana.get(f"/v1/bookings/{booking['id']}")).json()["state"] == "confirmed"
    assert (await ana.get(address)).json()["captured"]["amount_minor"] == 3_000


async def test_what_is_let_go_frees_the_slot(world: World) -> None:
    vera, ana, booking = await paid(world, terms="authorised")
    address = f"/v1/payments/{booking['payment_id']}"
    assert (await vera.post(f"{address}/release")).status_code == 200
    await world.deliver()
    assert (await ana.get(f"/v1/bookings/{booking['id']}")).json()["state"] == "expired"
    late = await vera.post(f"{address}/capture", headers=keyed())
    assert (late.status_code, late.json()["code"]) == (409, "payment.not_authorised")


async def test_a_card_is_saved_pays_and_is_forgotten(world: World) -> None:
    vera, ana = await world.provider(), await world.person("Ana")
    booking = await world.booking(ana, await world.job(vera))
    setup = (await ana.post("/v1/me/payment-methods/setup")).json()
    page = f"/setups/{setup['ref']}?secret={setup['client_secret']}"
    shown = await ana.get(page)
    assert shown.status_code == 200
    assert "A card that pays" in shown.text
    assert (await ana.post(f"/setups/{setup['ref']}?secret=guessed", data={"card": "ok"})).status_code == 404
    early = await ana.post("/v1/me/payment-methods", json={"setup_ref": setup["ref"]})
    assert (early.status_code, early.json()["code"]) == (409, "payment_method.not_saved")
    assert "declined" in (await ana.post(page, data={"card": "declined"})).text
    assert "saved" in (await ana.post(page, data={"card": "ok"})).text
    saved = await ana.post("/v1/me/payment-methods", json={"setup_ref": setup["ref"]})
    assert (saved.status_code, saved.json()["last4"]) == (201, "4242")
    charged = await ana.post(f"/v1/payments/{booking['payment_id']}/charge", headers=keyed())
    assert charged.json()["state"] == "captured"
    method = saved.json()["id"]
    assert (await ana.put(f"/v1/me/payment-methods/{method}/preferred")).json()["id"] == method
    assert (await ana.delete(f"/v1/me/payment-methods/{method}")).status_code == 204
    assert (await ana.get("/v1/me/payment-methods")).json()["items"] == []
    assert (await ana.delete(f"/v1/me/payment-methods/{method}")).status_code == 404


async def test_a_dispute_is_answered_by_its_provider_and_hidden_from_the_customer(world: World) -> None:
    vera, ana, booking = await paid(world, "disputed")
    (dispute,) = (await vera.get("/v1/disputes", params={"state": "needs_response"})).json()["items"]
    address = f"/v1/disputes/{dispute['id']}"
    assert (dispute["taken"]["amount_minor"], dispute["due_at"] is not None) == (4_500, True)
    assert (await ana.get("/v1/disputes")).json()["items"] == []
    assert (await ana.get(address)).status_code == 404
    shown = await vera.get(address)
    refund = await vera.post(f"/v1/payments/{booking['payment_id']}/refunds", json={}, headers=keyed())
    assert (refund.status_code, refund.json()["code"]) == (409, "payment.disputed")
    empty = await vera.post(f"{address}/submission", headers=keyed())
    assert (empty.status_code, empty.json()["code"]) == (422, "dispute.nothing_to_say")
    said = {"explanation": "winning_evidence", "service": "A lesson."}
    etag = {"If-Match": shown.headers["etag"]}
    assert (await vera.put(f"{address}/evidence", json=said, headers=etag)).status_code == 200
    stale = await vera.put(f"{address}/evidence", json=said, headers=etag)
    assert stale.status_code == 412
    assert (await vera.post(f"{address}/submission", headers=keyed())).json()["submitting"] is True
    await world.deliver()
    won = (await vera.get(address)).json()
    assert (won["state"], won["returned"]["amount_minor"], won["submitting"]) == ("won", 4_500, False)
    over = await vera.post(f"{address}/submission", headers=keyed())
    assert (over.status_code, over.json()["code"]) == (409, "dispute.over")
    news = (await vera.get("/v1/notifications")).json()["items"]
    assert {"dispute.opened", "dispute.closed"} <= {each["kind"] for each in news}


async def test_a_warning_is_heeded_by_an_admin(world: World) -> None:
    vera, ana, booking = await paid(world, "warned")
    (warning,) = (await vera.get("/v1/fraud-warnings")).json()["items"]
    heed = f"/v1/fraud-warnings/{warning['id']}/refund"
    assert (await vera.post(heed, headers=keyed())).status_code == 403
    admin = await world.admin()
    refund = await admin.post(heed, headers=keyed())
    assert (refund.status_code, refund.json()["amount"]["amount_minor"]) == (201, 4_500)
    await world.deliver()
    assert (await ana.get(f"/v1/payments/{booking['payment_id']}")).json()["refunded"]["amount_minor"] == 4_500
    again = await admin.post(heed, headers=keyed())
    assert (again.status_code, again.json()["code"]) == (409, "warning.heeded")
