"""A marketplace where people bring files: bytes in memory, and an examiner who is quick because it believes the first
bytes. The one that is shipped has tests of its own."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from adapters.memory.objects import MemoryObjects
from adapters.signed_links import HandedOutHere, SignedLinks
from application.files import CompleteUpload, ReceiveContent, RequestUpload, Upload
from application.ports.files import Examined, Examiner, FileRules, Part
from domain.files import BadFile, Bucket, Content, FilePolicy, NotWhatWasAnnounced, Rendering, StoredFile
from domain.shared.actors import Actor
from domain.shared.ids import FileId
from tests.application.marketplace import Marketplace
from tests.support.pictures import in_pieces

SECRET = "a secret of the tests, long enough to sign with"
PNG = b"\x89PNG and some pixels"
PDF = b"%PDF-1.7 and some words"
BROKEN = b"\x89PNG broken"
_KINDS = {b"\x89PNG": "image/png", b"%PDF": "application/pdf"}
ENDINGS = {"image/png": "file.png", "application/pdf": "file.pdf", "image/jpeg": "file.jpg"}


class QuickExaminer(Examiner):
    """Believes the first four bytes; a thumbnail is the picture's last byte."""

    @asynccontextmanager
    async def examine(
        self, arriving: AsyncIterator[bytes], *, content_type: str, policy: FilePolicy
    ) -> AsyncIterator[Examined]:
        data = b"".join([piece async for piece in arriving])
        kind = _KINDS.get(data[:4], "text/plain")
        if kind != content_type:
            raise NotWhatWasAnnounced("content type", content_type, kind)
        if data == BROKEN:
            raise BadFile("the picture is broken")
        yield _Seen(data, kind)


class _Seen(Examined):
    def __init__(self, data: bytes, kind: str) -> None:
        digest = hashlib.sha256(data).hexdigest()
        thumbnail = (Rendering("thumbnail", 1, 1, 1),) if kind == "image/png" else ()
        size = len(data)
        arrived: dict[str, Any] = {"arrived_size": size, "arrived_sha256": digest, "renderings": thumbnail}
        self.content = Content(content_type=kind, size=size, sha256=digest, **arrived)
        self._data = data

    def parts(self) -> Sequence[Part]:
        whole = Part("original", len(self._data), in_pieces(self._data))
        return [whole, *(Part(each.name, 1, in_pieces(self._data[-1:])) for each in self.content.renderings)]


class Filing(Marketplace):
    """People, and what they bring."""

    def __init__(self, **rules: Any) -> None:
        super().__init__()
        self.objects = MemoryObjects(self.clock)
        self.rules = FileRules(**rules)
        self.ports |= {
            "objects": self.objects,
            "direct_access": self.objects,
            "examiner": QuickExaminer(),
            "file_links": SignedLinks(SECRET, self.clock, public_url="https://guildhall.test"),
            "picture_delivery": HandedOutHere(),
            "file_rules": self.rules,
        }

    async def announced(
        self, actor: Actor, bucket: Bucket = Bucket.AVATARS, *, kind: str = "image/png", size: int = len(PNG)
    ) -> StoredFile:
        """A file somebody is about to send."""
        upload = Upload(bucket=bucket, name=ENDINGS[kind], content_type=kind, size=size)
        file: StoredFile = await self.use(RequestUpload)(actor, upload)
        return file

    async def sent(self, actor: Actor, file_id: FileId, content: bytes = PNG) -> None:
        """Its content."""
        await self.use(ReceiveContent)(actor, file_id, in_pieces(content, size=7))

    async def kept(
        self, actor: Actor, bucket: Bucket = Bucket.AVATARS, content: bytes = PNG, kind: str = "image/png"
    ) -> StoredFile:
        """A file somebody has uploaded."""
        file = await self.announced(actor, bucket, kind=kind, size=len(content))
        await self.sent(actor, file.id, content)
        stored: StoredFile = await self.use(CompleteUpload)(actor, file.id)
        return stored

    async def follow(self) -> None:
        """Let everything that follows from what happened to files happen."""
        from domain.files import FileDeleted, FileStored

        await self.deliver(FileStored, FileDeleted).all()

    async def lying(self) -> list[str]:
        """Where bytes lie."""
        return [facts.key async for facts in self.objects.walk()]

    def charged(self, owner: Actor) -> int:
        """What counts against somebody's quota."""
        tallies = {row["name"]: row["value"] for row in self.rows("tallies")}
        return int(tallies.get(f"files:{owner.user_id}", 0))

    def state(self, file_id: UUID) -> str:
        """The state of a file's row, or that there is none."""
        return next((row["state"] for row in self.rows("files") if row["id"] == file_id), "gone")
