"""Booking over the API: once under a key, one of many, moved, called off, done."""

import asyncio
from datetime import timedelta

import pytest

from tests.rest.world import World, at, keyed


async def test_a_slot_is_booked_paid_and_confirmed_by_the_webhook(world: World) -> None:
    vera, ana = await world.provider(), await world.person("Ana")
    held = await world.booking(ana, await world.job(vera))
    assert (held["state"], held["paid"], held["price"]) == ("held", False, {"amount_minor": 4500, "currency": "EUR"})
    await world.pay(ana, held)
    confirmed = (await ana.get(f"/v1/bookings/{held['id']}")).json()
    assert (confirmed["state"], confirmed["paid"]) == ("confirmed", True)
    assert world.letter(ana.email, "booking_confirmed").attachments


async def test_a_booking_needs_a_key_and_a_retry_finds_the_same_booking(world: World) -> None:
    vera, ana = await world.provider(), await world.person("Ana")
    wanted, key = {"job_id": await world.job(vera), "starts_at": at(10)}, keyed()
    keyless = await ana.post("/v1/bookings", json=wanted)
    assert (keyless.status_code, keyless.json()["field"]) == (400, "idempotency-key")
    answers = await asyncio.gather(*(ana.post("/v1/bookings", json=wanted, headers=key) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sorted("idempotent-replayed" in answer.headers for answer in answers) == [False, True, True, True, True]
    await world.deliver()
    replayed = await ana.post("/v1/bookings", json=wanted, headers=key)
    assert (replayed.json(), replayed.headers["etag"]) == (answers[0].json(), '"1"')


async def test_of_many_who_want_one_slot_one_gets_it(world: World) -> None:
    vera, job = await world.provider(), ""
    job = await world.job(vera)
    rivals = [await world.person(f"Rival{number}") for number in range(8)]
    answers = await asyncio.gather(*(rival.book(job, at(10)) for rival in rivals))
    codes = sorted(answer.json().get("code", "booked") for answer in answers)
    assert codes == ["booked", *["booking.slot_taken"] * 7]
    assert {answer.status_code for answer in answers} == {201, 409}


@pytest.mark.parametrize("starts_at", [at(10, day=-1), at(5), "2026-03-03T10:07:00Z", "2031-03-03T10:00:00Z"])
async def test_what_is_not_offered_cannot_be_booked(world: World, starts_at: str) -> None:
    vera, ana = await world.provider(), await world.person("Ana")
    answer = await ana.book(await world.job(vera), starts_at)
    assert (answer.status_code, answer.json()["code"]) == (409, "booking.not_offered")


async def test_a_moment_without_an_offset_or_of_no_calendar_is_refused(world: World) -> None:
    vera, ana = await world.provider(), await world.person("Ana")
    job = await world.job(vera)
    for wrong in ("2026-03-03T10:00:00", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00", "tomorrow"):
        assert (await ana.book(job, wrong)).status_code == 422


async def test_nobody_books_their_own_job_or_one_that_is_not_there(world: World) -> None:
    vera, ana = await world.provider(), await world.person("Ana")
    assert (await vera.book(await world.job(vera), at(10))).json()["code"] == "booking.own_job"
    missing = await ana.book("00000000-0000-0000-0000-000000000007", at(10))
    assert (missing.status_code, missing.json()["what"]) == (404, "job")


async def test_others_do_not_see_a_booking(world: World) -> None:
    vera, ana, rui = await world.provider(), await world.person("Ana"), await world.person("Rui")
    booking = await world.booking(ana, await world.job(vera))
    address = f"/v1/bookings/{booking['id']}"
    assert (await vera.get(address)).status_code == (await ana.get(address)).status_code == 200
    assert (await rui.get(address)).status_code == 404
    assert (await rui.post(f"{address}/cancel")).status_code == 404
    assert (await world.anybody.get(address)).status_code == 401


async def test_each_side_lists_its_own_bookings_and_filters_them(world: World) -> None:
    vera, ana = await world.provider(), await world.person("Ana")
    job = await world.job(vera, terms="free", price={"amount_minor": 0, "currency": "EUR"})
    first, second = await world.booking(ana, job, 10, day=2), await world.booking(ana, job, 10, day=1)
    hers = (await ana.get("/v1/bookings", params={"sort": "start"})).json()["items"]
    assert [each["id"] for each in hers] == [second["id"], first["id"]]
    assert (await vera.get("/v1/bookings")).json()["items"] == []
    performed = await vera.get("/v1/bookings", params={"side": "provider", "states": ["confirmed", "held"]})
    assert len(performed.json()["items"]) == 2
    late = await ana.get("/v1/bookings", params={"starts_from": at(0, day=2)})
    assert [each["id"] for each in late.json()["items"]] == [first["id"]]
    assert (await ana.get("/v1/bookings", params={"starts_from": "2026-03-03T00:00:00"})).status_code == 422


async def test_a_booking_is_moved_by_who_saw_its_present_version(world: World) -> None:
    vera, ana = await world.provider(), await world.person("Ana")
    booking = await world.booking(ana, await world.job(vera, terms="later"))
    address, elsewhere = f"/v1/bookings/{booking['id']}/reschedule", {"starts_at": at(15)}
    late = await ana.post(address, json=elsewhere, headers={"If-Match": '"7"'})
    assert late.status_code == 412
    moved = await ana.post(address, json=elsewhere, headers={"If-Match": f'"{booking["version"]}"'})
    assert (moved.json()["span"]["starts_at"], moved.json()["sequence"]) == ("2026-03-03T15:00:00Z", 1)
    assert (await ana.post(address, json=elsewhere)).json()["code"] == "booking.unmoved"


async def test_a_request_is_accepted_or_declined_by_the_provider_alone(world: World) -> None:
    vera, ana = await world.provider(), await world.person("Ana")
    job = await world.job(vera, acceptance="request")
    one, other = await world.booking(ana, job, 10), await world.booking(ana, job, 14)
    assert one["state"] == "requested"
    own = await ana.post(f"/v1/bookings/{one['id']}/accept")
    assert (own.status_code, own.json()["code"]) == (403, "booking.wrong_side")
    assert (await vera.post(f"/v1/bookings/{one['id']}/accept")).json()["state"] == "held"
    declined = await vera.post(f"/v1/bookings/{other['id']}/decline", json={"reason": "I am away."})
    assert (declined.json()["state"], declined.json()["cancel_reason"]) == ("cancelled", "I am away.")


async def test_a_cancelled_booking_gives_back_what_its_policy_says(world: World) -> None:
    vera, ana = await world.provider(), await world.person("Ana")
    job = await world.job(vera, policy="moderate")
    booking = await world.booking(ana, job, day=3)
    await world.pay(ana, booking)
    cancelled = (await ana.post(f"/v1/bookings/{booking['id']}/cancel", json={"reason": "Ill."})).json()
    assert (cancelled["state"], cancelled["refund"]) == ("cancelled", {"amount_minor": 2250, "currency": "EUR"})
    await world.deliver()
    payment = (await ana.get(f"/v1/payments/{booking['payment_id']}")).json()
    assert (payment["refunded"]["amount_minor"], payment["refunding"]["amount_minor"]) == (2250, 0)
    again = await ana.post(f"/v1/bookings/{booking['id']}/cancel")
    assert (again.status_code, again.json()["code"]) == (409, "booking.wrong_state")


async def test_work_is_completed_or_missed_once_it_has_begun(world: World) -> None:
    vera, ana = await world.provider(), await world.person("Ana")
    job = await world.job(vera, terms="later")
    done, missed = await world.booking(ana, job, 10), await world.booking(ana, job, 14)
    early = await vera.post(f"/v1/bookings/{done['id']}/complete")
    assert early.json()["code"] == "booking.not_started"
    world.clock.advance(timedelta(days=2))
    vera = await world.sign_in(vera.email)
    assert (await vera.post(f"/v1/bookings/{done['id']}/complete")).json()["state"] == "completed"
    assert (await vera.post(f"/v1/bookings/{missed['id']}/no-show")).json()["state"] == "no_show"


async def test_a_hold_that_nobody_pays_gives_its_slot_back(world: World) -> None:
    vera, ana = await world.provider(), await world.person("Ana")
    job = await world.job(vera)
    booking = await world.booking(ana, job)
    world.clock.advance(timedelta(minutes=16))
    await world.deliver()
    ana = await world.sign_in(ana.email)
    assert (await ana.get(f"/v1/bookings/{booking['id']}")).json()["state"] == "expired"
    assert (await ana.book(job, at(10))).status_code == 201
