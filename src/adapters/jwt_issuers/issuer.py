"""What makes a token one of an issuer's: who signed it, for whom, and when."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from adapters.jwt_issuers.keys import Keys
from adapters.jwt_issuers.shape import Shape
from application.ports.identity import ForeignClaims
from domain.identity import BadToken, TokenExpired

LEEWAY = timedelta(seconds=5)
"""How far an issuer's clock may be from ours."""
_FAR_AWAY = 2**40
"""Seconds no honest token names: some thousands of years."""

Claims = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """One issuer we accept. `reads` turns claims that fit into our words, and refuses with `BadToken` what its issuer
    would never have said to us."""

    name: str
    issuer: str
    keys: Keys = field(repr=False)
    reads: Callable[[Claims, datetime, datetime], ForeignClaims]
    audience: str | None = None
    parties: frozenset[str] = frozenset()
    """The origins its tokens may have been made for (`azp`); empty where that is not asked."""
    leeway: timedelta = LEEWAY

    async def verify(self, shape: Shape, *, now: datetime) -> ForeignClaims:
        """What the token says, once it is known to come from here, for us, and now."""
        if shape.issuer != self.issuer or shape.header.get("typ", "JWT") not in ("JWT", "at+jwt"):
            raise BadToken
        keys = await self.keys.candidates(shape.algorithm, shape.kid)
        if not any(key.algorithm == shape.algorithm and key.fits(shape.signed, shape.signature) for key in keys):
            raise BadToken
        said = shape.claims
        expires_at, issued_at = _moment(said.get("exp")), _moment(said.get("iat"))
        begins_at = _moment(said["nbf"]) if "nbf" in said else issued_at
        if max(issued_at, begins_at) > now + self.leeway or not self._is_for_us(said):
            raise BadToken
        claims = self.reads(said, issued_at, expires_at)
        if self.over(claims, now=now):
            raise TokenExpired
        return claims

    def over(self, claims: ForeignClaims, *, now: datetime) -> bool:
        """Whether such a token has had its time."""
        return now >= claims.expires_at + self.leeway

    def _is_for_us(self, said: Claims) -> bool:
        audience = said.get("aud")
        named = audience if isinstance(audience, list) else [audience]
        if self.audience is not None and self.audience not in named:
            return False
        party = said.get("azp")
        return not self.parties or (isinstance(party, str) and party in self.parties)


def _moment(said: Any) -> datetime:
    if isinstance(said, bool) or not isinstance(said, int | float) or not math.isfinite(said):
        raise BadToken
    if not 0 <= said < _FAR_AWAY:
        raise BadToken
    try:
        return datetime.fromtimestamp(said, UTC)
    except (ValueError, OverflowError, OSError):
        raise BadToken from None


def word(said: Claims, name: str, *, longest: int = 255) -> str:
    """A claim that has to be a short text."""
    value = said.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= longest or not value.isprintable():
        raise BadToken
    return value


def address(said: Claims) -> str | None:
    """The address a token names, if it does; what is no text is no address."""
    value = said.get("email")
    return value if isinstance(value, str) and value else None
