"""Banks: their customers dispute what was paid, they decide, and they warn of cards that may be stolen."""

from typing import Any

from entrypoints.container.simulating import Dice
from entrypoints.simulation.people import Act, Person, some


async def dispute(me: Person, dice: Dice, _: str) -> None:
    """Ask for a payment back, or for part of it."""
    if payment := _paid(me, dice):
        amount = payment["captured"] if dice.random() < 0.6 else dice.randint(1, payment["captured"])
        await me.world.scene.disputes.dispute(payment["ref"], amount=amount)


async def decide(me: Person, dice: Dice, _: str) -> None:
    """Decide on one of the open disputes."""
    disputes = me.world.scene.gateway_disputes()
    if one := some(dice, [each for each in disputes if each["state"] not in ("won", "lost")]):
        await me.world.scene.disputes.decide(one["ref"], won=dice.random() < 0.5)


async def warn(me: Person, dice: Dice, _: str) -> None:
    """Warn of a payment."""
    if payment := _paid(me, dice):
        await me.world.scene.disputes.warn(payment["ref"])


def _paid(me: Person, dice: Dice) -> dict[str, Any] | None:
    paid: dict[str, Any] | None = some(dice, [each for each in me.world.scene.gateway_payments() if each["captured"]])
    return paid


ACTS: dict[str, Act] = {"dispute": dispute, "decide": decide, "warn": warn}
