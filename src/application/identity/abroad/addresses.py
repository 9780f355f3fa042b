"""Addresses kept elsewhere: changed there, and here as soon as they are."""

from dataclasses import dataclass
from typing import ClassVar

from application.identity.abroad.passwords import ProvesPassword
from application.identity.addresses import AddressChange, SameAddress
from application.ports.identity_provider import ForeignAccounts
from domain.identity import BadEmail, Client, EmailTaken, NotOffered, SessionOver, WrongPassword, email_address
from domain.shared.actors import Actor
from domain.shared.errors import Refusal, Unauthenticated, Unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestAddressChangeAbroad(ProvesPassword):
    """Ask whoever keeps accounts to be reached at another address, knowing the password. It is yours once the links
    that are sent have been followed. That somebody else has it is not told."""

    foreign_accounts: ForeignAccounts
    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        Unauthenticated,
        WrongPassword,
        BadEmail,
        SameAddress,
        SessionOver,
        NotOffered,
        Unavailable,
    )

    async def __call__(self, actor: Actor, change: AddressChange, client: Client = Client()) -> None:
        email = email_address(change.email)
        async with self._proven(actor, change.current_password, client) as (user, proof):
            if email == user.email:
                raise SameAddress
            try:
                await self.foreign_accounts.set_address(proof, email)
            except EmailTaken:
                details = {"code": EmailTaken.code}
                await self.security_log.note(
                    "address.refused", actor=actor, subject=actor.principal, ip=client.ip, details=details
                )
