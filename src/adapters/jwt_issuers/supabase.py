"""Tokens of Supabase Auth, signed with its keys or with the secret it had before them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from adapters.jwt_issuers.issuer import Claims, Issuer, address, word
from adapters.jwt_issuers.keys import ES256, RS256, Keys
from application.ports.identity import ForeignClaims
from domain.identity import BadToken

ALGORITHMS = frozenset({ES256, RS256})
AUDIENCE = "authenticated"


def supabase(issuer: str, keys: Keys, *, confirms_addresses: bool = False) -> Issuer:
    """The issuer of a project: `https://<ref>.supabase.co/auth/v1`. Its tokens name an address without saying whether
    it was confirmed; `confirms_addresses` says that the project lets nobody in before it was."""

    def reads(said: Claims, issued_at: datetime, expires_at: datetime) -> ForeignClaims:
        # The keys of the project are tokens too, signed alike, and people are never let in by them. A token made for
        # another application (`client_id`) speaks for a user who allowed that application something, not everything.
        if said.get("role") != AUDIENCE or "client_id" in said:
            raise BadToken
        nobody = said.get("is_anonymous", False)
        if not isinstance(nobody, bool):
            raise BadToken
        email = address(said)
        return ForeignClaims(
            issuer=issuer,
            subject=_uuid(said, "sub"),
            email=email,
            email_verified=email is not None and (confirms_addresses or said.get("email_verified") is True),
            display_name=_name(said.get("user_metadata")),
            nobody=nobody,
            session=_uuid(said, "session_id"),
            issued_at=issued_at,
            expires_at=expires_at,
        )

    return Issuer(name="supabase", issuer=issuer, keys=keys, reads=reads, audience=AUDIENCE)


def _uuid(said: Claims, name: str) -> str:
    value = word(said, name)
    try:
        if str(UUID(value)) != value:
            raise BadToken
    except ValueError:
        raise BadToken from None
    return value


def _name(metadata: Any) -> str:
    """What a user calls themselves. They may write it as they like, so it is shown and decides nothing."""
    if not isinstance(metadata, Mapping):
        return ""
    said = (metadata.get(key) for key in ("full_name", "name"))
    return next((name for name in said if isinstance(name, str) and name.strip()), "")
