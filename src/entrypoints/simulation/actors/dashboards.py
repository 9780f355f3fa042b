"""Dashboards: somebody gives money back at the gateway itself, and we only hear of it."""

from entrypoints.container.simulating import Dice
from entrypoints.simulation.people import Act, Person


async def refund_by_hand(me: Person, dice: Dice, mark: str) -> None:
    """Give back part of what the gateway holds, or all of it."""
    await me.world.refund_by_hand(dice, mark)


ACTS: dict[str, Act] = {"refund_by_hand": refund_by_hand}
