"""A Supabase project: whether it answers, what each key opens, and how far its schema is."""

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

from domain.shared.errors import Refusal
from entrypoints.container.examining.database import migrations
from entrypoints.container.examining.findings import Finding, Verdict, fail, ok
from entrypoints.container.examining.own import own_tokens
from entrypoints.container.examining.rows import rows
from entrypoints.container.opening import open_house
from entrypoints.container.standing import BY_HAND, of_project
from entrypoints.settings import Settings

if TYPE_CHECKING:
    from adapters.supabase.examination import Doors


async def project(settings: Settings) -> AsyncIterator[Finding]:
    """Everything about the project of these settings, as far as one gets."""
    from adapters.supabase.examination import doors

    async with open_house(settings, migrate=False) as house:
        rest = house.container.rest()
        try:
            standing = await of_project(rest)
        except Refusal as refusal:
            fix = "see that SUPABASE_URL and SUPABASE_SECRET_KEY are this project's, and that it is not paused"
            yield fail("project", f"{settings.supabase_url}: {refusal.message}", fix)
            return
        yield ok("project", f"{settings.supabase_url} answers")
        finding = migrations(standing, BY_HAND)
        yield finding
        if finding.verdict is not Verdict.OK:
            return
        for finding in _keys(await doors(rest)):
            yield finding
        yield await own_tokens(house, BY_HAND)
        async for finding in rows(house):
            yield finding


def _keys(found: "Doors") -> Iterator[Finding]:
    if found.house:
        yield fail("secret key", found.house, "take SUPABASE_SECRET_KEY from the project's API keys")
    else:
        yield ok("secret key", "opens what only the house sees")
    if found.anybody:
        yield fail("publishable key", found.anybody, "take SUPABASE_PUBLISHABLE_KEY from the project's API keys")
    elif found.open_to_anybody:
        yield fail("publishable key", "it opens what only the house sees", "`guildhall migrate` as the owner")
    else:
        yield ok("publishable key", "opens what everybody sees, and no more")
    if found.user:
        fix = "SUPABASE_JWT_SECRET or SUPABASE_SIGNING_KEY must be one that the project takes tokens of"
        yield fail("tokens of users", found.user, fix)
    else:
        yield ok("tokens of users", "the project takes ours")
