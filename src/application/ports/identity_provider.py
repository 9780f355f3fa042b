"""Accounts and sessions that are kept by somebody else: what the front door asks of them, in our words.

Three ports, by who asks: anybody at the door, whoever is signed in, and the house itself. All of them refuse as the
house's own door would, so that nobody at it can tell who keeps the accounts; `Unavailable` when nobody answers.
"""

from dataclasses import dataclass
from typing import Protocol

from domain.identity import Provider, Purpose, Stranger
from domain.profiles import Particulars
from domain.shared.actors import Role
from domain.shared.ids import SessionId


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """A session that was begun elsewhere: its tokens, and whose it is."""

    access_token: str
    refresh_token: str
    expires_in: int
    session_id: SessionId
    stranger: Stranger


@dataclass(frozen=True, slots=True, kw_only=True)
class Applicant:
    """Somebody who wants an account."""

    email: str
    password: str
    particulars: Particulars
    role: Role


class ForeignAccounts(Protocol):
    """Accounts with their passwords and addresses."""

    async def sign_up(self, applicant: Applicant) -> None:
        """Ask for an account. Whether the address has one already is not told; its letter is the provider's affair."""
        ...

    async def send_link(self, email: str, purpose: Purpose) -> None:
        """Have a link sent, or not: that is not told either."""
        ...

    async def redeem(self, secret: str, purpose: Purpose) -> Granted:
        """Spend a link; it opens a session. `BadLink` for every link that does not work."""
        ...

    async def set_password(self, proof: str, password: str) -> None:
        """Another password for whoever's access token `proof` is; every other session of theirs ends."""
        ...

    async def set_address(self, proof: str, email: str) -> None:
        """Ask for another address; it counts once it has been confirmed."""
        ...


class ForeignSessions(Protocol):
    """Sessions with their tokens."""

    async def sign_in(self, email: str, password: str) -> Granted:
        """By password. `InvalidCredentials` for all that does not fit, `AccountSuspended` for who was banned."""
        ...

    async def renew(self, refresh_token: str) -> Granted:
        """The next pair of tokens. Of callers at the same time with the same token one asks, and all get its answer.
        `BadRefreshToken`; `RefreshTokenReused` when the session was ended for it."""
        ...

    async def end(self, proof: str, *, everywhere: bool = False) -> None:
        """End the session of this access token, or all of its user's; one that is over already stays so."""
        ...

    def departure(self, provider: Provider, *, return_to: str, challenge: str) -> str:
        """Where the browser goes to sign in by way of that provider; it returns with a code bound to the challenge."""
        ...

    async def finish(self, code: str, verifier: str) -> Granted:
        """Exchange that code, by the verifier of its challenge. `BadFlow` for every code that does not work."""
        ...


class ForeignUsers(Protocol):
    """Looking after accounts, with the house's own key."""

    @property
    def issuer(self) -> str:
        """Whose subjects these are; empty when nobody keeps accounts for us."""
        ...

    async def create(self, applicant: Applicant) -> Stranger:
        """An account whose address counts as confirmed. `EmailTaken` when there is one."""
        ...

    async def ban(self, subject: str) -> None:
        """Nobody signs in to this account until `restore`; one that is gone needs no ban."""
        ...

    async def restore(self, subject: str) -> None:
        """The account may be signed in to again."""
        ...

    async def delete(self, subject: str) -> None:
        """The account is no more; one that is gone needs no deleting."""
        ...

    async def page(self, number: int) -> list[Stranger]:
        """Those of that page, counted from 1, the newest first; empty after the last."""
        ...
