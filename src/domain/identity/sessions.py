"""Sessions, and the family of refresh tokens each one lives by.

A refresh token is exchanged for its successor. `rotated_at` says that this happened; `revoked_at` says that it was
ended. The two are different facts: a rotated token may be asked again for a moment, a revoked one never.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from domain.shared.aggregate import Aggregate, Event
from domain.shared.errors import Unauthenticated
from domain.shared.ids import RefreshTokenId, SessionId, UserId


class SignInMethod(StrEnum):
    """What somebody proved when the session began."""

    PASSWORD = "password"  # noqa: S105 - a word, not a secret
    MAGIC_LINK = "magic_link"
    GOOGLE = "google"
    GITHUB = "github"


class EndReason(StrEnum):
    """Why a session is over."""

    SIGNED_OUT = "signed_out"
    ENDED = "ended"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a word, not a secret
    TOKEN_REUSED = "token_reused"  # noqa: S105 - a word, not a secret
    SUSPENDED = "suspended"
    CLAIMED = "claimed"


class Standing(StrEnum):
    """What a refresh token is worth at some moment."""

    CURRENT = "current"
    ROTATED = "rotated"
    REUSED = "reused"
    REVOKED = "revoked"
    EXPIRED = "expired"


class BadToken(Unauthenticated):
    """This access token was not issued by us, not for this, or not in this shape."""

    code = "identity.bad_token"

    def __init__(self) -> None:
        super().__init__("this access token is not valid")


class TokenExpired(Unauthenticated):
    """This access token was good; refresh the session for another."""

    code = "identity.token_expired"

    def __init__(self) -> None:
        super().__init__("this access token has expired")


class SessionOver(Unauthenticated):
    """The session behind the token has ended."""

    code = "identity.session_over"

    def __init__(self) -> None:
        super().__init__("this session is over; sign in again")


class BadRefreshToken(Unauthenticated):
    """This refresh token opens nothing: unknown, expired or ended."""

    code = "identity.bad_refresh_token"

    def __init__(self) -> None:
        super().__init__("this refresh token is not valid; sign in again")


class RefreshTokenReused(Unauthenticated):
    """An exchanged refresh token came back later: somebody holds a copy, so the whole session was ended."""

    code = "identity.refresh_token_reused"

    def __init__(self) -> None:
        super().__init__("this refresh token was used before; the session has been ended, sign in again")


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOpened(Event):
    """Somebody signed in."""

    name: ClassVar[str] = "session.opened"
    session_id: SessionId
    user_id: UserId
    method: SignInMethod


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEnded(Event):
    """A session is over."""

    name: ClassVar[str] = "session.ended"
    session_id: SessionId
    user_id: UserId
    reason: EndReason


@dataclass(frozen=True, slots=True)
class Client:
    """The address and program somebody signs in from, for them to recognise; cut to what fits."""

    ip: str = ""
    user_agent: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "ip", _printable(self.ip, 45))
        object.__setattr__(self, "user_agent", _printable(self.user_agent, 200))


@dataclass(eq=False, slots=True, kw_only=True)
class Session(Aggregate):
    """One device signed in, for as long as its refresh tokens are exchanged in time."""

    id: SessionId
    user_id: UserId
    epoch: int
    method: SignInMethod
    ip: str
    user_agent: str
    last_used_at: datetime
    revoked_at: datetime | None = None
    end_reason: EndReason | None = None
    created_at: datetime

    @classmethod
    def open(
        cls, *, id: SessionId, user_id: UserId, epoch: int, method: SignInMethod, client: Client, now: datetime
    ) -> "Session":
        """A session of this epoch of its user."""
        session = cls(
            id=id,
            user_id=user_id,
            epoch=epoch,
            method=method,
            ip=client.ip,
            user_agent=client.user_agent,
            last_used_at=now,
            created_at=now,
        )
        session._record(SessionOpened(session_id=id, user_id=user_id, method=method))
        return session

    def live(self, *, epoch: int) -> bool:
        """Whether it still counts, its user being in that epoch."""
        return self.revoked_at is None and self.epoch == epoch

    def touch(self, *, client: Client, now: datetime) -> None:
        """It was used, from there."""
        self.last_used_at = max(now, self.last_used_at)
        self.ip, self.user_agent = client.ip or self.ip, client.user_agent or self.user_agent

    def carry_over(self, *, epoch: int) -> None:
        """This one goes on in its user's new epoch."""
        self.epoch = epoch

    def end(self, reason: EndReason, *, now: datetime) -> None:
        """Over for good; ending it again changes nothing."""
        if self.revoked_at is None:
            self.revoked_at, self.end_reason = now, reason
            self._record(SessionEnded(session_id=self.id, user_id=self.user_id, reason=reason))


@dataclass(eq=False, slots=True, kw_only=True)
class RefreshToken(Aggregate):
    """One link in a session's chain, kept as a hash; of each session at most one is neither rotated nor revoked."""

    id: RefreshTokenId
    session_id: SessionId
    token_hash: str
    expires_at: datetime
    rotated_at: datetime | None = None
    revoked_at: datetime | None = None
    created_at: datetime

    @classmethod
    def issue(
        cls, *, id: RefreshTokenId, session_id: SessionId, token_hash: str, lifetime: timedelta, now: datetime
    ) -> "RefreshToken":
        """The session's current token from now on."""
        return cls(id=id, session_id=session_id, token_hash=token_hash, expires_at=now + lifetime, created_at=now)

    def standing(self, *, grace: timedelta, now: datetime) -> Standing:
        """What it is worth. One that was exchanged may come back within `grace` (the answer was lost, or two asked at
        once); later it is a copy in other hands."""
        if self.revoked_at is not None:
            return Standing.REVOKED
        if self.rotated_at is not None:
            return Standing.ROTATED if now <= self.rotated_at + grace else Standing.REUSED
        return Standing.CURRENT if now < self.expires_at else Standing.EXPIRED

    def rotate(self, *, now: datetime) -> None:
        """It was exchanged for its successor."""
        self.rotated_at = now

    def revoke(self, *, now: datetime) -> None:
        """Over for good, and the first moment of it stays."""
        if self.revoked_at is None:
            self.revoked_at = now


def _printable(value: str, longest: int) -> str:
    if not value.isprintable():
        value = "".join(c for c in value if c.isprintable())
    return value.strip()[:longest]
