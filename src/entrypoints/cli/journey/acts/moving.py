"""They talk, and Carla moves her lesson."""

import asyncio

from entrypoints.cli.journey.calendar import moments, spelled
from entrypoints.cli.journey.checking import Checks
from entrypoints.cli.journey.people import Person
from entrypoints.cli.journey.story import Act, Story


async def they_talk(story: Story, check: Checks) -> None:
    """Carla and Vera write to each other; messages are numbered without gaps, and read marks never go back"""
    talk = await _conversation(story, story.carla)
    messages = f"/v1/conversations/{talk}/messages"
    for words in ("Shall I bring my own guitar?", "And is there a place to park?"):
        check.done("Carla writes", await story.carla.post(messages, {"text": words}), 201)
    box = (await story.vera.everything("/v1/conversations"))[0]
    check.same("Vera finds two unread, the newest on top", (box["unread"], box["last_text"]), (2, words))
    await story.letter(story.vera, "new_message", check)
    mark = f"/v1/conversations/{talk}/read"
    place = check.done("she reads them", await story.vera.put(mark, {"sequence": 2}))
    check.same("and is told how far she is", place["read_sequence"], 2)
    check.same("none is unread", (await story.vera.everything("/v1/conversations"))[0]["unread"], 0)
    check.done("she answers", await story.vera.post(messages, {"text": "Do, and park in the yard."}), 201)
    back = check.done("her mark does not go back", await story.vera.put(mark, {"sequence": 1}))
    check.same("whatever is sent", back["read_sequence"], 2)
    seen = [each["text"] for each in await story.carla.everything(messages, since=2)]
    check.same("Carla catches up from number two", seen, ["Do, and park in the yard."])


async def all_at_once(story: Story, check: Checks) -> None:
    """Both write at the same time, and every message still gets the next number"""
    messages = f"/v1/conversations/{await _conversation(story, story.carla)}/messages"
    people = (story.carla, story.vera) * 4
    answers = await asyncio.gather(*(each.post(messages, {"text": f"Word {n}"}) for n, each in enumerate(people)))
    check.same("eight messages are taken", {answer.status_code for answer in answers}, {201})
    sequences = [each["sequence"] for each in await story.vera.everything(messages, since=0)]
    check.same("one to eleven, without a gap", sequences, list(range(1, 12)))


async def nobody_else(story: Story, check: Checks) -> None:
    """What they say is nobody else's business"""
    talk = f"/v1/conversations/{await _conversation(story, story.carla)}"
    check.refused("Ruben finds no such conversation", await story.ruben.get(talk), 404, "not_found")
    answer = await story.ruben.post(f"{talk}/messages", {"text": "Hello?"})
    check.refused("and cannot write into it", answer, 404, "not_found")
    answer = await story.visitor.get(f"{talk}/messages")
    check.refused("a visitor is asked to sign in", answer, 401, "unauthenticated")


async def reschedules(story: Story, check: Checks) -> None:
    """Carla moves her lesson to Tuesday: the same booking, and the same event in both calendars"""
    old, new = story.week.at(1, "09:00"), story.week.at(2, "10:00")
    before = await story.booking("carla's lesson", story.carla)
    move = f"/v1/bookings/{before['id']}/reschedule"
    answer = await story.carla.post(move, {"starts_at": spelled(story.week.at(4, "09:00"))})
    check.refused("Ruben's hour is not to be had", answer, 409, "booking.slot_taken")
    answer = await story.carla.post(move, {"starts_at": spelled(story.week.at(3, "09:00"))})
    check.refused("nor is any on Vera's day off", answer, 409, "booking.not_offered")
    answer = await story.carla.post(move, {"starts_at": spelled(new)}, match='"1"')
    check.refused("a decision on an old version is refused", answer, 412, "outdated")
    answer = await story.carla.post(move, {"starts_at": spelled(new)}, match=f'"{before["version"]}"')
    moved = check.done("Tuesday at ten is", answer)
    kept = ("id", "reference", "price", "policy", "state", "paid")
    check.same("it stays the same booking", {it: moved[it] for it in kept}, {it: before[it] for it in kept})
    check.same("at its new time", moments([moved["span"]["starts_at"]])[0], new)
    check.that("the old slot is free again", old in moments(await story.free_starts("lesson", 1, 1)))
    check.that("the new one is not", new not in moments(await story.free_starts("lesson", 2, 2)))
    for person in (story.carla, story.vera):
        invite = (await story.letter(person, "booking_rescheduled", check)).invite()
        first = story.mail.of(person.email, "booking_confirmed")[0].invite()
        check.same("the same UID with SEQUENCE 1", (invite.uid, invite.sequence), (first.uid, first.sequence + 1))
        check.same("at the new moment", invite.event["DTSTART"], f"{new:%Y%m%dT%H%M%SZ}")


async def _conversation(story: Story, who: Person) -> str:
    path = story.path("carla's lesson") + "/conversation"
    found: str = (await who.get(path)).raise_for_status().json()["conversation"]["id"]
    return found


MOVING = Act("They talk, and move", (they_talk, all_at_once, nobody_else, reschedules))
