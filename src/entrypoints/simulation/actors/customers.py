"""Customers: they book, pay by all kinds of cards, change their minds, talk, and say what they think."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

from entrypoints.container.simulating import Dice
from entrypoints.simulation.people import Act, Person, some

CARDS = (
    *("ok",) * 16,
    "declined",
    "insufficient_funds",
    "3ds",
    "3ds",
    "3ds_fail",
    "refund_fails",
    "disputed",
    "warned",
)
PAUSES = (*(0.0,) * 6, 0.5, 1.0, 30.0, 120.0, 850.0, 1000.0)
"""Seconds in which somebody looks for their card; the last are about what a hold lasts, and more."""


async def book(me: Person, dice: Dice, mark: str) -> None:
    """Look at free slots and take one, often one of the first, like everybody; most pay for it there and then."""
    slot = me.world.wanted_now() if dice.random() < 0.6 else None
    slot = slot or await free_slot(me, dice)
    if slot is not None:
        me.world.want(slot)
        await take(me, dice, mark, slot)


async def take(me: Person, dice: Dice, mark: str, slot: tuple[str, str]) -> None:
    """Ask for that slot; most pay for it there and then."""
    answer = await reserve(me, dice, mark, *slot)
    if answer is not None and answer.fine and answer.body["state"] == "held" and dice.random() < 0.92:
        await asyncio.sleep(dice.choice((0.0, 0.5, 0.5, 20.0)))
        await pay_for(me, dice, mark, answer.body)


async def rush(me: Person, dice: Dice, mark: str) -> None:
    """Want what everybody wants: whoever is in a crowd asks for the same slot in the same moment."""
    slot = me.world.wanted_now() or await free_slot(me, dice)
    if slot is not None:
        me.world.want(slot)
    await asyncio.sleep(1.0)
    slot = me.world.wanted_now() or slot
    if slot is not None:
        await take(me, dice, mark, slot)


async def race(me: Person, dice: Dice, mark: str) -> None:
    """Want the very slot that somebody else wants in this moment."""
    slot = me.world.wanted_now() or await free_slot(me, dice)
    if slot is None:
        return
    me.world.want(slot)
    await asyncio.gather(*(reserve(me, dice, f"{mark}{letter}", *slot) for letter in "ab"))


async def pay(me: Person, dice: Dice, mark: str) -> None:
    """Pay for what is held."""
    booking = some(dice, await mine(me, "held"))
    if booking is not None:
        await pay_for(me, dice, mark, booking)


async def pay_for(me: Person, dice: Dice, mark: str, booking: dict[str, Any]) -> None:
    """Pay at the gateway, by card: at once, in time, or too late, and sometimes again after it failed."""
    if booking["payment_id"] is None:
        return
    path = f"/v1/payments/{booking['payment_id']}"
    for attempt in range(dice.choice((1, 2, 3))):
        checkout = await me.get(f"{path}/checkout")
        for patience in (2.0, 20.0, 60.0):
            if checkout is None or checkout["client_secret"]:
                break
            await asyncio.sleep(patience)
            checkout = await me.get(f"{path}/checkout")
        if checkout is None or not checkout["client_secret"]:
            await me.post(f"/v1/bookings/{booking['id']}/payment", key=f"{mark}try{attempt}")
            continue
        me.world.expectations.charged(booking, checkout)
        await asyncio.sleep(dice.choice(PAUSES))
        state = await me.world.show_card(me, checkout, dice.choice(CARDS), approves=dice.random() < 0.8)
        if dice.random() < 0.25:
            await me.post(f"{path}/refresh", key=f"{mark}refresh{attempt}")
        if state != "failed":
            return
        await me.post(f"/v1/bookings/{booking['id']}/payment", key=f"{mark}again{attempt}")
        await asyncio.sleep(3.0)


async def cancel(me: Person, dice: Dice, mark: str) -> None:
    """Call one off, most often one that was paid: long before, shortly before, or when it has begun."""
    booking = chosen_of(dice, await mine(me, "confirmed", "held", "requested"))
    if booking is None:
        await book(me, dice, mark)
        return
    version = f'"{booking["version"]}"' if dice.random() < 0.2 else None
    await call_off(me, booking, mark, version=version)


async def call_off(me: Person, booking: dict[str, Any], key: str, *, version: str | None = None) -> None:
    """Cancel this booking, and look at what is given back."""
    path = f"/v1/bookings/{booking['id']}/cancel"
    answer = await me.post(path, {"reason": "something came up"}, key=key, version=version)
    if answer is not None and answer.fine:
        me.world.expectations.called_off(answer.body)


async def reschedule(me: Person, dice: Dice, mark: str) -> None:
    """Move one to another free slot of the same job."""
    booking = some(dice, await mine(me, "held", "confirmed", "requested"))
    slot = await free_slot(me, dice, booking["job_id"]) if booking else None
    if booking is not None and slot is not None:
        path = f"/v1/bookings/{booking['id']}/reschedule"
        version = f'"{booking["version"]}"' if dice.random() < 0.4 else "*"
        await me.post(path, {"starts_at": slot[1]}, key=mark, version=version)


async def look_around(me: Person, dice: Dice, _: str) -> None:
    """Read what can be read."""
    path = dice.choice(
        ("/v1/jobs", "/v1/payments", "/v1/refunds", "/v1/me", "/v1/conversations", "/v1/notifications", "/v1/sessions")
    )
    await me.get(path)


async def review(me: Person, dice: Dice, mark: str) -> None:
    """Say how it was; or somebody else says it, who had something done."""
    done = {each["id"]: each for each in await mine(me, "completed")}
    done |= {each["id"]: each for each in me.world.known.bookings.values() if each["state"] == "completed"}
    booking = some(dice, list(done.values()))
    if booking is None:
        await book(me, dice, mark)
    else:
        said = {"stars": dice.randint(1, 5), "text": "well."}
        people = me.world.people.values()
        author = next((each for each in people if each.user_id == booking["customer_id"]), me)
        await author.wish("reviews", f"/v1/bookings/{booking['id']}/reviews", said, mark, field="text")


async def write(me: Person, dice: Dice, mark: str) -> None:
    """Write to the other side of a booking, who may write in the same moment."""
    talk = some(dice, await talks(me))
    if talk is None:
        return
    path = f"/v1/conversations/{talk['conversation_id']}/messages"
    said = [me.wish("messages", path, {"text": "Is there parking?"}, mark, field="text")]
    known = [{each["conversation_id"] for each in person.talks} for person in me.world.people.values()]
    people = zip(me.world.people.values(), known, strict=True)
    other = some(dice, [each for each, theirs in people if each is not me and talk["conversation_id"] in theirs])
    if other is not None and dice.random() < 0.6:
        said.append(other.wish("messages", path, {"text": "There is."}, f"{mark}other", field="text"))
    await asyncio.gather(*said)


async def read(me: Person, dice: Dice, _: str) -> None:
    """Read what was written, and mark it."""
    talk = some(dice, [each for each in await talks(me) if each["last_sequence"]])
    if talk is None:
        return
    path = f"/v1/conversations/{talk['conversation_id']}"
    page = await me.get(f"{path}/messages")
    if page is not None:
        numbers = sorted(each["sequence"] for each in page["items"])
        if numbers and len(numbers) < 20 and numbers != list(range(numbers[0], numbers[0] + len(numbers))):
            me.world.fail("C2 on the wire", f"{me.name} reads messages {numbers}")
    last = talk["last_sequence"]
    # Two devices: one has seen everything, the other less.
    for sequence in (last, dice.randint(1, last)):
        await me.ask("PUT", f"{path}/read", {"sequence": sequence})


async def refresh(me: Person, dice: Dice, _: str) -> None:
    """Renew the session; at times from two tabs at once."""
    if dice.random() < 0.5:
        await me.renew()
    else:
        await asyncio.gather(me.renew(), me.renew())


async def take_what_is_not_offered(me: Person, dice: Dice, mark: str) -> None:
    """Ask for a time between the slots: nobody offers it, nobody gets it."""
    slot = await free_slot(me, dice)
    if slot is None:
        return
    between = datetime.fromisoformat(slot[1]) + timedelta(minutes=7)
    wanted = {"job_id": slot[0], "starts_at": between.isoformat()}
    answer = await me.wish("bookings", "/v1/bookings", wanted, mark, field="note")
    if answer is not None and answer.fine:
        me.world.fail("B6 on the wire", f"{me.name} was given {between}, which is not offered")


async def change_password(me: Person, _: Dice, mark: str) -> None:
    """Set another password: what was opened on another device with the old one ends with it."""
    form = {"email": me.email, "password": me.password}
    other = await me.ask("POST", "/v1/sessions", form, signed=False, tries=1)
    change = {"current_password": me.password, "new_password": f"quite another {mark} password"}
    answer = await me.ask("PUT", "/v1/me/password", change, tries=1)
    if answer is None or answer.status == 503:
        # Nobody said whether it is so.
        kept, me.password = me.password, change["new_password"]
        if not await me.sign_in():
            me.password = kept
        return
    if not answer.fine:
        return
    me.password = change["new_password"]
    if other is not None and other.fine and await me.believed(other.body["access_token"]):
        me.world.fail("A5 on the wire", f"a session of {me.name}'s goes on with a password that was changed")


async def free_slot(me: Person, dice: Dice, job_id: str | None = None) -> tuple[str, str] | None:
    """A job and one of its starts."""
    known = me.world.known
    if job_id is None:
        if not known.jobs or dice.random() < 0.1:
            page = await me.get("/v1/jobs", limit=30)
            offered = [each for each in page["items"] if each["provider_id"] in me.world.open_providers] if page else []
            known.jobs = [each["id"] for each in offered]
        job_id = some(dice, known.jobs)
    if job_id is None:
        return None
    starts, until = known.slots.get(job_id, ([], 0.0))
    if me.world.loop.time() >= until or not starts:
        found = await me.get(f"/v1/jobs/{job_id}/slots")
        starts = [slot["starts_at"] for slot in found["slots"]] if found else []
        known.slots[job_id] = starts, me.world.loop.time() + dice.choice((0.0, 60.0, 3600.0))
    start = some(dice, starts[: dice.choice((1, 3, 40))])
    return (job_id, start) if start else None


async def reserve(me: Person, dice: Dice, mark: str, job_id: str, starts_at: str, *, seats: int = 0) -> Any:
    """Ask for that slot, for one or two, or for so many."""
    seats = seats or dice.choice((1, 1, 2))
    body = {"job_id": job_id, "starts_at": starts_at, "seats": seats}
    answer = await me.wish("bookings", "/v1/bookings", body, mark, field="note")
    if answer is not None and answer.code == "booking.too_many_seats":
        body["seats"] = 1
        answer = await me.wish("bookings", "/v1/bookings", body, f"{mark}s", field="note")
    if (
        answer is not None
        and answer.code == "booking.slot_taken"
        and me.world.facts.nobody_stands_at(job_id, starts_at)
    ):
        me.world.fail("B4 on the wire", f"{me.name} is refused {starts_at}, where nobody stands but lapsed holds")
    return answer


async def mine(me: Person, *states: str, side: str = "customer") -> list[dict[str, Any]]:
    """Bookings of one's own that are in these states, or were when last heard of."""
    known = me.world.known.bookings
    found = [each for each in known.values() if each[f"{side}_id"] == me.user_id and each["state"] in states]
    if me.looks_again(f"bookings {side} {states}") or me.world.draw() < 0.1:
        page = await me.get("/v1/bookings", states=list(states), side=side)
        found = list(page["items"]) if page else []
        known.update((each["id"], each) for each in found)
    return found


async def talks(me: Person) -> list[dict[str, Any]]:
    """Conversations one takes part in: those that are lively, and that of a booking of one's own, where nobody may have
    said anything yet."""
    if not me.talks or me.world.draw() < 0.25:
        page = await me.get("/v1/conversations")
        me.talks = list(page["items"]) if page else []
        known = me.world.known.bookings.values()
        own = [each for each in known if me.user_id in (each["customer_id"], each["provider_id"])]
        if own:
            booking = own[int(me.world.draw() * len(own))]
            found = await me.get(f"/v1/bookings/{booking['id']}/conversation")
            about = found["conversation"]["id"] if found else None
            if about is not None and all(about != talk["conversation_id"] for talk in me.talks):
                me.talks.append({"conversation_id": about, "last_sequence": None})
    return me.talks


def chosen_of(dice: Dice, bookings: list[dict[str, Any]]) -> dict[str, Any] | None:
    """One of these, most often one that is paid; at times the next to begin, at times the last."""
    paid = [each for each in bookings if each["state"] == "confirmed" and each["terms"] == "prepaid"]
    among = paid if paid and dice.random() < 0.8 else bookings
    among = sorted(among, key=lambda each: (each["span"]["starts_at"], each["id"]))
    return among[dice.choice((0, -1, int(dice.random() * len(among))))] if among else None


ACTS: dict[str, Act] = {
    "book": book,
    "rush": rush,
    "race": race,
    "pay": pay,
    "cancel": cancel,
    "reschedule": reschedule,
    "look_around": look_around,
    "review": review,
    "write": write,
    "read": read,
    "refresh": refresh,
    "take_what_is_not_offered": take_what_is_not_offered,
    "change_password": change_password,
}
