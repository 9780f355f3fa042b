"""The rows of a house, whatever store they are in: whether they add up."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

from adapters.persistence.books import Books, read_books
from application.audit import VerifyAudit
from application.payments import VerifyLedger
from application.reviews import CheckRatings
from domain.shared.actors import SYSTEM
from entrypoints.container.examining.findings import Finding, fail, ok, warn
from entrypoints.container.opening import OpenHouse
from entrypoints.settings import Storage

_PATIENCE = timedelta(minutes=5)
"""How long an event or an audit row may wait before somebody should look."""


async def rows(house: OpenHouse) -> AsyncIterator[Finding]:
    """Whether what is stored adds up, and nothing waits for too long."""
    now = house.container.clock().now()
    report = await house.use(VerifyAudit)(SYSTEM)
    if report.first_break is not None:
        at = f"{report.first_break.fault.value} at position {report.first_break.position}"
        yield fail("audit trail", at, "somebody changed it: compare with a backup, `guildhall audit list` around there")
    elif report.waiting_since and now - report.waiting_since > _PATIENCE:
        seen = f"{report.verified.position} rows hold, others wait since {report.waiting_since:%Y-%m-%d %H:%MZ}"
        yield warn("audit trail", seen, "a worker seals them: `guildhall worker` or `guildhall serve`")
    else:
        yield ok("audit trail", f"{report.verified.position} rows hold")
    books = await _books(house, now)
    yield await _ledger(house, books, now)
    waiting = books.oldest_due is not None and now - books.oldest_due > _PATIENCE
    drifts = await house.use(CheckRatings)(SYSTEM)
    backlog = await house.container.housekeeping().backlog()
    if not drifts:
        yield ok("ratings", "what the reviews say")
    elif backlog["due"]:
        yield warn("ratings", f"{len(drifts)} behind, while events wait", "look again when the worker has come round")
    else:
        yield fail("ratings", f"{len(drifts)} are not what their reviews say", "`guildhall events dead` may tell why")
    if backlog["dead"]:
        yield warn("dead events", f"{backlog['dead']} given up", "`guildhall events dead`, then replay or skip each")
    else:
        yield ok("dead events", "none")
    if waiting:
        yield warn("outbox", f"{backlog['due']} due, the oldest since {books.oldest_due}", "is a worker running?")
    else:
        yield ok("outbox", f"{backlog['due']} due, {backlog['scheduled']} scheduled")


async def _ledger(house: OpenHouse, books: Books, now: datetime) -> Finding:
    """Whether the ledger balances, and is as it was sealed."""
    past_us = "the ledger is append-only: find who wrote past it, `guildhall payment ledger`"
    if books.unbalanced:
        return fail("ledger", f"{books.unbalanced} transactions do not sum to zero", past_us)
    report = await house.use(VerifyLedger)(SYSTEM)
    if report.first_break is not None:
        broken = f"{report.first_break.fault.value} at position {report.first_break.position}"
        return fail("ledger", broken, past_us)
    if report.wrong_balances:
        return fail("ledger", report.wrong_balances[0], "`guildhall payment verify-books`; the entries are right")
    if report.waiting_since and now - report.waiting_since > _PATIENCE:
        seen = f"{report.verified.position} of {books.entries} entries are sealed"
        return warn("ledger", seen, "a worker seals them: `guildhall worker` or `guildhall serve`")
    return ok("ledger", f"{books.entries} entries sum to zero, {report.verified.position} are sealed and hold")


async def _books(house: OpenHouse, at: datetime) -> Books:
    if house.settings.storage is Storage.SUPABASE:
        return await read_books(house.container.store(), at=at)
    from adapters.postgres.examination import look_into_books

    return await look_into_books(house.owner_url, at=at)
