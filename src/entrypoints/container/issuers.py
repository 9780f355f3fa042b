"""The other issuers these settings accept, each with its keys."""

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from entrypoints.settings import FurtherIssuer, IdentityName, IssuerName, Settings


def issuers(settings: Settings, clock: Any) -> tuple[Any, ...]:
    """Those accepted, the present ones first. With none, nothing of them is loaded."""
    named = tuple(named_issuers(settings))
    if not named:
        return ()
    import httpx

    client = httpx.AsyncClient(timeout=5, follow_redirects=False)
    return tuple(_issuer(settings, one, published_keys(settings, one, client=client, clock=clock)) for one in named)


def named_issuers(settings: Settings) -> Iterator[FurtherIssuer]:
    """Whom the settings name, the present ones first."""
    kept_there = (IssuerName.SUPABASE,) if settings.identity is IdentityName.SUPABASE else ()
    for kind in dict.fromkeys((*kept_there, *settings.accept_tokens_of)):
        if kind is IssuerName.CLERK:
            yield FurtherIssuer(kind, settings.clerk_address)
        else:
            secret = settings.supabase_jwt_secret.get_secret_value() if settings.supabase_jwt_secret else ""
            yield FurtherIssuer(kind, f"{settings.supabase_url}/auth/v1", secret)
    yield from settings.still_accepted


def published_keys(settings: Settings, named: FurtherIssuer, *, client: Any, clock: Any) -> Any:
    """The keys that issuer publishes; the last good ones are kept in the data folder."""
    from adapters import jwt_issuers

    # A name that is the same each time, whatever characters an address has.
    kept = settings.data_dir / "issuers" / f"{sha256(named.issuer.encode()).hexdigest()[:16]}.json"
    url, algorithms = f"{named.issuer}/.well-known/jwks.json", jwt_issuers.ALGORITHMS[named.kind.value]
    return jwt_issuers.FetchedKeys(url, client=client, clock=clock, algorithms=algorithms, kept=kept)


def _issuer(settings: Settings, named: FurtherIssuer, keys: Any) -> Any:
    from adapters import jwt_issuers

    if named.secret:
        keys = jwt_issuers.AnyOfKeys(jwt_issuers.SharedSecret(named.secret), keys)
    trusted = named.kind in settings.trust_addresses_of
    if named.kind is IssuerName.CLERK:
        parties = settings.clerk_authorized_parties
        return jwt_issuers.clerk(named.issuer, keys, parties=parties, confirms_addresses=trusted)
    return jwt_issuers.supabase(named.issuer, keys, confirms_addresses=trusted)
