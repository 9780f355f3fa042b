"""Profiles: read by everybody, changed by their owner."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from application.belongings import show_in, take_off
from application.inputs import submitted
from application.ports.clock import Clock
from application.ports.readers import Readers
from application.ports.unit_of_work import Begin, Work
from domain.files import Bucket, FileInUse, FileNotStored
from domain.profiles import BadAvatar, BadLocale, BadPhone, Profile
from domain.shared.actors import Actor
from domain.shared.errors import Invalid, NotFound, Outdated, Refusal, Unauthenticated
from domain.shared.ids import FileId, UserId

_APART = frozenset({"avatar_id", "expected_version"})
"""What a change says besides words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileView:
    """What everybody may know of a user."""

    source: ClassVar[str] = "profiles"
    id: UserId
    version: int
    name: str
    headline: str
    bio: str
    avatar_url: str
    avatar_id: FileId | None
    zone: str
    created_at: datetime


@submitted
class ProfileChanges:
    """What shall be said instead; what is left out stays as it is, and empty text takes it away."""

    name: str | None = None
    """What others call you."""
    headline: str | None = None
    """One line under the name."""
    bio: str | None = None
    """More about you, at most 4000 characters."""
    avatar_url: str | None = None
    """The https address of a picture."""
    avatar_id: str | None = None
    """A picture you have uploaded to `avatars`; the one before is deleted."""
    locale: str | None = None
    """The language you read, such as "en" or "pt-BR"; not shown to others."""
    zone: str | None = None
    """Your IANA time zone, such as "Europe/Lisbon"."""
    phone: str | None = None
    """A telephone number with its country, such as "+351 912 345 678"; not shown to others."""
    expected_version: int | None = None
    """The version of the profile you decided on."""

    def said(self) -> dict[str, str]:
        """The parts that are to change."""
        named = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in named.items() if name not in _APART and value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class GetProfile:
    """What everybody may know of a user."""

    readers: Readers
    refuses: ClassVar[tuple[type[Refusal], ...]] = (NotFound,)

    async def __call__(self, actor: Actor, user_id: UserId) -> ProfileView:
        return await self.readers.one(actor, ProfileView, user_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class GetOwnProfile:
    """All of your own profile, telephone and language included."""

    begin: Begin
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, NotFound)

    async def __call__(self, actor: Actor) -> Profile:
        user_id = actor.signed_in()
        async with self.begin(actor) as work:
            return await work.profiles.get(user_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateProfile:
    """Say something else about yourself."""

    begin: Begin
    clock: Clock
    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        Unauthenticated,
        NotFound,
        Outdated,
        BadAvatar,
        BadLocale,
        BadPhone,
        FileNotStored,
        FileInUse,
        Invalid,
    )

    async def __call__(self, actor: Actor, changes: ProfileChanges) -> Profile:
        user_id = actor.signed_in()
        async with self.begin(actor) as work:
            profile = await work.profiles.get(user_id)
            profile.must_be(changes.expected_version)
            profile.update(now=self.clock.now(), **changes.said())
            if changes.avatar_id is not None:
                await self._show(work, profile, _picture(changes.avatar_id))
            return work.answer(profile)

    async def _show(self, work: Work, profile: Profile, avatar_id: FileId | None) -> None:
        now, before = self.clock.now(), profile.avatar_id
        profile.show(avatar_id, now=now)
        if avatar_id != before:
            await show_in(work, profile.id, [avatar_id] if avatar_id else [], bucket=Bucket.AVATARS, by=profile.id)
            await take_off(work, [before] if before else [], now=now)


def _picture(given: str) -> FileId | None:
    """The picture that was named; empty text names none."""
    try:
        return FileId(UUID(given)) if given.strip() else None
    except ValueError:
        raise BadAvatar from None
