"""Signing in by way of a provider: away, back, and in."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar
from urllib.parse import urlencode, urlsplit

from application.identity.meeting import meet
from application.identity.opening import OpensSessions, Tokens
from application.inputs import submitted
from application.ports.clock import Clock
from application.ports.identity import SecurityLog
from application.ports.ids import Ids
from application.ports.mail import Links
from application.ports.oauth import FlowSecret, FlowSecrets, OAuthProvider, Providers, ReturnOrigins
from application.ports.unit_of_work import Begin, Work
from domain.identity import (
    AccessEnded,
    AccountSuspended,
    AddressUnproven,
    BadFlow,
    BadReturn,
    Client,
    EmailTaken,
    IdentityTaken,
    NoSuchProvider,
    OAuthFlow,
    Provider,
    ProviderDeclined,
    ProviderUnavailable,
    SignInFirst,
    SignInMethod,
    Stranger,
)
from domain.shared.actors import Actor
from domain.shared.errors import Invalid, Refusal
from domain.shared.ids import OAuthFlowId

AWAY = timedelta(minutes=10)
"""How long somebody may stay with the provider."""
CLAIMABLE = timedelta(minutes=5)
"""How long the code they come back with is good."""
CHALLENGE_LENGTH = 43


@submitted
class Departure:
    """Where to come back to, and what proves that it is you who left."""

    return_to: str = ""
    """The address of your front end that is told the code; without it, a page of this house shows the tokens."""
    challenge: str = ""
    """The S256 challenge (RFC 7636) of a verifier your front end keeps; needed with `return_to`."""


@submitted
class Comeback:
    """What the provider sent the browser back with."""

    code: str = ""
    """Its code."""
    state: str = ""
    """The state it was sent away with."""
    error: str = ""
    """Why there is no code."""


@submitted
class Voucher:
    """What finishes a sign-in."""

    code: str
    """The code your front end was told."""
    verifier: str
    """The verifier whose challenge it left with."""


@dataclass(frozen=True, slots=True)
class Departed:
    """Where the browser goes now, and what it keeps (`browser`) to be recognised when it comes back."""

    address: str
    browser: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StartSignIn:
    """Leave for a provider to sign in by way of it. The browser comes back to `return_to` with a code, which together
    with the verifier is exchanged for tokens."""

    begin: Begin
    clock: Clock
    ids: Ids
    oauth_providers: Providers
    flow_secrets: FlowSecrets
    return_origins: ReturnOrigins
    links: Links
    refuses: ClassVar[tuple[type[Refusal], ...]] = (NoSuchProvider, BadReturn, Invalid, ProviderUnavailable)

    async def __call__(self, actor: Actor, provider: Provider, departure: Departure) -> Departed:
        chosen = _chosen(self.oauth_providers, provider)
        flow_id, secrets = OAuthFlowId(self.ids.new()), self.flow_secrets
        state, browser = secrets.secret(flow_id, FlowSecret.STATE), secrets.secret(flow_id, FlowSecret.BROWSER)
        return_to, challenge = way_back(departure, browser, secrets, self.return_origins, self.links)
        async with self.begin(actor) as work:
            flow = OAuthFlow.begin(
                id=flow_id,
                provider=provider,
                return_to=return_to,
                challenge=challenge,
                state_hash=secrets.digest(state),
                browser_hash=secrets.digest(browser),
                lifetime=AWAY,
                now=self.clock.now(),
            )
            work.oauth_flows.add(flow)
        address = await chosen.departure(
            state=state,
            nonce=secrets.secret(flow_id, FlowSecret.NONCE),
            challenge=secrets.challenge(secrets.secret(flow_id, FlowSecret.VERIFIER)),
            callback=self.links.callback(provider),
        )
        return Departed(address, browser)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnFromProvider:
    """Come back from a provider. The browser goes on to where its sign-in began, with a code or with the reason why
    there is none; who comes back in another browser, too late or twice goes nowhere."""

    begin: Begin
    clock: Clock
    oauth_providers: Providers
    flow_secrets: FlowSecrets
    links: Links
    security_log: SecurityLog
    refuses: ClassVar[tuple[type[Refusal], ...]] = (NoSuchProvider, BadFlow)

    async def __call__(
        self, actor: Actor, provider: Provider, comeback: Comeback, browser: str, client: Client = Client()
    ) -> str:
        chosen = _chosen(self.oauth_providers, provider)
        try:
            flow = await self._recognised(actor, provider, comeback, browser)
        except BadFlow as refusal:
            await self.security_log.note("flow.refused", actor=actor, ip=client.ip, details={"code": refusal.code})
            raise
        try:
            stranger = await self._identified(chosen, flow, comeback)
        except Refusal as refusal:
            return _with(flow.return_to, error=refusal.code, error_description=refusal.message)
        code = self.flow_secrets.secret(flow_id := OAuthFlowId(flow.id), FlowSecret.CODE)
        async with self.begin(actor) as work:
            flow = await work.oauth_flows.get(flow_id)
            flow.vouch(stranger, code_hash=self.flow_secrets.digest(code), lifetime=CLAIMABLE, now=self.clock.now())
        return _with(flow.return_to, code=code)

    async def _recognised(self, actor: Actor, provider: Provider, comeback: Comeback, browser: str) -> OAuthFlow:
        """The flow, taken back in the same commit: whoever shows the same state again finds it used."""
        digest = self.flow_secrets.digest
        async with self.begin(actor) as work:
            flow = await work.oauth_flows.first(state_hash=digest(comeback.state))
            if flow is None:
                raise BadFlow
            flow.come_back(provider, browser_hash=digest(browser), now=self.clock.now())
            return flow

    async def _identified(self, chosen: OAuthProvider, flow: OAuthFlow, comeback: Comeback) -> Stranger:
        if comeback.error or not comeback.code:
            raise ProviderDeclined(flow.provider)
        return await chosen.identify(
            code=comeback.code,
            verifier=self.flow_secrets.secret(flow.id, FlowSecret.VERIFIER),
            nonce=self.flow_secrets.secret(flow.id, FlowSecret.NONCE),
            callback=self.links.callback(flow.provider),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishSignIn(OpensSessions):
    """Sign in with the code a provider's sign-in came back with. It works once, for whoever holds the verifier. Only an
    address the provider has confirmed counts: it finds the account that confirmed it too, takes over one that never
    did, or begins a new one."""

    flow_secrets: FlowSecrets
    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        BadFlow,
        AddressUnproven,
        SignInFirst,
        AccountSuspended,
        AccessEnded,
    )

    async def __call__(self, actor: Actor, voucher: Voucher, client: Client = Client()) -> Tokens:
        try:
            try:
                return await self._finish(actor, voucher, client)
            except (EmailTaken, IdentityTaken):
                # Two first sights of one person at once: the second run finds the user of the first.
                return await self._finish(actor, voucher, client)
        except (BadFlow, AddressUnproven, SignInFirst, AccountSuspended, AccessEnded) as refusal:
            await self._refused("sign_in.refused", refusal, actor=actor, user=None, client=client)
            raise

    async def _finish(self, actor: Actor, voucher: Voucher, client: Client) -> Tokens:
        now = self.clock.now()
        async with self.begin(actor) as work:
            flow, stranger = await claimed(work, voucher, self.flow_secrets, now=now)
            user = await meet(work, stranger, rules=self.identity_rules, ids=self.ids, now=now)
            return self._open(work, user, SignInMethod(flow.provider.value), client=client, now=now)


async def claimed(work: Work, voucher: Voucher, secrets: FlowSecrets, *, now: datetime) -> tuple[OAuthFlow, Stranger]:
    """The flow of that code, finished in this block, and whom its provider vouched for."""
    flow = await work.oauth_flows.first(code_hash=secrets.digest(voucher.code))
    if flow is None:
        raise BadFlow
    return flow, flow.finish(challenge=secrets.challenge(voucher.verifier), now=now)


def way_back(
    departure: Departure, browser: str, secrets: FlowSecrets, origins: ReturnOrigins, links: Links
) -> tuple[str, str]:
    """Where the code is told, and the challenge that guards it. Our own page is a front end like any other; what it
    keeps its verifier in is the browser's cookie."""
    if not departure.return_to:
        return links.signed_in(), secrets.challenge(browser)
    challenge = departure.challenge
    if len(challenge) != CHALLENGE_LENGTH or not challenge.replace("-", "").replace("_", "").isalnum():
        raise Invalid("a challenge is the S256 of your verifier: 43 URL-safe characters", field="challenge")
    return origins.judge(departure.return_to), challenge


def _chosen(providers: Providers, provider: Provider) -> OAuthProvider:
    if provider not in providers:
        raise NoSuchProvider(provider)
    return providers[provider]


def _with(address: str, **more: str) -> str:
    return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(more)}"
