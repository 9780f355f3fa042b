"""Playing the acts on a stage: one step after the other, until one does not hold."""

import asyncio
from collections.abc import Mapping, Sequence
from traceback import extract_tb

import httpx

from entrypoints.cli.journey.checking import Checks, Unmet
from entrypoints.cli.journey.instance import throw_away
from entrypoints.cli.journey.report import Entry, Report, Stand
from entrypoints.cli.journey.story import Act, Step, Story


async def perform(
    acts: Sequence[Act], stand: Stand, *, keep: bool = False, wishes: Mapping[str, str] | None = None
) -> Report:
    """Play them on a throw-away instance; after a step that does not hold, the rest is not played."""
    clock = asyncio.get_running_loop()
    began = clock.time()
    played = [(Entry(act=act.title, step=_said(step)), step) for act in acts for step in act.steps]
    report = Report([entry for entry, _ in played])
    async with throw_away(keep=keep, wishes=wishes) as instance:
        try:
            async with httpx.AsyncClient(base_url=instance.address, trust_env=False, timeout=30) as http:
                story = Story.on(instance, http)
                for entry, step in played:
                    stand.begins(entry)
                    await _play(entry, step, story)
                    stand.ends(entry)
                    if not entry.passed:
                        break
        finally:
            await instance.close()
        if not report.passed:
            report.last_words = instance.last_words()
    report.seconds = clock.time() - began
    return report


async def _play(entry: Entry, step: Step, story: Story) -> None:
    clock = asyncio.get_running_loop()
    began, checks = clock.time(), Checks()
    try:
        await step(story, checks)
        entry.trouble = "" if checks.held else "nothing was checked"
    except Unmet as unmet:
        entry.trouble = str(unmet)
    except Exception as error:
        where = extract_tb(error.__traceback__)[-1]
        entry.trouble = f"{type(error).__name__}: {error} ({where.name}, line {where.lineno})"
    entry.seconds, entry.checks = clock.time() - began, checks.held


def _said(step: Step) -> str:
    return " ".join((step.__doc__ or step.__name__).split())
