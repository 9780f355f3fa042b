"""Passwords: what may be one, and the hash that is kept of it."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from domain.shared.aggregate import Aggregate, Event
from domain.shared.errors import Forbidden, Invalid
from domain.shared.ids import UserId

_COMMON = frozenset(
    """
    1234567890 12345678910 123456789a 123123123123 0123456789 0987654321 9876543210 1111111111 0000000000 1122334455
    1234567891 123456123456 11111111111 qwertyuiop qwerty12345 qwerty123456 qwerty1234 1qaz2wsx3edc 1q2w3e4r5t
    1q2w3e4r5t6y q1w2e3r4t5 q1w2e3r4t5y6 qazwsxedcrfv zaq12wsxcde3 asdfghjkl1 asdfghjkl; asdfghjklq zxcvbnm123
    password12 password123 password1234 password12345 passw0rd123 p@ssw0rd12 p@ssword123 p@ssw0rd123 password01
    password!! password1! mypassword mypassword1 yourpassword newpassword newpassword1 changeme123 changeme1234
    letmein123 letmein1234 welcome123 welcome1234 welcome2023 welcome2024 welcome2025 welcome2026 iloveyou12
    iloveyou123 iloveyou1234 iloveyou2 ilovejesus iloveyouso adminadmin admin12345 admin123456 administrator
    administrator1 rootrootroot superman123 batman12345 football123 baseball123 basketball princess123 princess12
    sunshine123 sunshine12 monkey12345 dragon12345 master12345 shadow12345 michael123 jennifer123 charlie123
    starwars123 pokemon123 liverpool1 liverpool123 manchester chelsea123 arsenal123 computer123 internet123
    samsung123 whatever123 trustno1trustno1 abcdefghij abcdefghijkl abcd123456 abc1234567 abcdef1234 abcdef123456
    a123456789 aa12345678 aa123456789 asdf123456 asdf12345678 qwer123456 qwer12345678 test123456 testtest123
    test1234567 testing123 testing1234 guest12345 default123 google1234 facebook123 hello12345 helloworld
    helloworld1 secret1234 secret12345 supersecret changeit123 summer2024 summer2025 summer2026 winter2024
    winter2025 winter2026 correcthorsebatterystaple guildhall123 guildhall1
    """.split()
)
"""The ones everybody tries first, of those long enough to pass."""


class WeakPassword(Invalid):
    """This password would not protect anything; `reason` says why, for programs."""

    code = "identity.weak_password"

    def __init__(self, message: str, *, reason: str, **numbers: int) -> None:
        super().__init__(message, field="password", reason=reason, **numbers)


class WrongPassword(Forbidden):
    """Who changes a password proves to know the present one."""

    code = "identity.wrong_password"

    def __init__(self) -> None:
        super().__init__("that is not your present password")


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordChanged(Event):
    """A user has another password; `reset` says that the old one was not asked for."""

    name: ClassVar[str] = "user.password_changed"
    user_id: UserId
    reset: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordPolicy:
    """What may be a password: long rather than complicated, not the address, not what everybody tries first."""

    shortest: int = 10
    longest: int = 128

    def __post_init__(self) -> None:
        if not 8 <= self.shortest <= self.longest <= 1024:
            raise Invalid("a password policy asks for 8 characters at least and takes 1024 at most", field="shortest")

    def judge(self, password: str, *, email: str | None) -> None:
        """Refuse what is no password for the user of that address."""
        if not self.shortest <= len(password) <= self.longest:
            raise WeakPassword(
                f"a password has {self.shortest} to {self.longest} characters",
                reason="length",
                shortest=self.shortest,
                longest=self.longest,
            )
        if any(unicodedata.category(character) in ("Cc", "Cs") for character in password):
            raise WeakPassword("a password is made of characters one can type", reason="characters")
        plain = password.casefold()
        if email and (email in plain or plain.strip() == email.partition("@")[0]):
            raise WeakPassword("a password is not the e-mail address", reason="email")
        if plain.strip() in _COMMON or len(set(plain)) < 4:
            raise WeakPassword("everybody tries that password first", reason="common")


@dataclass(eq=False, slots=True, kw_only=True)
class Credential(Aggregate):
    """A user's password, as a hash; its id is the user's."""

    id: UserId
    password_hash: str
    changed_at: datetime
    created_at: datetime

    @classmethod
    def create(cls, *, id: UserId, password_hash: str, now: datetime) -> "Credential":
        """The first password of a new user."""
        return cls(id=id, password_hash=password_hash, changed_at=now, created_at=now)

    def change(self, password_hash: str, *, reset: bool, now: datetime) -> None:
        """Another password takes the place of this one."""
        self.password_hash = password_hash
        self.changed_at = now
        self._record(PasswordChanged(user_id=self.id, reset=reset))

    def upgrade(self, password_hash: str | None) -> None:
        """The same password, kept in a stronger or cheaper way than before; None: it is kept well already."""
        if password_hash is not None:
            self.password_hash = password_hash
