"""Members: people join a provider's organization, are regraded, and part, while its money and jobs are at work."""

import asyncio
from typing import Any

from entrypoints.container.simulating import Dice
from entrypoints.simulation.people import Act, Person, some


async def join(me: Person, dice: Dice, mark: str) -> None:
    """An owner takes somebody in; two owners may do so at once."""
    found = await _organization(me, dice)
    if found is None:
        return
    owner, organization = found
    body = {"email": me.email, "role": dice.choice(("member", "manager", "owner"))}
    path = f"/v1/organizations/{organization}/members"
    await asyncio.gather(*(owner.post(path, body, key=f"{mark}{tab}") for tab in "ab"[: dice.choice((1, 2))]))


async def part(me: Person, dice: Dice, mark: str) -> None:
    """Leave, or be left; an owner always remains."""
    place = some(dice, await _places(me))
    found = await _organization(me, dice)
    if place is not None:
        path = f"/v1/organizations/{place['organization_id']}/members/{me.user_id}"
        leaving = [me.ask("DELETE", path, key=mark)]
        if found is not None and dice.random() < 0.5:
            owner, organization = found
            leaving.append(owner.ask("DELETE", f"/v1/organizations/{organization}/members/{owner.user_id}", key=mark))
        await asyncio.gather(*leaving)


async def regrade(me: Person, dice: Dice, mark: str) -> None:
    """Become something else."""
    place = some(dice, await _places(me))
    found = await _organization(me, dice)
    if place is not None and found is not None:
        owner, _ = found
        path = f"/v1/organizations/{place['organization_id']}/members/{me.user_id}"
        role = {"role": dice.choice(("member", "manager", "owner"))}
        await owner.ask("PATCH", path, role, key=mark, version="*")


async def rename(me: Person, dice: Dice, mark: str) -> None:
    """Give an organization another name."""
    place = some(dice, await _places(me))
    if place is not None:
        path = f"/v1/organizations/{place['organization_id']}"
        await me.ask("PATCH", path, {"name": "Another House"}, key=mark, version="*")


async def _organization(me: Person, dice: Dice) -> tuple[Person, str] | None:
    owner = some(dice, [each for each in me.world.people.values() if each.part.role == "provider"])
    if owner is None:
        return None
    place: Any = some(dice, await _places(owner))
    return (owner, place["organization_id"]) if place else None


async def _places(me: Person) -> list[dict[str, Any]]:
    page = await me.get("/v1/organizations/mine")
    return list(page["items"]) if page else []


ACTS: dict[str, Act] = {"join": join, "part": part, "regrade": regrade, "rename": rename}
