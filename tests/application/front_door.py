"""A house whose front door works: passwords at their cheapest, keys and secrets of its own, and people who sign in."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from adapters.local_identity import (
    DerivedFlowSecrets,
    DerivedOneTimeSecrets,
    DerivedRefreshSecrets,
    FixedKeyring,
    HashCost,
    LocalAccessTokens,
    LocalPasswords,
    SigningKey,
)
from application.commands import Command
from application.identity import (
    Authenticate,
    Comeback,
    CreateUser,
    Departure,
    FinishSignIn,
    Link,
    NewUser,
    PasswordSignIn,
    RefreshSession,
    Renewal,
    ReturnFromProvider,
    SignIn,
    SignUp,
    SignUpForm,
    StartSignIn,
    Tokens,
    VerifyEmail,
    Voucher,
)
from application.ports.mail import Links
from application.ports.oauth import FlowSecrets, OAuthProvider, ReturnOrigins
from application.ports.unit_of_work import Work
from domain.identity import IdentityRules, Provider, ProviderUnavailable, Purpose, Stranger, User
from domain.shared.actors import ANONYMOUS, Actor, Kind, Role
from domain.shared.ids import OneTimeTokenId
from tests.support.house import MONDAY, House

PASSWORD = "correct horse battery"
VERIFIER = "a verifier that the front end keeps to itself"
OPERATOR = Actor(kind=Kind.OPERATOR, name="tests")


@lru_cache
def keyring() -> FixedKeyring:
    """One key for all tests."""
    return FixedKeyring(json.dumps({"keys": [SigningKey.generate(now=MONDAY).stored()]}))


@lru_cache
def passwords() -> LocalPasswords:
    """One set of threads for all tests."""
    return LocalPasswords(HashCost.least())


class Vouching(OAuthProvider):
    """A provider who vouches for whoever `says` names, to whoever comes with their code."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.says: dict[str, Stranger] = {}
        self.away = False

    def knows(self, code: str = "mia", **said: Any) -> Stranger:
        """Somebody with an account there, who comes with that code."""
        usual = {"subject": "4711", "email": "mia@example.com", "email_verified": True, "name": "Mia"}
        self.says[code] = Stranger(issuer=f"https://{self.provider}.example", **{**usual, **said})
        return self.says[code]

    async def departure(self, *, state: str, nonce: str, challenge: str, callback: str) -> str:
        return f"https://{self.provider}.example/auth?state={state}&challenge={challenge}&callback={callback}"

    async def identify(self, *, code: str, verifier: str, nonce: str, callback: str) -> Stranger:
        if self.away:
            raise ProviderUnavailable(self.provider)
        return self.says[code]


class FrontDoor(House):
    """A house with identity, a hook into the instant before a commit, and shorthands for what people do at a door."""

    def __init__(self, *, now: datetime = MONDAY, **rules: Any) -> None:
        super().__init__(now=now)
        self.meanwhile: Callable[[], Awaitable[Any]] | None = None
        self.vouching = {provider: Vouching(provider) for provider in Provider}
        self.links = DerivedOneTimeSecrets("a key for links, used in tests only")
        tokens = LocalAccessTokens(
            keyring(), self.clock, self.ids, issuer="https://house.example", audience="guildhall"
        )
        self.ports.update(
            begin=self.interrupted,
            passwords=passwords(),
            one_time_secrets=self.links,
            refresh_secrets=DerivedRefreshSecrets("a key for sessions, used in tests only"),
            access_tokens=tokens,
            bearer_tokens=tokens,
            identity_rules=IdentityRules(**rules),
            flow_secrets=DerivedFlowSecrets("a key for flows, used in tests only!"),
            return_origins=ReturnOrigins(("https://app.example",)),
            links=Links("https://house.example"),
            oauth_providers=self.vouching,
        )

    @asynccontextmanager
    async def interrupted(self, actor: Actor) -> AsyncIterator[Work]:
        """A unit of work that lets something else happen once, before it commits."""
        async with self.begin(actor) as work:
            yield work
            if meanwhile := self.meanwhile:
                self.meanwhile = None
                await meanwhile()

    async def sign_up(self, email: str = "ann@example.com", **said: Any) -> None:
        """Somebody asks for an account."""
        form = SignUpForm(**{"email": email, "password": PASSWORD, "name": "Ann", **said})
        await self.use(SignUp)(ANONYMOUS, form)

    async def user(self, email: str = "ann@example.com", role: Role = Role.CUSTOMER, **said: Any) -> User:
        """A user whose address is confirmed."""
        new = NewUser(**{"email": email, "password": PASSWORD, "name": "Ann", "role": role, **said})
        return await self.use(CreateUser)(OPERATOR, new)

    async def admin(self) -> Actor:
        """An admin."""
        admin = await self.user("root@example.com", Role.ADMIN)
        return Actor(user_id=admin.id, role=Role.ADMIN)

    async def sign_in(self, email: str = "ann@example.com", password: str = PASSWORD) -> Tokens:
        """Somebody comes in by the front door."""
        return await self.use(SignIn)(ANONYMOUS, PasswordSignIn(email=email, password=password))

    async def refresh(self, token: str) -> Tokens:
        """Somebody exchanges a refresh token."""
        return await self.use(RefreshSession)(ANONYMOUS, Renewal(refresh_token=token))

    async def come_in(self, tokens: Tokens) -> Actor:
        """Who shows that access token."""
        return await self.use(Authenticate)(tokens.access_token)

    async def verify(self, secret: str) -> User:
        """Somebody confirms an address."""
        return await self.use(VerifyEmail)(ANONYMOUS, Link(token=secret))

    async def by_way_of(
        self, provider: Provider = Provider.GITHUB, code: str = "mia", *, verifier: str = VERIFIER
    ) -> Voucher:
        """Somebody goes to the provider, agrees, and comes back to their front end, which can finish now."""
        secrets: FlowSecrets = self.ports["flow_secrets"]
        departure = Departure(return_to="https://app.example/in?x=1", challenge=secrets.challenge(verifier))
        gone = await self.use(StartSignIn)(ANONYMOUS, provider, departure)
        state = parse_qs(urlsplit(gone.address).query)["state"][0]
        comeback = Comeback(code=code, state=state)
        back = await self.use(ReturnFromProvider)(ANONYMOUS, provider, comeback, gone.browser)
        told = parse_qs(urlsplit(back).query)
        return Voucher(code=told["code"][0], verifier=verifier)

    async def sign_in_by(self, provider: Provider = Provider.GITHUB, code: str = "mia") -> Tokens:
        """Somebody comes in by way of a provider."""
        return await self.use(FinishSignIn)(ANONYMOUS, await self.by_way_of(provider, code))

    async def persistently(self, call: Callable[[], Awaitable[Any]]) -> Any:
        """The call as a driver makes it: run again when something it read has changed."""
        command = Command(
            principal="tests", operation="call", key=str(self.ids.new()), fingerprint="", asked_to_remember=False
        )
        return (await self.perform(command, call)).answer

    def mailed(self, purpose: Purpose) -> list[str]:
        """The secrets of the links that were sent for that purpose, oldest first."""
        issued = [row["payload"] for row in self.rows("outbox") if row["name"] == "one_time_token.issued"]
        wanted = [told["token_id"] for told in issued if told["purpose"] == purpose]
        return [self.links.secret(OneTimeTokenId(UUID(token_id))) for token_id in wanted]

    def noted(self) -> list[str]:
        """The kinds of security events so far."""
        return [row["kind"] for row in self.rows("security_events")]

    def later(self, **by: float) -> None:
        """Some time passes."""
        self.clock.advance(timedelta(**by))
