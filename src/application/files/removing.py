"""Letting files go: the row says so first, and their bytes follow."""

from dataclasses import dataclass
from typing import ClassVar

from application.belongings import let_go
from application.files.settling import pictures_of
from application.ports.clock import Clock
from application.ports.files import Objects, PictureDelivery
from application.ports.unit_of_work import Begin, Work
from domain.files import FileDeleted, FileInUse, StoredFile
from domain.shared.actors import Actor
from domain.shared.errors import NotFound, Refusal, Unauthenticated
from domain.shared.ids import FileId


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteFile:
    """Have a file of yours gone for good, unless a profile, a job or a message shows it."""

    begin: Begin
    clock: Clock
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, NotFound, FileInUse)

    async def __call__(self, actor: Actor, file_id: FileId) -> None:
        async with self.begin(actor) as work:
            file = await own_file(work, actor, file_id)
            file.must_be_free()
            let_go(work, file, now=self.clock.now())


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveObjects:
    """The bytes of a file that was let go are removed wherever they lie, and then what is left of it."""

    begin: Begin
    objects: Objects
    picture_delivery: PictureDelivery

    async def __call__(self, actor: Actor, event: FileDeleted) -> None:
        async with self.begin(actor) as work:
            file = await work.files.first(id=event.file_id)
        if file is None:
            return
        await self.objects.remove(file.every_key)
        if file.delivered:
            for picture, _ in pictures_of(file):
                await self.picture_delivery.withdraw(picture)
        async with self.begin(actor) as work:
            if left := await work.files.first(id=event.file_id):
                work.files.remove(left)


async def own_file(work: Work, actor: Actor, file_id: FileId) -> StoredFile:
    """The file, if it is the asker's or the asker looks after the house; to others it does not exist."""
    if not (actor.is_admin or actor.is_system):
        actor.signed_in()
    file = await work.files.first(id=file_id)
    theirs = file is not None and (actor.is_admin or actor.is_system or actor.is_user(file.owner_id))
    if file is None or not theirs or file.is_deleted:
        raise NotFound.of("file", file_id)
    return file
