"""Seats of a class, work for free, and work on request."""

from entrypoints.cli.journey.checking import Checks
from entrypoints.cli.journey.people import fresh_key
from entrypoints.cli.journey.story import Act, Story


async def shares_seats(story: Story, check: Checks) -> None:
    """A class of three sells three seats, and not a fourth"""
    when = story.week.at(-1, "11:00")
    answer = await story.book(story.carla, "circle", when, seats=2, key=fresh_key())
    booking = check.done("Carla takes two seats", answer, 201)
    check.same("confirmed at once, because it is paid later", booking["state"], "confirmed")
    check.same("at twice the price of one", booking["price"]["amount_minor"], 3000)
    check.same("one is left", await _seats_left(story), 1)
    answer = await story.book(story.ruben, "circle", when, seats=2, key=fresh_key())
    check.refused("Ruben cannot have two", answer, 409, "booking.sold_out")
    answer = await story.book(story.ruben, "circle", when, seats=9, key=fresh_key())
    check.refused("nine never fit", answer, 422, "booking.too_many_seats")
    check.done("he takes the last one", await story.book(story.ruben, "circle", when, key=fresh_key()), 201)
    check.same("now the class is not on offer any more", await _seats_left(story), 0)
    answer = await story.book(story.ruben, "circle", when, key=fresh_key())
    check.refused("a fourth seat is refused", answer, 409, "booking.sold_out")
    answer = await story.book(story.ruben, "lesson", when, key=fresh_key())
    check.refused("and Vera gives no lesson meanwhile", answer, 409, "booking.slot_taken")


async def books_free(story: Story, check: Checks) -> None:
    """What costs nothing is confirmed at once, and comes with its invitation"""
    answer = await story.book(story.ruben, "call", story.week.at(-2, "14:00"), key=fresh_key())
    booking = story.bookings["call"] = check.done("Ruben books the free call", answer, 201)
    check.same("confirmed, and nothing to pay", (booking["state"], booking["payment_id"]), ("confirmed", None))

    async def uids() -> list[str]:
        return [letter.invite().uid for letter in story.mail.of(story.ruben.email, "booking_confirmed")]

    await check.soon(
        "his invitation is in the mail", uids, lambda found: any(uid.startswith(booking["id"]) for uid in found)
    )


async def asks_for_concert(story: Story, check: Checks) -> None:
    """Work on request takes no time until Vera says yes; then it is held until it is paid"""
    when = story.week.at(1, "14:00")
    answer = await story.book(story.ruben, "concert", when, key=fresh_key())
    story.bookings["concert"] = check.done("Ruben asks for a concert", answer, 201)
    check.same("it is a request", story.bookings["concert"]["state"], "requested")
    check.that("the time is still free", answer.json()["span"]["starts_at"] in await story.free_starts("concert", 1, 1))
    letter = await story.letter(story.vera, "booking_requested", check)
    check.that("which names him", story.ruben.name.split()[0] in letter.text, letter.text)
    accept = story.path("concert") + "/accept"
    answer = await story.ruben.post(accept)
    check.refused("he cannot accept for her", answer, 403, "booking.wrong_side")
    accepted = check.done("Vera accepts", await story.vera.post(accept))
    check.same("now it is held for him", accepted["state"], "held")
    story.bookings["concert"] = await story.booking("concert", story.ruben)
    page = await story.pay_page("concert", story.ruben, check)
    await page.send(card="ok")
    await story.becomes("concert", story.ruben, "confirmed", "paid, it is confirmed", check)


async def is_declined(story: Story, check: Checks) -> None:
    """A request that Vera declines ends with a word, and costs nothing"""
    answer = await story.book(story.carla, "concert", story.week.at(-1, "14:00"), key=fresh_key())
    booking = check.done("Carla asks for another", answer, 201)
    words = {"reason": "My amplifier is being mended."}
    declined = check.done("Vera declines", await story.vera.post(f"/v1/bookings/{booking['id']}/decline", words))
    check.same("it is over", (declined["state"], declined["cancelled_by"]), ("cancelled", "provider"))
    letter = await story.letter(story.carla, "booking_declined", check)
    check.that("the mail says why", "amplifier" in letter.text, letter.text)
    answer = await story.vera.post(f"/v1/bookings/{booking['id']}/accept")
    check.refused("and there is no way back", answer, 409, "booking.wrong_state")


async def _seats_left(story: Story) -> int:
    day = str(story.week.day(-1))
    found = (await story.visitor.get(f"/v1/jobs/{story.jobs['circle']['id']}/slots", first=day, last=day)).json()
    left = {slot["starts_at"]: slot["seats_left"] for slot in found["slots"]}
    when = story.week.at(-1, "11:00")
    return int(left.get(f"{when:%Y-%m-%dT%H:%M:%SZ}", 0))


SHARING = Act("Seats, gifts and requests", (shares_seats, books_free, asks_for_concert, is_declined))
