"""What identity asks of the world: hashing, signing, secrets, and how an account stands right now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from domain.identity import Session, User
from domain.organizations import MemberRole
from domain.shared.actors import Actor, Role
from domain.shared.ids import ExternalIdentityId, OneTimeTokenId, RefreshTokenId, SessionId, UserId


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a password matches; `upgraded` is its hash anew where the kept one is of an older make."""

    matches: bool
    upgraded: str | None = None


class PasswordHasher(Protocol):
    """Passwords to hashes, away from the event loop. `Unavailable` when too many wait already.

    With no hash to compare (None), or one nobody can read, it takes as long and answers no: time tells nothing."""

    async def hash(self, password: str) -> str:
        """A salted hash that names its own method and cost."""
        ...

    async def verify(self, password: str, hash: str | None) -> bool:
        """Whether the password is the one behind the hash."""
        ...

    async def verify_and_upgrade(self, password: str, hash: str | None) -> Verdict:
        """The same, with a fresh hash where the kept one is not what `hash` would make today."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessClaims:
    """What a verified access token says. Its role is the role at issue: the account decides, see `Accounts`."""

    user_id: UserId
    session_id: SessionId
    role: Role
    token_id: UUID
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignOrganization:
    """The organization somebody acts in at their issuer, as its token says: what they may do there, not here."""

    id: str
    slug: str
    role: str
    permissions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignClaims:
    """What a verified token of another issuer says. It tells who somebody is there: what they may do here, our own rows
    tell. The address counts only as far as the issuer has confirmed it; `nobody` is a visitor it gave a token to."""

    issuer: str
    subject: str
    email: str | None = None
    email_verified: bool = False
    display_name: str = ""
    nobody: bool = False
    session: str = ""
    organization: ForeignOrganization | None = None
    issued_at: datetime
    expires_at: datetime


class BearerTokens(Protocol):
    """Every kind of access token this house accepts, its own and those of other issuers."""

    async def verify(self, token: str) -> AccessClaims | ForeignClaims:
        """What it says; `BadToken` when it comes from nobody we accept or is not in shape, `TokenExpired` when it did
        and was, `Unavailable` while its issuer's keys are not known yet."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityNews:
    """What an issuer writes of one of its people: how they are now, or that they are `gone`."""

    issuer: str
    subject: str
    gone: bool = False
    email: str | None = None
    email_verified: bool = False
    display_name: str = ""
    told_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationNews:
    """What an issuer writes of an organization: how it is now, or that it is `gone`. `founder` is the subject of who
    made it, where that is said."""

    issuer: str
    subject: str
    gone: bool = False
    name: str = ""
    founder: str | None = None
    told_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MembershipNews:
    """What an issuer writes of somebody in an organization: what they are there now, or that they are no more."""

    organization: OrganizationNews
    person: IdentityNews
    role: MemberRole
    gone: bool = False
    told_at: datetime


News = IdentityNews | OrganizationNews | MembershipNews


class NewsReader(Protocol):
    """Reads what an issuer writes to us, once it is known to be from there."""

    def read(self, kind: str, payload: str) -> News | None:
        """The news of that message; None when it is about nothing we keep. `MalformedWebhook` when it makes no
        sense."""
        ...


class AccessTokens(BearerTokens, Protocol):
    """Short-lived signed tokens of our own, that a request shows."""

    @property
    def lifetime(self) -> timedelta:
        """How long a token lasts from its issue."""
        ...

    def issue(self, user: User, session: Session) -> str:
        """A token for this user's session, good from now."""
        ...

    async def verify(self, token: str) -> AccessClaims:
        """Its claims; `BadToken` when it is not ours or not in shape, `TokenExpired` when it was."""
        ...

    def jwks(self) -> Mapping[str, Sequence[Mapping[str, str]]]:
        """The public keys tokens verify with, as a JSON Web Key Set."""
        ...


class OneTimeSecrets(Protocol):
    """What makes a mailed link work: derived from its token's id, so that nothing secret waits in a queue."""

    def secret(self, token_id: OneTimeTokenId) -> str:
        """The secret of that link, the same each time, URL-safe."""
        ...

    def digest(self, secret: str) -> str:
        """What is stored of it, for finding it again."""
        ...


class RefreshSecrets(Protocol):
    """What a client holds of a refresh token: opaque, derived from its id, so that the same answer can be given again
    to a client that lost it, while only a digest is stored."""

    def secret(self, token_id: RefreshTokenId) -> str:
        """The secret of that refresh token, the same each time, URL-safe."""
        ...

    def digest(self, secret: str) -> str:
        """What is stored of it, for finding it again."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountState:
    """How a user and one of their sessions stand at this moment."""

    role: Role
    verified: bool
    suspended: bool
    revoked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignState:
    """How an identity of another issuer and its user stand at this moment, and what was last told of it."""

    identity_id: ExternalIdentityId
    user_id: UserId
    role: Role
    suspended: bool
    ended: bool
    email: str | None
    email_verified: bool
    last_seen_at: datetime


class Accounts(Protocol):
    """The present state behind a token, so that a new role, a suspension or a sign-out binds at the next request."""

    async def account(self, user_id: UserId, session_id: SessionId) -> AccountState:
        """Asked at every request. `revoked` unless that session is that user's, not ended, and of their present epoch:
        an unknown user or session counts as revoked."""
        ...

    async def foreign(self, issuer: str, subject: str) -> ForeignState | None:
        """Asked at every request with another issuer's token; None for whom we have never seen."""
        ...


class SecurityLog(Protocol):
    """Where refused sign-ins, forged and reused tokens and denied access leave a trace, in bounded number."""

    async def note(
        self, kind: str, *, actor: Actor, subject: str | None = None, ip: str = "", details: Mapping[str, object]
    ) -> None:
        """Keep that this happened; never fails the request it is told of."""
        ...
