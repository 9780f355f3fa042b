"""Bringing a file: it is announced, its content arrives beside it, and it counts once that has been looked into. The
row comes first and says so, so that a crash leaves nothing that the sweep does not find."""

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar

from application.belongings import let_go, quota_of
from application.commands import OutcomeUnknown
from application.files.removing import own_file
from application.inputs import submitted
from application.ports.clock import Clock
from application.ports.files import (
    DirectAccess,
    Directions,
    Examined,
    Examiner,
    FileLinks,
    FileRules,
    ObjectMissing,
    Objects,
)
from application.ports.ids import Ids
from application.ports.unit_of_work import Begin
from domain.files import (
    ORIGINAL,
    BadFile,
    BadFileName,
    Bucket,
    FileNotStored,
    FileTooLarge,
    NotForYou,
    NotWhatWasAnnounced,
    QuotaExceeded,
    StoredFile,
    TypeNotAllowed,
    UploadOver,
    incoming_key,
)
from domain.shared.actors import Actor
from domain.shared.errors import Invalid, NotFound, Refusal, StaleVersion, Unauthenticated
from domain.shared.ids import FileId


@submitted
class Upload:
    """A file that is about to be uploaded."""

    bucket: Bucket
    """What it is for."""
    name: str
    """What it is called, 1 to 200 characters, ending as its type does."""
    content_type: str
    """What it is, such as "image/jpeg"; the content is looked into, and must be just that."""
    size: int
    """How many bytes it has."""
    sha256: str | None = None
    """The SHA-256 of the content in hexadecimal, if it shall be held against what arrives."""


@submitted
class Link:
    """A signed link to a file of this house."""

    expires: int
    """The second since 1970 at which it stops working."""
    signature: str
    """What shows that it was us who gave it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestUpload:
    """Announce a file. Its bucket says whether you may, and how large it can be; its size counts against your quota at
    once. Then send the content, and complete it."""

    begin: Begin
    clock: Clock
    ids: Ids
    file_rules: FileRules
    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        Unauthenticated,
        NotForYou,
        TypeNotAllowed,
        FileTooLarge,
        BadFileName,
        QuotaExceeded,
        Invalid,
    )

    async def __call__(self, actor: Actor, upload: Upload) -> StoredFile:
        owner_id, now = actor.signed_in(), self.clock.now()
        async with self.begin(actor) as work:
            file = StoredFile.announce(
                id=FileId(self.ids.new()),
                bucket=upload.bucket,
                owner_id=owner_id,
                role=actor.role,
                name=upload.name,
                content_type=upload.content_type,
                size=upload.size,
                sha256=upload.sha256,
                now=now,
                expires_at=now + self.file_rules.upload_life,
            )
            work.files.add(file)
            work.tally(quota_of(owner_id), file.charged, ceiling=self.file_rules.quota_bytes)
            return work.answer(file)


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectUpload:
    """Where to send the content of a file you have announced: straight to the store where it can be reached, else to
    an address of this house."""

    begin: Begin
    clock: Clock
    direct_access: DirectAccess
    file_links: FileLinks
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, NotFound, UploadOver)

    async def __call__(self, actor: Actor, file_id: FileId) -> Directions:
        now = self.clock.now()
        async with self.begin(actor) as work:
            file = await own_file(work, actor, file_id)
            file.must_await(now)
        key, until = incoming_key(file.id), file.expires_at
        direct = await self.direct_access.to_put(
            key, size=file.charged, content_type=file.content_type, now=now, until=until
        )
        return direct or Directions(
            method="PUT",
            url=self.file_links.to_put(file.id, until=until),
            headers={"Content-Type": file.content_type},
            expires_at=until,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveContent:
    """Take in the content of an announced file, from its owner or from whoever holds the link they were given. It
    counts only once it is completed; sent again, it replaces what was sent before."""

    begin: Begin
    clock: Clock
    objects: Objects
    file_links: FileLinks
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, NotFound, UploadOver, NotWhatWasAnnounced)

    async def __call__(
        self, actor: Actor, file_id: FileId, content: AsyncIterator[bytes], *, link: Link | None = None
    ) -> None:
        async with self.begin(actor) as work:
            if link is None:
                file = await own_file(work, actor, file_id)
            elif self.file_links.opens("put", file_id, ORIGINAL, expires=link.expires, signature=link.signature):
                file = await work.files.get(file_id)
            else:
                raise NotFound.of("file", file_id)
            file.must_await(self.clock.now())
        size = file.charged
        await self.objects.put(
            incoming_key(file.id), _exactly(content, size), size=size, content_type=file.content_type
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteUpload:
    """Have the content of your file looked into, and the file count. Size, hash and type must be what was announced;
    pictures are encoded anew, upright and without anything they carried besides pixels. Whatever is refused is gone."""

    begin: Begin
    clock: Clock
    objects: Objects
    examiner: Examiner
    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        Unauthenticated,
        NotFound,
        UploadOver,
        FileNotStored,
        NotWhatWasAnnounced,
        BadFile,
    )

    async def __call__(self, actor: Actor, file_id: FileId) -> StoredFile:
        async with self.begin(actor) as work:
            file = await own_file(work, actor, file_id)
            if file.is_stored:
                return work.answer(file)
        try:
            return await self._looked_into(actor, file)
        except (BadFile, NotWhatWasAnnounced):
            await self._refused(actor, file)
            raise

    async def _looked_into(self, actor: Actor, file: StoredFile) -> StoredFile:
        facts = await self.objects.facts(incoming_key(file.id))
        if facts is None:
            raise FileNotStored
        if facts.size != file.charged:
            raise NotWhatWasAnnounced("size", file.charged, facts.size)
        arrived = self.objects.read(incoming_key(file.id))
        try:
            async with self.examiner.examine(arrived, content_type=file.content_type, policy=file.policy) as found:
                # A trial on what was loaded: nothing is stored that the file would not keep.
                file.keep(found.content, now=self.clock.now())
                for part in found.parts():
                    key, kind = file.key(part.name), file.content_type
                    await self.objects.put(key, part.content, size=part.size, content_type=kind)
                return await self._kept(actor, file.id, found)
        except ObjectMissing as gone:
            raise FileNotStored from gone

    async def _kept(self, actor: Actor, file_id: FileId, found: Examined) -> StoredFile:
        async with self.begin(actor) as work:
            file = await own_file(work, actor, file_id)
            if not file.is_stored:
                file.keep(found.content, now=self.clock.now())
            return work.answer(file)

    async def _refused(self, actor: Actor, file: StoredFile) -> None:
        """What was refused goes. If that cannot be said now, the sweep says it later."""
        with suppress(OutcomeUnknown, StaleVersion):
            async with self.begin(actor) as work:
                refused = await work.files.first(id=file.id)
                if refused is not None and not refused.is_stored:
                    let_go(work, refused, now=self.clock.now())


async def _exactly(content: AsyncIterator[bytes], size: int) -> AsyncIterator[bytes]:
    """These bytes, as long as they are as many as were announced: what is too much is not even read."""
    taken = 0
    async for piece in content:
        taken += len(piece)
        if taken > size:
            raise NotWhatWasAnnounced("size", size, f"more than {size}")
        yield piece
    if taken < size:
        raise NotWhatWasAnnounced("size", size, taken)
