"""Negative controls: installations that break their word when they are killed. Each must be found out."""

import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from tests.proof.crashes.campaign import Campaign
from tests.proof.crashes.fleet import GUILDHALL, Fleet
from tests.proof.crashes.killer import Part
from tests.proof.reporting import Report


async def _unflushed(fleet: Fleet) -> None:
    """Commits are answered before they are on disk."""
    await fleet.rows("alter database guildhall set synchronous_commit = off")
    await fleet.rows("alter system set wal_writer_delay = '10s'")
    await fleet.rows("select pg_reload_conf()")
    await fleet.rows("select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()")


def _planted(bug: str) -> Sequence[str]:
    return (sys.executable, "-m", "tests.planted.crashing", bug)


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """A planted bug, what is killed to show it, and words of a finding that tells of it."""

    name: str
    part: Part
    betrays: tuple[str, ...]
    program: Sequence[str] = GUILDHALL
    prepare: Callable[[Fleet], Awaitable[None]] | None = None
    kills: int = 3


CONTROLS = (
    Control(
        name="answers before it commits",
        part=Part.API,
        betrays=("was acknowledged and is lost", "acknowledged, is lost"),
        program=_planted("answers_before_it_commits"),
    ),
    Control(
        name="settles an event before its effect",
        part=Part.WORKER,
        betrays=("was told 0 times", "has 0 conversations", "here and captured at the gateway"),
        program=_planted("settles_before_the_effect"),
    ),
    Control(
        name="answers before the commit is on disk",
        part=Part.POSTMASTER,
        betrays=("was acknowledged and is lost", "acknowledged, is lost"),
        prepare=_unflushed,
    ),
)


async def caught(control: Control, *, seed: int) -> tuple[bool, str]:
    """Whether a short campaign finds it, and by what."""
    campaign = Campaign(
        kills=control.kills,
        seed=seed,
        minutes=2,
        program=control.program,
        orders=[(control.part,)] * control.kills,
        prepare=control.prepare,
        whole=False,
        quiet=True,
        report=Report(name="crashes-control"),
    )
    report = await campaign.run()
    telling = [failure for failure in report.failures if any(words in failure for words in control.betrays)]
    return bool(telling), telling[0] if telling else f"not found among {report.failures[:3]}"
