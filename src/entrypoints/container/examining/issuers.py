"""Whether the issuers whose tokens are accepted publish the keys these are verified with."""

from collections.abc import AsyncIterator

from entrypoints.container.examining.findings import Finding, fail, ok
from entrypoints.container.injection import Container
from entrypoints.container.issuers import named_issuers, published_keys
from entrypoints.settings import Settings


async def issuers(settings: Settings) -> AsyncIterator[Finding]:
    """The key set of each, fetched now."""
    named = tuple(named_issuers(settings))
    if not named:
        return
    import httpx

    clock = Container(settings=settings).clock()
    async with httpx.AsyncClient(timeout=5) as client:
        for one in named:
            part = f"issuer {one.kind.value}"
            try:
                count = await published_keys(settings, one, client=client, clock=clock).examine()
            except (httpx.HTTPError, httpx.InvalidURL, ValueError, OSError) as error:
                if one.secret:
                    yield ok(part, f"{one.issuer} publishes no keys; tokens are verified with its secret")
                    continue
                fix = "is the address right, and can this machine reach it? Until then its tokens are refused"
                yield fail(part, f"the keys of {one.issuer} cannot be fetched: {type(error).__name__}: {error}", fix)
            else:
                yield ok(part, f"{one.issuer} publishes {count} key{'s' if count != 1 else ''}")
