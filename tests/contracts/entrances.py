"""The front door of two houses, told alike: one that keeps accounts itself, one whose accounts Supabase keeps."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx

from adapters.supabase.auth import AuthApi, SupabaseAccounts, SupabaseSessions, SupabaseUsers
from adapters.supabase.project import Project
from application.identity import (
    Departure,
    FinishSignIn,
    StartSignIn,
    Tokens,
    Voucher,
)
from application.identity.abroad import ABROAD
from domain.identity import Provider, Purpose, UserDeleted, UserRestored, UserSuspended
from domain.shared.actors import ANONYMOUS, Actor, Role
from entrypoints.use_cases import UseCases
from tests.application.front_door import VERIFIER, FrontDoor
from tests.support.gotrue import PUBLISHABLE, SECRET, URL, GoTrue

KINDS = {
    Purpose.VERIFY_EMAIL: "signup",
    Purpose.MAGIC_LINK: "magiclink",
    Purpose.RESET_PASSWORD: "recovery",
    Purpose.CHANGE_EMAIL: "email_change",
}


class LocalEntrance(FrontDoor):
    """A house that keeps accounts itself."""

    def links_to(self, email: str, purpose: Purpose) -> list[str]:
        """What was sent there, oldest first."""
        users = {row["id"]: row["email"] for row in self.rows("users")}
        sent = {
            str(row["id"])
            for row in self.rows("one_time_tokens")
            if row["user_id"] and (row["address"] or users[row["user_id"]]) == email
        }
        issued = [row["payload"] for row in self.rows("outbox") if row["name"] == "one_time_token.issued"]
        mine = [told["token_id"] for told in issued if told["purpose"] == purpose and told["token_id"] in sent]
        return [self.links.secret(UUID(token_id)) for token_id in mine]  # type: ignore[arg-type]

    async def provider_sign_in(self, email: str) -> Tokens:
        """Somebody comes in by way of Google."""
        self.vouching[Provider.GOOGLE].knows(email=email)
        return await self.sign_in_by(Provider.GOOGLE)

    async def settle(self) -> None:
        """The worker has come round."""
        await self.deliver(UserSuspended, UserRestored, UserDeleted).all()


class AbroadEntrance(FrontDoor):
    """A house whose accounts are kept by a Supabase project."""

    def __init__(self, **rules: Any) -> None:
        super().__init__(**rules)
        self.auth = GoTrue(self.clock)
        self.http = httpx.AsyncClient(transport=httpx.MockTransport(self.auth.handle))
        api = AuthApi(Project(url=URL, publishable_key=PUBLISHABLE, secret_key=SECRET), self.http)
        self.ports.update(
            foreign_accounts=SupabaseAccounts(api),
            foreign_sessions=SupabaseSessions(api),
            foreign_users=SupabaseUsers(api),
        )
        self.use = UseCases(self.ports, instead=ABROAD)

    def links_to(self, email: str, purpose: Purpose) -> list[str]:
        """What was sent there, oldest first."""
        return self.auth.mailed(email, KINDS[purpose])

    async def provider_sign_in(self, email: str) -> Tokens:
        """Somebody comes in by way of Google."""
        challenge = self.ports["flow_secrets"].challenge(VERIFIER)
        departure = Departure(return_to="https://app.example/in", challenge=challenge)
        gone = await self.use(StartSignIn)(ANONYMOUS, Provider.GOOGLE, departure)
        back = parse_qs(urlsplit(self.auth.agree(gone.address, email)).query)
        return await self.use(FinishSignIn)(ANONYMOUS, Voucher(code=back["code"][0], verifier=VERIFIER))

    async def come_in(self, tokens: Tokens) -> Actor:
        """Who shows that access token."""
        (role,) = [row["role"] for row in self.rows("users") if row["id"] == tokens.user_id]
        return Actor(user_id=tokens.user_id, role=Role(role), session_id=tokens.session_id, proof=tokens.access_token)

    async def settle(self) -> None:
        """The worker has come round."""
        await self.deliver(UserSuspended, UserRestored, UserDeleted).all()


Entrance = LocalEntrance | AbroadEntrance
ENTRANCES: dict[str, Callable[[], Entrance]] = {"local": LocalEntrance, "supabase": AbroadEntrance}
