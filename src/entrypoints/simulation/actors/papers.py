"""Papers: providers send quotes and invoices; customers accept, and pay in whole, in parts, late, or too much."""

import asyncio
from typing import Any

from entrypoints.container.simulating import Dice
from entrypoints.simulation.actors.customers import CARDS, mine
from entrypoints.simulation.actors.providers import paid
from entrypoints.simulation.people import Act, Person, some

TAXES = (0, 600, 1900, 2300)


async def bill(me: Person, dice: Dice, mark: str) -> None:
    """Draft an invoice or a quote to somebody, or of a booking; issue and send it there and then."""
    await paid(me)
    place, customer = some(dice, me.places), some(dice, _customers(me))
    if place is None or customer is None:
        return
    if dice.random() < 0.25 and (booking := some(dice, await mine(me, "confirmed", "completed", side="provider"))):
        drafted = await me.post(f"/v1/bookings/{booking['id']}/invoice", {"tax_basis_points": 1900}, key=mark)
        await _leave_the_house(me, drafted, "invoices", mark)
        return
    kind = dice.choice(("invoices", "invoices", "quotes"))
    body = {
        "organization_id": place,
        "buyer": {"name": customer.name, "email": customer.email},
        "currency": dice.choice(("EUR", "JPY", "KWD")),
        "lines": [_line(dice) for _ in range(dice.randint(1, 3))],
        "tax_included": dice.random() < 0.4,
        "due_days": dice.choice((0, 1, 14)),
    }
    await _leave_the_house(me, await me.post(f"/v1/{kind}", body, key=mark), kind, mark)


async def _leave_the_house(me: Person, drafted: Any, kind: str, mark: str) -> None:
    if drafted is None or not drafted.fine:
        return
    path = f"/v1/{kind}/{drafted.body['id']}"
    if kind == "invoices":
        await asyncio.gather(*(me.post(f"{path}/issue", key=f"{mark}issue") for _ in range(2)))
    await me.post(f"{path}/send", key=f"{mark}send")


async def keep_books(me: Person, dice: Dice, mark: str) -> None:
    """Record what came by hand, take back some or all of what was asked for, or issue what an accepted quote became."""
    invoice = await _an_invoice(me, dice)
    if invoice is None:
        return
    path = f"/v1/invoices/{invoice['id']}"
    if invoice["state"] == "draft":
        await me.post(f"{path}/issue", key=f"{mark}issue")
    elif dice.random() < 0.5:
        amount = max(1, int(invoice["left"]["amount_minor"] * dice.choice((0.3, 1.0, 1.2))))
        await me.post(f"{path}/receipts", {"amount_minor": amount, "reason": "cash"}, key=f"{mark}cash")
    else:
        await me.post(f"{path}/credit-notes", {"reason": "it leaks"}, key=f"{mark}credit")


async def settle(me: Person, dice: Dice, mark: str) -> None:
    """Answer a quote; pay an invoice at the gateway, all of it or a part, at once or days later."""
    page = await me.get("/v1/quotes", state="sent")
    if quote := some(dice, page["items"]) if page else None:
        answer = "accept" if dice.random() < 0.8 else "decline"
        await asyncio.gather(*(me.post(f"/v1/quotes/{quote['id']}/{answer}", {}, key=f"{mark}q") for _ in range(2)))
    invoice = await _an_invoice(me, dice)
    if invoice is None or not invoice["left"]["amount_minor"]:
        return
    await asyncio.sleep(dice.choice((0.0, 0.0, 3600.0, 90_000.0)))
    part = max(1, int(invoice["left"]["amount_minor"] * dice.choice((0.3, 0.5, 1.0))))
    body = {} if dice.random() < 0.5 else {"amount_minor": part}
    begun = await me.post(f"/v1/invoices/{invoice['id']}/payments", body, key=mark)
    if begun is not None and begun.fine:
        await _pay(me, dice, begun.body)


async def _pay(me: Person, dice: Dice, payment: dict[str, Any]) -> None:
    path = f"/v1/payments/{payment['id']}/checkout"
    for patience in (1.0, 20.0, 60.0):
        checkout = await me.get(path)
        if checkout is not None and checkout["client_secret"]:
            await asyncio.sleep(dice.choice((0.0, 1.0, 600.0)))
            await me.world.show_card(me, checkout, dice.choice(CARDS), approves=dice.random() < 0.8)
            return
        await asyncio.sleep(patience)


async def _an_invoice(me: Person, dice: Dice) -> dict[str, Any] | None:
    page = await me.get("/v1/invoices")
    found: dict[str, Any] | None = some(dice, page["items"]) if page else None
    return found


def _customers(me: Person) -> list[Person]:
    return [each for each in me.world.people.values() if each.part.role == "customer"]


def _line(dice: Dice) -> dict[str, Any]:
    return {
        "description": "Mending",
        "unit_price_minor": dice.randint(1, 20_000),
        "quantity_thousandths": dice.choice((1000, 1500, 333)),
        "discount_basis_points": dice.choice((0, 0, 500)),
        "tax_basis_points": dice.choice(TAXES),
    }


PROVIDERS: dict[str, Act] = {"bill": bill, "keep_books": keep_books}
CUSTOMERS: dict[str, Act] = {"settle": settle}
