"""Profiles: what people say about themselves, most of it for everybody to read."""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar
from urllib.parse import urlsplit

from domain.shared.aggregate import Aggregate, Event
from domain.shared.errors import Invalid
from domain.shared.ids import FileId, UserId
from domain.shared.text import text
from domain.shared.time import zone

_LOCALE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|\d{3}))?")
_PHONE = re.compile(r"\+[1-9]\d{6,14}")
_PUNCTUATION = str.maketrans("", "", " -.()/\u00a0")


class BadLocale(Invalid):
    """Not a language tag such as "en" or "pt-BR"."""

    code = "profile.bad_locale"

    def __init__(self) -> None:
        super().__init__('a locale looks like "en", "pt-BR" or "zh-Hant-TW"', field="locale")


class BadPhone(Invalid):
    """Not a telephone number that can be called from anywhere."""

    code = "profile.bad_phone"

    def __init__(self) -> None:
        super().__init__("a telephone number begins with + and its country, such as +351 912 345 678", field="phone")


class BadAvatar(Invalid):
    """Not the address of a picture on the web."""

    code = "profile.bad_avatar"

    def __init__(self) -> None:
        super().__init__("a picture has an address that begins with https://", field="avatar_url")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileUpdated(Event):
    """Somebody says something else about themselves."""

    name: ClassVar[str] = "profile.updated"
    user_id: UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class Particulars:
    """Everything a profile says, each part judged; empty text where nothing is said."""

    name: str
    headline: str = ""
    bio: str = ""
    avatar_url: str = ""
    locale: str = "en"
    zone: str = "UTC"
    phone: str = ""

    def __post_init__(self) -> None:
        def settle(field: str, value: str) -> None:
            object.__setattr__(self, field, value)

        settle("name", text(self.name, field="name", longest=120))
        settle("headline", text(self.headline, field="headline", shortest=0, longest=160))
        settle("bio", text(self.bio, field="bio", shortest=0, longest=4000, lines=True))
        settle("avatar_url", _avatar(self.avatar_url))
        settle("locale", _locale(self.locale))
        settle("phone", _phone(self.phone))
        zone(self.zone)


@dataclass(eq=False, slots=True, kw_only=True)
class Profile(Aggregate):
    """How a user appears to others; its id is the user's. Telephone and locale are for the house alone."""

    id: UserId
    name: str
    headline: str
    bio: str
    avatar_url: str
    avatar_id: FileId | None = None
    locale: str
    zone: str
    phone: str
    created_at: datetime
    updated_at: datetime

    @classmethod
    def begin(cls, *, id: UserId, particulars: Particulars, now: datetime) -> "Profile":
        """The profile of a new user."""
        return cls(
            id=id,
            name=particulars.name,
            headline=particulars.headline,
            bio=particulars.bio,
            avatar_url=particulars.avatar_url,
            locale=particulars.locale,
            zone=particulars.zone,
            phone=particulars.phone,
            created_at=now,
            updated_at=now,
        )

    @property
    def particulars(self) -> Particulars:
        """All it says, as one value."""
        return Particulars(
            name=self.name,
            headline=self.headline,
            bio=self.bio,
            avatar_url=self.avatar_url,
            locale=self.locale,
            zone=self.zone,
            phone=self.phone,
        )

    def update(self, *, now: datetime, **said: str) -> None:
        """Say something else, in the parts named; the others stay."""
        before = self.particulars
        after = replace(before, **said)
        if after == before:
            return
        self.name, self.headline, self.bio = after.name, after.headline, after.bio
        self.avatar_url, self.locale = after.avatar_url, after.locale
        self.zone, self.phone = after.zone, after.phone
        self.updated_at = now
        self._record(ProfileUpdated(user_id=self.id))

    def show(self, avatar_id: FileId | None, *, now: datetime) -> None:
        """Show this picture, kept in the house, from now on; None takes it away."""
        if avatar_id == self.avatar_id:
            return
        self.avatar_id = avatar_id
        self.updated_at = now
        self._record(ProfileUpdated(user_id=self.id))


def _avatar(value: str) -> str:
    value = text(value, field="avatar_url", shortest=0, longest=500)
    if not value:
        return value
    try:
        parts = urlsplit(value)
        fine = parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        fine = False
    if not fine or any(c.isspace() for c in value):
        raise BadAvatar
    return value


def _locale(value: str) -> str:
    value = value.strip().replace("_", "-")
    if not _LOCALE.fullmatch(value):
        raise BadLocale
    language, *others = value.split("-")
    return "-".join([language.lower(), *(o.title() if len(o) == 4 else o.upper() for o in others)])


def _phone(value: str) -> str:
    value = text(value, field="phone", shortest=0, longest=40).translate(_PUNCTUATION)
    if value and not _PHONE.fullmatch(value):
        raise BadPhone
    return value
