"""The campaign from beginning to end: open, found a town, load, kill, let everything settle, and judge."""

import asyncio
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

from tests.proof.crashes.books import Books, seen, waiting
from tests.proof.crashes.checking import judged
from tests.proof.crashes.fleet import GUILDHALL, Fleet
from tests.proof.crashes.history import Chronicle, Deed, read
from tests.proof.crashes.killer import RECOVERED_WITHIN, Kill, Killer, Part
from tests.proof.crashes.load import BOOKERS, TALKERS, Crowd
from tests.proof.crashes.rules import broken
from tests.proof.crashes.town import found
from tests.proof.reporting import Report

LEASE = timedelta(seconds=61)
HOLD = timedelta(minutes=16)
SETTLED_WITHIN = 180.0
WORK_IN_FLIGHT = 0.9
MOST_TOLD = 20
BROKE = ('"unexpected"', "a round failed", "event given up", "Traceback")
"""Words of a log line that says that something broke which was not meant to."""


@dataclass(slots=True)
class Campaign:
    """One campaign's orders."""

    kills: int
    seed: int = 1
    minutes: float = 30.0
    program: Sequence[str] = GUILDHALL
    folder: Path | None = None
    orders: Sequence[tuple[Part, ...]] = ()
    apis: int = 2
    talkers: int = TALKERS
    bookers: int = BOOKERS
    prepare: Callable[[Fleet], Awaitable[None]] | None = None
    quiet: bool = False
    whole: bool = True
    """Whether the audit trail is walked and the doctor called at the end, two more processes."""
    report: Report = field(default_factory=lambda: Report(name="crashes"))

    async def run(self) -> Report:
        """Run it. What is wrong is in the report."""
        folder = _new_folder()
        fleet = Fleet(folder, apis=self.apis, program=self.program)
        try:
            await fleet.open()
            if self.prepare is not None:
                await self.prepare(fleet)
            await self._wage(fleet)
        finally:
            ended_badly = await fleet.close()
            self._keep(folder)
        self.report.failures += [*fleet.surprises, *ended_badly]
        return self.report

    async def _wage(self, fleet: Fleet) -> None:
        chance, file = random.Random(self.seed), fleet.folder / "history.jsonl"
        chronicle = Chronicle(file)
        crowd = Crowd(fleet.traffic, await found(fleet), chronicle, chance)
        killer = Killer(fleet, chance, lambda: self._glance(fleet, chronicle), self.orders)
        began = time.monotonic()
        crowd.come(talkers=self.talkers, bookers=self.bookers)
        await asyncio.sleep(1.0)
        await killer.rampage(self.kills, until=began + self.minutes * 60, tell=self._tell)
        seconds = time.monotonic() - began
        await asyncio.sleep(0.3)
        await crowd.go()
        settled = await crowd.settle()
        chronicle.close()
        deeds, waits = read(file), (await seen(fleet)).waits[0]
        drained = await self._rest(fleet)
        books = await seen(fleet)
        rules, against = await broken(fleet)
        wrong = [*judged(deeds, books), *crowd.errors, *against, *self._logged(fleet)]
        if self.whole:
            wrong += await _inspected(fleet)
        self.report.failures += wrong[:MOST_TOLD]
        if len(wrong) > MOST_TOLD:
            self.report.failures.append(f"and {len(wrong) - MOST_TOLD} more")
        self._judge_kills(killer.kills, seconds)
        self.report.figures |= {"settled_afterwards": settled, "drained_in": drained, "rules_read": rules}
        self._figures(deeds, books, crowd, fleet, waits)

    async def _glance(self, fleet: Fleet, chronicle: Chronicle) -> None:
        """After a kill, lightly: what was acknowledged lately is there."""
        fresh = list(chronicle.recent)
        for kind, table in (("book", "bookings"), ("message", "messages"), ("refund", "refunds")):
            ids = [deed.told["id"] for deed in fresh if deed.kind == kind and deed.acknowledged]
            there = await fleet.rows(f"select id::text from {table} where id = any($1::text[]::uuid[])", ids)
            lost = set(ids) - {row["id"] for row in there}
            self.report.failures += [f"after a kill {kind} {id}, acknowledged, is lost" for id in sorted(lost)[:5]]

    async def _rest(self, fleet: Fleet) -> float:
        """Let leases of the dead end, and holds nobody pays; until nothing is under way any more."""
        began = time.monotonic()
        for forward in (LEASE, HOLD, LEASE):
            fleet.clock.advance(forward)
            with suppress(TimeoutError):
                async with asyncio.timeout(SETTLED_WITHIN):
                    await _quiet(fleet)
        return round(time.monotonic() - began, 1)

    def _logged(self, fleet: Fleet) -> list[str]:
        panics = [line for line in fleet.server_log().splitlines() if "PANIC" in line]
        return [*fleet.complaints(*BROKE), *panics]

    def _judge_kills(self, kills: list[Kill], seconds: float) -> None:
        figures, failures = self.report.figures, self.report.failures
        busy = sum(kill.in_flight > 0 for kill in kills)
        figures["kills"] = {part.value: sum(kill.part is part for kill in kills) for part in Part}
        figures["kills_total"], figures["two_at_once"] = len(kills), sum(kill.twin for kill in kills) // 2
        figures["hit_work_in_flight"] = f"{busy} of {len(kills)} ({busy / max(1, len(kills)):.0%})"
        changes = sum(kill.changes_in_flight > 0 for kill in kills)
        figures["hit_writes_in_flight"] = f"{changes} of {len(kills)} ({changes / max(1, len(kills)):.0%})"
        figures["seconds_per_kill"] = round(seconds / max(1, len(kills)), 1)
        for part in Part:
            times = sorted(kill.recovered for kill in kills if kill.part is part and kill.recovered is not None)
            if times:
                p95 = times[min(len(times) - 1, int(len(times) * 0.95))]
                figures[f"recovery_{part.value}"] = f"p50 {median(times):.1f} s, p95 {p95:.1f} s, max {times[-1]:.1f} s"
        slow = [kill for kill in kills if kill.recovered is None or kill.recovered > RECOVERED_WITHIN]
        failures += [f"{kill.whom} took {kill.recovered or 'for ever'} s to recover (limit 10)" for kill in slow]
        if kills and busy < WORK_IN_FLIGHT * len(kills):
            failures.append(f"only {busy} of {len(kills)} kills hit work in flight")
        if not kills:
            failures.append("nothing was killed")

    def _figures(self, deeds: list[Deed], books: Books, crowd: Crowd, fleet: Fleet, waits: Any) -> None:
        kinds = sorted({deed.kind for deed in deeds})
        figures = self.report.figures
        figures["acknowledged"] = {k: sum(d.acknowledged for d in deeds if d.kind == k) for k in kinds}
        figures["refused"] = {k: sum(d.refusal is not None for d in deeds if d.kind == k) for k in kinds}
        figures["once_unknown"] = len(crowd.doubted)
        figures["replayed"] = crowd.replayed
        figures["requests_without_answer"] = fleet.traffic.lost
        figures["answers_by_status"] = dict(sorted(fleet.traffic.statuses.items()))
        figures["slowest_answers"] = [str(each) for each in sorted(fleet.traffic.slow, reverse=True)[:3]]
        figures["captured_at_gateway"] = sum(row["state"] == "captured" for row in books.gateway_payments)
        figures["refunded_at_gateway"] = len(books.gateway_refunds)
        figures["events"] = (
            f"{waits['events']} delivered, {waits['again']} more than once; waited p50 {waits['p50'] or 0:.2f} s, "
            f"p95 {waits['p95'] or 0:.2f} s, max {waits['most'] or 0:.0f} s"
        )
        figures["stories"], figures["starts"] = crowd.stories, {m.name: m.starts for m in fleet.members}
        figures["seed"], figures["load_average"] = self.seed, round(os.getloadavg()[0], 1)
        open_ones = [d.token for d in deeds if d.attempts and not (d.acknowledged or d.refusal)]
        self.report.failures += [f"{len(open_ones)} requests never got an answer: {open_ones[:3]}"] if open_ones else []
        if not any(d.acknowledged for d in deeds if d.kind == "book"):
            self.report.failures.append("nothing was booked: the campaign shows nothing")

    def _tell(self, kill: Kill) -> None:
        if self.quiet:
            return
        back = "never came back" if kill.recovered is None else f"back after {kill.recovered:.1f} s"
        sys.stderr.write(f"  {kill.whom:<11}{kill.in_flight:>4} in flight, {back}\n")

    def _keep(self, folder: Path) -> None:
        if self.folder is not None:
            shutil.copytree(folder, self.folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("postgres"))
        shutil.rmtree(folder, ignore_errors=True)


async def _quiet(fleet: Fleet) -> None:
    while any(await waiting(fleet)):  # noqa: ASYNC110 - the database cannot call us
        await asyncio.sleep(0.1)


def _new_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="guildhall-crashes-"))
    # The embedded database steps down from root, and its user has to reach its folder.
    folder.chmod(0o711)
    return folder


async def _inspected(fleet: Fleet) -> list[str]:
    """What the installation's own inspectors say."""
    wrong = []
    code, said = await fleet.command("audit", "verify", "--json")
    if code or not json.loads(said)["holds"]:
        wrong.append(f"guildhall audit verify ({code}): {said[-400:]}")
    code, said = await fleet.command("doctor", "--json")
    if code:
        bad = [each for each in json.loads(said)["findings"] if each["verdict"] == "fail"]
        wrong.append(f"guildhall doctor ({code}): {bad}")
    return wrong
