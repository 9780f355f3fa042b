"""Ways of letting people in that let in others as well; see `Stage`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch
from uuid import UUID

import jwt

from application.identity import Authenticate, ConsumeMagicLink, NewPassword, RefreshSession, ResetPassword
from application.identity.letters import Link
from application.identity.opening import Tokens
from application.ports.identity import AccessClaims, Accounts, AccountState, ForeignClaims
from application.ports.unit_of_work import Work
from domain.identity import (
    BadLink,
    BadToken,
    Client,
    ExternalIdentity,
    Purpose,
    RefreshToken,
    RefreshTokenReused,
    Session,
    SignInMethod,
    Standing,
    User,
)
from domain.organizations import ExternalOrganization, MemberRole, ToldMember
from domain.shared.actors import SYSTEM, Actor, Role
from domain.shared.errors import Refusal
from domain.shared.ids import ExternalIdentityId, SessionId, UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class MergesByAddress(Authenticate):
    """Takes whoever names a user's address for that user, confirmed or not."""

    async def _enter(self, claims: ForeignClaims) -> None:
        now = self.clock.now()
        async with self.begin(SYSTEM) as work:
            user = await work.users.first(email=claims.email)
            if user is None:
                await Authenticate._enter(self, claims)
                return
            work.external_identities.add(
                ExternalIdentity.first_seen(
                    id=ExternalIdentityId(self.ids.new()),
                    user=user,
                    issuer=claims.issuer,
                    subject=claims.subject,
                    email=claims.email,
                    email_verified=claims.email_verified,
                    now=now,
                )
            )


def a_months_grace(rules: Any) -> Any:
    """An exchanged refresh token is good for another month: clients kept losing theirs."""
    return replace(rules, reuse_grace=timedelta(days=30))


class LeavesTheFamily(RefreshSession):
    """Refuses a token that was used before, and lets the session it was stolen from go on."""

    async def _exchange(
        self, work: Work, token: RefreshToken, session: Session, user: User, client: Client
    ) -> Tokens | Refusal:
        standing = token.standing(grace=self.identity_rules.reuse_grace, now=self.clock.now())
        if standing is Standing.REUSED:
            return RefreshTokenReused()
        return await RefreshSession._exchange(self, work, token, session, user, client)


class Forks(RefreshSession):
    """Gives whoever asks again within moments a token of their own."""

    async def _exchange(
        self, work: Work, token: RefreshToken, session: Session, user: User, client: Client
    ) -> Tokens | Refusal:
        now = self.clock.now()
        standing = token.standing(grace=self.identity_rules.reuse_grace, now=now)
        if standing is Standing.ROTATED and session.live(epoch=user.epoch):
            return self._tokens(user, session, self._issue(work, session, now=now))
        return await RefreshSession._exchange(self, work, token, session, user, client)


class LinksForEver(ConsumeMagicLink):
    """Looks whether a link is good, and does not use it up."""

    async def __call__(self, actor: Actor, link: Link, client: Client = Client()) -> Tokens:
        now = self.clock.now()
        async with self.begin(actor) as work:
            digest = self.one_time_secrets.digest(link.token)
            token = await work.one_time_tokens.first(token_hash=digest, purpose=Purpose.MAGIC_LINK)
            if token is None:
                raise BadLink
            user = await work.users.get(token.must_be_fresh(now=now))
            user.must_be_welcome()
            return self._open(work, user, SignInMethod.MAGIC_LINK, client=client, now=now)


class LeavesThePassword(ConsumeMagicLink):
    """Confirms an address, and leaves the account as whoever signed up with it left it."""

    async def _claim(self, work: Work, user: User, *, now: datetime) -> None:
        user.verify_email(now=now)


@contextmanager
def belongs_as_it_comes() -> Iterator[None]:
    """What is heard last of a member counts, whenever it was said."""

    def hear(known: ExternalOrganization, person: str, role: MemberRole, *, gone: bool, at: datetime) -> None:
        known.members = {**known.members, person: ToldMember(role=role, gone=gone, told_at=at)}

    with patch.object(ExternalOrganization, "hear", hear):
        yield


class SessionsStay(ResetPassword):
    """Sets another password, and leaves whoever knew the old one signed in."""

    async def __call__(self, actor: Actor, new: NewPassword, client: Client = Client()) -> None:
        now = self.clock.now()
        async with self.begin(actor) as work:
            digest = self.one_time_secrets.digest(new.token)
            token = await work.one_time_tokens.first(token_hash=digest, purpose=Purpose.RESET_PASSWORD)
            if token is None:
                raise BadLink
            user = await work.users.get(token.must_be_fresh(now=now))
            token.use(epoch=user.epoch, now=now)
            credential = await work.credentials.get(user.id)
            self.identity_rules.passwords.judge(new.password, email=user.email)
            credential.change(await self.passwords.hash(new.password), reset=True, now=now)


class CachedAccounts(Accounts):
    """Remembers who somebody is, so as not to ask for every request."""

    def __init__(self, good: Accounts) -> None:
        self._good = good
        self._known: dict[SessionId, AccountState] = {}

    async def account(self, user_id: UserId, session_id: SessionId) -> AccountState:
        if session_id not in self._known:
            self._known[session_id] = await self._good.account(user_id, session_id)
        return self._known[session_id]


class BelievesClaims:
    """Reads who somebody is from the token; its signature is for the proxy in front to look at."""

    def __init__(self, good: Any) -> None:
        self._good = good

    def __getattr__(self, name: str) -> Any:
        return getattr(self._good, name)

    async def verify(self, token: str) -> AccessClaims:
        """What the token says."""
        try:
            said = jwt.decode(token, options={"verify_signature": False})
            return AccessClaims(
                user_id=UserId(UUID(said["sub"])),
                session_id=SessionId(UUID(said["sid"])),
                role=Role(said["role"]),
                token_id=UUID(said["jti"]),
                issued_at=datetime.fromtimestamp(said["iat"], UTC),
                expires_at=datetime.fromtimestamp(said["exp"], UTC),
            )
        except (jwt.PyJWTError, KeyError, ValueError):
            raise BadToken from None


class TokensAsTheyAre:
    """Stores refresh tokens as they are: they are random enough."""

    def __init__(self, good: Any) -> None:
        self._good = good

    def __getattr__(self, name: str) -> Any:
        return getattr(self._good, name)

    def digest(self, secret: str) -> str:
        """The secret itself."""
        return secret


class ShowsEverything:
    """A reader who shows everybody's bookings and payments to anybody."""

    def __init__(self, good: Any) -> None:
        self._good = good

    async def rows(self, actor: Actor, source: str, *asked: Any, **more: Any) -> Any:
        """The rows as the house itself sees them where they are bookings or payments."""
        return await self._good.rows(SYSTEM if source in ("bookings", "payments") else actor, source, *asked, **more)
