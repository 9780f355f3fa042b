"""What a bucket takes, what a file may be called, and the life of a file."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.files import (
    BIGGEST,
    EXTENSIONS,
    FILE_POLICIES,
    PICTURES,
    Audience,
    BadFileName,
    Bucket,
    Content,
    FileAnnounced,
    FileDeleted,
    FileInUse,
    FileNotStored,
    FileState,
    FileStored,
    FileTooLarge,
    NotForYou,
    NotWhatWasAnnounced,
    Rendering,
    StoredFile,
    TypeNotAllowed,
    UploadOver,
    file_name,
    file_of,
    incoming_key,
)
from domain.shared.actors import Role
from domain.shared.errors import Invalid, NotFound
from domain.shared.ids import FileId, UserId

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ADA, BEN = UserId(UUID(int=1)), UserId(UUID(int=2))
ID, THING, OTHER = FileId(UUID(int=7)), UUID(int=20), UUID(int=21)
HASH, STORED_HASH = "a" * 64, "b" * 64
QUARTER = timedelta(minutes=15)


def announced(**said: Any) -> StoredFile:
    told: dict[str, Any] = {
        "bucket": Bucket.AVATARS,
        "role": Role.CUSTOMER,
        "name": "me.png",
        "content_type": "image/png",
        "size": 100,
        "sha256": None,
    }
    return StoredFile.announce(id=ID, owner_id=ADA, now=NOW, expires_at=NOW + QUARTER, **{**told, **said})


def content(**said: Any) -> Content:
    told: dict[str, Any] = {
        "content_type": "image/png",
        "size": 90,
        "sha256": STORED_HASH,
        "arrived_size": 100,
        "arrived_sha256": HASH,
        "width": 640,
        "height": 480,
        "renderings": (Rendering("thumbnail", 160, 120, 9),),
    }
    return Content(**{**told, **said})


def stored(**said: Any) -> StoredFile:
    file = announced(**said)
    file.keep(content(content_type=file.content_type), now=NOW)
    file.take_events()
    return file


# --- Policies ---------------------------------------------------------------------------------------------------------


def test_every_bucket_has_a_policy_and_every_type_an_ending() -> None:
    assert FILE_POLICIES.keys() == set(Bucket)
    assert {kind for policy in FILE_POLICIES.values() for kind in policy.types} == EXTENSIONS.keys()
    assert max(policy.most_bytes for policy in FILE_POLICIES.values()) == BIGGEST == 20 * 1024 * 1024
    assert not [kind for kind in EXTENSIONS if "svg" in kind or "html" in kind], "what can act in a browser"
    for bucket in (Bucket.AVATARS, Bucket.JOB_PICTURES):
        assert FILE_POLICIES[bucket].types == PICTURES, "public files are nothing but pixels"


@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        ({"bucket": Bucket.JOB_PICTURES}, NotForYou),
        ({"content_type": "image/svg+xml"}, TypeNotAllowed),
        ({"content_type": "application/pdf", "name": "me.pdf"}, TypeNotAllowed),
        ({"content_type": ""}, TypeNotAllowed),
        ({"size": 0}, FileTooLarge),
        ({"size": -1}, FileTooLarge),
        ({"size": 5 * 1024 * 1024 + 1}, FileTooLarge),
        ({"sha256": "A" * 64}, Invalid),
        ({"sha256": "a" * 63}, Invalid),
        ({"name": "me.jpg"}, BadFileName),
    ],
)
def test_what_a_bucket_does_not_take_is_not_even_announced(said: dict[str, Any], refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        announced(**said)


def test_a_file_is_announced_by_whom_it_is_for_up_to_the_last_byte() -> None:
    file = announced(
        bucket=Bucket.JOB_PICTURES,
        role=Role.PROVIDER,
        content_type="Image/PNG; q=1",
        size=10 * 1024 * 1024,
        sha256=HASH,
    )
    assert (file.content_type, file.charged, file.announced_sha256) == ("image/png", 10 * 1024 * 1024, HASH)
    assert (file.state, file.audience, file.expires_at) == (FileState.UPLOADING, Audience.PARTICIPANTS, NOW + QUARTER)
    assert file.take_events() == [FileAnnounced(file_id=ID, owner_id=ADA)]


# --- Names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd.png",
        "..\\..\\boot.png",
        "/etc/passwd.png",
        "a/b.png",
        "a\0.png",
        "a\n.png",
        "a\x7f.png",
        "photo\u202egnp.exe.png",
        "photo\u2066.png",
        "photo\u200b.png",
        "\ufeffphoto.png",
        "\ud800.png",
        "x" * 10_000 + ".png",
        "x" * 197 + ".png",
        "é" * 130 + ".png",
        "con.png",
        "CON .png",
        "nul.tar.png",
        "LPT1.png",
        "com¹.png",
        "CONIN$.png",
        ".png",
        ".htaccess.png",
        "photo.png.",
        "photo..png",
        'pho"to.png',
        "photo<script>.png",
        "a:stream.png",
        "what?.png",
        "photo／x.png",
        "photo.exe",
        "photo",
        "photo.png.html",
        "",
        "   ",
    ],
)
def test_a_name_that_could_mislead_or_break_out_is_refused(name: str) -> None:
    with pytest.raises(BadFileName):
        file_name(name, extensions=(".png",))


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Me at the beach (2).PNG", "Me at the beach (2).PNG"),
        (" photo.png ", "photo.png"),
        ("cafe\u0301.png", "caf\u00e9.png"),
        ("写真.png", "写真.png"),
        ("Ausweis – Rückseite, 1+2.png", "Ausweis – Rückseite, 1+2.png"),
        ("console.png", "console.png"),
        ("x" * 196 + ".png", "x" * 196 + ".png"),
    ],
)
def test_names_people_give_are_kept_as_they_wrote_them(given: str, kept: str) -> None:
    assert file_name(given, extensions=(".png",)) == kept


@given(st.text(max_size=300))
def test_whatever_is_typed_is_a_safe_name_or_a_refusal(name: str) -> None:
    try:
        kept = file_name(name + ".png", extensions=(".png",))
    except BadFileName:
        return
    assert not set(kept) & set('/\\:*?"<>|\0')
    assert kept.isprintable()
    assert len(kept.encode()) <= 255
    assert file_name(kept, extensions=(".png",)) == kept


# --- The life of a file -----------------------------------------------------------------------------------------------


def test_a_file_that_is_what_was_announced_counts() -> None:
    file = announced(sha256=HASH)
    file.take_events()
    file.keep(content(), now=NOW)
    assert (file.state, file.size, file.sha256, file.found_type) == (FileState.STORED, 90, STORED_HASH, "image/png")
    assert (file.width, file.height, file.audience, file.stored_at) == (640, 480, Audience.EVERYBODY, NOW)
    assert file.keys == (f"avatars/{ID}/original", f"avatars/{ID}/thumbnail")
    assert file.take_events() == [FileStored(file_id=ID, owner_id=ADA)]
    with pytest.raises(UploadOver):
        file.keep(content(), now=NOW)


@pytest.mark.parametrize(
    ("found", "field"),
    [
        ({"arrived_size": 99}, "size"),
        ({"arrived_sha256": "c" * 64}, "sha256"),
        ({"content_type": "image/jpeg"}, "content_type"),
    ],
)
def test_a_file_that_is_something_else_does_not_count(found: dict[str, Any], field: str) -> None:
    file = announced(sha256=HASH)
    with pytest.raises(NotWhatWasAnnounced) as refused:
        file.keep(content(**found), now=NOW)
    assert refused.value.details["field"] == field
    assert (file.state, file.size) == (FileState.UPLOADING, None)


def test_an_upload_is_awaited_until_its_time_is_over() -> None:
    file = announced()
    file.must_await(NOW + QUARTER - timedelta(seconds=1))
    with pytest.raises(UploadOver):
        file.must_await(NOW + QUARTER)
    with pytest.raises(UploadOver):
        stored().must_await(NOW)


def test_an_attachment_is_never_everybodys() -> None:
    file = stored(bucket=Bucket.ATTACHMENTS)
    assert file.audience is Audience.PARTICIPANTS


def test_a_file_is_shown_by_one_thing_and_given_by_its_owner() -> None:
    file = stored()
    with pytest.raises(NotFound):
        file.show_in(THING, bucket=Bucket.AVATARS, by=BEN)
    with pytest.raises(NotFound):
        file.show_in(THING, bucket=Bucket.ATTACHMENTS, by=ADA)
    file.show_in(THING, bucket=Bucket.AVATARS, by=ADA)
    file.show_in(THING, bucket=Bucket.AVATARS, by=BEN)
    assert file.belongs_to == THING
    with pytest.raises(FileInUse):
        file.show_in(OTHER, bucket=Bucket.AVATARS, by=ADA)
    with pytest.raises(FileInUse):
        file.must_be_free()
    with pytest.raises(FileNotStored):
        announced().show_in(THING, bucket=Bucket.AVATARS, by=ADA)


def test_a_file_that_goes_is_shown_by_nothing_any_more() -> None:
    file = stored()
    file.must_be_free()
    file.show_in(THING, bucket=Bucket.AVATARS, by=ADA)
    file.go(now=NOW)
    assert (file.is_deleted, file.belongs_to, file.deleted_at) == (True, None, NOW)
    assert file.audience is Audience.PARTICIPANTS
    assert file.take_events() == [FileDeleted(file_id=ID, owner_id=ADA)]


def test_where_bytes_lie_is_made_of_ids_and_leads_back_to_their_file() -> None:
    file = announced(name="anything at all.png")
    assert file.every_key == (
        f"incoming/{ID}",
        f"avatars/{ID}/original",
        f"avatars/{ID}/thumbnail",
        f"avatars/{ID}/medium",
    )
    assert {file_of(key) for key in file.every_key} == {ID}
    assert incoming_key(ID) == file.every_key[0]
    for stray in ("", "incoming", "notes.txt", f"avatars/{ID}", f"incoming/{ID}/x", "avatars/none/original", "/"):
        assert file_of(stray) is None


def test_a_picture_that_was_delivered_says_so() -> None:
    file = stored()
    file.deliver()
    assert file.delivered
