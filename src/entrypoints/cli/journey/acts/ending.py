"""Time goes by: work is done and reviewed, and what is called off is refunded by its policy."""

from typing import Any

from entrypoints.cli.journey.checking import Checks
from entrypoints.cli.journey.people import fresh_key
from entrypoints.cli.journey.story import Act, Story


async def work_is_done(story: Story, check: Checks) -> None:
    """Vera completes the lesson once it has been given, not before"""
    path = story.path("carla's lesson")
    check.refused(
        "five days ahead there is nothing to complete",
        await story.vera.post(f"{path}/complete"),
        409,
        "booking.not_started",
    )
    review = {"stars": 5, "text": "Three chords, and I am a musician."}
    answer = await story.carla.post(f"{path}/reviews", review)
    check.refused("nor to review", answer, 409, "review.not_completed")
    story.move_clock(story.week.at(2, "11:05"))
    check.refused("Carla cannot say it for her", await story.carla.post(f"{path}/complete"), 403, "booking.wrong_side")
    done = check.done("Tuesday, five past eleven: Vera completes it", await story.vera.post(f"{path}/complete"))
    check.same("it is completed", done["state"], "completed")
    answer = await story.carla.post(f"{path}/cancel", {"reason": "Too late?"})
    check.refused("and cannot be cancelled any more", answer, 409, "booking.wrong_state")
    check.same("no review is asked for yet", story.mail.of(story.carla.email, "review_request"), [])


async def nobody_came(story: Story, check: Checks) -> None:
    """Ruben missed his free call; Vera says so"""
    path = story.path("call")
    missed = check.done("POST .../no-show", await story.vera.post(f"{path}/no-show"))
    check.same("it is a no-show", missed["state"], "no_show")
    check.refused("and nothing else any more", await story.vera.post(f"{path}/complete"), 409, "booking.wrong_state")


async def is_reviewed(story: Story, check: Checks) -> None:
    """An hour after its end Carla is asked for a review, and writes one; Vera answers"""
    story.move_clock(story.week.at(2, "12:05"))
    await story.letter(story.carla, "review_request", check)
    reviews = story.path("carla's lesson") + "/reviews"
    words = {"stars": 5, "text": "Three chords, and I am a musician."}
    review = check.done("five stars", await story.carla.post(reviews, words), 201)
    answer = await story.carla.post(reviews, {"stars": 1})
    check.refused("once", answer, 409, "review.already_reviewed")
    answer = await story.ruben.post(reviews, words)
    check.refused("and not by somebody who was not there", answer, 404, "not_found")
    respond = f"/v1/reviews/{review['id']}/response"
    answer = await story.carla.post(respond, {"text": "Thank you, me."})
    check.refused("nobody answers her own review", answer, 403, "review.not_the_reviewed")
    check.done("Vera answers", await story.vera.post(respond, {"text": "And the fourth is coming."}))
    shown = await story.visitor.everything(f"/v1/jobs/{story.jobs['lesson']['id']}/reviews")
    check.same(
        "everybody reads both",
        [(it["text"], it["response"]) for it in shown],
        [(words["text"], "And the fourth is coming.")],
    )


async def is_rated(story: Story, check: Checks) -> None:
    """The rating shows in the search, exact to the hundredth of a star"""
    rated = await check.soon(
        "a search for four stars and more finds the lesson",
        lambda: story.visitor.everything("/v1/jobs", text="guitar", min_rating=4),
        lambda found: len(found) == 1,
    )
    check.same("one review, five stars", (rated[0]["rating_count"], rated[0]["rating_average"]), (1, 500))
    first = (await story.visitor.get("/v1/jobs", sort="-rating", limit=1)).json()["items"][0]
    check.same("it is the best of all", first["id"], story.jobs["lesson"]["id"])


async def is_refunded(story: Story, check: Checks) -> None:
    """Ruben cancels two days ahead, and by the policy gets half of it back"""
    path = story.path("ruben's lesson")
    answer = await story.carla.post(f"{path}/cancel", {})
    check.refused("nobody else cancels it", answer, 404, "not_found")
    cancelled = check.done("Ruben cancels", await story.ruben.post(f"{path}/cancel", {"reason": "A cold."}))
    half = {"amount_minor": 2250, "currency": "EUR"}
    check.same("the policy of the day he booked gives half", cancelled["refund"], half)
    payment = await check.soon(
        "the gateway sends it back",
        lambda: story.payment("ruben's lesson", story.ruben),
        lambda payment: payment["refunded"] == half,
    )
    check.same("and no more", payment["refunding"]["amount_minor"], 0)
    letter = await story.letter(story.ruben, "refund", check)
    check.that("the mail says how much", "22.50 EUR" in letter.text, letter.text)
    invite = (await story.letter(story.ruben, "booking_cancelled", check)).invite()
    check.same("his calendar forgets it", (invite.method, invite.event["STATUS"]), ("CANCEL", "CANCELLED"))
    free = await story.free_starts("lesson", 4, 4)
    check.that("the slot is free again", story.bookings["ruben's lesson"]["span"]["starts_at"] in free, free)


async def never_more(story: Story, check: Checks) -> None:
    """Nobody gets back more than was paid; Vera adds a little by hand"""
    payment_id = story.bookings["ruben's lesson"]["payment_id"]
    refunds = f"/v1/payments/{payment_id}/refunds"
    answer = await story.vera.post(refunds, {"amount_minor": 2251}, key=fresh_key())
    told = check.refused("a cent too much is refused", answer, 409, "payment.refund_too_large")
    check.same("with what is left", told["left"], 2250)
    answer = await story.ruben.post(refunds, {"amount_minor": 100}, key=fresh_key())
    check.refused("a customer does not refund himself", answer, 403, "payment.not_yours_to_refund")
    key = fresh_key()
    gift = {"amount_minor": 250, "reason": "For the tea you missed."}
    first = check.done("Vera gives 2.50 EUR", await story.vera.post(refunds, gift, key=key), 201)
    again = await story.vera.post(refunds, gift, key=key)
    check.same("once, however often it is asked", (again.status_code, again.json()["id"]), (201, first["id"]))

    async def look() -> list[Any]:
        return await story.ruben.everything("/v1/refunds", booking_id=story.bookings["ruben's lesson"]["id"])

    settled = await check.soon(
        "both refunds arrive", look, lambda found: [it["state"] for it in found] == ["succeeded"] * 2
    )
    check.same("25.00 EUR in all", sum(it["amount"]["amount_minor"] for it in settled), 2500)


ENDING = Act("Time goes by", (work_is_done, nobody_came, is_reviewed, is_rated, is_refunded, never_more))
