"""Newcomers: they sign up, confirm their address, lose their password, and go again."""

import asyncio

from entrypoints.container.simulating import Dice
from entrypoints.simulation.people import Act, Person, some


async def sign_up(me: Person, dice: Dice, mark: str) -> None:
    """Become somebody; at times under an address that is taken, or twice at once."""
    taken = dice.random() < 0.2
    email = "ana@town.example" if taken else f"n{mark.strip('#')}@town.example"
    role = dice.choice(("customer", "provider"))
    form = {"email": email, "password": me.password, "name": "Nora New", "role": role, "zone": "Europe/Lisbon"}
    await asyncio.gather(*(me.ask("POST", "/v1/users", form, signed=False) for _ in range(dice.choice((1, 2)))))
    await asyncio.sleep(dice.choice((20.0, 600.0)))
    token = me.world.facts.mailed(email, "verify")
    if token is None or taken:
        return
    answers = await asyncio.gather(
        *(me.ask("POST", "/v1/users/verify", {"token": token}, signed=False) for _ in range(2))
    )
    if any(answer is not None and answer.fine for answer in answers):
        me.world.newcomers.append(email)
        me.email, me.access, me.refresh = email, "", ""
        await me.get("/v1/me")


async def lose_password(me: Person, dice: Dice, mark: str) -> None:
    """Forget a password, and set another: older sessions end with it."""
    email = some(dice, me.world.newcomers)
    if email is None:
        return
    await me.ask("POST", "/v1/passwords/forgot", {"email": email}, signed=False)
    await asyncio.sleep(60.0)
    token = me.world.facts.mailed(email, "reset_password")
    if token is None:
        return
    old = me.access if me.email == email else ""
    new = {"token": token, "password": f"another {mark} password entirely"}
    answer = await me.ask("POST", "/v1/passwords/reset", new, signed=False)
    if answer is not None and answer.fine:
        if me.email == email:
            me.password = new["password"]
            me.forget()
        if old:
            await _try_old(me, old)


async def leave(me: Person, dice: Dice, _: str) -> None:
    """Sign out, here or everywhere; the tokens are worth nothing from then on."""
    if not me.access:
        return
    old = me.access
    answer = await me.ask("DELETE", "/v1/sessions" if dice.random() < 0.5 else "/v1/sessions/current", tries=1)
    me.forget()
    if answer is not None and answer.fine:
        await _try_old(me, old)


async def _try_old(me: Person, token: str) -> None:
    if await me.believed(token):
        me.world.fail("A5 on the wire", f"an access token of {me.email} works after its session was ended")


ACTS: dict[str, Act] = {"sign_up": sign_up, "lose_password": lose_password, "leave": leave}
