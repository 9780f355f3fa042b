"""Links that somebody else sends: asked for, and never told whether they were."""

from dataclasses import dataclass
from typing import ClassVar

from application.identity.letters import Address
from application.ports.identity_provider import ForeignAccounts
from domain.identity import BadEmail, Purpose, email_address
from domain.shared.actors import Actor
from domain.shared.errors import Refusal, Unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class AsksForLinks:
    """What use cases share that have a link sent. `purpose` is what it will be good for."""

    foreign_accounts: ForeignAccounts
    purpose: ClassVar[Purpose]
    refuses: ClassVar[tuple[type[Refusal], ...]] = (BadEmail, Unavailable)

    async def __call__(self, actor: Actor, address: Address) -> None:
        await self.foreign_accounts.send_link(email_address(address.email), self.purpose)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResendVerificationAbroad(AsksForLinks):
    """Have the link to confirm an address sent again, if there is anything to confirm."""

    purpose: ClassVar[Purpose] = Purpose.VERIFY_EMAIL


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestMagicLinkAbroad(AsksForLinks):
    """Have a link sent that signs in without a password, if the address is known."""

    purpose: ClassVar[Purpose] = Purpose.MAGIC_LINK


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgotPasswordAbroad(AsksForLinks):
    """Have a link sent to set another password, if the address is known."""

    purpose: ClassVar[Purpose] = Purpose.RESET_PASSWORD
