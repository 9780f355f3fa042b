"""Files as the API shows them."""

from datetime import datetime
from uuid import UUID

from domain.files import Audience, Bucket, FileState
from domain.shared.ids import FileId, UserId
from entrypoints.rest.out import Out


class RenderingOut(Out):
    """A smaller copy of a picture."""

    name: str
    width: int
    height: int
    size: int


class FileOut(Out):
    """A file. Its content is at `/v1/files/{id}/content`; a smaller copy is asked for by its name as `rendering`."""

    id: FileId
    version: int
    bucket: Bucket
    owner_id: UserId
    name: str
    content_type: str
    state: FileState
    audience: Audience
    size: int | None
    """Bytes of the full size as it is kept."""
    sha256: str | None
    width: int | None
    height: int | None
    renderings: tuple[RenderingOut, ...]
    belongs_to: UUID | None
    """The profile, job or conversation that shows it."""
    created_at: datetime
    expires_at: datetime
    """Until when it can be uploaded."""
    stored_at: datetime | None


class DirectionsOut(Out):
    """How to send the content: this method, to this address, with these headers and nothing besides."""

    method: str
    url: str
    headers: dict[str, str]
    expires_at: datetime


class UploadOut(Out):
    """A file that was announced, and how to send its content; complete it afterwards."""

    id: FileId
    state: FileState
    directions: DirectionsOut


class AddressOut(Out):
    """Where a file is shown; `expires_at` is empty for a public one."""

    url: str
    expires_at: datetime | None
