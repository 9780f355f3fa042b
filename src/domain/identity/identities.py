"""Identities given by others: somebody an issuer vouches for, and the user they are here.

Whoever an issuer names is (issuer, subject), never an address. An address joins two accounts only if both sides have
confirmed it and the house has chosen so; everything else would hand an account to whoever types its address elsewhere.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from domain.identity.users import User
from domain.shared.actors import Actor
from domain.shared.aggregate import Aggregate, Event
from domain.shared.errors import Conflict, Forbidden, Invalid, Unauthenticated
from domain.shared.ids import ExternalIdentityId, UserId

LONGEST_ISSUER, LONGEST_SUBJECT = 500, 255


class Origin(StrEnum):
    """How an identity came to its user: it made them when it was first seen, they linked it while signed in, both sides
    had confirmed one address, or an operator who brought accounts over said so."""

    FIRST_SIGHT = "first_sight"
    SIGNED_IN = "signed_in"
    VERIFIED_EMAIL = "verified_email"
    OPERATOR = "operator"


class IdentityTaken(Conflict):
    """This identity belongs to a user already."""

    code = "identity.taken"

    def __init__(self) -> None:
        super().__init__("this identity belongs to a user already")


class IdentityUnproven(Forbidden):
    """An address that was not confirmed on both sides joins nothing."""

    code = "identity.unproven"

    def __init__(self) -> None:
        super().__init__("an address joins two accounts only when both sides have confirmed it")


class AccessEnded(Unauthenticated):
    """The issuer has closed the account behind this token."""

    code = "identity.access_ended"

    def __init__(self) -> None:
        super().__init__("the issuer of this token has closed the account behind it")


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityLinked(Event):
    """An identity of somebody else's making belongs to a user from now on."""

    name: ClassVar[str] = "identity.linked"
    identity_id: ExternalIdentityId
    user_id: UserId
    issuer: str
    origin: Origin
    email_verified: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityEnded(Event):
    """The issuer closed the account behind an identity."""

    name: ClassVar[str] = "identity.ended"
    identity_id: ExternalIdentityId
    user_id: UserId


@dataclass(eq=False, slots=True, kw_only=True)
class ExternalIdentity(Aggregate):
    """Somebody as an issuer knows them: `subject` is its name for them, whatever that looks like. The address is what
    the issuer last told (`told_at` when it wrote to us of it); `email_verified` says that it vouches for it. Once
    `ended_at`, it opens nothing any more."""

    id: ExternalIdentityId
    user_id: UserId
    issuer: str
    subject: str
    origin: Origin
    email: str | None = None
    email_verified: bool = False
    created_at: datetime
    last_seen_at: datetime
    told_at: datetime | None = None
    ended_at: datetime | None = None

    def __post_init__(self) -> None:
        for field, value, longest in (
            ("issuer", self.issuer, LONGEST_ISSUER),
            ("subject", self.subject, LONGEST_SUBJECT),
        ):
            if not 0 < len(value) <= longest or not value.isprintable():
                raise Invalid(f"the {field} of an identity is a short text", field=field)
        if self.email_verified and self.email is None:
            raise Invalid("what is confirmed is an address", field="email")

    @classmethod
    def first_seen(
        cls,
        *,
        id: ExternalIdentityId,
        user: User,
        issuer: str,
        subject: str,
        email: str | None,
        email_verified: bool,
        now: datetime,
    ) -> "ExternalIdentity":
        """The identity of a user who came into being by it."""
        return cls._linked(id, user, issuer, subject, Origin.FIRST_SIGHT, email, email_verified, now)

    @classmethod
    def link(
        cls,
        *,
        id: ExternalIdentityId,
        user: User,
        by: Actor,
        issuer: str,
        subject: str,
        email: str | None,
        email_verified: bool,
        now: datetime,
    ) -> "ExternalIdentity":
        """Another identity of a user who is signed in and asks for it; an operator may say so for them."""
        if not (by.is_user(user.id) or by.is_admin or by.is_system):
            raise IdentityUnproven
        origin = Origin.SIGNED_IN if by.is_user(user.id) else Origin.OPERATOR
        return cls._linked(id, user, issuer, subject, origin, email, email_verified, now)

    @classmethod
    def joined(
        cls,
        *,
        id: ExternalIdentityId,
        user: User,
        issuer: str,
        subject: str,
        email: str | None,
        email_verified: bool,
        now: datetime,
    ) -> "ExternalIdentity":
        """An identity of the user who has the same address, where both sides have confirmed it."""
        if not email_verified or email is None or email != user.email or not user.verified:
            raise IdentityUnproven
        return cls._linked(id, user, issuer, subject, Origin.VERIFIED_EMAIL, email, email_verified, now)

    @classmethod
    def _linked(
        cls,
        id: ExternalIdentityId,
        user: User,
        issuer: str,
        subject: str,
        origin: Origin,
        email: str | None,
        email_verified: bool,
        now: datetime,
    ) -> "ExternalIdentity":
        identity = cls(
            id=id,
            user_id=user.id,
            issuer=issuer,
            subject=subject,
            origin=origin,
            email=email,
            email_verified=email_verified,
            created_at=now,
            last_seen_at=now,
        )
        linked = IdentityLinked(
            identity_id=id, user_id=user.id, issuer=issuer, origin=origin, email_verified=email_verified
        )
        identity._record(linked)
        return identity

    @property
    def ended(self) -> bool:
        """Whether the issuer has closed the account behind it."""
        return self.ended_at is not None

    def seen(self, *, now: datetime) -> None:
        """It was used."""
        self.last_seen_at = max(now, self.last_seen_at)

    def tell(self, *, email: str | None, email_verified: bool, at: datetime | None = None) -> None:
        """What the issuer says of its address; `at` says when, where it says so: its messages come in any order, and
        one that is older than what is known changes nothing."""
        if at is not None and self.told_at is not None and at < self.told_at:
            return
        self.told_at = at or self.told_at
        self.email, self.email_verified = email, email_verified and email is not None

    def end(self, *, now: datetime) -> None:
        """The issuer closed the account: over for good; told again, nothing changes."""
        if self.ended_at is None:
            self.ended_at = now
            self._record(IdentityEnded(identity_id=self.id, user_id=self.user_id))
