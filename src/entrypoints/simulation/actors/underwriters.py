"""Underwriters: the gateway's people open accounts, want to know more, turn some down, and pay out; banks return."""

from typing import Any

from domain.payments import PayoutState
from entrypoints.container.simulating import Dice
from entrypoints.simulation.people import Act, Person, some

_ENDS = (PayoutState.PAID, PayoutState.PAID, PayoutState.PAID, PayoutState.FAILED, PayoutState.CANCELLED)


async def open_account(me: Person, dice: Dice, mark: str) -> None:
    """A provider opens an account for one of their organizations and answers what the gateway asks, mostly."""
    page = await me.get("/v1/organizations/mine")
    place: Any = some(dice, [each for each in page["items"] if each["role"] == "owner"] if page else [])
    if place is None:
        return
    path = f"/v1/organizations/{place['organization_id']}/payee"
    answer = await me.ask("PUT", path, key=mark)
    if answer is None or not answer.fine:
        return
    await me.post(f"{path}/link")
    if dice.random() < 0.85 and (ref := answer.body["gateway_ref"]):
        await me.world.scene.payees.answer(ref)
        me.world.note(me.name, f"answers for {ref[-6:]}")


async def restrict(me: Person, dice: Dice, _: str) -> None:
    """Want to know more of somebody; seldom, turn them down."""
    ref = _account(me, dice, "takes_charges = 1")
    if ref is None:
        return
    payees = me.world.scene.payees
    if dice.random() < 0.1:
        await payees.reject(ref)
    else:
        await payees.restrict(ref, "proof_of_address", takes_charges=dice.random() < 0.3)
    me.world.note(me.name, f"restricts {ref[-6:]}")


async def lift(me: Person, dice: Dice, _: str) -> None:
    """Be content with the answers."""
    ref = _account(me, dice, "takes_charges = 0 and rejected = 0")
    if ref is not None:
        await me.world.scene.payees.answer(ref)
        me.world.note(me.name, f"lifts what rested on {ref[-6:]}")


async def pay_out(me: Person, dice: Dice, _: str) -> None:
    """Let most of what is under way arrive, and send what is on an account to its bank."""
    if dice.random() < 0.7:
        await arrive(me, dice, _)
    ref = _account(me, dice, "pays_out = 1")
    if ref is not None and (payout := await me.world.scene.payees.pay_out(ref)) is not None:
        me.world.note(me.name, f"pays {payout.amount} out of {ref[-6:]}")
        if dice.random() < 0.5:
            await me.world.scene.payees.arrive(payout.ref, dice.choice(_ENDS), failure="account_closed")


async def arrive(me: Person, dice: Dice, _: str) -> None:
    """A payout reaches its bank, or does not, or is returned after all."""
    books = me.world.scene.books
    open = books.read("select ref from payouts where state in ('pending', 'in_transit') order by rowid")
    paid = books.read("select ref from payouts where state = 'paid' order by rowid")
    if open and (dice.random() < 0.8 or not paid):
        await me.world.scene.payees.arrive(open[0]["ref"], dice.choice(_ENDS), failure="account_closed")
    elif paid:
        row = paid[int(dice.random() * len(paid))]
        await me.world.scene.payees.arrive(row["ref"], PayoutState.FAILED, failure="returned")


def _account(me: Person, dice: Dice, where: str) -> str | None:
    rows = me.world.scene.books.read(f"select ref from payees where {where} order by rowid")  # noqa: S608 - words of ours
    return rows[int(dice.random() * len(rows))]["ref"] if rows else None


ACTS: dict[str, Act] = {"restrict": restrict, "lift": lift, "pay_out": pay_out, "arrive": arrive}
