"""What is true of profiles."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.profiles import BadAvatar, BadLocale, BadPhone, Particulars, Profile, ProfileUpdated
from domain.shared.errors import Invalid
from domain.shared.ids import UserId

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
ANN = UserId(UUID(int=1))


def profile() -> Profile:
    return Profile.begin(id=ANN, particulars=Particulars(name=" Ann Lee ", zone="Europe/Lisbon"), now=NOW)


def test_a_profile_begins_with_a_name_and_little_else() -> None:
    begun = profile()
    assert (begun.name, begun.bio, begun.phone, begun.locale, begun.zone) == ("Ann Lee", "", "", "en", "Europe/Lisbon")


def test_a_profile_says_what_it_is_told_and_keeps_the_rest() -> None:
    begun = profile()
    begun.update(now=LATER, headline="Potter", phone="+351 912-345.678", locale="pt_br", bio="Clay.\n\nMostly.")
    assert (begun.name, begun.headline, begun.phone) == ("Ann Lee", "Potter", "+351912345678")
    assert (begun.locale, begun.bio, begun.updated_at) == ("pt-BR", "Clay.\n\nMostly.", LATER)
    assert begun.take_events() == [ProfileUpdated(user_id=ANN)]


def test_saying_the_same_again_changes_nothing() -> None:
    begun = profile()
    begun.update(now=LATER, name="Ann Lee  ")
    assert (begun.updated_at, begun.take_events()) == (NOW, [])


def test_empty_text_takes_things_away_but_not_the_name() -> None:
    begun = profile()
    begun.update(now=NOW, headline="Potter", avatar_url="https://pics.example/ann.png")
    begun.update(now=NOW, headline="", avatar_url="")
    assert (begun.headline, begun.avatar_url) == ("", "")
    with pytest.raises(Invalid):
        begun.update(now=NOW, name="  ")


@pytest.mark.parametrize("locale", ["english", "e", "pt-BRA", "pt-", "../etc", "en\x00", "", "en-GB-oxford"])
def test_a_locale_is_a_language_tag(locale: str) -> None:
    with pytest.raises(BadLocale):
        Particulars(name="Ann", locale=locale)


@pytest.mark.parametrize(("written", "kept"), [("EN", "en"), ("zh-hant-tw", "zh-Hant-TW"), ("es-419", "es-419")])
def test_a_locale_is_kept_in_its_usual_spelling(written: str, kept: str) -> None:
    assert Particulars(name="Ann", locale=written).locale == kept


@pytest.mark.parametrize("phone", ["912345678", "+0912345678", "+351 abc", "+123456", "+1234567890123456"])
def test_a_telephone_number_can_be_called_from_anywhere(phone: str) -> None:
    with pytest.raises(BadPhone):
        Particulars(name="Ann", phone=phone)


@pytest.mark.parametrize(
    "address",
    [
        "http://pics.example/a.png",
        "javascript:alert(1)",
        "https://",
        "https://ann@pics.example/a.png",
        "https://pics.example/a b.png",
        "https://[::1",
        "pics.example/a.png",
    ],
)
def test_a_picture_is_somewhere_on_the_web(address: str) -> None:
    with pytest.raises(BadAvatar):
        Particulars(name="Ann", avatar_url=address)


def test_a_zone_must_exist() -> None:
    with pytest.raises(Invalid):
        Particulars(name="Ann", zone="Europe/Atlantis")
