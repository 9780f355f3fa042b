"""Access tokens: JSON Web Tokens signed with ES256, verified by the key they name, and remembered while they last."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt

from adapters.local_identity.keyring import ALGORITHM, Keyring, SigningKey
from application.ports.clock import Clock
from application.ports.identity import AccessClaims, AccessTokens
from application.ports.ids import Ids
from domain.identity import BadToken, Session, TokenExpired, User
from domain.shared.actors import Role
from domain.shared.ids import SessionId, UserId

TYPE = "at+jwt"
"""RFC 9068: an access token, and no other kind of token signed with the same key."""

DB_ROLE = "authenticated"
"""Whom the database takes the bearer for, where a front end shows its token to PostgREST (ADR 20)."""

LONGEST = 4096
_LOOK = timedelta(seconds=30)
_OPTIONS: Any = {
    # Expiry is judged by our own clock, below.
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "require": ["iss", "aud", "sub", "sid", "role", "iat", "exp", "jti"],
}


class LocalAccessTokens(AccessTokens):
    """Issues and verifies our own. Verified tokens are remembered, at most `remembered` of them and none beyond its
    expiry or the keys it was verified with; whether their session still lives is asked elsewhere, each time."""

    def __init__(
        self,
        keyring: Keyring,
        clock: Clock,
        ids: Ids,
        *,
        issuer: str,
        audience: str,
        lifetime: timedelta = timedelta(minutes=10),
        leeway: timedelta = timedelta(seconds=5),
        remembered: int = 10_000,
    ) -> None:
        self._keyring, self._clock, self._ids = keyring, clock, ids
        self._issuer, self._audience = issuer, audience
        self._lifetime, self._leeway, self._most = lifetime, leeway, remembered
        self._known: OrderedDict[str, AccessClaims] = OrderedDict()
        self._generation = keyring.generation
        self._looked_at = clock.now()

    @property
    def lifetime(self) -> timedelta:
        return self._lifetime

    def issue(self, user: User, session: Session) -> str:
        self._keyring.look_again()
        key = self._keyring.keys[0]
        now = self._clock.now()
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": str(user.id),
            "sid": str(session.id),
            "role": user.role.value,
            "db_role": DB_ROLE,
            "iat": int(now.timestamp()),
            "exp": int((now + self._lifetime).timestamp()),
            "jti": str(self._ids.new()),
        }
        return jwt.encode(claims, key.private, algorithm=ALGORITHM, headers={"kid": key.kid, "typ": TYPE})

    async def verify(self, token: str) -> AccessClaims:
        now = self._clock.now()
        self._forget_what_changed(now)
        claims = self._known.get(token)
        if claims is None:
            claims = self._read(token, now)
            self._known[token] = claims
            if len(self._known) > self._most:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(token)
        if now >= claims.expires_at + self._leeway:
            del self._known[token]
            raise TokenExpired
        return claims

    def jwks(self) -> Mapping[str, Sequence[Mapping[str, str]]]:
        self._keyring.look_again()
        return {"keys": [key.jwk() for key in self._keyring.keys]}

    def _forget_what_changed(self, now: datetime) -> None:
        if not timedelta() <= now - self._looked_at < _LOOK:
            self._looked_at = now
            self._keyring.look_again()
        if self._keyring.generation != self._generation:
            self._generation = self._keyring.generation
            self._known.clear()

    def _read(self, token: str, now: datetime) -> AccessClaims:
        if len(token) > LONGEST:
            raise BadToken
        try:
            header = jwt.get_unverified_header(token)
            key = self._key(header.get("kid"))
            if header.get("alg") != ALGORITHM or header.get("typ") != TYPE:
                raise BadToken
            claims = jwt.decode(
                token,
                key.public,
                algorithms=[ALGORITHM],
                audience=self._audience,
                issuer=self._issuer,
                options=_OPTIONS,
            )
            read = _claims(claims)
        except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError, OverflowError):
            raise BadToken from None
        if read.issued_at > now + self._leeway:
            raise BadToken
        return read

    def _key(self, kid: object) -> SigningKey:
        """The key of that name. An unknown name costs one look at the file's date, never a reading of it."""
        for known in (True, False):
            for key in self._keyring.keys:
                if key.kid == kid:
                    return key
            if known:
                self._keyring.look_again()
        raise BadToken


def _claims(claims: Mapping[str, Any]) -> AccessClaims:
    """The claims in our words; raises ValueError or TypeError on what we would never have signed."""
    return AccessClaims(
        user_id=UserId(UUID(claims["sub"])),
        session_id=SessionId(UUID(claims["sid"])),
        role=Role(claims["role"]),
        token_id=UUID(claims["jti"]),
        issued_at=datetime.fromtimestamp(claims["iat"], UTC),
        expires_at=datetime.fromtimestamp(claims["exp"], UTC),
    )
