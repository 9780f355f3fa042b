"""Files held against their bytes, wherever those lie."""

from collections.abc import AsyncIterator, Callable
from typing import Any

from application.files import SweepFiles, VerifyFiles
from domain.shared.actors import SYSTEM, Actor
from domain.shared.errors import Refusal
from entrypoints.container.examining.findings import Finding, fail, ok, warn
from entrypoints.container.opening import OpenHouse

SAMPLED = 500
"""So many files, the first there were, the doctor looks at; `guildhall files verify` looks at all."""


async def examined(
    house: OpenHouse,
    actor: Actor,
    *,
    thoroughly: bool = False,
    most: int | None = None,
    tell: Callable[[int], object] = lambda _: None,
) -> dict[str, Any]:
    """How many files were looked at, what is wrong, and how many bytes there are that belong to none."""
    verify, seen, wrong, last = house.use(VerifyFiles), 0, [], None
    while True:
        checked = await verify(actor, thoroughly=thoroughly, since=last)
        seen, last = seen + checked.files, checked.last
        wrong += [{"subject": each.subject, "said": each.said} for each in checked.wrong]
        tell(seen)
        if last is None or (most is not None and seen >= most):
            break
    swept = await house.use(SweepFiles)(actor, look_only=True)
    return {"well": not wrong, "files": seen, "wrong": wrong, "orphans": swept.orphans, "objects": swept.objects}


async def files(house: OpenHouse) -> AsyncIterator[Finding]:
    """What the doctor says of them."""
    where = house.settings.files.value
    try:
        found = await examined(house, SYSTEM, most=SAMPLED)
    except Refusal as refusal:
        yield fail("files", f"{where}: {refusal.message}", "see that the store can be reached, and its keys are right")
        return
    if found["wrong"]:
        first = found["wrong"][0]
        seen = f"{len(found['wrong'])} of {found['files']} are not as stored; {first['subject']}: {first['said']}"
        yield fail("files", seen, "put their bytes back from a backup; `guildhall files verify` tells all of them")
    elif found["orphans"]:
        seen = f"{found['files']} as stored, and {found['orphans']} objects that belong to none"
        yield warn("files", seen, "the worker sweeps them; `guildhall files sweep` does it now")
    else:
        yield ok("files", f"{where}: {found['files']} as stored, {found['objects']} objects")
