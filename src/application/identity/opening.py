"""Sessions begin and go on: a password, a mailed link, and the exchange of one refresh token for the next."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from application.identity.closing import close, dispossess
from application.identity.letters import Address, Link, OffersLinks, spend, watched
from application.inputs import submitted
from application.ports.clock import Clock
from application.ports.identity import AccessTokens, OneTimeSecrets, PasswordHasher, RefreshSecrets, SecurityLog
from application.ports.ids import Ids
from application.ports.unit_of_work import Begin, Work
from domain.identity import (
    AccountSuspended,
    BadEmail,
    BadLink,
    BadRefreshToken,
    Client,
    EndReason,
    IdentityRules,
    InvalidCredentials,
    Purpose,
    RefreshToken,
    RefreshTokenReused,
    Session,
    SignInMethod,
    Standing,
    User,
    email_address,
)
from domain.shared.actors import Actor
from domain.shared.errors import Refusal, Unavailable
from domain.shared.ids import RefreshTokenId, SessionId, UserId

_NOBODY = UUID(int=0)
"""No row has this id: looking it up costs what looking up a real one does."""

_LONGEST_TRIED = 1024
"""Nobody's password is longer; what is, is not worth hashing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What a client holds of its session. `expires_in` counts the seconds the access token lasts."""

    access_token: str
    expires_in: int
    refresh_token: str
    session_id: SessionId
    user_id: UserId
    token_type: str = "Bearer"  # noqa: S105 - a word of the standard


@submitted
class PasswordSignIn:
    """An address and its password."""

    email: str
    """The e-mail address of the account."""
    password: str
    """Its password."""


@submitted
class Renewal:
    """What the client holds of its session."""

    refresh_token: str
    """The refresh token of the last answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpensSessions:
    """What use cases share that hand out tokens."""

    begin: Begin
    clock: Clock
    ids: Ids
    access_tokens: AccessTokens
    refresh_secrets: RefreshSecrets
    security_log: SecurityLog
    identity_rules: IdentityRules

    def _open(self, work: Work, user: User, method: SignInMethod, *, client: Client, now: datetime) -> Tokens:
        session = Session.open(
            id=SessionId(self.ids.new()),
            user_id=user.id,
            epoch=user.epoch,
            method=method,
            client=client,
            now=now,
        )
        work.sessions.add(session)
        return self._tokens(user, session, self._issue(work, session, now=now))

    def _issue(self, work: Work, session: Session, *, now: datetime) -> RefreshToken:
        token_id = RefreshTokenId(self.ids.new())
        token = RefreshToken.issue(
            id=token_id,
            session_id=session.id,
            token_hash=self.refresh_secrets.digest(self.refresh_secrets.secret(token_id)),
            lifetime=self.identity_rules.refresh_lifetime,
            now=now,
        )
        work.refresh_tokens.add(token)
        return token

    def _tokens(self, user: User, session: Session, current: RefreshToken) -> Tokens:
        return Tokens(
            access_token=self.access_tokens.issue(user, session),
            expires_in=int(self.access_tokens.lifetime.total_seconds()),
            refresh_token=self.refresh_secrets.secret(current.id),
            session_id=session.id,
            user_id=user.id,
        )

    async def _refused(self, kind: str, refusal: Refusal, *, actor: Actor, user: User | None, client: Client) -> None:
        await self.security_log.note(
            kind,
            actor=actor,
            subject=f"user:{user.id}" if user else None,
            ip=client.ip,
            details={"code": refusal.code},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn(OpensSessions):
    """Sign in with address and password. An unknown address, a wrong password and an unconfirmed address get one answer
    after one and the same while; refused tries are kept for whoever looks after the house."""

    passwords: PasswordHasher
    refuses: ClassVar[tuple[type[Refusal], ...]] = (BadEmail, InvalidCredentials, AccountSuspended, Unavailable)

    async def __call__(self, actor: Actor, sign_in: PasswordSignIn, client: Client = Client()) -> Tokens:
        now = self.clock.now()
        async with self.begin(actor) as work:
            user = await work.users.first(email=email_address(sign_in.email))
            refusal = await self._judge(work, user, sign_in.password)
            if user is not None and refusal is None:
                return self._open(work, user, SignInMethod.PASSWORD, client=client, now=now)
        refusal = refusal or InvalidCredentials()
        await self._refused("sign_in.refused", refusal, actor=actor, user=user, client=client)
        raise refusal

    async def _judge(self, work: Work, user: User | None, password: str) -> Refusal | None:
        credential = await work.credentials.first(id=user.id if user else _NOBODY)
        kept = credential.password_hash if credential and len(password) <= _LONGEST_TRIED else None
        verdict = await self.passwords.verify_and_upgrade(password[:_LONGEST_TRIED], kept)
        if user is None or credential is None or not verdict.matches or not self.identity_rules.admits(user):
            return InvalidCredentials()
        if user.suspended:
            return AccountSuspended()
        credential.upgrade(verdict.upgraded)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshSession(OpensSessions):
    """Exchange a refresh token for the next one and a fresh access token. Asked again within moments, because an answer
    was lost or two asked at once, it gives the same next token; asked later with a token that was exchanged, somebody
    holds a copy, and the session ends there and then."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (BadRefreshToken, RefreshTokenReused, AccountSuspended)

    async def __call__(self, actor: Actor, renewal: Renewal, client: Client = Client()) -> Tokens:
        outcome, user = await self._renew(actor, renewal, client)
        if isinstance(outcome, BadRefreshToken):
            # A change of password may have carried the session into a new epoch between our look at it and at its user.
            outcome, user = await self._renew(actor, renewal, client)
        # The end of a session whose token was reused is committed by now; only then is it refused.
        if isinstance(outcome, Refusal):
            await self._refused("refresh.refused", outcome, actor=actor, user=user, client=client)
            raise outcome
        return outcome

    async def _renew(self, actor: Actor, renewal: Renewal, client: Client) -> tuple[Tokens | Refusal, User | None]:
        async with self.begin(actor) as work:
            token = await work.refresh_tokens.first(token_hash=self.refresh_secrets.digest(renewal.refresh_token))
            if token is None:
                return BadRefreshToken(), None
            session = await work.sessions.get(token.session_id)
            user = await work.users.get(session.user_id)
            return await self._exchange(work, token, session, user, client), user

    async def _exchange(
        self, work: Work, token: RefreshToken, session: Session, user: User, client: Client
    ) -> Tokens | Refusal:
        now = self.clock.now()
        standing = token.standing(grace=self.identity_rules.reuse_grace, now=now)
        if standing is Standing.REUSED and session.revoked_at is None:
            await close(work, [session], EndReason.TOKEN_REUSED, now=now)
            return RefreshTokenReused()
        if user.suspended:
            return AccountSuspended()
        if not session.live(epoch=user.epoch):
            return BadRefreshToken()
        match standing:
            case Standing.CURRENT:
                token.rotate(now=now)
                session.touch(client=client, now=now)
                return self._tokens(user, session, self._issue(work, session, now=now))
            case Standing.ROTATED:
                current = await work.refresh_tokens.first(session_id=session.id, rotated_at=None, revoked_at=None)
                return self._tokens(user, session, current) if current else BadRefreshToken()
            case _:
                return BadRefreshToken()


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestMagicLink(OffersLinks):
    """Ask for a link that signs in without a password. The answer is the same whether or not the address is known."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (BadEmail,)

    async def __call__(self, actor: Actor, address: Address) -> None:
        await self._ask(actor, email_address(address.email), Purpose.MAGIC_LINK)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumeMagicLink(OpensSessions):
    """Sign in with a mailed link. It works once, and only when it is submitted: opening it changes nothing. Who holds
    it reads the mail of that address, so the address is confirmed as well. Whoever signed up with an address before it
    was confirmed need not be its owner: a password set until then is worth nothing from now on."""

    one_time_secrets: OneTimeSecrets
    refuses: ClassVar[tuple[type[Refusal], ...]] = (BadLink, AccountSuspended)

    async def __call__(self, actor: Actor, link: Link, client: Client = Client()) -> Tokens:
        now = self.clock.now()
        async with watched(self.security_log, actor, client, purpose=Purpose.MAGIC_LINK), self.begin(actor) as work:
            user = (await spend(work, self.one_time_secrets, link, Purpose.MAGIC_LINK, now=now)).user
            user.must_be_welcome()
            if not user.verified:
                await self._claim(work, user, now=now)
            return self._open(work, user, SignInMethod.MAGIC_LINK, client=client, now=now)

    async def _claim(self, work: Work, user: User, *, now: datetime) -> None:
        user.verify_email(now=now)
        await dispossess(work, user, now=now)
