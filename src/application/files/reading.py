"""Reading files: public ones by anybody, the others by their owner and by those who take part in the conversation they
were attached in, over links that work for a short while."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from application.files.putting import Link
from application.ports.clock import Clock
from application.ports.criteria import Order, Position
from application.ports.files import DirectAccess, FileLinks, FileRules, ObjectMissing, Objects, Picture, PictureDelivery
from application.ports.readers import Page, Readers
from domain.files import ORIGINAL, PICTURES, Audience, Bucket, FileNotStored, FileState, Rendering
from domain.shared.actors import SYSTEM, Actor
from domain.shared.errors import NotFound, Refusal, Unauthenticated
from domain.shared.ids import FileId, UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class FileView:
    """What is known of a file by those who may read it. `size` and `sha256` are of the full size as it is stored."""

    source: ClassVar[str] = "files"
    id: FileId
    version: int
    bucket: Bucket
    owner_id: UserId
    name: str
    content_type: str
    state: FileState
    audience: Audience
    size: int | None
    sha256: str | None
    width: int | None
    height: int | None
    renderings: tuple[Rendering, ...]
    belongs_to: UUID | None
    delivered: bool
    created_at: datetime
    expires_at: datetime
    stored_at: datetime | None

    @property
    def is_public(self) -> bool:
        """Whether anybody may read it."""
        return self.audience is Audience.EVERYBODY

    @property
    def is_picture(self) -> bool:
        """Whether it is nothing but pixels."""
        return self.content_type in PICTURES

    def size_of(self, rendering: str) -> int:
        """How many bytes that copy has; a refusal when there is nothing to read, or no such copy."""
        if self.state is not FileState.STORED or self.size is None:
            raise FileNotStored
        sizes = {ORIGINAL: self.size, **{each.name: each.size for each in self.renderings}}
        if rendering not in sizes:
            raise NotFound.of("copy of this file", rendering)
        return sizes[rendering]

    def key(self, rendering: str) -> str:
        """Where that copy lies."""
        return f"{self.bucket.value}/{self.id}/{rendering}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileAddress:
    """An address that shows a file to whoever has it, until then; a public file's works for ever (None)."""

    url: str
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedFile:
    """A file to be shown: its bytes from one place up to another, or the address of somebody who hands it out."""

    file: FileView
    rendering: str
    size: int
    read: Callable[[int, int], AsyncIterator[bytes]]
    elsewhere: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GetFile:
    """What is known of a file you may read."""

    readers: Readers
    refuses: ClassVar[tuple[type[Refusal], ...]] = (NotFound,)

    async def __call__(self, actor: Actor, file_id: FileId) -> FileView:
        return await _readable(self.readers, actor, file_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListMyFiles:
    """The files you have put, the newest first, those on their way included."""

    readers: Readers
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated,)

    async def __call__(
        self, actor: Actor, *, bucket: Bucket | None = None, after: Position | None = None, limit: int = 20
    ) -> Page[FileView]:
        where: dict[str, object] = {} if actor.is_admin and not actor.user_id else {"owner_id": actor.signed_in()}
        if bucket is not None:
            where["bucket"] = bucket
        order = Order("created_at", descending=True)
        return await self.readers.page(actor, FileView, where, order=order, after=after, limit=limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkFile:
    """An address at which a file you may read is shown to whoever has it: for a public file a lasting one, for any
    other one that stops working within minutes."""

    readers: Readers
    clock: Clock
    direct_access: DirectAccess
    file_links: FileLinks
    file_rules: FileRules
    refuses: ClassVar[tuple[type[Refusal], ...]] = (NotFound, FileNotStored)

    async def __call__(self, actor: Actor, file_id: FileId, *, rendering: str = ORIGINAL) -> FileAddress:
        file = await _readable(self.readers, actor, file_id)
        file.size_of(rendering)
        if file.is_public:
            return FileAddress(url=self.file_links.lasting(file_id, rendering), expires_at=None)
        life = self.file_rules.link_life
        until = self.clock.now() + life
        direct = await self.direct_access.to_get(file.key(rendering), life=life)
        url = direct or self.file_links.to_get(file_id, rendering, until=until)
        return FileAddress(url=url, expires_at=until)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFile:
    """The content of a file: public ones are open to everybody, others to those who may read them, or who hold a link
    that one of those was given."""

    readers: Readers
    objects: Objects
    file_links: FileLinks
    picture_delivery: PictureDelivery
    refuses: ClassVar[tuple[type[Refusal], ...]] = (NotFound, ObjectMissing, FileNotStored)

    async def __call__(
        self, actor: Actor, file_id: FileId, *, rendering: str = ORIGINAL, link: Link | None = None
    ) -> OpenedFile:
        if link is not None:
            shown = self.file_links.opens("get", file_id, rendering, expires=link.expires, signature=link.signature)
            if not shown:
                raise NotFound.of("file", file_id)
            actor = SYSTEM
        file = await _readable(self.readers, actor, file_id)
        size, key = file.size_of(rendering), file.key(rendering)
        return OpenedFile(
            file=file,
            rendering=rendering,
            size=size,
            read=lambda start, end: self.objects.read(key, start=start, end=end),
            elsewhere=self._elsewhere(file, rendering, size),
        )

    def _elsewhere(self, file: FileView, rendering: str, size: int) -> str | None:
        if not (file.delivered and file.is_public):
            return None
        picture = Picture(
            file_id=file.id, bucket=file.bucket, content_type=file.content_type, size=size, rendering=rendering
        )
        return self.picture_delivery.address(picture)


async def _readable(readers: Readers, actor: Actor, file_id: FileId) -> FileView:
    file = await readers.one(actor, FileView, file_id)
    if file.state is FileState.DELETED:
        raise NotFound.of("file", file_id)
    return file
