"""The other issuers these settings accept, each with its keys."""

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from entrypoints.settings import FurtherIssuer, IssuerName, Settings


def issuers(settings: Settings, clock: Any) -> tuple[Any, ...]:
    """Those accepted, the present ones first. With none, nothing of them is loaded."""
    named = tuple(_named(settings))
    if not named:
        return ()
    import httpx

    client = httpx.AsyncClient(timeout=5, follow_redirects=False)
    return tuple(_issuer(settings, one, client=client, clock=clock) for one in named)


def _named(settings: Settings) -> Iterator[FurtherIssuer]:
    for kind in settings.accept_tokens_of:
        if kind is IssuerName.CLERK:
            yield FurtherIssuer(kind, settings.clerk_address)
        else:
            secret = settings.supabase_jwt_secret.get_secret_value() if settings.supabase_jwt_secret else ""
            yield FurtherIssuer(kind, f"{settings.supabase_url}/auth/v1", secret)
    yield from settings.still_accepted


def _issuer(settings: Settings, named: FurtherIssuer, *, client: Any, clock: Any) -> Any:
    from adapters import jwt_issuers

    algorithms = jwt_issuers.ALGORITHMS[named.kind.value]
    # A name that is the same each time, whatever characters an address has.
    kept = settings.data_dir / "issuers" / f"{sha256(named.issuer.encode()).hexdigest()[:16]}.json"
    keys: Any = jwt_issuers.FetchedKeys(
        f"{named.issuer}/.well-known/jwks.json", client=client, clock=clock, algorithms=algorithms, kept=kept
    )
    if named.secret:
        keys = jwt_issuers.AnyOfKeys(jwt_issuers.SharedSecret(named.secret), keys)
    trusted = named.kind in settings.trust_addresses_of
    if named.kind is IssuerName.CLERK:
        parties = settings.clerk_authorized_parties
        return jwt_issuers.clerk(named.issuer, keys, parties=parties, confirms_addresses=trusted)
    return jwt_issuers.supabase(named.issuer, keys, confirms_addresses=trusted)
