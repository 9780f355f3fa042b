"""Carla and Ruben book and pay, and a hold that nobody pays ends."""

import asyncio
from datetime import timedelta

from entrypoints.cli.journey.calendar import moments, spelled
from entrypoints.cli.journey.checking import Checks
from entrypoints.cli.journey.people import fresh_key
from entrypoints.cli.journey.story import Act, Story


async def carla_books(story: Story, check: Checks) -> None:
    """Carla books Monday at nine; asked again with the same key it is the same booking"""
    nine, key = story.week.at(1, "09:00"), fresh_key()
    answer = await story.book(story.carla, "lesson", nine, key=key, note="I have a guitar of my own.")
    booking = check.done("POST /v1/bookings holds the slot", answer, 201)
    story.bookings["carla's lesson"] = booking
    check.same("at the job's price", booking["price"], {"amount_minor": 4500, "currency": "EUR"})
    check.that("with a reference people can read out", len(booking["reference"]) == 9, booking["reference"])
    held = moments([booking["created_at"], booking["expires_at"]])
    check.same("for a quarter of an hour", held[1] - held[0], timedelta(minutes=15))
    again = await story.book(story.carla, "lesson", nine, key=key, note="I have a guitar of my own.")
    check.same("the same key answers the same, to the letter", (again.status_code, again.json()), (201, booking))
    check.same("and says so", again.headers.get("idempotent-replayed"), "true")
    other = await story.book(story.carla, "lesson", nine, key=key, note="I have none.")
    check.refused("the same key with another body is refused", other, 422, "idempotency.key_reused")
    wanted = {"job_id": booking["job_id"], "starts_at": spelled(nine)}
    check.refused(
        "a booking without a key is refused", await story.carla.post("/v1/bookings", wanted), 400, "bad_request"
    )
    listed = await story.carla.everything("/v1/bookings")
    check.same("there is one booking", [each["id"] for each in listed], [booking["id"]])


async def rival_refused(story: Story, check: Checks) -> None:
    """Ruben wants the same hour and is refused; what is not listed is not to be had either"""
    nine = story.week.at(1, "09:00")
    answer = await story.book(story.ruben, "lesson", nine, key=fresh_key())
    check.refused("the slot is taken", answer, 409, "booking.slot_taken")
    left = moments(await story.free_starts("lesson", 1, 1))
    check.that("it is no longer listed", nine not in left, left)
    check.that("nor is the next, which its buffer reaches into", story.week.at(1, "10:00") not in left, left)
    answer = await story.book(story.ruben, "lesson", story.week.at(1, "11:30"), key=fresh_key())
    check.refused("a start between two starts is not offered", answer, 409, "booking.not_offered")
    answer = await story.book(story.vera, "lesson", story.week.at(1, "11:00"), key=fresh_key())
    check.refused("nobody books herself", answer, 403, "booking.own_job")
    answer = await story.ruben.get(story.path("carla's lesson"))
    check.refused("and Carla's booking is nobody else's business", answer, 404, "not_found")


async def declined_card(story: Story, check: Checks) -> None:
    """Carla follows the mailed link to the pay page; her first card is declined, and the slot stays hers"""
    letter = await story.letter(story.carla, "booking_held", check)
    page = await story.pay_page("carla's lesson", story.carla, check)
    check.same("the mail links to that page", letter.link("/bookings/"), str(page.answer.url))
    check.that(
        "it says what is paid, and how much", "45.00 EUR" in page.words and "Guitar lesson" in page.words, page.words
    )
    await page.send(card="declined")
    payment = await check.soon(
        "the gateway's webhook tells that it failed",
        lambda: story.payment("carla's lesson", story.carla),
        lambda payment: payment["state"] == "failed",
    )
    check.same("and why", payment["failure"], "card_declined")
    page = await story.pay_page("carla's lesson", story.carla, check)
    check.that("the page says so in words", "declined" in page.words, page.words)
    booking = await story.booking("carla's lesson", story.carla)
    check.same("the slot is still held", booking["state"], "held")


async def second_attempt(story: Story, check: Checks) -> None:
    """She begins a new attempt, pays, and the webhook confirms the booking"""
    begin, key = story.path("carla's lesson") + "/payment", fresh_key()
    answer = await story.carla.post(begin, key=key)
    check.same("a fresh attempt begins", check.done("POST .../payment", answer)["attempt"], 2)
    again = await story.carla.post(begin, key=key)
    check.same("once, however often it is asked", again.json()["attempt"], 2)
    page = await story.pay_page("carla's lesson", story.carla, check)
    check.done("the good card is taken", (await page.send(card="ok")).answer)
    said = "the webhook confirms the booking; nothing else does"
    booking = await story.becomes("carla's lesson", story.carla, "confirmed", said, check)
    check.that("it is paid", booking["paid"] and booking["confirmed_at"], booking)
    payment = await story.payment("carla's lesson", story.carla)
    check.same("45.00 EUR were captured", payment["captured"], {"amount_minor": 4500, "currency": "EUR"})
    page = await page.opened(story.http, str(page.answer.url))
    check.that("the pay page has nothing left to pay", "confirmed" in page.words and not page.forms, page.words)
    answer = await story.carla.post(begin, key=fresh_key())
    check.refused("nobody pays twice", answer, 409, "payment.already_paid")


async def invited(story: Story, check: Checks) -> None:
    """The mails are in the folder: receipt, and the confirmation with its calendar file, to both sides"""
    booking = story.bookings["carla's lesson"]
    receipt = await story.letter(story.carla, "receipt", check)
    check.that("the receipt says how much", "45.00 EUR" in receipt.text, receipt.text)
    starts = moments([booking["span"]["starts_at"]])[0]
    for person in (story.carla, story.vera):
        letter = await story.letter(person, "booking_confirmed", check)
        check.that("with the reference", booking["reference"] in letter.text, letter.text)
        invite = letter.invite()
        check.that("the .ics has the booking's UID", invite.uid.startswith(booking["id"]), invite.event)
        check.same("it is a request with SEQUENCE 0", (invite.method, invite.sequence), ("REQUEST", 0))
        check.same("at the right moment", invite.event["DTSTART"], f"{starts:%Y%m%dT%H%M%SZ}")


async def three_d_secure(story: Story, check: Checks) -> None:
    """Ruben books Thursday; his bank asks him to approve (3-D Secure), and only then it is his"""
    answer = await story.book(story.ruben, "lesson", story.week.at(4, "09:00"), key=fresh_key())
    story.bookings["ruben's lesson"] = check.done("he holds Thursday at nine", answer, 201)
    page = await story.pay_page("ruben's lesson", story.ruben, check)
    bank = await page.send(card="3ds")
    check.that("his bank asks for approval", "approve" in bank.words.lower() and bank.forms, bank.words)
    await check.soon(
        "the payment waits for him",
        lambda: story.payment("ruben's lesson", story.ruben),
        lambda payment: payment["state"] == "requires_action",
    )
    booking = await story.booking("ruben's lesson", story.ruben)
    check.same("nothing is confirmed yet", booking["state"], "held")
    await bank.send(approved="yes")
    await story.becomes("ruben's lesson", story.ruben, "confirmed", "approved, the webhook confirms it", check)


async def at_once(story: Story, check: Checks) -> None:
    """Both ask for Thursday at two in the same instant: one gets it"""
    wanted = story.week.at(4, "14:00")
    people = (story.carla, story.ruben)
    answers = await asyncio.gather(*(story.book(each, "lesson", wanted, key=fresh_key()) for each in people))
    codes = sorted(answer.status_code for answer in answers)
    check.same("one is held, the other refused", codes, [201, 409])
    winner, loser = sorted(answers, key=lambda answer: answer.status_code)
    check.refused("by the code that says why", loser, 409, "booking.slot_taken")
    story.bookings["nobody's lesson"] = winner.json()
    left = moments(await story.free_starts("lesson", 4, 4))
    check.that("the slot is gone", wanted not in left, left)


async def hold_ends(story: Story, check: Checks) -> None:
    """Nobody pays that one: twenty minutes later it has ended by itself, and the slot is free again"""
    name = "nobody's lesson"
    customer = story.carla if story.bookings[name]["customer_id"] == story.carla.id else story.ruben
    link = (await customer.get(f"{story.path(name)}/pay-link")).json()["url"]
    before = [dict(person.tokens or {}) for person in (story.carla, story.ruben, story.vera)]
    story.move_clock(story.week.opening + timedelta(minutes=20))
    left = moments(await story.free_starts("lesson", 4, 4))
    check.that("the slot is on offer again", story.week.at(4, "14:00") in left, left)
    await story.becomes(name, customer, "expired", "the hold has expired", check)
    shown = await story.http.get(link)
    check.that("its pay page takes nothing any more", "nothing to pay" in shown.text, shown.text)
    answer = await customer.post(f"{story.path(name)}/payment", key=fresh_key())
    check.refused("nor does the API", answer, 409, "payment.called_off")
    confirmed = await story.booking("ruben's lesson", story.ruben)
    check.same("what was paid stands", confirmed["state"], "confirmed")
    await story.vera.get("/v1/me")
    await (story.ruben if customer is story.carla else story.carla).get("/v1/me")
    after = [dict(person.tokens or {}) for person in (story.carla, story.ruben, story.vera)]
    renewed = all(
        a["access_token"] != b["access_token"] and a["session_id"] == b["session_id"]
        for a, b in zip(after, before, strict=True)
    )
    check.that("access tokens ran out meanwhile, and the sessions went on with fresh ones", renewed)


PAYING = Act(
    "They book and pay",
    (carla_books, rival_refused, declined_card, second_attempt, invited, three_d_secure, at_once, hold_ends),
)
