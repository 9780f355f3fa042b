"""Files at the command line: what there is, what is swept, and whether rows and bytes agree."""

import asyncio
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from application.files import CompleteUpload, ReceiveContent, RequestUpload, Upload
from domain.files import Bucket, StoredFile
from domain.shared.actors import Actor
from domain.shared.ids import UserId
from tests.cli.conftest import Office, opened
from tests.support.pictures import in_pieces, photo


@pytest.fixture
def desk(tmp_path: Path) -> Office:
    """An office with one user who has a picture, and whose second one has not come."""
    return Office(opened(tmp_path))


def user(desk: Office) -> Actor:
    words = ("--email", "ana@example.org", "--name", "Ana", "--role", "customer", "--password", "a decent secret")
    return Actor(user_id=UserId(UUID(desk.json("user", "create", *words)["id"])))


def announced(desk: Office, actor: Actor, *, size: int) -> StoredFile:
    upload = Upload(bucket=Bucket.AVATARS, name="me.jpg", content_type="image/jpeg", size=size)
    return asyncio.run(desk.house.use(RequestUpload)(actor, upload))


def kept(desk: Office, actor: Actor) -> StoredFile:
    content = photo(60, 40)
    file = announced(desk, actor, size=len(content))

    async def complete() -> StoredFile:
        await desk.house.use(ReceiveContent)(actor, file.id, in_pieces(content))
        return await desk.house.use(CompleteUpload)(actor, file.id)

    return asyncio.run(complete())


def test_files_are_listed_verified_and_swept(desk: Office) -> None:
    ana = user(desk)
    stored, coming = kept(desk, ana), announced(desk, ana, size=10)
    asyncio.run(desk.house.container.deliver().all())
    listed = desk.json("files", "list")["items"]
    assert {item["id"] for item in listed} == {str(stored.id), str(coming.id)}
    assert [item["id"] for item in desk.json("files", "list", "--bucket", "attachments")["items"]] == []
    assert [item["state"] for item in desk.json("files", "list", "--as", "ana@example.org")["items"]].count("stored")
    assert desk.json("files", "verify", "--thoroughly") == {
        "well": True,
        "files": 2,
        "wrong": [],
        "orphans": 0,
        "objects": 3,
    }
    folder = desk.house.settings.data_dir / "files"
    (folder / "incoming" / "00000000-0000-7000-8000-000000000000").parent.mkdir(exist_ok=True)
    (folder / "incoming" / "00000000-0000-7000-8000-000000000000").write_bytes(b"stray")
    desk.house.container.clock().advance(timedelta(hours=2))
    looked = desk.json("files", "sweep", "--look")
    assert looked == {"abandoned": 1, "orphans": 1, "objects": 4, "removed": False}
    assert desk.json("files", "sweep") == {"abandoned": 1, "orphans": 1, "objects": 4, "removed": True}
    assert desk.json("files", "sweep") == {"abandoned": 0, "orphans": 0, "objects": 3, "removed": True}


def test_a_file_that_lost_its_bytes_is_told_and_ends_with_1(desk: Office) -> None:
    stored = kept(desk, user(desk))
    (desk.house.settings.data_dir / "files" / stored.key()).unlink()
    said = desk("files", "verify")
    assert said.code == 1
    assert "its original is missing" in said.out
    assert str(stored.id) in said.out
