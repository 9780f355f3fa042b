"""Thieves: they try old refresh tokens, forged access tokens, links twice, and doors that are not theirs."""

import asyncio

from entrypoints.container.simulating import Dice
from entrypoints.simulation.people import Act, Person, some
from entrypoints.simulation.wire import Answer


async def use_old_token(me: Person, dice: Dice, _: str) -> None:
    """Show a refresh token that its owner has exchanged since. Later than moments after, it opens nothing and ends the
    session it came from."""
    victim = some(dice, [each for each in me.world.people.values() if each.old_tokens])
    if victim is None:
        return
    token = some(dice, victim.old_tokens)
    await asyncio.sleep(dice.choice((0.0, 20.0, 20.0)))
    answer = await _unsigned(me, "/v1/sessions/refresh", {"refresh_token": token})
    if answer is not None and answer.code == "identity.refresh_token_reused" and me.world.facts.session_goes_on(token):
        me.world.fail("A3 on the wire", f"a refresh token of {victim.name}'s came back, and its session goes on")
    if answer is None or not answer.fine:
        return
    stale = me.world.facts.exchanged_long_ago(token)
    if stale:
        me.world.fail("A3 on the wire", f"a refresh token of {victim.name}'s, exchanged {stale} ago, opened a session")


async def forge(me: Person, dice: Dice, _: str) -> None:
    """Show an access token with another's claims."""
    victim = some(dice, [each for each in me.world.people.values() if each.access])
    if victim is None:
        return
    head, claims, signature = victim.access.split(".")
    turned = signature[:10] + ("A" if signature[10] != "A" else "B") + signature[11:]
    before, me.access = me.access, f"{head}.{claims}.{turned}"
    answer = await me.ask("GET", "/v1/me", tries=1)
    me.access = before
    if answer is not None and answer.fine:
        me.world.fail("forged token", f"a token of {victim.name}'s with a wrong signature was believed")


async def use_link_twice(me: Person, dice: Dice, _: str) -> None:
    """Ask for a magic link in somebody's name, read their mail, and use it twice."""
    victim = some(dice, [each for each in me.world.people.values() if each.part.role == "customer"])
    if victim is None:
        return
    await _unsigned(me, "/v1/magic-links", {"email": victim.email})
    await asyncio.sleep(30.0)
    token = me.world.facts.mailed(victim.email, "magic_link")
    if token is None:
        return
    tries = [_unsigned(me, "/v1/magic-links/consume", {"token": token}) for _ in range(2)]
    answers = [answer for answer in await asyncio.gather(*tries) if answer is not None and answer.fine]
    if len(answers) > 1:
        me.world.fail("A4 on the wire", f"one magic link of {victim.name}'s opened {len(answers)} sessions")


async def pry(me: Person, dice: Dice, _: str) -> None:
    """As a stranger, ask for somebody's booking, payment, money or conversation."""
    thing = some(dice, me.world.things)
    if thing is None:
        return
    path, owner = thing
    others = [each for each in me.world.people.values() if each.part.role == "customer" and each.name != owner]
    stranger = others[int(dice.random() * len(others))]
    answer = await stranger.ask("GET", path)
    if answer is not None and answer.fine:
        me.world.fail("T1 on the wire", f"a stranger reads {path} of {owner}: {answer.raw[:200]!r}")


async def intrude(me: Person, dice: Dice, mark: str) -> None:
    """As a stranger, write where two others talk, or review what another had done."""
    customers = [each for each in me.world.people.values() if each.part.role == "customer"]
    victim = some(dice, [each for each in customers if each.talks or each.user_id])
    stranger = some(dice, [each for each in customers if each is not victim])
    if victim is None or stranger is None:
        return
    talk = some(dice, victim.talks)
    if talk is not None:
        path = f"/v1/conversations/{talk['conversation_id']}/messages"
        answer = await stranger.post(path, {"text": "May I?"}, key=f"{mark}talk")
        if answer is not None and answer.fine:
            me.world.fail("C1 on the wire", f"{stranger.name} writes where {victim.name} talks with another")
    known = me.world.known.bookings.values()
    done = [each for each in known if each["customer_id"] == victim.user_id and each["state"] == "completed"]
    booking = some(dice, done)
    if booking is not None:
        path = f"/v1/bookings/{booking['id']}/reviews"
        answer = await stranger.post(path, {"stars": 1, "text": "never again"}, key=f"{mark}review")
        if answer is not None and answer.fine:
            me.world.fail("R2 on the wire", f"{stranger.name} reviews what was done for {victim.name}")


async def _unsigned(me: Person, path: str, body: dict[str, str]) -> Answer | None:
    return await me.ask("POST", path, body, signed=False)


ACTS: dict[str, Act] = {
    "use_old_token": use_old_token,
    "forge": forge,
    "use_link_twice": use_link_twice,
    "pry": pry,
    "intrude": intrude,
}
