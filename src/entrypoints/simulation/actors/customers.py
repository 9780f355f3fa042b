"""Customers: they book, pay by all kinds of cards, change their minds, talk, and say what they think."""

import asyncio
from typing import Any

from entrypoints.container.simulating import Dice
from entrypoints.simulation.people import Act, Person, some

CARDS = (*("ok",) * 9, "declined", "insufficient_funds", "3ds", "3ds", "3ds_fail", "refund_fails")


async def book(me: Person, dice: Dice, mark: str) -> None:
    """Look at free slots and take one, often one of the first, like everybody; most pay for it there and then."""
    slot = me.world.wanted_now() if dice.random() < 0.6 else None
    slot = slot or await free_slot(me, dice)
    if slot is not None:
        me.world.want(slot)
    answer = await reserve(me, dice, mark, *slot) if slot else None
    if answer is not None and answer.fine and answer.body["state"] == "held" and dice.random() < 0.85:
        await asyncio.sleep(dice.choice((0.0, 0.5, 20.0)))
        await pay_for(me, dice, mark, answer.body)


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
    for attempt in range(dice.choice((1, 1, 2))):
        checkout = await me.get(f"{path}/checkout")
        for _ in range(4):
            if checkout is None or checkout["client_secret"]:
                break
            await asyncio.sleep(2.0)
            checkout = await me.get(f"{path}/checkout")
        if checkout is None or not checkout["client_secret"]:
            await me.post(f"/v1/bookings/{booking['id']}/payment", key=f"{mark}try{attempt}")
            continue
        await asyncio.sleep(dice.choice((0.0, 0.0, 0.0, 0.5, 1.0, 30.0, 120.0, 850.0, 1000.0)))
        state = await me.world.show_card(me, checkout, dice.choice(CARDS), approves=dice.random() < 0.8)
        if dice.random() < 0.4:
            await me.post(f"{path}/refresh", key=f"{mark}refresh{attempt}")
        if state != "failed":
            return
        await me.post(f"/v1/bookings/{booking['id']}/payment", key=f"{mark}again{attempt}")
        await asyncio.sleep(3.0)


async def cancel(me: Person, dice: Dice, mark: str) -> None:
    """Call one off."""
    booking = some(dice, await mine(me, "confirmed", "held", "requested"))
    if booking is not None:
        version = f'"{booking["version"]}"' if dice.random() < 0.3 else None
        path = f"/v1/bookings/{booking['id']}/cancel"
        await me.post(path, {"reason": "something came up"}, key=mark, version=version)


async def reschedule(me: Person, dice: Dice, mark: str) -> None:
    """Move one to another free slot of the same job."""
    booking = some(dice, await mine(me, "held", "confirmed", "requested"))
    slot = await free_slot(me, dice, booking["job_id"]) if booking else None
    if booking is not None and slot is not None:
        path = f"/v1/bookings/{booking['id']}/reschedule"
        await me.post(path, {"starts_at": slot[1]}, key=mark, version=f'"{booking["version"]}"')


async def look_around(me: Person, dice: Dice, _: str) -> None:
    """Read what can be read."""
    path = dice.choice(
        ("/v1/jobs", "/v1/payments", "/v1/refunds", "/v1/me", "/v1/conversations", "/v1/notifications", "/v1/sessions")
    )
    await me.get(path)


async def review(me: Person, dice: Dice, mark: str) -> None:
    """Say how it was."""
    booking = some(dice, await mine(me, "completed"))
    if booking is not None:
        said = {"stars": dice.randint(1, 5), "text": "well."}
        await me.wish("reviews", f"/v1/bookings/{booking['id']}/reviews", said, mark, field="text")


async def write(me: Person, dice: Dice, mark: str) -> None:
    """Write to the other side of a booking."""
    talk = some(dice, await talks(me))
    if talk is not None:
        path = f"/v1/conversations/{talk['conversation_id']}/messages"
        await me.wish("messages", path, {"text": "Is there parking?"}, mark, field="text")


async def read(me: Person, dice: Dice, _: str) -> None:
    """Read what was written, and mark it."""
    talk = some(dice, await talks(me))
    if talk is None or not talk["last_sequence"]:
        return
    path = f"/v1/conversations/{talk['conversation_id']}"
    page = await me.get(f"{path}/messages")
    if page is not None:
        numbers = sorted(each["sequence"] for each in page["items"])
        if numbers and len(numbers) < 20 and numbers != list(range(numbers[0], numbers[0] + len(numbers))):
            me.world.fail("C2 on the wire", f"{me.name} reads messages {numbers}")
    await me.ask("PUT", f"{path}/read", {"sequence": dice.randint(1, talk["last_sequence"])})


async def refresh(me: Person, dice: Dice, _: str) -> None:
    """Renew the session; at times from two tabs at once."""
    if dice.random() < 0.5:
        await me.renew()
    else:
        await asyncio.gather(me.renew(), me.renew())


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


async def reserve(me: Person, dice: Dice, mark: str, job_id: str, starts_at: str) -> Any:
    """Ask for that slot."""
    seats = dice.choice((1, 1, 2))
    body = {"job_id": job_id, "starts_at": starts_at, "seats": seats}
    answer = await me.wish("bookings", "/v1/bookings", body, mark, field="note")
    if answer is not None and answer.code == "booking.too_many_seats":
        body["seats"] = 1
        answer = await me.wish("bookings", "/v1/bookings", body, f"{mark}s", field="note")
    return answer


async def mine(me: Person, *states: str, side: str = "customer") -> list[dict[str, Any]]:
    """Bookings of one's own that are in these states, or were when last heard of."""
    known = me.world.known.bookings
    found = [each for each in known.values() if each[f"{side}_id"] == me.user_id and each["state"] in states]
    if not found or me.world.draw() < 0.15:
        page = await me.get("/v1/bookings", states=list(states), side=side)
        found = list(page["items"]) if page else []
        known.update((each["id"], each) for each in found)
    return found


async def talks(me: Person) -> list[dict[str, Any]]:
    """Conversations one takes part in."""
    if not me.talks or me.world.draw() < 0.25:
        page = await me.get("/v1/conversations")
        me.talks = list(page["items"]) if page else []
    return me.talks


ACTS: dict[str, Act] = {
    "book": book,
    "race": race,
    "pay": pay,
    "cancel": cancel,
    "reschedule": reschedule,
    "look_around": look_around,
    "review": review,
    "write": write,
    "read": read,
    "refresh": refresh,
}
