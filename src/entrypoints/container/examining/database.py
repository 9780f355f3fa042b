"""The database: its version, roles and policies, and whether the rows in it add up."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from application.audit import VerifyAudit
from application.reviews import CheckRatings
from domain.shared.actors import SYSTEM
from entrypoints.container.examining.findings import Finding, Verdict, fail, ok, warn
from entrypoints.container.injection import Container
from entrypoints.container.opening import OpenHouse, open_house, owner_address
from entrypoints.settings import ClockName, Settings

if TYPE_CHECKING:
    from adapters.postgres.examination import Findings

_SKEW, _MUCH_SKEW = timedelta(seconds=2), timedelta(seconds=30)
_PATIENCE = timedelta(minutes=5)
"""How long an event or an audit row may wait before somebody should look."""


async def database(settings: Settings) -> AsyncIterator[Finding]:
    """Everything about the database of these settings, as far as one gets."""
    from adapters.postgres.examination import examine, explained

    async with AsyncExitStack() as stack:
        try:
            owner_url = await owner_address(settings, stack)
            found = await examine(owner_url)
        except Exception as error:
            told = explained(error) or error
            yield fail(
                "database", f"{told}", "see that it runs, and that DATABASE_URL names it and its owner's password"
            )
            return
        yield _database(found)
        if settings.clock is ClockName.SYSTEM:
            yield _skew(settings, found)
        standing = await _migrations(owner_url)
        yield standing
        if standing.verdict is not Verdict.OK:
            return
        for finding in _catalogs(found):
            yield finding
        yield _login(settings, owner_url)
        async with open_house(settings, migrate=False) as house:
            async for finding in _rows(house):
                yield finding


def _database(found: "Findings") -> Finding:
    from adapters.postgres.examination import OLDEST

    seen = f"PostgreSQL {found.version}"
    if found.version < OLDEST:
        return fail("database", seen, f"Guildhall needs PostgreSQL {OLDEST} or newer")
    return ok("database", seen)


def _catalogs(found: "Findings") -> Iterator[Finding]:
    from adapters.postgres.examination import ROLES

    if found.extensions_missing:
        yield fail("extensions", f"missing: {', '.join(found.extensions_missing)}", "`guildhall migrate` as the owner")
    else:
        yield ok("extensions", "all there")
    missing = sorted(set(ROLES) - {role.name for role in found.roles})
    mighty = [role.name for role in found.roles if role.superuser or role.bypasses]
    heirs = [role.name for role in found.roles if role.name == "guildhall_app" and role.inherits]
    if missing:
        yield fail("roles", f"missing: {', '.join(missing)}", "`guildhall migrate` as the owner")
    elif mighty:
        fix = "; ".join(f"alter role {name} nosuperuser nobypassrls" for name in mighty)
        yield fail("roles", f"row-level security does not bind {', '.join(mighty)}", fix)
    elif heirs:
        yield fail("roles", "guildhall_app inherits what its roles may", "alter role guildhall_app noinherit")
    else:
        yield ok("roles", "all there, and bound by row-level security")
    if found.unprotected:
        yield fail("row-level security", f"not on {', '.join(found.unprotected)}", "`guildhall migrate` as the owner")
    elif found.writable:
        fix = "revoke insert, update, delete, truncate on these tables from anon, authenticated"
        yield fail("row-level security", f"clients may write {', '.join(found.writable)}", fix)
    else:
        yield ok("row-level security", "on every table, and no client writes")


def _skew(settings: Settings, found: "Findings") -> Finding:
    apart = abs(found.now - Container(settings=settings).clock().now())
    seen, fix = f"{apart.total_seconds():.1f} s apart from the database", "let NTP keep the clocks of both machines"
    if apart > _MUCH_SKEW:
        return fail("clock", seen, fix)
    return warn("clock", seen, fix) if apart > _SKEW else ok("clock", seen)


async def _migrations(owner_url: str) -> Finding:
    from adapters.postgres.versions import newest, revision

    found, wanted = await revision(owner_url), newest()
    if found is None:
        return warn("migrations", "the database is empty", "`guildhall migrate`, or just `guildhall serve`")
    if found != wanted:
        return fail("migrations", f"at revision {found}, this version wants {wanted}", "`guildhall migrate`")
    return ok("migrations", f"at the newest revision, {found}")


def _login(settings: Settings, owner_url: str) -> Finding:
    if settings.database_url is None:
        return ok("application login", "guildhall_app, with a password of its own")
    fix = "give guildhall_app a password, and set DATABASE_APP_URL to its address"
    if settings.database_app_url is None:
        return warn("application login", "the owner's: whoever takes over the API owns the database", fix)
    user = urlsplit(settings.database_app_url.asyncpg).username
    if user == urlsplit(owner_url).username:
        return warn("application login", f"{user} is the owner", fix)
    return ok("application login", f"{user}")


async def _rows(house: OpenHouse) -> AsyncIterator[Finding]:
    from adapters.postgres.examination import look_into_books

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
    books = await look_into_books(house.owner_url, at=now)
    if books.unbalanced:
        fix = "the ledger is append-only: find who wrote past it, `guildhall payment ledger`"
        yield fail("ledger", f"{books.unbalanced} transactions do not sum to zero", fix)
    else:
        yield ok("ledger", f"{books.entries} entries sum to zero")
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
