"""The database: its version, roles and policies."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from entrypoints.container.examining.files import files
from entrypoints.container.examining.findings import Finding, Verdict, fail, ok, warn
from entrypoints.container.examining.own import own_tokens
from entrypoints.container.examining.rows import rows
from entrypoints.container.injection import Container
from entrypoints.container.opening import open_house, owner_address
from entrypoints.container.standing import Standing, of_database
from entrypoints.settings import ClockName, Settings

if TYPE_CHECKING:
    from adapters.postgres.examination import Findings

_SKEW, _MUCH_SKEW = timedelta(seconds=2), timedelta(seconds=30)


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
        standing = migrations(await of_database(owner_url), "`guildhall migrate`")
        yield standing
        if standing.verdict is not Verdict.OK:
            return
        for finding in _catalogs(found):
            yield finding
        yield _login(settings, owner_url)
        async with open_house(settings, migrate=False) as house:
            yield await own_tokens(house, "`guildhall migrate`")
            async for finding in rows(house):
                yield finding
            async for finding in files(house):
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


def migrations(standing: Standing, way: str) -> Finding:
    """Whether the schema is this version's."""
    if standing.found is None:
        return warn("migrations", "the database is empty", way)
    if not standing.present:
        return fail("migrations", f"at revision {standing.found}, this version wants {standing.wanted}", way)
    return ok("migrations", f"at the newest revision, {standing.found}")


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
