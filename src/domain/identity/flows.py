"""Signing in by way of somebody who knows the user already: there, back, and in.

A front end sends the browser away with a challenge whose verifier it keeps. Whoever comes back brings a code, and the
code is worth something only together with that verifier: it opens a session, or becomes another way in for somebody who
is signed in. What the provider said is kept in between, for minutes.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from domain.identity.users import email_address
from domain.shared.actors import Role
from domain.shared.aggregate import Aggregate
from domain.shared.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable
from domain.shared.ids import OAuthFlowId


class Provider(StrEnum):
    """Who can vouch for people who sign in here."""

    GOOGLE = "google"
    GITHUB = "github"


class NoSuchProvider(NotFound):
    """Nobody signs in here by way of that provider."""

    code = "identity.no_such_provider"

    def __init__(self, provider: Provider) -> None:
        super().__init__(f"this house does not sign in by way of {provider.value}", provider=provider.value)


class BadReturn(Invalid):
    """Nobody is sent to an address that is not of this house's own front ends."""

    code = "identity.bad_return"

    def __init__(self) -> None:
        super().__init__("that is no address of a front end of this house", field="return_to")


class BadFlow(Invalid):
    """One answer for a sign-in that never began, is over, was begun in another browser, or is claimed by who did not
    begin it."""

    code = "identity.bad_flow"

    def __init__(self) -> None:
        super().__init__("this sign-in is not valid, has expired, or was finished already; begin again")


class ProviderDeclined(Forbidden):
    """The provider, or the person in front of it, said no."""

    code = "identity.provider_declined"

    def __init__(self, provider: Provider) -> None:
        super().__init__(f"{provider.value} did not vouch for you", provider=provider.value)


class ProviderUnavailable(Unavailable):
    """The provider does not answer, or not in a way that can be understood."""

    code = "identity.provider_unavailable"

    def __init__(self, provider: str) -> None:
        super().__init__(f"{provider} does not answer; try again in a little while", provider=provider)


class AddressUnproven(Forbidden):
    """Only an address its provider has confirmed counts here."""

    code = "identity.address_unproven"

    def __init__(self) -> None:
        super().__init__("your provider has not confirmed an e-mail address of yours; confirm one there first")


class SignInFirst(Conflict):
    """An account with the same address exists; who owns it signs in as always and links the other way in."""

    code = "identity.sign_in_first"

    def __init__(self) -> None:
        super().__init__("an account with your address exists; sign in to it, then link this way in")


class NotOffered(Forbidden):
    """The house does not offer this at its door."""

    code = "identity.not_offered"

    def __init__(self) -> None:
        super().__init__("this is not offered here")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stranger:
    """What an issuer says of somebody: who they are there, the address it knows and whether it vouches for it, and what
    they said of themselves, which is worth as much as if they had said it here."""

    issuer: str
    subject: str
    email: str | None = None
    email_verified: bool = False
    name: str = ""
    locale: str = ""
    zone: str = ""
    wish: Role = Role.CUSTOMER

    @property
    def display_name(self) -> str:
        """What they are called there."""
        return self.name

    @property
    def address(self) -> str:
        """The address the issuer vouches for, as it is kept here; without one, nobody comes in."""
        if self.email is None or not self.email_verified:
            raise AddressUnproven
        return email_address(self.email)


@dataclass(eq=False, slots=True, kw_only=True)
class OAuthFlow(Aggregate):
    """One way there and back. `state_hash` recognises who comes back, `browser_hash` that it is the browser that left,
    `code_hash` who claims the end of it. Each step is taken once."""

    id: OAuthFlowId
    provider: Provider
    return_to: str
    challenge: str
    state_hash: str
    browser_hash: str
    code_hash: str | None = None
    stranger: Stranger | None = None
    expires_at: datetime
    returned_at: datetime | None = None
    spent_at: datetime | None = None
    created_at: datetime

    @classmethod
    def begin(
        cls,
        *,
        id: OAuthFlowId,
        provider: Provider,
        return_to: str,
        challenge: str,
        state_hash: str,
        browser_hash: str,
        lifetime: timedelta,
        now: datetime,
    ) -> "OAuthFlow":
        """Somebody leaves for the provider."""
        return cls(
            id=id,
            provider=provider,
            return_to=return_to,
            challenge=challenge,
            state_hash=state_hash,
            browser_hash=browser_hash,
            expires_at=now + lifetime,
            created_at=now,
        )

    def come_back(self, provider: Provider, *, browser_hash: str, now: datetime) -> None:
        """They are back, in the browser they left with; nobody comes back twice."""
        if self.returned_at is not None or self.provider is not provider or self.browser_hash != browser_hash:
            raise BadFlow
        if now >= self.expires_at:
            raise BadFlow
        self.returned_at = now

    def vouch(self, stranger: Stranger, *, code_hash: str, lifetime: timedelta, now: datetime) -> None:
        """The provider has said who it is; a code that is good for a moment finishes it."""
        if self.returned_at is None or self.code_hash is not None:
            raise BadFlow
        self.stranger, self.code_hash, self.expires_at = stranger, code_hash, now + lifetime

    def finish(self, *, challenge: str, now: datetime) -> Stranger:
        """Whoever began it, and proves it by the verifier behind that challenge, learns whom the provider vouched for.
        It is known no longer then."""
        stranger = self.stranger
        if stranger is None or self.spent_at is not None or now >= self.expires_at or challenge != self.challenge:
            raise BadFlow
        self.stranger, self.spent_at = None, now
        return stranger
