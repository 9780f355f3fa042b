"""What follows from a file that counts: its upload is cleared away, and a public picture goes where it is handed out
from."""

from dataclasses import dataclass

from application.ports.files import ObjectMissing, Objects, Picture, PictureDelivery
from application.ports.unit_of_work import Begin
from domain.files import ORIGINAL, Audience, FileStored, StoredFile, incoming_key
from domain.shared.actors import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearUpload:
    """What arrived is no longer needed once a file is stored: only what was made of it is."""

    objects: Objects

    async def __call__(self, actor: Actor, event: FileStored) -> None:
        await self.objects.remove((incoming_key(event.file_id),))


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishPicture:
    """A public picture, with its smaller copies, goes to whoever hands pictures out, if there is somebody."""

    begin: Begin
    objects: Objects
    picture_delivery: PictureDelivery

    async def __call__(self, actor: Actor, event: FileStored) -> None:
        async with self.begin(actor) as work:
            file = await work.files.first(id=event.file_id)
        if file is None or file.audience is not Audience.EVERYBODY:
            return
        try:
            for picture, key in pictures_of(file):
                if not await self.picture_delivery.publish(picture, self.objects.read(key)):
                    return
        except ObjectMissing:
            return  # deleted meanwhile
        async with self.begin(actor) as work:
            if (file := await work.files.first(id=event.file_id)) and file.is_stored:
                file.deliver()


def pictures_of(file: StoredFile) -> list[tuple[Picture, str]]:
    """A public picture's copies, the full size first, each with the place of its bytes."""
    return [
        (
            Picture(file_id=file.id, bucket=file.bucket, content_type=file.content_type, size=size, rendering=name),
            file.key(name),
        )
        for name, size in ((ORIGINAL, file.size or 0), *((each.name, each.size) for each in file.renderings))
    ]
