"""Passwords kept elsewhere: reset, and changed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import ClassVar

from application.identity.abroad.coming_in import ComesIn
from application.identity.administration import UserView
from application.identity.passwords import NewPassword, PasswordChange
from application.ports.identity import SecurityLog
from application.ports.identity_provider import ForeignAccounts, ForeignSessions
from application.ports.readers import Readers
from domain.identity import (
    AccessEnded,
    AccountSuspended,
    BadLink,
    Client,
    IdentityRules,
    InvalidCredentials,
    NotOffered,
    Purpose,
    SessionOver,
    WeakPassword,
    WrongPassword,
)
from domain.shared.actors import Actor
from domain.shared.errors import Refusal, Unauthenticated, Unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetPasswordAbroad(ComesIn):
    """Set another password with a mailed link, and end every session. The link is spent before the password is set: if
    nobody answers in between, another link is asked for."""

    foreign_accounts: ForeignAccounts
    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        BadLink,
        WeakPassword,
        AccountSuspended,
        AccessEnded,
        Unavailable,
    )

    async def __call__(self, actor: Actor, new: NewPassword, client: Client = Client()) -> None:
        # Whose it is shows only once the link is spent; what nobody may have as a password must not cost a link.
        self.identity_rules.passwords.judge(new.password, email=None)
        async with self._watched("link.refused", actor, client):
            granted = await self.foreign_accounts.redeem(new.token, Purpose.RESET_PASSWORD)
            user = await self._meet(actor, granted)
            self.identity_rules.passwords.judge(new.password, email=user.email)
            await self.foreign_accounts.set_password(granted.access_token, new.password)
            await self.foreign_sessions.end(granted.access_token, everywhere=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvesPassword:
    """What use cases share that want the present password of whoever is signed in."""

    readers: Readers
    foreign_sessions: ForeignSessions
    security_log: SecurityLog

    @asynccontextmanager
    async def _proven(self, actor: Actor, password: str, client: Client) -> AsyncIterator[tuple[UserView, str]]:
        """Who asks, and by what token. The session that proves the password is ended in the end."""
        user = await self.readers.one(actor, UserView, actor.signed_in())
        if user.email is None or not actor.proof:
            raise NotOffered
        try:
            proven = await self.foreign_sessions.sign_in(user.email, password)
        except InvalidCredentials:
            refusal = WrongPassword()
            details = {"code": refusal.code}
            await self.security_log.note(
                "password.refused", actor=actor, subject=actor.principal, ip=client.ip, details=details
            )
            raise refusal from None
        try:
            yield user, actor.proof
        finally:
            await self.foreign_sessions.end(proven.access_token)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePasswordAbroad(ProvesPassword):
    """Set another password, knowing the present one. Every other session ends; the one that asks goes on."""

    foreign_accounts: ForeignAccounts
    identity_rules: IdentityRules
    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        Unauthenticated,
        WrongPassword,
        WeakPassword,
        SessionOver,
        NotOffered,
        Unavailable,
    )

    async def __call__(self, actor: Actor, change: PasswordChange, client: Client = Client()) -> None:
        async with self._proven(actor, change.current_password, client) as (user, proof):
            self.identity_rules.passwords.judge(change.new_password, email=user.email)
            await self.foreign_accounts.set_password(proof, change.new_password)
