"""Tokens by which a project knows who asks: minted here for a moment, or the asker's own where it issued that."""

from collections import OrderedDict
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import jwt

from adapters.supabase.errors import ProjectShut
from application.ports.clock import Clock

OURS = "guildhall"
"""What the house calls itself where it asks the database on behalf of a user."""
LIFETIME = timedelta(minutes=10)
RENEWED = timedelta(minutes=2)
"""A token is replaced when it has less than this left: clocks differ, and requests wait."""
KEPT = 10_000
"""Users whose token is remembered."""

_carried: ContextVar[tuple[UUID, str] | None] = ContextVar("carried_token", default=None)


class ClientTokens(Protocol):
    """Tokens for reading on behalf of users, under row-level security."""

    def of(self, user_id: UUID) -> str:
        """A token that the project takes for this user's."""
        ...

    def forget(self, user_id: UUID) -> None:
        """The last one was not taken; another next time."""
        ...


class MintedTokens(ClientTokens):
    """Short-lived tokens signed with the project's own key: the secret of its older kind (HS256), or a private key
    that was imported into it (ES256 or RS256, as a JWK)."""

    def __init__(self, key: str, clock: Clock, *, kept: int = KEPT) -> None:
        if key.lstrip().startswith("{"):
            signing = jwt.PyJWK.from_json(key)
            self._key, self._algorithm, self._id = signing.key, signing.algorithm_name, signing.key_id
        else:
            self._key, self._algorithm, self._id = key, "HS256", None
        self._clock, self._kept = clock, kept
        self._made: OrderedDict[UUID, tuple[str, datetime]] = OrderedDict()

    def of(self, user_id: UUID) -> str:
        now = self._clock.now()
        made = self._made.get(user_id)
        if made is None or made[1] - now < RENEWED:
            made = self._made[user_id] = (self._minted(user_id, now + LIFETIME), now + LIFETIME)
        self._made.move_to_end(user_id)
        while len(self._made) > self._kept:
            self._made.popitem(last=False)
        return made[0]

    def forget(self, user_id: UUID) -> None:
        self._made.pop(user_id, None)

    def _minted(self, user_id: UUID, until: datetime) -> str:
        # No `iat`: a server whose clock is behind ours would take the token for one of tomorrow's.
        # Claims that carry our own ids say that they are ours; PostgREST does not mind who issued a token.
        claims = {"iss": OURS, "sub": str(user_id), "role": "authenticated", "aud": "authenticated", "exp": until}
        return jwt.encode(claims, self._key, self._algorithm, headers={"kid": self._id} if self._id else None)


class CarriedTokens(ClientTokens):
    """The asker's own token while it is at hand; another kind for everybody else."""

    def __init__(self, others: ClientTokens) -> None:
        self._others = others

    def of(self, user_id: UUID) -> str:
        match _carried.get():
            case (carrier, token) if carrier == user_id:
                return token
        return self._others.of(user_id)

    def forget(self, user_id: UUID) -> None:
        # It has run out since it was looked at: what is minted for the same user sees the same.
        _carried.set(None)
        self._others.forget(user_id)


class NoTokens(ClientTokens):
    """Nothing to sign with: nobody is read for but who brings a token of the project's own."""

    def of(self, user_id: UUID) -> str:
        raise ProjectShut("there is no key to sign a token with for somebody the project does not know")

    def forget(self, user_id: UUID) -> None:
        pass


def carry(user_id: UUID, token: str, *, issuer: str) -> None:
    """For as long as this request lasts, its user's own token is at hand, if that issuer issued it. Whoever calls this
    has verified it."""
    if jwt.decode(token, options={"verify_signature": False}).get("iss") == issuer:
        _carried.set((user_id, token))
