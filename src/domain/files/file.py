"""A file from the moment it is announced until its last byte is gone."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from domain.files.names import file_name
from domain.files.policies import EXTENSIONS, FILE_POLICIES, ORIGINAL, Audience, Bucket, FilePolicy
from domain.files.refusals import (
    FileInUse,
    FileNotStored,
    FileTooLarge,
    NotForYou,
    NotWhatWasAnnounced,
    TypeNotAllowed,
    UploadOver,
)
from domain.shared.actors import Role
from domain.shared.aggregate import Aggregate, Event
from domain.shared.errors import Invalid, NotFound
from domain.shared.ids import FileId, UserId

_SHA256 = re.compile(r"[0-9a-f]{64}")
_INCOMING = "incoming"


class FileState(StrEnum):
    """Announced and waited for; looked at and kept; or on its way out, its bytes about to go."""

    UPLOADING = "uploading"
    STORED = "stored"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileAnnounced(Event):
    """Somebody is about to upload a file."""

    name: ClassVar[str] = "file.announced"
    file_id: FileId
    owner_id: UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class FileStored(Event):
    """A file has been looked at and counts from now on."""

    name: ClassVar[str] = "file.stored"
    file_id: FileId
    owner_id: UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDeleted(Event):
    """A file shall be gone: deleted by its owner, refused when it was looked at, or never uploaded."""

    name: ClassVar[str] = "file.deleted"
    file_id: FileId
    owner_id: UserId


@dataclass(frozen=True, slots=True)
class Rendering:
    """One copy of a picture as it is stored, in pixels and bytes."""

    name: str
    width: int
    height: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a look at an upload has found: what it is, what came of it, and what it was when it arrived."""

    content_type: str
    size: int
    sha256: str
    arrived_size: int
    arrived_sha256: str
    width: int | None = None
    height: int | None = None
    renderings: tuple[Rendering, ...] = ()


@dataclass(eq=False, slots=True, kw_only=True)
class StoredFile(Aggregate):
    """A file and what is known of it. `charged` bytes count against its owner's quota from the announcement until it
    is deleted; `belongs_to` is the profile, job or conversation that shows it."""

    id: FileId
    bucket: Bucket
    owner_id: UserId
    name: str
    content_type: str
    charged: int
    announced_sha256: str | None
    state: FileState = FileState.UPLOADING
    found_type: str | None = None
    size: int | None = None
    sha256: str | None = None
    width: int | None = None
    height: int | None = None
    renderings: tuple[Rendering, ...] = ()
    belongs_to: UUID | None = None
    delivered: bool = False
    created_at: datetime
    expires_at: datetime
    stored_at: datetime | None = None
    deleted_at: datetime | None = None

    @classmethod
    def announce(
        cls,
        *,
        id: FileId,
        bucket: Bucket,
        owner_id: UserId,
        role: Role,
        name: str,
        content_type: str,
        size: int,
        sha256: str | None,
        now: datetime,
        expires_at: datetime,
    ) -> "StoredFile":
        """A file that may be uploaded until then. Everything that can be judged before is judged now."""
        policy = FILE_POLICIES[bucket]
        content_type = content_type.partition(";")[0].strip().lower()
        if role not in policy.puts:
            raise NotForYou(bucket)
        if content_type not in policy.types:
            raise TypeNotAllowed(content_type, policy.types)
        if not 1 <= size <= policy.most_bytes:
            raise FileTooLarge(size, policy.most_bytes)
        if sha256 is not None and not _SHA256.fullmatch(sha256):
            raise Invalid("a SHA-256 has 64 hexadecimal digits, in lower case", field="sha256")
        file = cls(
            id=id,
            bucket=bucket,
            owner_id=owner_id,
            name=file_name(name, extensions=EXTENSIONS[content_type]),
            content_type=content_type,
            charged=size,
            announced_sha256=sha256,
            created_at=now,
            expires_at=expires_at,
        )
        file._record(FileAnnounced(file_id=id, owner_id=owner_id))
        return file

    @property
    def policy(self) -> FilePolicy:
        """The policy of its bucket."""
        return FILE_POLICIES[self.bucket]

    @property
    def audience(self) -> Audience:
        """Who may read it now. While it is not stored it is nobody's but its owner's."""
        public = self.state is FileState.STORED and self.policy.audience is Audience.EVERYBODY
        return Audience.EVERYBODY if public else Audience.PARTICIPANTS

    @property
    def is_stored(self) -> bool:
        """Whether there is something to read."""
        return self.state is FileState.STORED

    @property
    def is_deleted(self) -> bool:
        """Whether it is on its way out."""
        return self.state is FileState.DELETED

    @property
    def keys(self) -> tuple[str, ...]:
        """Where its bytes lie once it is stored, the full size first."""
        return tuple(self.key(each) for each in (ORIGINAL, *(rendering.name for rendering in self.renderings)))

    @property
    def every_key(self) -> tuple[str, ...]:
        """Where any byte of it could lie, whatever became of it."""
        sizes = (size.name for size in self.policy.sizes)
        return (incoming_key(self.id), *(self.key(each) for each in (ORIGINAL, *sizes)))

    def key(self, rendering: str = ORIGINAL) -> str:
        """Where one copy of it lies: made of ids only, whatever the file is called."""
        return f"{self.bucket.value}/{self.id}/{rendering}"

    def must_await(self, now: datetime) -> None:
        """Refuse when nobody waits for its content any more."""
        if self.state is not FileState.UPLOADING or now >= self.expires_at:
            raise UploadOver

    def keep(self, content: Content, *, now: datetime) -> None:
        """It is there and what it was said to be: from now on it counts."""
        if self.state is not FileState.UPLOADING:
            raise UploadOver
        for what, announced, found in (
            ("size", self.charged, content.arrived_size),
            ("sha256", self.announced_sha256 or content.arrived_sha256, content.arrived_sha256),
            ("content type", self.content_type, content.content_type),
        ):
            if announced != found:
                raise NotWhatWasAnnounced(what, announced, found)
        self.state = FileState.STORED
        self.found_type, self.size, self.sha256 = content.content_type, content.size, content.sha256
        self.width, self.height, self.renderings = content.width, content.height, content.renderings
        self.stored_at = now
        self._record(FileStored(file_id=self.id, owner_id=self.owner_id))

    def show_in(self, thing: UUID, *, bucket: Bucket, by: UserId) -> None:
        """Let this profile, job or conversation show it. What a thing shows already stays; anything else is given by
        its owner, once. To others it does not exist."""
        if self.belongs_to == thing and self.is_stored:
            return
        if self.owner_id != by or self.bucket is not bucket:
            raise NotFound.of("file", self.id)
        if not self.is_stored:
            raise FileNotStored
        if self.belongs_to is not None:
            raise FileInUse
        self.belongs_to = thing

    def must_be_free(self) -> None:
        """Refuse to delete what something shows."""
        if self.belongs_to is not None:
            raise FileInUse

    def go(self, *, now: datetime) -> None:
        """It is no longer shown, was refused or never came: its bytes shall go, and count no more."""
        self.state, self.deleted_at, self.belongs_to = FileState.DELETED, now, None
        self._record(FileDeleted(file_id=self.id, owner_id=self.owner_id))

    def deliver(self) -> None:
        """Somebody who is near everybody has a copy, and hands it out."""
        self.delivered = True


def incoming_key(file_id: FileId) -> str:
    """Where an upload lies until it has been looked at."""
    return f"{_INCOMING}/{file_id}"


def file_of(key: str) -> FileId | None:
    """The file that bytes at this place belong to; None when no file ever lay there."""
    parts = key.split("/")
    if len(parts) != (2 if parts[0] == _INCOMING else 3):
        return None
    try:
        return FileId(UUID(parts[1]))
    except ValueError:
        return None
