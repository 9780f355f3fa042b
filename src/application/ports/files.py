"""Where the bytes of files lie, who looks into them, and the addresses they are put and fetched at."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from domain.files import Bucket, Content, FilePolicy
from domain.shared.errors import NotFound, Unavailable
from domain.shared.ids import FileId


class ObjectMissing(NotFound):
    """There are no bytes at that place."""

    code = "file.object_missing"

    def __init__(self, key: str) -> None:
        super().__init__("the content of this file is not there", key=key)


class StoreSilent(Unavailable):
    """The store of files does not answer, or says to try later. Nothing is lost by asking again."""

    code = "file.store_silent"


class ExaminerBusy(Unavailable):
    """Too many uploads are being looked at; try this one again in a moment."""

    code = "file.examiner_busy"


@dataclass(frozen=True, slots=True)
class FileRules:
    """How much one owner may keep, how long an upload and a link are good for, and how long the sweep waits before it
    takes an upload for abandoned."""

    quota_bytes: int = 200 * 1024 * 1024
    upload_life: timedelta = timedelta(minutes=15)
    link_life: timedelta = timedelta(minutes=5)
    grace: timedelta = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class ObjectFacts:
    """An object: where it lies, how many bytes it has, and when it was last written."""

    key: str
    size: int
    modified_at: datetime


class Objects(Protocol):
    """Bytes by key. Keys are ours: ASCII letters, digits, hyphens and slashes."""

    async def put(self, key: str, content: AsyncIterator[bytes], *, size: int, content_type: str) -> None:
        """Keep these bytes there, in place of any before, whole or not at all. An iterator that raises, or does not
        bring `size` bytes, leaves nothing; `StoreSilent` may be asked again."""
        ...

    def read(self, key: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `start` up to `end` (all of the rest without it), in pieces; `ObjectMissing` if there are
        none."""
        ...

    async def facts(self, key: str) -> ObjectFacts | None:
        """What is known of an object without reading it, if it is there."""
        ...

    async def remove(self, keys: Sequence[str]) -> None:
        """Let none of these be there; those that are not need no removing."""
        ...

    def walk(self) -> AsyncIterator[ObjectFacts]:
        """Every object there is, by key."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Directions:
    """How a client sends the content of an announced file: this method, address and headers, until then."""

    method: str
    url: str
    headers: dict[str, str]
    expires_at: datetime


class DirectAccess(Protocol):
    """Ways to the store that do not lead through this process, where it has such."""

    async def to_put(
        self, key: str, *, size: int, content_type: str, now: datetime, until: datetime
    ) -> Directions | None:
        """How to put exactly these bytes there; None when there is no such way."""
        ...

    async def to_get(self, key: str, *, life: timedelta) -> str | None:
        """An address that shows the object to whoever has it; None when there is no such way."""
        ...


class FileLinks(Protocol):
    """Addresses of this house that open one file for a while: signed with our secret, judged by our clock."""

    def to_put(self, file_id: FileId, *, until: datetime) -> str:
        """Where its content can be sent."""
        ...

    def to_get(self, file_id: FileId, rendering: str, *, until: datetime) -> str:
        """Where that copy of it can be fetched."""
        ...

    def lasting(self, file_id: FileId, rendering: str) -> str:
        """Where a public one can be fetched, by anybody and for ever."""
        ...

    def opens(self, verb: str, file_id: FileId, rendering: str, *, expires: int, signature: str) -> bool:
        """Whether somebody who shows this may do that (`get` or `put`) with that file now."""
        ...


@dataclass(frozen=True, slots=True)
class Part:
    """One object to be stored: the rendering's name, its size, and its bytes."""

    name: str
    size: int
    content: AsyncIterator[bytes]


class Examined(Protocol):
    """An upload that has been looked into, as long as its block lasts."""

    content: Content

    def parts(self) -> Sequence[Part]:
        """What is to be stored, the full size first."""
        ...


class Examiner(Protocol):
    """Looks into uploads where nothing they do can hurt."""

    def examine(
        self, arriving: AsyncIterator[bytes], *, content_type: str, policy: FilePolicy
    ) -> AbstractAsyncContextManager[Examined]:
        """What these bytes are, whatever they were said to be: `BadFile` when they are broken, dangerous or too much,
        `NotWhatWasAnnounced` when they are something else. Pictures come out upright and as nothing but pixels."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A public picture, as whoever hands it out knows it."""

    file_id: FileId
    bucket: Bucket
    content_type: str
    size: int
    rendering: str


class PictureDelivery(Protocol):
    """Somebody near everybody who hands out copies of public pictures."""

    async def publish(self, picture: Picture, content: AsyncIterator[bytes]) -> bool:
        """Give them a copy, in place of any before; whether they take part in this at all."""
        ...

    async def withdraw(self, picture: Picture) -> None:
        """Let them have none; one they do not have needs no withdrawing."""
        ...

    def address(self, picture: Picture) -> str | None:
        """Where they show it."""
        ...
