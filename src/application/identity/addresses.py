"""Changing the address one is reached at."""

from dataclasses import dataclass
from typing import ClassVar

from application.identity.letters import OffersLinks
from application.inputs import submitted
from application.ports.identity import PasswordHasher, SecurityLog
from application.ports.unit_of_work import Work
from domain.identity import BadEmail, Client, Purpose, User, WrongPassword, email_address
from domain.shared.actors import Actor
from domain.shared.errors import Invalid, Refusal, Unauthenticated, Unavailable


@submitted
class AddressChange:
    """Where you want to be reached, and your password."""

    email: str
    """The new address; a link to confirm it is sent there."""
    current_password: str
    """Your present password. Who has none sets one by mail first."""


class SameAddress(Invalid):
    """There is nothing to change."""

    code = "identity.same_address"

    def __init__(self) -> None:
        super().__init__("that is your address already", field="email")


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestAddressChange(OffersLinks):
    """Ask to be reached at another address, knowing the password. It is yours once you have followed the link that is
    sent there; until then nothing changes. The answer is the same whether or not somebody else has the address: its
    owner is told that somebody tried."""

    passwords: PasswordHasher
    security_log: SecurityLog
    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        Unauthenticated,
        WrongPassword,
        BadEmail,
        SameAddress,
        Unavailable,
    )

    async def __call__(self, actor: Actor, change: AddressChange, client: Client = Client()) -> None:
        user_id, email = actor.signed_in(), email_address(change.email)
        try:
            async with self.begin(actor) as work:
                user, credential = await work.users.get(user_id), await work.credentials.first(id=user_id)
                kept = credential.password_hash if credential else None
                if not await self.passwords.verify(change.current_password, kept) or credential is None:
                    raise WrongPassword
                if email == user.email:
                    raise SameAddress
                await self._ask_there(work, user, email)
        except WrongPassword as refusal:
            details = {"code": refusal.code}
            await self.security_log.note(
                "password.refused", actor=actor, subject=actor.principal, ip=client.ip, details=details
            )
            raise

    async def _ask_there(self, work: Work, user: User, email: str) -> None:
        now = self.clock.now()
        owner = await work.users.first(email=email)
        lately = await self._lately(work, email, Purpose.CHANGE_EMAIL, now=now)
        if owner is not None and owner.verified:
            await self._warn(work, owner, now=now)
        elif self.identity_rules.sends(user, Purpose.CHANGE_EMAIL, lately=lately):
            self._issue(work, user, Purpose.CHANGE_EMAIL, now=now, address=email)
        else:
            self._decline(work, email, Purpose.CHANGE_EMAIL, lately=lately, now=now)
