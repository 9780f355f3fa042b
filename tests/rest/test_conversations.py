"""Reviews, messages and news over the API."""

from datetime import timedelta
from typing import Any

from tests.rest.world import Api, World


async def completed(world: World) -> tuple[Api, Api, dict[str, Any]]:
    """A provider, a customer, and work between them that is done."""
    vera, ana = await world.provider(), await world.person("Ana")
    booking = await world.booking(ana, await world.job(vera, terms="later"))
    world.clock.advance(timedelta(days=2))
    vera, ana = await world.sign_in(vera.email), await world.sign_in(ana.email)
    assert (await vera.post(f"/v1/bookings/{booking['id']}/complete")).status_code == 200
    await world.deliver()
    return vera, ana, booking


async def test_a_review_counts_in_the_search_and_is_answered_once(world: World) -> None:
    vera, ana, booking = await completed(world)
    posted = await ana.post(f"/v1/bookings/{booking['id']}/reviews", json={"stars": 4, "text": "Patient."})
    assert posted.status_code == 201
    await world.deliver()
    (found,) = (await world.anybody.get("/v1/jobs", params={"min_rating": 4})).json()["items"]
    assert (found["rating_count"], found["rating_average"]) == (1, 400)
    again = await ana.post(f"/v1/bookings/{booking['id']}/reviews", json={"stars": 5})
    assert (again.status_code, again.json()["code"]) == (409, "review.already_reviewed")
    review = f"/v1/reviews/{posted.json()['id']}"
    answered = await vera.post(f"{review}/response", json={"text": "Thank you!"})
    assert answered.json()["response"] == "Thank you!"
    assert (await vera.post(f"{review}/response", json={"text": "Again!"})).status_code == 409
    for listing in (f"/v1/jobs/{booking['job_id']}/reviews", f"/v1/providers/{vera.user_id}/reviews"):
        (shown,) = (await world.anybody.get(listing)).json()["items"]
        assert (shown["author_name"], shown["stars"]) == ("Ana", 4)
    assert len((await ana.get("/v1/reviews/mine")).json()["items"]) == 1
    assert len((await vera.get("/v1/reviews/mine", params={"received": True})).json()["items"]) == 1


async def test_a_hidden_review_is_gone_for_the_public_until_it_is_restored(world: World) -> None:
    _, ana, booking = await completed(world)
    admin = await world.admin()
    review = (await ana.post(f"/v1/bookings/{booking['id']}/reviews", json={"stars": 1})).json()["id"]
    because = {"reason": "Not about the work."}
    assert (await ana.post(f"/v1/reviews/{review}/hide", json=because)).status_code == 403
    assert (await admin.post(f"/v1/reviews/{review}/hide", json=because)).json()["state"] == "hidden"
    assert (await world.anybody.get(f"/v1/reviews/{review}")).status_code == 404
    assert (await admin.post(f"/v1/reviews/{review}/restore", json=because)).json()["state"] == "published"
    assert (await world.anybody.get(f"/v1/reviews/{review}")).status_code == 200


async def test_stars_are_one_to_five_and_for_work_that_is_done(world: World) -> None:
    _, ana, booking = await completed(world)
    for stars in (0, 6, -1, 10**30):
        answer = await ana.post(f"/v1/bookings/{booking['id']}/reviews", json={"stars": stars})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    rui = await world.person("Rui")
    assert (await rui.post(f"/v1/bookings/{booking['id']}/reviews", json={"stars": 5})).status_code == 404


async def test_a_booking_has_a_conversation_with_numbered_messages_and_unread_counts(world: World) -> None:
    vera, ana = await world.provider(), await world.person("Ana")
    booking = await world.booking(ana, await world.job(vera))
    opened = (await ana.get(f"/v1/bookings/{booking['id']}/conversation")).json()
    assert {person["name"] for person in opened["people"]} == {"Ana", "Vera"}
    talk = f"/v1/conversations/{opened['conversation']['id']}"
    for text in ("Hello!", "Shall I bring a guitar?"):
        assert (await ana.post(f"{talk}/messages", json={"text": text})).status_code == 201
    (inbox,) = (await vera.get("/v1/conversations")).json()["items"]
    assert (inbox["unread"], inbox["last_text"]) == (2, "Shall I bring a guitar?")
    since = (await vera.get(f"{talk}/messages", params={"since": 1})).json()["items"]
    assert [(each["sequence"], each["text"]) for each in since] == [(2, "Shall I bring a guitar?")]
    assert (await vera.put(f"{talk}/read", json={"sequence": 2})).json()["read_sequence"] == 2
    assert (await vera.get("/v1/conversations")).json()["items"][0]["unread"] == 0
    rui = await world.person("Rui")
    assert (await rui.get(f"{talk}/messages")).status_code == 404
    assert (await rui.post(f"{talk}/messages", json={"text": "Hi"})).status_code == 404


async def test_a_message_is_reworded_by_its_sender_for_a_while(world: World) -> None:
    vera, ana = await world.provider(), await world.person("Ana")
    job = await world.job(vera)
    talk = (await ana.post("/v1/conversations", json={"job_id": job})).json()["id"]
    message = (await ana.post(f"/v1/conversations/{talk}/messages", json={"text": "Helo"})).json()
    address, wanted = f"/v1/messages/{message['id']}", {"json": {"text": "Hello"}, "headers": {"If-Match": '"1"'}}
    assert (await vera.patch(address, **wanted)).json()["code"] == "message.not_the_sender"
    assert (await ana.patch(address, **wanted)).json()["text"] == "Hello"
    assert (await ana.patch(address, **wanted)).status_code == 412
    again = await ana.post("/v1/conversations", json={"job_id": job})
    assert again.json()["id"] == talk
    assert (await ana.post("/v1/conversations", json={})).status_code == 422


async def test_news_is_listed_counted_and_read(world: World) -> None:
    vera, ana = await world.provider(), await world.person("Ana")
    await world.booking(ana, await world.job(vera))
    news = (await ana.get("/v1/notifications")).json()["items"]
    assert news[0]["kind"] == "booking.held"
    before = (await ana.get("/v1/notifications/unread")).json()
    assert (before["count"], before["more"]) == (len(news), False)
    assert (await ana.post(f"/v1/notifications/{news[0]['id']}/read")).json()["read_at"] is not None
    assert (await vera.post(f"/v1/notifications/{news[0]['id']}/read")).status_code == 404
    assert (await ana.post("/v1/notifications/read")).status_code == 204
    assert (await ana.get("/v1/notifications", params={"unread": True})).json()["items"] == []
