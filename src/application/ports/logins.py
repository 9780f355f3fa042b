"""Accounts as another issuer keeps them, passwords included: for moving them there and back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """One account there. `subject` is the issuer's name for it; a hash is bcrypt's or argon2id's, whichever made it."""

    subject: str
    email: str | None
    password_hash: str | None
    confirmed_at: datetime | None
    banned: bool
    created_at: datetime


class Logins(Protocol):
    """All accounts of one issuer. `Unavailable` when it does not answer."""

    @property
    def issuer(self) -> str:
        """The issuer's name, as its tokens say it."""
        ...

    async def batch(self, *, after: str | None, most: int) -> Sequence[Login]:
        """The next accounts by subject."""
        ...

    async def put(self, logins: Sequence[Login], *, at: datetime) -> Sequence[str]:
        """Let these be there just so, whether they were or not; the subjects of those that cannot be, because another
        account there has their address."""
        ...
