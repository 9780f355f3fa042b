"""Money over the API: starting to pay, failing, paying again, giving back; never twice."""

import asyncio
from typing import Any

from tests.rest.world import Api, World, keyed


async def booked(world: World) -> tuple[Api, Api, dict[str, Any]]:
    """A provider, a customer, and a booking that waits for its money."""
    vera, ana = await world.provider(), await world.person("Ana")
    return vera, ana, await world.booking(ana, await world.job(vera))


async def test_a_payment_is_shown_to_its_parties_only(world: World) -> None:
    vera, ana, booking = await booked(world)
    rui = await world.person("Rui")
    address = f"/v1/payments/{booking['payment_id']}"
    shown = await ana.get(address)
    assert (shown.json()["state"], shown.json()["amount"]) == ("open", {"amount_minor": 4500, "currency": "EUR"})
    assert (await ana.get(address, headers={"If-None-Match": shown.headers["etag"]})).status_code == 304
    assert (await vera.get(address)).status_code == 200
    assert (await rui.get(address)).status_code == 404
    assert (await vera.get(f"{address}/checkout")).status_code == 404
    assert (await ana.get(f"{address}/checkout")).json()["client_secret"]


async def test_a_failed_payment_is_started_anew_once_per_key(world: World) -> None:
    _, ana, booking = await booked(world)
    await world.pay(ana, booking, card="declined")
    failed = (await ana.get(f"/v1/payments/{booking['payment_id']}")).json()
    assert (failed["state"], failed["failure"]) == ("failed", "card_declined")
    start, key = f"/v1/bookings/{booking['id']}/payment", keyed()
    assert (await ana.post(start)).json()["code"] == "bad_request"
    tries = await asyncio.gather(*(ana.post(start, headers=key) for _ in range(3)))
    assert {each.json()["attempt"] for each in tries} == {2}
    await world.deliver()
    await world.pay(ana, booking)
    assert (await ana.get(f"/v1/bookings/{booking['id']}")).json()["state"] == "confirmed"
    paid = await ana.post(start, headers=keyed())
    assert (paid.status_code, paid.json()["code"]) == (409, "payment.already_paid")


async def test_what_costs_nothing_has_no_payment(world: World) -> None:
    vera, ana = await world.provider(), await world.person("Ana")
    job = await world.job(vera, terms="free", price={"amount_minor": 0, "currency": "EUR"})
    booking = await world.booking(ana, job)
    answer = await ana.post(f"/v1/bookings/{booking['id']}/payment", headers=keyed())
    assert (answer.status_code, answer.json()["what"]) == (404, "payment")


async def test_a_payment_is_looked_up_at_the_gateway_without_waiting_for_its_word(world: World) -> None:
    _, ana, booking = await booked(world)
    found = (await ana.get(f"/v1/payments/{booking['payment_id']}/checkout")).json()
    await world.house.container.gateway().confirm(found["gateway_ref"], found["client_secret"], "ok")
    assert (await ana.get(f"/v1/payments/{booking['payment_id']}")).json()["state"] == "open"
    refreshed = await ana.post(f"/v1/payments/{booking['payment_id']}/refresh")
    assert refreshed.json()["state"] == "captured"


async def test_two_refunds_at_once_give_back_no_more_than_was_paid(world: World) -> None:
    vera, ana, booking = await booked(world)
    await world.pay(ana, booking)
    refunds = f"/v1/payments/{booking['payment_id']}/refunds"
    part = {"amount_minor": 3000}
    answers = await asyncio.gather(*(vera.post(refunds, json=part, headers=keyed()) for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    refused = next(answer.json() for answer in answers if answer.status_code == 409)
    assert (refused["code"], refused["left"]) == ("payment.refund_too_large", 1500)
    rest = await vera.post(refunds, headers=keyed())
    assert rest.json()["amount"]["amount_minor"] == 1500
    await world.deliver()
    listed = (await ana.get("/v1/refunds", params={"booking_id": booking["id"]})).json()["items"]
    assert [each["amount"]["amount_minor"] for each in listed] == [1500, 3000]
    assert {each["state"] for each in listed} == {"succeeded"}


async def test_customers_give_nothing_back_themselves_and_a_refund_needs_a_key(world: World) -> None:
    vera, ana, booking = await booked(world)
    await world.pay(ana, booking)
    refunds = f"/v1/payments/{booking['payment_id']}/refunds"
    own = await ana.post(refunds, headers=keyed())
    assert (own.status_code, own.json()["code"]) == (403, "payment.not_yours_to_refund")
    assert (await vera.post(refunds)).status_code == 400


async def test_payments_are_listed_by_booking_and_state(world: World) -> None:
    vera, ana, booking = await booked(world)
    await world.pay(ana, booking)
    captured = {"booking_id": booking["id"], "state": "captured"}
    assert len((await vera.get("/v1/payments", params=captured)).json()["items"]) == 1
    assert (await vera.get("/v1/payments", params={"state": "failed"})).json()["items"] == []


async def test_the_pay_link_is_the_customers_and_comes_by_mail(world: World) -> None:
    vera, ana, booking = await booked(world)
    link = await ana.get(f"/v1/bookings/{booking['id']}/pay-link")
    assert link.json()["url"] in world.letter(ana.email, "booking_held").text
    assert (await vera.get(f"/v1/bookings/{booking['id']}/pay-link")).status_code == 404
