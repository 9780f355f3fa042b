"""The parts of the campaign: each fills in its figures, and what failed."""

import asyncio
import os
import sys
import time
from collections import Counter
from itertools import chain
from pathlib import Path
from random import Random
from typing import Any

import asyncpg

from adapters.memory.views import Eyes
from adapters.persistence.schema.tables import Row
from application.visibility import ManagerOf, MemberOf, Term
from tests.planted.visibility import IMPLIED, Harm, forgotten, functions, relaxed
from tests.proof.reporting import Report
from tests.proof.visibility.deciding import SCRIPT, Decided, decide
from tests.support.postgrest import postgrest
from tests.visibility.api import compare, doors
from tests.visibility.direct import OVER, everything, expired, functions_of, refused
from tests.visibility.expectations import WRITES, sources
from tests.visibility.lints import INITPLAN, LINTS, offences
from tests.visibility.noticing import SOURCES, kinds, unnoticed
from tests.visibility.probe import SEARCH, complaints, connected, misfits
from tests.visibility.routes import ROUTES
from tests.visibility.world import World

PATIENCE = 5
"""Worlds in which a mistake that shows in rows must have shown."""


async def matrix(url: str, here: World, report: Report) -> None:
    """Table and view x identity x verb, by SQL; and the lints."""
    async with connected(url) as owner:
        report.failures += await complaints(owner, here) + await misfits(owner)
        report.failures += [f"lint {name}: {told}" for name, told in (await offences(owner)).items()]
    cells = len(here.identities) * (len(sources()) * (1 + len(WRITES)) + len((SEARCH,)))
    relations = len({word for placed in chain(*here.placed.values()) for word in placed.relations})
    report.figures["by SQL"] = (
        f"{cells:,} cells: {len(sources())} tables and views, {len(here.identities)} identities, reading and"
        f" {len(WRITES)} verbs of writing; {relations} relations to {sum(map(len, here.placed.values()))} rows"
    )
    report.figures["lints"] = f"{len((*LINTS, INITPLAN))} of Supabase's, nothing found"


async def direct(url: str, here: World, report: Report) -> None:
    """The same and more at PostgREST."""
    with postgrest(url, db_tx_end="commit-allow-override") as rest:
        async with connected(url) as owner:
            asked = await everything(rest, here, here.identities, await functions_of(owner))
        over = await refused(rest, here, here.named("root"), expired(here.named("root")), OVER)
    report.failures += asked.complaints + over.complaints
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in asked.counts.most_common())
    report.figures["at PostgREST"] = f"{sum(asked.counts.values()):,} questions: {kinds}"
    report.figures["at PostgREST, by a token that is over"] = f"{sum(over.counts.values()):,} questions, all refused"


async def api(url: str, here: World, report: Report, folder: Path) -> None:
    """What the API shows, and what a front end reads directly."""
    counts: Counter[str] = Counter()
    with postgrest(url) as rest:
        async with doors(url, rest, folder) as both:
            for route in ROUTES:
                for identity in (*here.clients, *here.devices):
                    compared = await compare(both, here, identity, route)
                    counts += compared.counts
                    report.failures += compared.complaints
    told = ", ".join(f"{count:,} {what}" for what, count in counts.most_common())
    report.figures["by the API"] = f"{len(ROUTES)} routes: {told}"


async def harm(url: str, here: World, report: Report, *, share: float = 1.0) -> None:
    """Everything that can be weakened, and what of it the matrix notices."""
    done, caught = 0, 0
    async with connected(url) as owner:
        for kind, harms in (await kinds(owner)).items():
            chosen = [each for each in harms if share == 1.0 or Random(each.statement).random() < share]
            count, passed = await unnoticed(owner, here, chosen)
            report.failures += [f"not noticed: {statement}" for statement in passed]
            report.figures[f"harm noticed, {kind}"] = f"{count - len(passed)} of {count}"
            done, caught = done + count, caught + count - len(passed)
    report.figures["harm noticed"] = f"{caught:,} of {done:,}"
    report.figures["harmless"] = "; ".join(f"{table}: {why}" for table, why in IMPLIED.items())


async def decisions(url: str, report: Report, *, wanted: int, seed: int) -> None:
    """Random worlds, until so many decisions are made three times."""
    since, decided = time.monotonic(), Decided()
    async with connected(url) as owner:
        await owner.execute(SCRIPT)
        while decided.decisions < wanted:
            decided.add(await decide(owner, seed + decided.worlds))
        report.failures += decided.differences[:20]
        if not 0.1 < decided.shown / decided.decisions < 0.9:
            report.failures.append("nearly all or nearly nothing is shown, which proves little")
        report.figures["random decisions"] = (
            f"{decided.decisions:,} in {decided.worlds} worlds, {decided.shown:,} of them to show;"
            f" {len(decided.differences)} on which PostgreSQL, memory and the words differ;"
            f" {decided.decisions / (time.monotonic() - since):,.0f} a second"
        )
        await _controls(owner, report, seed)


async def _controls(owner: Any, report: Report, seed: int) -> None:
    """Mistakes in the policies and in memory must show in such worlds as well."""
    sources = {row["proname"]: row["source"] for row in await owner.fetch(SOURCES)}
    planted = [*relaxed(), *forgotten(), *(each for each in functions(sources) if _shows_in_rows(each))]
    missed = [each.statement for each in planted if not await _differs(owner, seed, harm=each.statement)]
    missed += [eyes.__name__ for eyes in (Indulgent, Careless) if not await _differs(owner, seed, eyes=eyes)]
    report.failures += [f"not found in {PATIENCE} random worlds: {each}" for each in missed]
    count = len(planted) + 2
    report.figures["mistakes that random worlds find"] = f"{count - len(missed)} of {count}"


def _shows_in_rows(harm: Harm) -> bool:
    return harm.statement.startswith("CREATE OR REPLACE") and SEARCH not in harm.sources


async def _differs(owner: Any, seed: int, **planted: Any) -> bool:
    try:
        for turn in range(PATIENCE):
            if (await decide(owner, seed + turn, **planted)).differences:
                return True
    except asyncpg.DataError:  # It is not even an answer.
        return True
    return False


class Indulgent(Eyes):
    """Memory that takes every member for a manager."""

    def _by(self, term: Term, row: Row) -> bool:
        return super()._by(MemberOf(term.column) if isinstance(term, ManagerOf) else term, row)


class Careless(Eyes):
    """Memory that looks away when somebody is suspended."""

    def __init__(self, store: Any, actor: Any) -> None:
        super().__init__(store, actor)
        if self._me is None and actor.user_id in store.tables["users"].rows:
            self._me = actor.user_id
            self._look_up()


async def plans(report: Report, size: int = 100_000) -> None:
    """The tests of plans, on a hundred thousand rows of each large table."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pytest", "-q", "tests/visibility/test_plans.py", "-p", "no:cacheprovider"),
        env={**os.environ, "GUILDHALL_TEST_MULTITUDE": str(size)},
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    last = said.decode().strip().splitlines()[-1]
    report.figures[f"plans at {size:,} rows"] = last
    if process.returncode:
        report.failures.append(f"plans: {last}")
