"""Providers: they answer requests, do the work, give money back, and change what they offer and when."""

from datetime import timedelta
from typing import Any

from entrypoints.container.simulating import Dice
from entrypoints.simulation.actors.customers import free_slot, look_around, mine, write
from entrypoints.simulation.people import Act, Person, some
from entrypoints.simulation.town import WEEK


async def answer(me: Person, dice: Dice, mark: str) -> None:
    """Say yes or no to a request."""
    booking = some(dice, await mine(me, "requested", side="provider"))
    if booking is None:
        return
    if dice.random() < 0.75:
        await me.post(f"/v1/bookings/{booking['id']}/accept", key=mark)
    else:
        await me.post(f"/v1/bookings/{booking['id']}/decline", {"reason": "I am away"}, key=mark)


async def finish(me: Person, dice: Dice, mark: str) -> None:
    """Say that work was done, or that nobody came; sometimes too early."""
    booking = some(dice, await mine(me, "confirmed", side="provider"))
    if booking is not None:
        how = "complete" if dice.random() < 0.75 else "no-show"
        await me.post(f"/v1/bookings/{booking['id']}/{how}", key=mark)


async def call_off(me: Person, dice: Dice, mark: str) -> None:
    """Cancel somebody's booking."""
    booking = some(dice, await mine(me, "held", "confirmed", side="provider"))
    if booking is not None:
        await me.post(f"/v1/bookings/{booking['id']}/cancel", {"reason": "I am ill"}, key=mark)


async def move(me: Person, dice: Dice, mark: str) -> None:
    """Move somebody's booking."""
    booking = some(dice, await mine(me, "confirmed", "held", side="provider"))
    slot = await free_slot(me, dice, booking["job_id"]) if booking else None
    if booking is not None and slot is not None:
        await me.post(f"/v1/bookings/{booking['id']}/reschedule", {"starts_at": slot[1]}, key=mark, version="*")


async def refund(me: Person, dice: Dice, mark: str) -> None:
    """Give back some or all of a payment."""
    payment = some(dice, await paid(me))
    if payment is not None:
        body: dict[str, Any] = {} if dice.random() < 0.4 else {"amount_minor": _part(dice, payment)}
        await me.wish("refunds", f"/v1/payments/{payment['id']}/refunds", body, mark, field="reason")


async def revise(me: Person, dice: Dice, mark: str) -> None:
    """Change a job while others book it."""
    job = await _a_job(me, dice, "published", "draft")
    if job is None:
        return
    change: dict[str, Any] = dice.choice(
        (
            {"buffer_after": dice.choice((0, 15, 45))},
            {"price": {**job["price"], "amount_minor": max(1, job["price"]["amount_minor"] + dice.randint(-50, 500))}},
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


async def respond(me: Person, dice: Dice, mark: str) -> None:
    """Answer a review."""
    page = await me.get("/v1/reviews/mine", received="true")
    review = some(dice, page["items"]) if page else None
    if review is not None:
        await me.post(f"/v1/reviews/{review['id']}/response", {"text": "Thank you."}, key=mark)


async def paid(me: Person) -> list[dict[str, Any]]:
    """Captured payments of the organizations one manages."""
    page = await me.get("/v1/organizations/mine")
    found: list[dict[str, Any]] = []
    for each in page["items"] if page else ():
        payments = await me.get("/v1/payments", organization_id=each["organization_id"], state="captured")
        found += payments["items"] if payments else ()
    return found


def _part(dice: Dice, payment: dict[str, Any]) -> int:
    return max(1, int(payment["captured"]["amount_minor"] * dice.choice((0.1, 0.5, 0.6, 1.0, 1.1))))


async def _a_job(me: Person, dice: Dice, *states: str) -> dict[str, Any] | None:
    page = await me.get("/v1/jobs/mine")
    job: dict[str, Any] | None = some(dice, [each for each in page["items"] if each["state"] in states] if page else [])
    return job


ACTS: dict[str, Act] = {
    "answer": answer,
    "finish": finish,
    "call_off": call_off,
    "move": move,
    "refund": refund,
    "revise": revise,
    "open_job": open_job,
    "close_job": close_job,
    "hours": hours,
    "respond": respond,
    "write": write,
    "look_around": look_around,
}
