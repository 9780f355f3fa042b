"""Sessions as they stand: who shows a token, which devices are signed in, and signing out."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from application.identity.closing import close, close_all
from application.identity.foreigners import MeetsForeigners
from application.ports.clock import Clock
from application.ports.criteria import Order, Position
from application.ports.identity import BearerTokens, ForeignClaims, SecurityLog
from application.ports.readers import Page, Readers
from application.ports.unit_of_work import Begin
from domain.identity import (
    AccessEnded,
    AccountSuspended,
    BadToken,
    Client,
    EndReason,
    SessionOver,
    SignInMethod,
    TokenExpired,
)
from domain.shared.actors import ANONYMOUS, Actor
from domain.shared.errors import NotFound, Refusal, Unauthenticated, Unavailable
from domain.shared.ids import SessionId, UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionView:
    """A device that is, or was, signed in."""

    source: ClassVar[str] = "sessions"
    id: SessionId
    user_id: UserId
    method: SignInMethod
    ip: str
    user_agent: str
    last_used_at: datetime
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Authenticate(MeetsForeigners):
    """Who shows an access token: judged by its signature, and by how the account and session stand at this moment. A
    token of another issuer tells who somebody is there; who is seen for the first time becomes a user here."""

    bearer_tokens: BearerTokens
    security_log: SecurityLog
    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        BadToken,
        TokenExpired,
        SessionOver,
        AccessEnded,
        AccountSuspended,
        Unavailable,
    )

    async def __call__(self, token: str, client: Client = Client()) -> Actor:
        try:
            claims = await self.bearer_tokens.verify(token)
        except BadToken as refusal:
            await self.security_log.note("token.forged", actor=ANONYMOUS, ip=client.ip, details={"code": refusal.code})
            raise
        if isinstance(claims, ForeignClaims):
            return await self._meet(claims, token)
        state = await self.accounts.account(claims.user_id, claims.session_id)
        if state.suspended:
            raise AccountSuspended
        if state.revoked:
            raise SessionOver
        return Actor(user_id=claims.user_id, role=state.role, session_id=claims.session_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOut:
    """End the session that asks. Its tokens are worth nothing from the next request on."""

    begin: Begin
    clock: Clock
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated,)

    async def __call__(self, actor: Actor) -> None:
        actor.signed_in()
        if actor.session_id is None:
            raise Unauthenticated("no session asks")
        async with self.begin(actor) as work:
            session = await work.sessions.get(actor.session_id)
            await close(work, [session], EndReason.SIGNED_OUT, now=self.clock.now())


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOutEverywhere:
    """End every session of the user who asks, this one too, and make links that were mailed worthless."""

    begin: Begin
    clock: Clock
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated,)

    async def __call__(self, actor: Actor) -> None:
        user_id = actor.signed_in()
        async with self.begin(actor) as work:
            user = await work.users.get(user_id)
            user.end_sessions()
            await close_all(work, user, EndReason.SIGNED_OUT, now=self.clock.now())


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSessions:
    """The devices signed in now, the newest first."""

    readers: Readers
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated,)

    async def __call__(self, actor: Actor, *, after: Position | None = None, limit: int = 50) -> Page[SessionView]:
        where = {"user_id": actor.signed_in(), "revoked_at": None}
        newest = Order("created_at", descending=True)
        return await self.readers.page(actor, SessionView, where, order=newest, after=after, limit=limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndSession:
    """End one of your sessions, such as that of a lost telephone; an admin may end anybody's."""

    begin: Begin
    clock: Clock
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, NotFound)

    async def __call__(self, actor: Actor, session_id: SessionId) -> None:
        if not actor.is_admin:
            actor.signed_in()
        async with self.begin(actor) as work:
            session = await work.sessions.get(session_id)
            if not (actor.is_admin or actor.is_user(session.user_id)):
                raise NotFound.of("session", session_id)
            await close(work, [session], EndReason.ENDED, now=self.clock.now())
