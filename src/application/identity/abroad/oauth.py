"""Signing in by way of a provider whom somebody else asks. The front end speaks the same protocol with us: its
challenge guards the code that comes back, whoever made that code."""

from dataclasses import dataclass
from typing import ClassVar

from application.identity.abroad.coming_in import ComesIn
from application.identity.oauth import Comeback, Departed, Departure, Voucher, way_back
from application.identity.opening import Tokens
from application.ports.identity_provider import ForeignSessions
from application.ports.ids import Ids
from application.ports.mail import Links
from application.ports.oauth import FlowSecret, FlowSecrets, ReturnOrigins
from domain.identity import (
    AccessEnded,
    AccountSuspended,
    BadFlow,
    BadReturn,
    Client,
    ExternalIdentity,
    NoSuchProvider,
    NotOffered,
    Provider,
)
from domain.shared.actors import Actor
from domain.shared.errors import Invalid, Refusal, Unauthenticated, Unavailable
from domain.shared.ids import OAuthFlowId


@dataclass(frozen=True, slots=True, kw_only=True)
class StartSignInAbroad:
    """Leave for a provider; whoever keeps accounts sends the browser back with a code."""

    ids: Ids
    foreign_sessions: ForeignSessions
    flow_secrets: FlowSecrets
    return_origins: ReturnOrigins
    links: Links
    refuses: ClassVar[tuple[type[Refusal], ...]] = (BadReturn, Invalid)

    async def __call__(self, actor: Actor, provider: Provider, departure: Departure) -> Departed:
        browser = self.flow_secrets.secret(OAuthFlowId(self.ids.new()), FlowSecret.BROWSER)
        return_to, challenge = way_back(departure, browser, self.flow_secrets, self.return_origins, self.links)
        address = self.foreign_sessions.departure(provider, return_to=return_to, challenge=challenge)
        return Departed(address, browser)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnFromProviderAbroad:
    """Nobody comes back here: whoever keeps accounts sends browsers straight to where they began."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (NoSuchProvider,)

    async def __call__(
        self, actor: Actor, provider: Provider, comeback: Comeback, browser: str, client: Client = Client()
    ) -> str:
        raise NoSuchProvider(provider)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkProviderAbroad:
    """Whoever keeps accounts links providers to them by confirmed addresses, and by nothing that is said here."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, NotOffered)

    async def __call__(self, actor: Actor, voucher: Voucher) -> ExternalIdentity:
        actor.signed_in()
        raise NotOffered


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishSignInAbroad(ComesIn):
    """Sign in with the code that came back, by the verifier of its challenge; it works once."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        BadFlow,
        AccessEnded,
        AccountSuspended,
        Unavailable,
    )

    async def __call__(self, actor: Actor, voucher: Voucher, client: Client = Client()) -> Tokens:
        async with self._watched("sign_in.refused", actor, client):
            return await self._let_in(actor, await self.foreign_sessions.finish(voucher.code, voucher.verifier))
