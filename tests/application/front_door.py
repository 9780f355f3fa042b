"""A house whose front door works: passwords at their cheapest, keys and secrets of its own, and people who sign in."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from adapters.local_identity import (
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
    CreateUser,
    Link,
    NewUser,
    PasswordSignIn,
    RefreshSession,
    Renewal,
    SignIn,
    SignUp,
    SignUpForm,
    Tokens,
    VerifyEmail,
)
from application.ports.unit_of_work import Work
from domain.identity import IdentityRules, Purpose, User
from domain.shared.actors import ANONYMOUS, Actor, Kind, Role
from domain.shared.ids import OneTimeTokenId
from tests.support.house import MONDAY, House

PASSWORD = "correct horse battery"
OPERATOR = Actor(kind=Kind.OPERATOR, name="tests")


@lru_cache
def keyring() -> FixedKeyring:
    """One key for all tests."""
    return FixedKeyring(json.dumps({"keys": [SigningKey.generate(now=MONDAY).stored()]}))


@lru_cache
def passwords() -> LocalPasswords:
    """One set of threads for all tests."""
    return LocalPasswords(HashCost.least())


class FrontDoor(House):
    """A house with identity, a hook into the instant before a commit, and shorthands for what people do at a door."""

    def __init__(self, *, now: datetime = MONDAY, **rules: Any) -> None:
        super().__init__(now=now)
        self.meanwhile: Callable[[], Awaitable[Any]] | None = None
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
