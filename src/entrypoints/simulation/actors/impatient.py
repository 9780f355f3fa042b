"""The impatient: they press twice, from two tabs, with the same key; and are told the same thing twice."""

import asyncio

from entrypoints.container.simulating import Dice, stream
from entrypoints.simulation.actors.customers import (
    book,
    call_off,
    chosen_of,
    free_slot,
    mine,
    pay_for,
    reserve,
    talks,
)
from entrypoints.simulation.people import Act, Person, some
from entrypoints.simulation.wire import Answer


async def book_twice(me: Person, dice: Dice, mark: str) -> None:
    """One booking, asked for twice or thrice at once under one key."""
    slot = await free_slot(me, dice)
    if slot is None:
        return
    tabs = dice.choice((2, 2, 3))
    answers = await asyncio.gather(*(reserve(me, dice, mark, *slot, seats=1) for _ in range(tabs)))
    heard = [answer for answer in answers if answer is not None]
    _agree(me, heard)
    held = [answer.body for answer in heard if answer.fine and answer.body["state"] == "held"]
    if held and dice.random() < 0.8:
        await pay_for(me, dice, mark, held[0])


async def write_thrice(me: Person, dice: Dice, mark: str) -> None:
    """One message, sent three times at once."""
    talk = some(dice, await talks(me))
    if talk is None:
        return
    path = f"/v1/conversations/{talk['conversation_id']}/messages"
    said = {"text": "Hello?"}
    answers = await asyncio.gather(*(me.wish("messages", path, said, mark, field="text") for _ in range(3)))
    _agree(me, [answer for answer in answers if answer is not None])


async def refund_twice(me: Person, dice: Dice, mark: str) -> None:
    """Cancel the same paid booking from two devices, each under its own key: one refund."""
    booking = chosen_of(dice, await mine(me, "confirmed", "held"))
    if booking is None:
        await book(me, dice, mark)
        return
    await asyncio.gather(*(call_off(me, booking, f"{mark}{tab}") for tab in "ab"))


async def reuse_a_key(me: Person, dice: Dice, mark: str) -> None:
    """Another request under a key that was used: refused, and nothing done."""
    slot, other = await free_slot(me, dice), await free_slot(me, dice)
    if slot is None or other is None or slot == other:
        return
    first = await reserve(me, stream(1), mark, *slot)
    if first is None or not first.fine:
        return
    body = {"job_id": other[0], "starts_at": other[1], "note": "another"}
    second = await me.post("/v1/bookings", body, key=mark)
    if second is not None and second.status not in (422, 409):
        me.world.fail("E1 on the wire", f"{me.name} used the key {mark} for another booking and heard {second.status}")


def _agree(me: Person, answers: list[Answer]) -> None:
    done = {answer.raw for answer in answers if answer.fine}
    if len(done) > 1:
        me.world.fail("E1 on the wire", f"{me.name} asked for one thing at once and was given {len(done)}")


ACTS: dict[str, Act] = {
    "book_twice": book_twice,
    "write_thrice": write_thrice,
    "refund_twice": refund_twice,
    "reuse_a_key": reuse_a_key,
}
