"""Passwords: lost, reset, and changed."""

from dataclasses import dataclass
from typing import ClassVar

from application.identity.closing import close_all
from application.identity.letters import Address, Link, OffersLinks, spend, watched
from application.inputs import submitted
from application.ports.clock import Clock
from application.ports.identity import OneTimeSecrets, PasswordHasher, SecurityLog
from application.ports.unit_of_work import Begin
from domain.identity import (
    BadEmail,
    BadLink,
    Client,
    Credential,
    EndReason,
    IdentityRules,
    Purpose,
    WeakPassword,
    WrongPassword,
    email_address,
)
from domain.shared.actors import Actor
from domain.shared.errors import Refusal, Unauthenticated, Unavailable


@submitted
class NewPassword:
    """The link that was mailed, and what the password shall be."""

    token: str
    """The secret part of the link."""
    password: str
    """The new password."""


@submitted
class PasswordChange:
    """What the password is, and what it shall be."""

    current_password: str
    """Your present password."""
    new_password: str
    """The new one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgotPassword(OffersLinks):
    """Ask for a link to set another password. The answer is the same whether or not the address is known."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (BadEmail,)

    async def __call__(self, actor: Actor, address: Address) -> None:
        await self._ask(actor, email_address(address.email), Purpose.RESET_PASSWORD)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetPassword:
    """Set another password with a mailed link. Every session ends, and every other link becomes worthless; the address
    counts as confirmed, and whoever signed up with it before that has no way in any more."""

    begin: Begin
    clock: Clock
    passwords: PasswordHasher
    one_time_secrets: OneTimeSecrets
    security_log: SecurityLog
    identity_rules: IdentityRules
    refuses: ClassVar[tuple[type[Refusal], ...]] = (BadLink, WeakPassword, Unavailable)

    async def __call__(self, actor: Actor, new: NewPassword, client: Client = Client()) -> None:
        now = self.clock.now()
        link = Link(token=new.token)
        async with watched(self.security_log, actor, client, purpose=Purpose.RESET_PASSWORD), self.begin(actor) as work:
            user = (await spend(work, self.one_time_secrets, link, Purpose.RESET_PASSWORD, now=now)).user
            self.identity_rules.passwords.judge(new.password, email=user.email)
            password_hash = await self.passwords.hash(new.password)
            credential = await work.credentials.first(id=user.id)
            if not user.verified:
                for identity in await work.external_identities.find(user_id=user.id):
                    work.external_identities.remove(identity)
            if credential is None:
                # Who came by way of somebody else has had none so far.
                work.credentials.add(Credential.create(id=user.id, password_hash=password_hash, now=now))
            else:
                credential.change(password_hash, reset=True, now=now)
            user.verify_email(now=now)
            user.end_sessions()
            await close_all(work, user, EndReason.PASSWORD_CHANGED, now=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePassword:
    """Set another password, knowing the present one. Every other session ends; the one that asks goes on."""

    begin: Begin
    clock: Clock
    passwords: PasswordHasher
    security_log: SecurityLog
    identity_rules: IdentityRules
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, WrongPassword, WeakPassword, Unavailable)

    async def __call__(self, actor: Actor, change: PasswordChange, client: Client = Client()) -> None:
        user_id, now = actor.signed_in(), self.clock.now()
        try:
            async with self.begin(actor) as work:
                user, credential = await work.users.get(user_id), await work.credentials.first(id=user_id)
                kept = credential.password_hash if credential else None
                if not await self.passwords.verify(change.current_password, kept) or credential is None:
                    raise WrongPassword
                self.identity_rules.passwords.judge(change.new_password, email=user.email)
                credential.change(await self.passwords.hash(change.new_password), reset=False, now=now)
                user.end_sessions(keep=True)
                await close_all(work, user, EndReason.PASSWORD_CHANGED, now=now, keep=actor.session_id)
        except WrongPassword as refusal:
            details = {"code": refusal.code}
            await self.security_log.note(
                "password.refused", actor=actor, subject=actor.principal, ip=client.ip, details=details
            )
            raise
