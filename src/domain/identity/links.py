"""Links sent by mail: each proves once that mail to the user's address reached whoever holds it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from domain.shared.aggregate import Aggregate, Event
from domain.shared.errors import Invalid
from domain.shared.ids import OneTimeTokenId, UserId


class Purpose(StrEnum):
    """What a link is good for, and nothing else."""

    VERIFY_EMAIL = "verify_email"
    MAGIC_LINK = "magic_link"
    RESET_PASSWORD = "reset_password"  # noqa: S105 - a word, not a secret
    CHANGE_EMAIL = "change_email"


class BadLink(Invalid):
    """One answer for a link that never was, was used, has expired, or was overtaken by a change of password."""

    code = "identity.bad_link"

    def __init__(self) -> None:
        super().__init__("this link is not valid, has expired, or was used already", field="token")


@dataclass(frozen=True, slots=True, kw_only=True)
class OneTimeTokenIssued(Event):
    """A link is to be mailed to its user."""

    name: ClassVar[str] = "one_time_token.issued"
    token_id: OneTimeTokenId
    user_id: UserId
    purpose: Purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class OneTimeTokenDeclined(Event):
    """A link was asked for and nobody is sent one: no such user, or no need, or too many of late."""

    name: ClassVar[str] = "one_time_token.declined"
    token_id: OneTimeTokenId
    purpose: Purpose


@dataclass(eq=False, slots=True, kw_only=True)
class OneTimeToken(Aggregate):
    """A link that works once. A decoy is stored like any other, so that asking for a link takes the same time whether
    or not the address is known; it has expired from the start, and never works. `address_hash` tells how often an
    address was asked for of late, known or not; what was asked for too often carries none and does not count.
    `address` is the new one of a link that changes it: there it is sent, and nowhere else."""

    id: OneTimeTokenId
    user_id: UserId | None
    purpose: Purpose
    token_hash: str
    address_hash: str
    epoch: int
    expires_at: datetime
    used_at: datetime | None = None
    created_at: datetime
    address: str | None = None

    @classmethod
    def issue(
        cls,
        *,
        id: OneTimeTokenId,
        user_id: UserId,
        epoch: int,
        purpose: Purpose,
        token_hash: str,
        lifetime: timedelta,
        now: datetime,
        address_hash: str = "",
        address: str | None = None,
    ) -> "OneTimeToken":
        """A link for this user, good in this epoch of theirs."""
        token = cls(
            id=id,
            user_id=user_id,
            purpose=purpose,
            token_hash=token_hash,
            address_hash=address_hash,
            epoch=epoch,
            expires_at=now + lifetime,
            created_at=now,
            address=address,
        )
        token._record(OneTimeTokenIssued(token_id=id, user_id=user_id, purpose=purpose))
        return token

    @classmethod
    def enclose(
        cls,
        *,
        id: OneTimeTokenId,
        user_id: UserId,
        epoch: int,
        purpose: Purpose,
        token_hash: str,
        lifetime: timedelta,
        now: datetime,
    ) -> "OneTimeToken":
        """A link that travels in a letter about something else; it has none of its own, and counts for no limit."""
        return cls(
            id=id,
            user_id=user_id,
            purpose=purpose,
            token_hash=token_hash,
            address_hash="",
            epoch=epoch,
            expires_at=now + lifetime,
            created_at=now,
        )

    @classmethod
    def decoy(
        cls, *, id: OneTimeTokenId, purpose: Purpose, token_hash: str, now: datetime, address_hash: str = ""
    ) -> "OneTimeToken":
        """What is stored when nobody is sent a link."""
        token = cls(
            id=id,
            user_id=None,
            purpose=purpose,
            token_hash=token_hash,
            address_hash=address_hash,
            epoch=0,
            expires_at=now,
            created_at=now,
        )
        token._record(OneTimeTokenDeclined(token_id=id, purpose=purpose))
        return token

    def must_be_fresh(self, *, now: datetime) -> UserId:
        """The user it was sent to, or the one refusal for links that do not work."""
        if self.user_id is None or self.used_at is not None or now >= self.expires_at:
            raise BadLink
        return self.user_id

    def use(self, *, epoch: int, now: datetime) -> None:
        """Spend it, its user being in that epoch."""
        self.must_be_fresh(now=now)
        if epoch != self.epoch:
            raise BadLink
        self.used_at = now
