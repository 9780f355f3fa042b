"""Files and what shows them: a profile its picture, a job its pictures, a message what is attached to it. Both change
in one commit, so that nothing shows a file that may go, and no file is kept for what no longer shows it."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from application.ports.unit_of_work import Work
from domain.files import Bucket, StoredFile
from domain.shared.errors import Invalid
from domain.shared.ids import FileId, UserId


def quota_of(owner_id: UserId) -> str:
    """The tally of the bytes somebody's files are charged with."""
    return f"files:{owner_id}"


async def show_in(
    work: Work, thing: UUID, wanted: Collection[FileId], *, bucket: Bucket, by: UserId
) -> list[StoredFile]:
    """These files, in their order, from now on shown by that profile, job or conversation."""
    if len(set(wanted)) != len(wanted):
        raise Invalid("a file is named once", field="files")
    found = [await work.files.get(file_id) for file_id in wanted]
    for file in found:
        file.show_in(thing, bucket=bucket, by=by)
    return found


async def take_off(work: Work, gone: Collection[FileId], *, now: datetime) -> None:
    """Files that are no longer shown go; those that are gone already have gone."""
    for file_id in gone:
        if file := await work.files.first(id=file_id):
            let_go(work, file, now=now)


def let_go(work: Work, file: StoredFile, *, now: datetime) -> None:
    """Have the file go, and give its owner the room back."""
    if file.is_deleted:
        return
    file.go(now=now)
    work.tally(quota_of(file.owner_id), -file.charged)
