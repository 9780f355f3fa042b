"""Sessions that begin and go on elsewhere."""

from dataclasses import dataclass
from typing import ClassVar

from application.identity.abroad.coming_in import ComesIn
from application.identity.letters import Link
from application.identity.opening import PasswordSignIn, Renewal, Tokens
from application.ports.identity_provider import ForeignAccounts
from domain.identity import (
    AccessEnded,
    AccountSuspended,
    BadEmail,
    BadLink,
    BadRefreshToken,
    Client,
    InvalidCredentials,
    Purpose,
    RefreshTokenReused,
    email_address,
)
from domain.shared.actors import Actor
from domain.shared.errors import Conflict, Refusal, Unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInAbroad(ComesIn):
    """Sign in with address and password, with whoever keeps them; one answer for all that does not fit."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        BadEmail,
        InvalidCredentials,
        AccountSuspended,
        AccessEnded,
        Unavailable,
    )

    async def __call__(self, actor: Actor, sign_in: PasswordSignIn, client: Client = Client()) -> Tokens:
        async with self._watched("sign_in.refused", actor, client):
            granted = await self.foreign_sessions.sign_in(email_address(sign_in.email), sign_in.password)
            return await self._let_in(actor, granted)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshSessionAbroad(ComesIn):
    """Exchange a refresh token for the next pair, with whoever issued it."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        BadRefreshToken,
        RefreshTokenReused,
        AccountSuspended,
        Conflict,
        Unavailable,
    )

    async def __call__(self, actor: Actor, renewal: Renewal, client: Client = Client()) -> Tokens:
        async with self._watched("refresh.refused", actor, client):
            return await self._let_in(actor, await self.foreign_sessions.renew(renewal.refresh_token))


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumeMagicLinkAbroad(ComesIn):
    """Sign in with a link that was mailed. It works once, and only when it is submitted."""

    foreign_accounts: ForeignAccounts
    refuses: ClassVar[tuple[type[Refusal], ...]] = (BadLink, AccountSuspended, AccessEnded)

    async def __call__(self, actor: Actor, link: Link, client: Client = Client()) -> Tokens:
        async with self._watched("link.refused", actor, client):
            return await self._let_in(actor, await self.foreign_accounts.redeem(link.token, Purpose.MAGIC_LINK))
