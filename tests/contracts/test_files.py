"""One promise for wherever bytes lie: in memory, in a folder, at S3 over real HTTP, and at Supabase Storage (as its
protocol says, and live where GUILDHALL_TEST_SUPABASE_URL names one)."""

import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from adapters.disk import DiskObjects
from adapters.memory.objects import MemoryObjects
from adapters.s3 import S3Objects
from adapters.supabase.project import Project
from adapters.supabase.storage import SupabaseObjects
from adapters.system.clock import SystemClock
from application.ports.files import Directions, ObjectMissing, Objects, StoreSilent
from domain.files import BadFile
from domain.shared.errors import Refusal
from tests.support.pictures import in_pieces
from tests.support.s3_server import new_bucket, s3_server
from tests.support.supabase_storage import SECRET, StorageStub, refused

LIVE = os.environ.get("GUILDHALL_TEST_SUPABASE_URL", "")
HERE, SIGNING = ("memory", "disk"), ("s3", "supabase", *(("live supabase",) if LIVE else ()))
KEY = "avatars/0190a1b2-0000-7000-8000-000000000001/original"
BIG = os.urandom(1024) * (6 * 1024)


@dataclass
class Shelf:
    """A store under test, and a client who reaches it without us."""

    objects: Any
    client: httpx.AsyncClient

    async def put(self, content: bytes, key: str = KEY, kind: str = "image/png") -> None:
        """Keep these bytes."""
        await self.objects.put(key, in_pieces(content), size=len(content), content_type=kind)

    async def got(self, key: str = KEY, **part: int) -> bytes:
        """What is kept there."""
        return b"".join([piece async for piece in self.objects.read(key, **part)])

    async def all(self) -> dict[str, int]:
        """Every object, and its size."""
        return {facts.key: facts.size async for facts in self.objects.walk()}


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    with s3_server() as address:
        yield address


def project(url: str = "https://tests.supabase.test", secret: str = SECRET) -> Project:
    return Project(url=url, publishable_key="sb_publishable_tests", secret_key=secret)


async def no_pause(_: float) -> None:
    """Time does not pass here."""


@pytest.fixture(params=[*HERE, *SIGNING])
async def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Shelf]:
    objects: Objects
    transport: Any = None
    match request.param:
        case "memory":
            objects = MemoryObjects(SystemClock())
        case "disk":
            objects = DiskObjects(tmp_path / "files")
        case "s3":
            address = request.getfixturevalue("s3")
            objects = S3Objects.of(
                bucket=new_bucket(address),
                endpoint=address,
                region="us-east-1",
                access_key_id="tests",
                secret_access_key="tests",
            )
        case "supabase":
            transport = StorageStub()
            objects = SupabaseObjects(project(), bucket="ours", transport=transport, pause=no_pause)
        case _:
            secret = os.environ["GUILDHALL_TEST_SUPABASE_SECRET_KEY"]
            objects = SupabaseObjects(project(LIVE, secret), bucket=f"tests-{uuid4().hex[:12]}")
    async with httpx.AsyncClient(transport=transport, verify=False) as client:
        yield Shelf(objects, client)
    if isinstance(objects, SupabaseObjects):
        await objects.aclose()


async def test_what_is_put_is_read_whole_and_in_parts(shelf: Shelf) -> None:
    content = bytes(range(256)) * 3000
    await shelf.put(content)
    assert await shelf.got() == content
    assert await shelf.got(start=100_000) == content[100_000:]
    assert await shelf.got(start=7, end=300_001) == content[7:300_001]
    assert await shelf.got(start=5, end=5) == b""


async def test_large_ones_come_back_as_they_were(shelf: Shelf) -> None:
    await shelf.put(BIG)
    assert await shelf.got() == BIG
    assert await shelf.got(start=len(BIG) - 3) == BIG[-3:]


async def test_what_is_known_of_an_object_is_its_size_and_when_it_was_written(shelf: Shelf) -> None:
    await shelf.put(b"twelve bytes")
    facts = await shelf.objects.facts(KEY)
    assert (facts.key, facts.size) == (KEY, 12)
    assert abs(datetime.now(UTC) - facts.modified_at) < timedelta(minutes=5)


async def test_putting_again_replaces(shelf: Shelf) -> None:
    await shelf.put(b"first")
    await shelf.put(b"second one")
    assert await shelf.got() == b"second one"
    assert await shelf.all() == {KEY: 10}


async def test_content_that_breaks_off_leaves_what_was_there(shelf: Shelf) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"half of "
        raise Refusal("the client went away")

    async def put(content: AsyncIterator[bytes], key: str) -> None:
        await shelf.objects.put(key, content, size=12, content_type="image/png")

    await shelf.put(b"the first")
    for key in (KEY, f"{KEY}-new"):
        with pytest.raises(Refusal, match="went away"):
            await put(broken(), key)
        with pytest.raises(ValueError, match="bytes instead of"):
            await put(in_pieces(b"too short"), key)
        with pytest.raises(ValueError, match="bytes instead of"):
            await put(in_pieces(b"too long by far"), key)
    assert await shelf.all() == {KEY: 9}
    assert await shelf.got() == b"the first"


async def test_what_is_not_there_is_missing_and_needs_no_removing(shelf: Shelf) -> None:
    await shelf.put(b"something", "incoming/0190a1b2-0000-7000-8000-000000000009")
    with pytest.raises(ObjectMissing):
        await shelf.got()
    assert await shelf.objects.facts(KEY) is None
    await shelf.objects.remove((KEY, "incoming/0190a1b2-0000-7000-8000-000000000009", KEY))
    assert await shelf.all() == {}


async def test_removing_one_leaves_the_others(shelf: Shelf) -> None:
    keys = [f"avatars/{uuid4()}/{name}" for name in ("original", "thumbnail") for _ in range(2)]
    for key in keys:
        await shelf.put(key.encode(), key)
    await shelf.objects.remove(keys[:2])
    assert await shelf.all() == {key: len(key) for key in keys[2:]}


async def test_everything_is_walked_in_whatever_folder(shelf: Shelf) -> None:
    keys = [
        *(f"incoming/{uuid4()}" for _ in range(3)),
        *(f"job-pictures/{uuid4()}/{name}" for name in ("original", "medium") for _ in range(3)),
    ]
    for number, key in enumerate(keys, 1):
        await shelf.put(b"x" * number, key)
    assert await shelf.all() == {key: number for number, key in enumerate(keys, 1)}


# --- Straight to the store --------------------------------------------------------------------------------------------


async def directions(shelf: Shelf, content: bytes, key: str = KEY) -> Directions | None:
    now = datetime.now(UTC)
    found: Directions | None = await shelf.objects.to_put(
        key, size=len(content), content_type="image/png", now=now, until=now + timedelta(minutes=5)
    )
    return found


async def sent(shelf: Shelf, told: Directions, content: bytes) -> httpx.Response:
    return await shelf.client.request(told.method, told.url, content=content, headers=told.headers)


@pytest.mark.parametrize("shelf", HERE, indirect=True)
async def test_where_bytes_lie_with_us_there_is_no_way_around_us(shelf: Shelf) -> None:
    await shelf.put(b"ours")
    assert await directions(shelf, b"ours") is None
    assert await shelf.objects.to_get(KEY, life=timedelta(minutes=5)) is None


@pytest.mark.parametrize("shelf", SIGNING, indirect=True)
async def test_a_client_sends_and_fetches_over_signed_addresses(shelf: Shelf) -> None:
    await shelf.put(b"so that the bucket is there", "incoming/first")
    told = await directions(shelf, b"sent")
    assert told is not None
    for content in (b"sent", b"sent again"):
        assert (await sent(shelf, told, content)).is_success
    assert await shelf.got() == b"sent again"
    url = await shelf.objects.to_get(KEY, life=timedelta(minutes=5))
    answer = await shelf.client.get(url)
    assert (answer.content, answer.headers["content-type"]) == (b"sent again", "image/png")


# --- What is particular to each ---------------------------------------------------------------------------------------


async def test_a_folder_keeps_files_for_their_owner_and_forgets_what_a_crash_began(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    shelf = Shelf(DiskObjects(folder), httpx.AsyncClient())
    await shelf.put(b"private")
    assert (folder / KEY).stat().st_mode & 0o077 == 0
    fresh, stale = folder / ".parts" / "fresh", folder / ".parts" / "stale"
    fresh.write_bytes(b"being written")
    stale.write_bytes(b"half written")
    os.utime(stale, (0, 0))
    assert await shelf.all() == {KEY: 7}
    assert sorted(each.name for each in (folder / ".parts").iterdir()) == ["fresh"]
    await shelf.client.aclose()


@pytest.mark.parametrize("key", ["../secret", "/etc/passwd", "avatars/../../secret", "a//b", "a/b\0", "A/b", ""])
async def test_a_folder_is_never_left(tmp_path: Path, key: str) -> None:
    objects = DiskObjects(tmp_path / "files")
    with pytest.raises(ValueError, match="no key of ours"):
        await objects.put(key, in_pieces(b"x"), size=1, content_type="text/plain")
    with pytest.raises(ValueError, match="no key of ours"):
        await objects.facts(key)


async def test_a_folder_that_cannot_be_written_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "files").write_text("this is no folder")
    objects = DiskObjects(tmp_path / "files")
    with pytest.raises(StoreSilent):
        await objects.put(KEY, in_pieces(b"x"), size=1, content_type="text/plain")
    with pytest.raises(StoreSilent):
        await objects.facts(KEY)


async def test_an_s3_that_is_not_there_is_silent() -> None:
    objects = S3Objects.of(
        bucket="nothing",
        endpoint="http://127.0.0.1:1",
        region="us-east-1",
        access_key_id="tests",
        secret_access_key="tests",
        timeout=timedelta(seconds=2),
        retries=0,
    )
    put = objects.put(KEY, in_pieces(b"x"), size=1, content_type="text/plain")
    for asked in (objects.facts(KEY), objects.remove((KEY,)), put):
        with pytest.raises(StoreSilent):
            await asked
    with pytest.raises(StoreSilent):
        [piece async for piece in objects.read(KEY)]


@pytest.fixture
def stub() -> StorageStub:
    return StorageStub()


@pytest.fixture
async def storage(stub: StorageStub) -> AsyncIterator[SupabaseObjects]:
    objects = SupabaseObjects(project(), bucket="ours", transport=stub, pause=no_pause)
    yield objects
    await objects.aclose()


async def put(storage: SupabaseObjects, content: bytes = b"content") -> None:
    await storage.put(KEY, in_pieces(content), size=len(content), content_type="image/png")


async def test_the_bucket_is_made_when_it_is_first_needed(storage: SupabaseObjects, stub: StorageStub) -> None:
    await put(storage)
    assert stub.buckets["ours"][KEY][0] == b"content"
    assert stub.asked == [f"POST /object/ours/{KEY}", "POST /bucket", f"POST /object/ours/{KEY}"]


def _throws(error: type[httpx.HTTPError]) -> Any:
    def mood(request: httpx.Request) -> httpx.Response:
        raise error("nothing came")  # type: ignore[call-arg]

    return mood


@pytest.mark.parametrize(
    "mood",
    [
        lambda _: httpx.Response(429, json={"statusCode": "429", "error": "too_many"}),
        lambda _: refused(503, "Unavailable", "SlowDown"),
        lambda _: httpx.Response(500, text="no json at all"),
        lambda _: httpx.Response(544, json={"statusCode": "544", "error": "DatabaseTimeout"}),
        _throws(httpx.ReadTimeout),
        _throws(httpx.ConnectError),
    ],
    ids=["429", "400 that means 503", "500", "544", "timeout", "no connection"],
)
async def test_what_passes_is_asked_again_and_what_does_not_is_silence(
    storage: SupabaseObjects, stub: StorageStub, mood: Any
) -> None:
    await put(storage)
    stub.moods = [mood, mood]
    await put(storage, b"the second")
    assert stub.buckets["ours"][KEY][0] == b"the second"
    for ask in (lambda: put(storage), lambda: storage.facts(KEY), lambda: storage.remove((KEY,))):
        stub.moods = [mood] * 3
        with pytest.raises(StoreSilent):
            await ask()
    assert stub.buckets["ours"][KEY][0] == b"the second"


@pytest.mark.parametrize(
    ("answer", "refusal"),
    [
        (refused(413, "Payload too large", "EntityTooLarge"), BadFile),
        (refused(415, "invalid_mime_type", "InvalidMimeType"), BadFile),
        (refused(403, "Unauthorized", "AccessDenied"), StoreSilent),
        (refused(409, "Duplicate", "KeyAlreadyExists"), StoreSilent),
        (refused(400, "InvalidKey", "InvalidKey"), StoreSilent),
        (httpx.Response(400, text="<html>a proxy's page</html>"), StoreSilent),
        (httpx.Response(400, json=["odd"]), StoreSilent),
    ],
    ids=["413", "415", "403", "409", "400", "no json", "odd json"],
)
async def test_every_refusal_of_the_store_is_one_of_ours(
    storage: SupabaseObjects, stub: StorageStub, answer: httpx.Response, refusal: type[Refusal]
) -> None:
    await put(storage, b"before")
    stub.moods = [lambda _: answer]
    with pytest.raises(refusal):
        await put(storage, b"after")
    assert stub.buckets["ours"][KEY][0] == b"before", "nothing is lost"


async def test_directions_end_when_their_token_does(storage: SupabaseObjects, stub: StorageStub) -> None:
    await put(storage)
    now = datetime.now(UTC)
    told = [
        await storage.to_put(KEY, size=1, content_type="image/png", now=now, until=now + timedelta(minutes=15))
        for stub.token_seconds in (60, 7200)
    ]
    lives = [(each.expires_at - now).total_seconds() for each in told if each]
    assert 55 < lives[0] <= 61
    assert lives[1] == 900
