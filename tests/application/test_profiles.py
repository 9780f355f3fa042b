"""Profiles, read and changed."""

from uuid import UUID

import pytest

from application.profiles import GetOwnProfile, GetProfile, ProfileChanges, UpdateProfile
from domain.profiles import BadAvatar, BadLocale, BadPhone
from domain.shared.actors import ANONYMOUS, Actor
from domain.shared.errors import Invalid, NotFound, Outdated, Unauthenticated
from domain.shared.ids import UserId
from tests.application.front_door import FrontDoor


async def test_everybody_reads_a_profile_but_for_what_is_private() -> None:
    door = FrontDoor()
    ann = await door.user()
    await door.use(UpdateProfile)(Actor(user_id=ann.id), ProfileChanges(headline="Potter", phone="+351912345678"))
    view = await door.use(GetProfile)(ANONYMOUS, ann.id)
    assert (view.name, view.headline, view.version) == ("Ann", "Potter", 2)
    assert not hasattr(view, "phone")
    assert not hasattr(view, "locale")
    own = await door.use(GetOwnProfile)(Actor(user_id=ann.id))
    assert (own.phone, own.locale) == ("+351912345678", "en")


async def test_a_profile_changes_in_the_parts_named() -> None:
    door = FrontDoor()
    me = Actor(user_id=(await door.user()).id)
    profile = await door.use(UpdateProfile)(
        me, ProfileChanges(name="Ann Lee", zone="Europe/Lisbon", expected_version=1)
    )
    assert (profile.name, profile.zone, profile.locale, profile.version) == ("Ann Lee", "Europe/Lisbon", "en", 2)
    unchanged = await door.use(UpdateProfile)(me, ProfileChanges())
    assert unchanged.version == 2
    assert door.events().count("profile.updated") == 1
    with pytest.raises(Outdated):
        await door.use(UpdateProfile)(me, ProfileChanges(name="Ann", expected_version=1))


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        (ProfileChanges(name=""), Invalid),
        (ProfileChanges(name="A\x00nn"), Invalid),
        (ProfileChanges(bio="x" * 4001), Invalid),
        (ProfileChanges(zone="Mars/Olympus"), Invalid),
        (ProfileChanges(locale="?"), BadLocale),
        (ProfileChanges(phone="call me"), BadPhone),
        (ProfileChanges(avatar_url="javascript:alert(1)"), BadAvatar),
    ],
)
async def test_nonsense_changes_nothing(changes: ProfileChanges, refusal: type[Exception]) -> None:
    door = FrontDoor()
    me = Actor(user_id=(await door.user()).id)
    with pytest.raises(refusal):
        await door.use(UpdateProfile)(me, changes)
    assert (await door.use(GetOwnProfile)(me)).version == 1


async def test_a_profile_belongs_to_somebody() -> None:
    door = FrontDoor()
    for stranger in (ANONYMOUS, Actor()):
        with pytest.raises(Unauthenticated):
            await door.use(GetOwnProfile)(stranger)
        with pytest.raises(Unauthenticated):
            await door.use(UpdateProfile)(stranger, ProfileChanges(name="Ann"))
    with pytest.raises(NotFound):
        await door.use(GetProfile)(ANONYMOUS, UserId(UUID(int=77)))
