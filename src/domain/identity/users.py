"""The user: an address, a role, and whether the house still welcomes them."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from domain.shared.actors import Actor, Role
from domain.shared.aggregate import Aggregate, Event
from domain.shared.errors import Conflict, Forbidden, Invalid, Unauthenticated
from domain.shared.ids import UserId
from domain.shared.text import text

LONGEST_EMAIL = 254
_LOCAL = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


class BadEmail(Invalid):
    """No mail could ever arrive there."""

    code = "identity.bad_email"

    def __init__(self) -> None:
        super().__init__("that is not an e-mail address", field="email")


class EmailTaken(Conflict):
    """A user with this address exists. Never shown to strangers: signing up answers the same either way."""

    code = "identity.email_taken"

    def __init__(self) -> None:
        super().__init__("a user with this e-mail address exists")


class HalfConfirmed(Conflict):
    """An address changes when both have been confirmed, the present one and the new one."""

    code = "identity.half_confirmed"

    def __init__(self) -> None:
        super().__init__("this is confirmed; follow the link that was sent to your other address too")


class NoAddress(Conflict):
    """Nobody can write to this user: they came by another issuer, which confirmed no address."""

    code = "identity.no_address"

    def __init__(self) -> None:
        super().__init__("this user has no e-mail address")


class InvalidCredentials(Unauthenticated):
    """One answer for an unknown address, a wrong password and an address not yet confirmed."""

    code = "identity.invalid_credentials"

    def __init__(self) -> None:
        super().__init__("this e-mail address and password do not belong to a confirmed account")


class AccountSuspended(Forbidden):
    """The house has closed this account; said only to who has proved to be its owner."""

    code = "identity.suspended"

    def __init__(self) -> None:
        super().__init__("this account is suspended")


class RoleNotOpen(Forbidden):
    """Nobody makes themselves an admin."""

    code = "identity.role_not_open"

    def __init__(self, role: Role) -> None:
        super().__init__(f"nobody can sign up as {role.value}", role=role.value)


class OwnAccount(Forbidden):
    """Admins neither suspend themselves nor change their own role, so that one always remains."""

    code = "identity.own_account"

    def __init__(self) -> None:
        super().__init__("another admin must do this to your account")


class AlreadySuspended(Conflict):
    """The account is closed already."""

    code = "identity.already_suspended"

    def __init__(self) -> None:
        super().__init__("this account is suspended already")


class NotSuspended(Conflict):
    """The account is open."""

    code = "identity.not_suspended"

    def __init__(self) -> None:
        super().__init__("this account is not suspended")


class LastWayIn(Conflict):
    """Without it nobody could sign in to this account."""

    code = "identity.last_way_in"

    def __init__(self) -> None:
        super().__init__("this is the last way in to your account; set a password or link another first")


@dataclass(frozen=True, slots=True, kw_only=True)
class UserSignedUp(Event):
    """Somebody asked for an account of their own."""

    name: ClassVar[str] = "user.signed_up"
    user_id: UserId
    email: str
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class UserCreated(Event):
    """An admin or operator made an account for somebody."""

    name: ClassVar[str] = "user.created"
    user_id: UserId
    email: str
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class UserArrived(Event):
    """Somebody another issuer vouches for was here for the first time."""

    name: ClassVar[str] = "user.arrived"
    user_id: UserId
    email: str | None
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class SignUpRepeated(Event):
    """Somebody tried to sign up with the address of a user; its owner is told instead of the one who tried."""

    name: ClassVar[str] = "user.sign_up_repeated"
    user_id: UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailVerified(Event):
    """The user has shown that mail to the address reaches them."""

    name: ClassVar[str] = "user.email_verified"
    user_id: UserId
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailChanged(Event):
    """The user is reached at another address from now on, and has shown that they are."""

    name: ClassVar[str] = "user.email_changed"
    user_id: UserId
    before: str
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionsEnded(Event):
    """Every session and link from before is over; `kept` says whether the one that asked goes on."""

    name: ClassVar[str] = "user.sessions_ended"
    user_id: UserId
    kept: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityUnlinked(Event):
    """A user signs in by an identity of that issuer no longer."""

    name: ClassVar[str] = "user.identity_unlinked"
    user_id: UserId
    issuer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UserSuspended(Event):
    """The house closed an account."""

    name: ClassVar[str] = "user.suspended"
    user_id: UserId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRestored(Event):
    """The house opened an account again."""

    name: ClassVar[str] = "user.restored"
    user_id: UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class UserDeleted(Event):
    """The house deleted an account: what it did stays, who it was does not."""

    name: ClassVar[str] = "user.deleted"
    user_id: UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleChanged(Event):
    """A user is something else to the marketplace now; it binds at their next request."""

    name: ClassVar[str] = "user.role_changed"
    user_id: UserId
    before: Role
    role: Role


def email_address(value: str) -> str:
    """The address as it is kept and compared: lower case, its domain in ASCII; refuses what no mail can reach."""
    local, at, domain = value.strip().lower().rpartition("@")
    try:
        domain = domain if domain.isascii() else domain.encode("idna").decode("ascii")
    except UnicodeError:
        raise BadEmail from None
    labels = domain.split(".")
    address = local + at + domain
    if (
        not 0 < len(local) <= 64
        or len(address) > LONGEST_EMAIL
        or len(labels) < 2
        or labels[-1].isdigit()
        or not _LOCAL.fullmatch(local)
        or not all(_LABEL.fullmatch(label) for label in labels)
    ):
        raise BadEmail
    return address


@dataclass(eq=False, slots=True, kw_only=True)
class User(Aggregate):
    """Somebody with an account. `epoch` counts how often all their sessions and links were ended: what was made in an
    earlier epoch is over, whoever was in the middle of making it. Only who came by another issuer may have no address
    we know of; nobody writes to them."""

    id: UserId
    email: str | None
    role: Role
    email_verified_at: datetime | None = None
    suspended_at: datetime | None = None
    epoch: int = 1
    created_at: datetime

    def __post_init__(self) -> None:
        if self.email is not None and self.email != email_address(self.email):
            raise BadEmail
        if self.email is None and self.verified:
            raise BadEmail

    @classmethod
    def sign_up(cls, *, id: UserId, email: str, role: Role, now: datetime) -> "User":
        """A new user of their own making, whose address nobody has confirmed."""
        if role is Role.ADMIN:
            raise RoleNotOpen(role)
        address = email_address(email)
        user = cls(id=id, email=address, role=role, created_at=now)
        user._record(UserSignedUp(user_id=id, email=address, role=role))
        return user

    @classmethod
    def create(cls, *, id: UserId, email: str, role: Role, now: datetime) -> "User":
        """A user somebody vouches for: the address counts as confirmed."""
        address = email_address(email)
        user = cls(id=id, email=address, role=role, email_verified_at=now, created_at=now)
        user._record(UserCreated(user_id=id, email=address, role=role))
        return user

    @classmethod
    def arrive(cls, *, id: UserId, email: str | None, now: datetime, role: Role = Role.CUSTOMER) -> "User":
        """A user whom another issuer vouches for. Only an address it has confirmed is taken over: with any other,
        whoever owns that address could later find a stranger in their account."""
        address = None if email is None else email_address(email)
        verified_at = None if address is None else now
        user = cls(id=id, email=address, role=role, email_verified_at=verified_at, created_at=now)
        user._record(UserArrived(user_id=id, email=address, role=role))
        return user

    @classmethod
    def admit_buyer(cls, *, id: UserId, email: str, now: datetime) -> "User":
        """A user who comes with what they bought. Who pays may type any address, so nobody has confirmed it."""
        address = email_address(email)
        user = cls(id=id, email=address, role=Role.PROVIDER, created_at=now)
        user._record(UserCreated(user_id=id, email=address, role=user.role))
        return user

    @property
    def verified(self) -> bool:
        """Whether mail to the address is known to reach them."""
        return self.email_verified_at is not None

    @property
    def suspended(self) -> bool:
        """Whether the house has closed the account."""
        return self.suspended_at is not None

    def must_be_reachable(self) -> str:
        """The address to write to; refuses where there is none."""
        if self.email is None:
            raise NoAddress
        return self.email

    def must_be_welcome(self) -> None:
        """Refuse whom the house has suspended."""
        if self.suspended:
            raise AccountSuspended

    def verify_email(self, *, now: datetime) -> None:
        """The owner was reached at the address; once is enough."""
        if self.email is not None and not self.verified:
            self.email_verified_at = now
            self._record(EmailVerified(user_id=self.id, email=self.email))

    def take_address(self, email: str, *, now: datetime) -> None:
        """Another address, which they have shown to be theirs, or whose issuer has confirmed it."""
        if self.email == email:
            return
        before, self.email, self.email_verified_at = self.email, email_address(email), None
        self.verify_email(now=now)
        if before is not None:
            self._record(EmailChanged(user_id=self.id, before=before, email=self.email))

    def end_sessions(self, *, keep: bool = False) -> None:
        """Begin a new epoch; `keep` says that the asking session is carried over into it."""
        self.epoch += 1
        self._record(SessionsEnded(user_id=self.id, kept=keep))

    def unlink(self, issuer: str, *, others: int) -> None:
        """One identity less, of that issuer; `others` counts the ways in that stay. It is told by the user, so that of
        two who take the last two away at once one finds the other's change in the way."""
        if not others:
            raise LastWayIn
        self._record(IdentityUnlinked(user_id=self.id, issuer=issuer))

    def suspend(self, *, by: Actor, reason: str, now: datetime) -> None:
        """Close the account and end whatever it is doing."""
        self._must_be_anothers(by)
        if self.suspended:
            raise AlreadySuspended
        reason = text(reason, field="reason", longest=500)
        self.suspended_at = now
        self.epoch += 1
        self._record(UserSuspended(user_id=self.id, reason=reason))

    def restore(self, *, by: Actor) -> None:
        """Open the account again; its user signs in anew."""
        self._must_be_anothers(by)
        if not self.suspended:
            raise NotSuspended
        self.suspended_at = None
        self._record(UserRestored(user_id=self.id))

    def delete(self, *, by: Actor, now: datetime) -> None:
        """Close the account for good and forget its address, which somebody may use again. Nobody ever comes in by it
        any more: a restored one is empty."""
        self._must_be_anothers(by)
        if not self.suspended:
            self.suspend(by=by, reason="deleted", now=now)
        if self.email is not None:
            self.email = self.email_verified_at = None
        self._record(UserDeleted(user_id=self.id))

    def change_role(self, role: Role, *, by: Actor) -> None:
        """Make the user something else to the marketplace."""
        self._must_be_anothers(by)
        if role is not self.role:
            before, self.role = self.role, role
            self._record(RoleChanged(user_id=self.id, before=before, role=role))

    def take_up_work(self) -> None:
        """Who joins those who offer work offers work too: a customer becomes a provider, anybody else stays as they
        are."""
        if self.role is Role.CUSTOMER:
            self.role = Role.PROVIDER
            self._record(RoleChanged(user_id=self.id, before=Role.CUSTOMER, role=Role.PROVIDER))

    def _must_be_anothers(self, by: Actor) -> None:
        by.must_be_admin()
        if by.is_user(self.id):
            raise OwnAccount
