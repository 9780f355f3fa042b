"""Tokens of Clerk's sessions, of both versions, and the organization they are acted in."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from adapters.jwt_issuers.issuer import Claims, Issuer, address, word
from adapters.jwt_issuers.keys import RS256, Keys
from application.ports.identity import ForeignClaims, ForeignOrganization
from domain.identity import BadToken

ALGORITHMS = frozenset({RS256})
_MOST_PERMISSIONS = 200


def clerk(issuer: str, keys: Keys, *, parties: Collection[str] = (), confirms_addresses: bool = False) -> Issuer:
    """The issuer of an instance: `https://clerk.your-site.com`. `parties` are the origins of your pages: a token made
    for any other page is none of ours, and with them so is one that does not say for which page it was made."""

    def reads(said: Claims, issued_at: datetime, expires_at: datetime) -> ForeignClaims:
        # Somebody who has yet to do what their sign-in asks for (a second factor, a choice of organization) is not in.
        if said.get("sts", "active") != "active" or "nbf" not in said:
            raise BadToken
        email = address(said)
        return ForeignClaims(
            issuer=issuer,
            subject=word(said, "sub"),
            email=email,
            email_verified=email is not None and (confirms_addresses or said.get("email_verified") is True),
            display_name=_name(said),
            session=word(said, "sid"),
            organization=organization(said),
            issued_at=issued_at,
            expires_at=expires_at,
        )

    return Issuer(name="clerk", issuer=issuer, keys=keys, reads=reads, parties=frozenset(parties))


def organization(said: Claims) -> ForeignOrganization | None:
    """The organization the session is in, from either version of the claims; `BadToken` when they make no sense."""
    if "o" in said:
        return _compact(said["o"], said.get("fea", ""))
    if said.get("org_id") is None:
        return None
    permissions = said.get("org_permissions") or []
    if not isinstance(permissions, list) or not all(isinstance(one, str) for one in permissions):
        raise BadToken
    return ForeignOrganization(
        id=word(said, "org_id"),
        slug=_optional(said, "org_slug"),
        role=word(said, "org_role").removeprefix("org:"),
        permissions=frozenset(permissions),
    )


def _compact(said: Any, features: Any) -> ForeignOrganization:
    """Version 2: permissions are bits, one number for each feature of an organization, its lowest bit for the first
    permission listed."""
    if not isinstance(said, dict) or not isinstance(features, str):
        raise BadToken
    listed = _split(_optional(said, "per"))
    scoped = [name for scope, _, name in (one.partition(":") for one in _split(features)) if "o" in scope]
    masks = [_mask(one) for one in _split(_optional(said, "fpm"))]
    if len(scoped) * len(listed) > _MOST_PERMISSIONS:
        raise BadToken
    return ForeignOrganization(
        id=word(said, "id"),
        slug=_optional(said, "slg"),
        role=word(said, "rol").removeprefix("org:"),
        permissions=frozenset(
            f"org:{feature}:{permission}"
            for feature, mask in zip(scoped, masks, strict=False)
            for place, permission in enumerate(listed)
            if mask >> place & 1
        ),
    )


def _mask(said: str) -> int:
    if not said.isascii() or not said.isdigit() or len(said) > 60:
        raise BadToken
    return int(said)


def _split(said: str) -> Sequence[str]:
    return [one.strip() for one in said.split(",")] if said else []


def _optional(said: Claims, name: str) -> str:
    value = said.get(name)
    if value is None or value == "":
        return ""
    return word(said, name, longest=4000)


def _name(said: Claims) -> str:
    """Only in tokens an instance was told to put it in."""
    value = said.get("name")
    return value if isinstance(value, str) else ""
