"""Admins: they suspend and restore, moderate, and act again on what needed a person."""

from uuid import UUID

from entrypoints.container.simulating import Dice
from entrypoints.simulation.actors.providers import give_back, worth_asking
from entrypoints.simulation.people import Act, Person, some


async def suspend(me: Person, dice: Dice, mark: str) -> None:
    """Close somebody's account."""
    person = some(dice, [each for each in me.world.people.values() if each.part.role in ("customer", "provider")])
    if person is None or not person.user_id:
        return
    shown = person.access
    path = f"/v1/admin/users/{person.user_id}/suspend"
    answer = await me.post(path, {"reason": "complaints"}, key=mark, version="*")
    if answer is not None and answer.fine and shown and await person.believed(shown):
        user = me.world.scene.row("users", UUID(person.user_id))
        if user is not None and user["suspended_at"] is not None:
            me.world.fail("A7 on the wire", f"{person.name} was suspended, and is still let in")


async def promote(me: Person, dice: Dice, mark: str) -> None:
    """Make somebody an admin for a moment: what they may do follows at once, both ways."""
    mona = me.world.people["Mona"]
    if mona.promoted or not mona.user_id or not await mona.sign_in():
        return
    mona.promoted = True
    path = f"/v1/admin/users/{mona.user_id}/role"
    await me.ask("PUT", path, {"role": "admin"}, key=mark, version="*")
    await mona.get("/v1/admin/users")
    answer = await me.ask("PUT", path, {"role": dice.choice(("customer", "provider"))}, key=f"{mark}back", version="*")
    if answer is not None and answer.fine:
        mona.promoted = False
        if await mona.get("/v1/admin/users") is not None:
            me.world.fail("A7 on the wire", f"{mona.name} is no admin any more, and sees what admins see")


async def refund(me: Person, dice: Dice, mark: str) -> None:
    """Give back somebody's money for the house."""
    page = await me.get("/v1/payments", state="captured", limit=50)
    payment = some(dice, worth_asking(me, page["items"])) if page else None
    if payment is not None:
        await give_back(me, dice, mark, payment)


async def restore(me: Person, dice: Dice, mark: str) -> None:
    """Open a closed account again."""
    page = await me.get("/v1/admin/users", suspended="true")
    user = some(dice, page["items"]) if page else None
    if user is not None:
        await me.post(f"/v1/admin/users/{user['id']}/restore", key=mark)


async def moderate(me: Person, dice: Dice, mark: str) -> None:
    """Hide a review, or show it again."""
    provider = some(dice, sorted(me.world.open_providers))
    page = await me.get(f"/v1/providers/{provider}/reviews") if provider else None
    review = some(dice, page["items"]) if page else None
    if review is not None:
        await me.post(f"/v1/reviews/{review['id']}/hide", {"reason": "rude"}, key=mark)
        me.world.hidden.append(review["id"])
    elif hidden := some(dice, me.world.hidden):
        await me.post(f"/v1/reviews/{hidden}/restore", {"reason": "it was fair"}, key=mark)


async def replay(me: Person, dice: Dice, mark: str) -> None:
    """Act again on a message from the gateway: what it brought about is not brought about twice."""
    page = await me.get("/v1/admin/webhooks")
    webhook = some(dice, page["items"]) if page else None
    if webhook is not None:
        await me.post(f"/v1/admin/webhooks/{webhook['id']}/replay", key=mark)


async def look_into_it(me: Person, mark: str) -> None:
    """Act again on everything that waits for a person."""
    page = await me.get("/v1/admin/webhooks", outcome="attention", limit=100)
    for webhook in page["items"] if page else ():
        await me.post(f"/v1/admin/webhooks/{webhook['id']}/replay", key=f"{mark}{webhook['id']}")


async def heed(me: Person, dice: Dice, mark: str) -> None:
    """Give back at once what a bank has warned of."""
    page = await me.get("/v1/fraud-warnings", limit=20)
    warning = some(dice, [each for each in page["items"] if not each["refund_id"]]) if page else None
    if warning is not None:
        me.world.expectations.by_hand(warning["payment_id"])
        await me.post(f"/v1/fraud-warnings/{warning['id']}/refund", key=mark)


async def inspect(me: Person, dice: Dice, mark: str) -> None:
    """Read what only admins may; send a mail again that failed."""
    await me.get(dice.choice(("/v1/admin/audit", "/v1/admin/ledger", "/v1/admin/users")))
    page = await me.get("/v1/admin/mails", state="failed")
    mail = some(dice, page["items"]) if page else None
    if mail is not None:
        await me.post(f"/v1/admin/mails/{mail['id']}/resend", key=mark)


ACTS: dict[str, Act] = {
    "suspend": suspend,
    "restore": restore,
    "promote": promote,
    "refund": refund,
    "heed": heed,
    "moderate": moderate,
    "replay": replay,
    "inspect": inspect,
}
