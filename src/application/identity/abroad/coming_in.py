"""What follows a session that was begun elsewhere: whose it is here, and that refused tries leave a trace."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from application.identity.meeting import meet_abroad
from application.identity.opening import Tokens
from application.ports.clock import Clock
from application.ports.identity import SecurityLog
from application.ports.identity_provider import ForeignSessions, Granted
from application.ports.ids import Ids
from application.ports.unit_of_work import Begin
from domain.identity import (
    AccountSuspended,
    Client,
    EmailTaken,
    HalfConfirmed,
    IdentityRules,
    IdentityTaken,
    Stranger,
    User,
)
from domain.shared.actors import Actor
from domain.shared.errors import Refusal, Unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class ComesIn:
    """What use cases share that let somebody in whose session was begun elsewhere. The user is met, and made at the
    first sight, in a commit of its own after the session exists: one that is not met leaves a session that opens
    nothing, and is met at the next try."""

    begin: Begin
    clock: Clock
    ids: Ids
    foreign_sessions: ForeignSessions
    security_log: SecurityLog
    identity_rules: IdentityRules

    async def _meet(self, actor: Actor, granted: Granted) -> User:
        try:
            try:
                return await self._met(actor, granted.stranger)
            except (EmailTaken, IdentityTaken):
                # Two first sights of one person at once: the second run finds the user of the first.
                return await self._met(actor, granted.stranger)
        except AccountSuspended:
            await self.foreign_sessions.end(granted.access_token)
            raise

    async def _met(self, actor: Actor, stranger: Stranger) -> User:
        async with self.begin(actor) as work:
            return await meet_abroad(work, stranger, rules=self.identity_rules, ids=self.ids, now=self.clock.now())

    async def _let_in(self, actor: Actor, granted: Granted) -> Tokens:
        user = await self._meet(actor, granted)
        return Tokens(
            access_token=granted.access_token,
            expires_in=granted.expires_in,
            refresh_token=granted.refresh_token,
            session_id=granted.session_id,
            user_id=user.id,
        )

    @asynccontextmanager
    async def _watched(self, kind: str, actor: Actor, client: Client) -> AsyncIterator[None]:
        """What is refused leaves a trace; that nobody answered, or that another link is to be followed too, is nobody's
        fault."""
        try:
            yield
        except (Unavailable, HalfConfirmed):
            raise
        except Refusal as refusal:
            await self.security_log.note(kind, actor=actor, ip=client.ip, details={"code": refusal.code})
            raise
