"""A thousand files of a town: their rows, their bytes where each house keeps them, and what the bytes must still be
afterwards, judged by hashes the mover has nothing to do with."""

import asyncio
import hashlib
import itertools
import random
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import httpx
from benchmarks.town import customer_id

from adapters.disk.objects import DiskObjects
from adapters.persistence.mapping import KEPT
from adapters.persistence.store import Changes, Insert
from adapters.supabase.project import Project
from adapters.supabase.storage import SupabaseObjects
from application.moving import MoveFiles, VerifyFiles
from application.ports.files import Objects
from domain.files import Bucket, FileState, Rendering, StoredFile
from domain.shared.actors import SYSTEM
from domain.shared.ids import FileId
from tests.contracts.movers import SUPABASE, End
from tests.proof.moving.town import NOW
from tests.support.pictures import in_pieces
from tests.support.supabase_storage import SECRET, StorageStub

AWAY_SECONDS = 0.02
"""How long a question to a project takes on its way: one that is not far."""
_BUCKET = "guildhall"
_KINDS = ((Bucket.AVATARS, "image/webp"), (Bucket.JOB_PICTURES, "image/jpeg"), (Bucket.ATTACHMENTS, "application/pdf"))


class AwayStorage(StorageStub):
    """Supabase Storage as it is played for the tests, a little way off."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(AWAY_SECONDS)
        return await super().handle_async_request(request)


@dataclass(slots=True)
class Shelves:
    """Where the houses keep their files, and what lies there by rights: each key and the hash of its bytes."""

    folder: Path
    hashes: dict[str, str] = field(default_factory=dict)
    weight: int = 0
    _numbers: Iterator[int] = field(default_factory=itertools.count, repr=False)
    _chance: random.Random = field(default_factory=lambda: random.Random(5), repr=False)

    def of(self, kind: str, name: str) -> Objects:
        """An empty shelf for a house of this kind."""
        if kind != SUPABASE:
            return DiskObjects(self.folder / name)
        keys = {"publishable_key": "sb_publishable_tests", "secret_key": SECRET}
        project = Project(url=f"https://{name}.supabase.test", **keys)
        return SupabaseObjects(project, bucket=_BUCKET, transport=AwayStorage())

    async def bring(self, house: End, shelf: Objects, count: int, *, owners: int) -> None:
        """So many files more: people upload them, of the sizes files have, one in a hundred of several megabytes."""
        rows = []
        for number in itertools.islice(self._numbers, count):
            file, contents = self._drawn(number, owners)
            rows.append(KEPT[StoredFile].mapper.row(file))
            for key, content in zip(file.keys, contents, strict=True):
                await shelf.put(key, in_pieces(content), size=len(content), content_type=file.content_type)
                self.hashes[key] = hashlib.sha256(content).hexdigest()
                self.weight += len(content)
        for start in range(0, len(rows), 500):
            await house.store.commit(Changes(writes=tuple(Insert("files", row) for row in rows[start : start + 500])))

    def _drawn(self, number: int, owners: int) -> tuple[StoredFile, list[bytes]]:
        bucket, kind = _KINDS[number % len(_KINDS)]
        size = self._chance.randint(1, 120_000) if number % 100 else self._chance.randint(2_000_000, 4_000_000)
        contents = [self._chance.randbytes(size)]
        renderings: tuple[Rendering, ...] = ()
        if bucket is not Bucket.ATTACHMENTS:
            contents += [self._chance.randbytes(4_000), self._chance.randbytes(30_000)]
            renderings = (Rendering("thumbnail", 160, 120, 4_000), Rendering("medium", 800, 600, 30_000))
        file = StoredFile(
            id=FileId(UUID(int=(0x018F_0000_0000 + number) << 80 | 0x7 << 76 | 0b10 << 62 | number)),
            version=1,
            bucket=bucket,
            owner_id=customer_id(number % owners),
            name=f"what {number} calls it",
            content_type=kind,
            charged=size,
            announced_sha256=None,
            state=FileState.STORED,
            found_type=kind,
            size=size,
            sha256=hashlib.sha256(contents[0]).hexdigest(),
            renderings=renderings,
            created_at=NOW,
            expires_at=NOW + timedelta(minutes=15),
            stored_at=NOW,
        )
        return file, contents


@dataclass(slots=True)
class Carried:
    """How the files of one move went."""

    objects: int = 0
    copied: int = 0
    seconds: float = 0.0
    weighed_in: float = 0.0
    failures: list[str] = field(default_factory=list)


async def files_moved(house: End, here: Objects, there: Objects) -> Carried:
    """Carry what is not there yet."""
    began = time.monotonic()
    copied = await MoveFiles(origin=house.house, objects=here, other_objects=there)(SYSTEM)
    return Carried(objects=copied.objects, copied=copied.copied, seconds=time.monotonic() - began)


async def files_settled(house: End, here: Objects, there: Objects, wanted: Mapping[str, str]) -> Carried:
    """Carry the rest, and let the mover weigh every byte; then weigh them again without it."""
    carried, began = await files_moved(house, here, there), time.monotonic()
    verdict = await VerifyFiles(objects=here, other_objects=there)(SYSTEM)
    carried.weighed_in = time.monotonic() - began
    if not verdict.identical:
        carried.failures.append(f"the mover says files differ: {verdict}")
    found = {key: digest async for key, digest in _hashed(there)}
    for key in wanted.keys() | found.keys():
        if wanted.get(key) != found.get(key):
            carried.failures.append(f"file {key} is not what it was")
    return carried


async def _hashed(shelf: Objects) -> AsyncIterator[tuple[str, str]]:
    turns = asyncio.Semaphore(16)

    async def one(key: str) -> tuple[str, str]:
        digest = hashlib.sha256()
        async with turns:
            async for piece in shelf.read(key):
                digest.update(piece)
        return key, digest.hexdigest()

    keys = [facts.key async for facts in shelf.walk()]
    for found in await asyncio.gather(*map(one, keys)):
        yield found
