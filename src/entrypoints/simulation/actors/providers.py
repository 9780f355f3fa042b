"""Providers: they answer requests, do the work, give money back, and change what they offer and when."""

import asyncio
from collections.abc import Awaitable
from datetime import datetime, timedelta
from typing import Any

from entrypoints.container.simulating import Dice
from entrypoints.simulation.actors.customers import call_off as cancel
from entrypoints.simulation.actors.customers import chosen_of, free_slot, look_around, mine, reserve, review, write
from entrypoints.simulation.people import Act, Person, some
from entrypoints.simulation.town import WEEK


async def answer(me: Person, dice: Dice, mark: str) -> None:
    """Say yes or no to requests."""
    waiting = await mine(me, "requested", side="provider")
    if not waiting:
        await finish(me, dice, mark)
    for booking in dice.sample(waiting, min(3, len(waiting))):
        key = f"{mark}{booking['reference']}"
        if dice.random() < 0.8:
            await me.post(f"/v1/bookings/{booking['id']}/accept", key=key)
        else:
            await me.post(f"/v1/bookings/{booking['id']}/decline", {"reason": "I am away"}, key=key)


async def finish(me: Person, dice: Dice, mark: str) -> None:
    """Say that work was done, or that nobody came; sometimes too early."""
    standing = await mine(me, "confirmed", side="provider")
    begun = [each for each in standing if datetime.fromisoformat(each["span"]["starts_at"]) <= me.world.now]
    early = some(dice, standing)
    if not begun and dice.random() < 0.8:
        await refund(me, dice, mark)
        return
    for booking in begun[:3] if begun and dice.random() < 0.9 else [early] if early else []:
        how = "complete" if dice.random() < 0.75 else "no-show"
        await me.post(f"/v1/bookings/{booking['id']}/{how}", key=f"{mark}{booking['reference']}")


async def call_off(me: Person, dice: Dice, mark: str) -> None:
    """Cancel somebody's booking; they may be doing the same."""
    booking = chosen_of(dice, await mine(me, "held", "confirmed", side="provider"))
    if booking is None:
        return
    calls = [cancel(me, booking, mark)]
    theirs = [each for each in me.world.people.values() if each.user_id == booking["customer_id"]]
    if theirs and dice.random() < 0.25:
        calls.append(cancel(theirs[0], booking, f"{mark}theirs"))
    await asyncio.gather(*calls)


async def move(me: Person, dice: Dice, mark: str) -> None:
    """Move somebody's booking."""
    booking = some(dice, await mine(me, "confirmed", "held", side="provider"))
    slot = await free_slot(me, dice, booking["job_id"]) if booking else None
    if booking is not None and slot is not None:
        await me.post(f"/v1/bookings/{booking['id']}/reschedule", {"starts_at": slot[1]}, key=mark, version="*")


async def refund(me: Person, dice: Dice, mark: str) -> None:
    """Give back some or all of a payment, some of it twice."""
    payment = some(dice, await paid(me))
    if payment is not None:
        await give_back(me, dice, mark, payment)


async def give_back(me: Person, dice: Dice, mark: str, payment: dict[str, Any]) -> None:
    """Refunds of one payment, one after the other or at once, up to all of it and beyond."""
    me.world.expectations.by_hand(payment["id"])
    path = f"/v1/payments/{payment['id']}/refunds"
    bodies: list[dict[str, Any]] = [{"amount_minor": _part(dice, payment)} for _ in range(dice.choice((1, 1, 2, 3)))]
    if dice.random() < 0.3:
        bodies[-1] = {}
    keys = [f"{mark}r{place}" for place in range(len(bodies))]

    def wish(body: dict[str, Any], key: str) -> Awaitable[Any]:
        return me.wish("refunds", path, body, key, field="reason")

    if dice.random() < 0.4:
        await asyncio.gather(*map(wish, bodies, keys))
        return
    for body, key in zip(bodies, keys, strict=True):
        await wish(body, key)
        await asyncio.sleep(dice.choice((0.0, 1.0, 600.0)))


async def revise(me: Person, dice: Dice, mark: str) -> None:
    """Change a job while others book it, rather one that was booked already."""
    job = await _a_job(me, dice, "published", "draft")
    if dice.random() < 0.6 and (booking := some(dice, await mine(me, "confirmed", "held", side="provider"))):
        job = await me.get(f"/v1/jobs/{booking['job_id']}") or job
    if job is None:
        return
    change: dict[str, Any] = dice.choice(
        (
            {"buffer_after": dice.choice((0, 15, 45))},
            {"price": {**job["price"], "amount_minor": max(1, job["price"]["amount_minor"] + dice.randint(-50, 500))}},
            {"price": {**job["price"], "amount_minor": job["price"]["amount_minor"] + 1}},
            {"capacity": dice.randint(1, 4)},
            {"duration": dice.choice((30, 60, 90))},
            {"policy": dice.choice(("flexible", "moderate", "strict"))},
        )
    )
    version = f'"{job["version"]}"' if dice.random() < 0.7 else "*"
    await me.ask("PATCH", f"/v1/jobs/{job['id']}", change, key=mark, version=version)


async def open_job(me: Person, dice: Dice, mark: str) -> None:
    """Offer something new."""
    shape = dict(dice.choice(me.part.jobs))
    drafted = await me.wish("jobs", "/v1/jobs", shape, mark, field="description")
    if drafted is not None and drafted.fine and dice.random() < 0.8:
        await me.post(f"/v1/jobs/{drafted.body['id']}/publish", key=f"{mark}publish")


async def close_job(me: Person, dice: Dice, mark: str) -> None:
    """Stop offering one."""
    job = await _a_job(me, dice, "published")
    if job is not None:
        await me.post(f"/v1/jobs/{job['id']}/archive", key=mark)


async def hours(me: Person, dice: Dice, mark: str) -> None:
    """Change the week, one day of it, or take time off."""
    path = f"/v1/providers/{me.user_id}/availability"
    day = (me.world.now + timedelta(days=dice.randint(0, 3))).date().isoformat()
    match dice.randint(0, 3):
        case 0:
            week = {name: list(me.part.hours) for name in WEEK if dice.random() < 0.85}
            await me.ask("PUT", path, {"zone": me.part.zone, **week}, key=mark, version="*")
        case 1:
            windows = dice.choice(([], ["10:00-12:00"], ["00:00-24:00"]))
            await me.ask("PUT", f"{path}/days/{day}", {"windows": windows}, key=mark, version="*")
        case 2:
            await me.ask("DELETE", f"{path}/days/{day}", key=mark, version="*")
        case _:
            await me.post(f"{path}/time-off", {"first": day, "last": day}, key=mark, version="*")


async def shut(me: Person, dice: Dice, mark: str) -> None:
    """Take an hour off in the very moment in which somebody books it."""
    job = await _a_job(me, dice, "published")
    slot = await free_slot(me, dice, job["id"]) if job else None
    customer = some(dice, [each for each in me.world.people.values() if each.part.role == "customer"])
    if slot is None or customer is None:
        return
    starts_at = datetime.fromisoformat(slot[1])
    off = {"starts_at": slot[1], "ends_at": (starts_at + timedelta(minutes=10)).isoformat()}
    path = f"/v1/providers/{me.user_id}/availability/time-off"
    await asyncio.gather(
        reserve(customer, dice, f"{mark}booked", *slot), me.post(path, off, key=f"{mark}off", version="*")
    )


async def respond(me: Person, dice: Dice, mark: str) -> None:
    """Answer a review."""
    page = await me.get("/v1/reviews/mine", received="true")
    review = some(dice, page["items"]) if page else None
    if review is not None:
        await me.post(f"/v1/reviews/{review['id']}/response", {"text": "Thank you."}, key=mark)


async def paid(me: Person) -> list[dict[str, Any]]:
    """Captured payments of the organizations one manages; most often those of which something is left."""
    if me.looks_again("organizations"):
        page = await me.get("/v1/organizations/mine")
        me.places = [each["organization_id"] for each in page["items"]] if page else []
    found: list[dict[str, Any]] = []
    for place in me.places:
        payments = await me.get("/v1/payments", organization_id=place, state="captured")
        found += payments["items"] if payments else ()
    return worth_asking(me, found)


def worth_asking(me: Person, payments: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of these payments that still have something to give back; now and then all of them."""
    if me.world.draw() < 0.15:
        return payments
    names = ("captured", "refunded", "refunding")
    figures = [[each[name]["amount_minor"] for name in names] for each in payments]
    return [each for each, (came, gone, going) in zip(payments, figures, strict=True) if came > gone + going]


def _part(dice: Dice, payment: dict[str, Any]) -> int:
    return max(1, int(payment["captured"]["amount_minor"] * dice.choice((0.1, 0.3, 0.5, 0.6, 1.0, 1.1))))


async def _a_job(me: Person, dice: Dice, *states: str) -> dict[str, Any] | None:
    page = await me.get("/v1/jobs/mine")
    job: dict[str, Any] | None = some(dice, [each for each in page["items"] if each["state"] in states] if page else [])
    return job


async def take(me: Person, dice: Dice, mark: str) -> None:
    """Take what somebody has set aside, all of it or a part, or more than there is; or let it go."""
    page = await me.get("/v1/payments", state="authorised", limit=20)
    payment = some(dice, page["items"]) if page else None
    if payment is None:
        return
    path, whole = f"/v1/payments/{payment['id']}", payment["amount"]["amount_minor"]
    if dice.random() < 0.2:
        await me.post(f"{path}/release", key=mark)
        return
    body = dice.choice(({}, {}, {"amount_minor": dice.randint(1, whole)}, {"amount_minor": whole + 1}))
    answer = await me.post(f"{path}/capture", body, key=mark)
    if body.get("amount_minor", 0) > whole and answer is not None and answer.fine:
        me.world.fail("M3 on the wire", f"{me.name} takes {body['amount_minor']} of {whole}")


async def defend(me: Person, dice: Dice, mark: str) -> None:
    """Answer a dispute, well or badly; at times twice."""
    page = await me.get("/v1/disputes", state="needs_response", limit=20)
    dispute = some(dice, page["items"]) if page else None
    if dispute is None:
        return
    path = f"/v1/disputes/{dispute['id']}"
    said = dice.choice(("They came.", "winning_evidence", "losing_evidence", ""))
    await me.ask("PUT", f"{path}/evidence", {"explanation": said}, key=f"{mark}draft")
    for time in range(dice.choice((1, 1, 2))):
        await me.post(f"{path}/submission", key=f"{mark}{time}")


ACTS: dict[str, Act] = {
    "answer": answer,
    "finish": finish,
    "call_off": call_off,
    "move": move,
    "refund": refund,
    "take": take,
    "defend": defend,
    "revise": revise,
    "open_job": open_job,
    "close_job": close_job,
    "hours": hours,
    "review": review,
    "respond": respond,
    "shut": shut,
    "write": write,
    "look_around": look_around,
}
