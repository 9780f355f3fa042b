"""Bringing files, showing them, and letting them go; and what happens when it happens in between."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from adapters.persistence.rules import RULES, judge_all
from application.belongings import let_go
from application.files import (
    CompleteUpload,
    DeleteFile,
    DirectUpload,
    GetFile,
    Link,
    LinkFile,
    ListMyFiles,
    OpenFile,
    ReceiveContent,
    RequestUpload,
    SweepFiles,
    Upload,
    VerifyFiles,
)
from application.jobs import CreateJob, DeleteDraft, JobDraft, JobRevision, ReviseJob
from application.messaging import Opening, SendMessage, StartConversation, Words
from application.ports.files import ObjectMissing, Picture, PictureDelivery, StoreSilent
from application.profiles import GetProfile, ProfileChanges, UpdateProfile
from domain.files import (
    BadFile,
    Bucket,
    FileInUse,
    FileNotStored,
    NotForYou,
    NotWhatWasAnnounced,
    QuotaExceeded,
    TypeNotAllowed,
    UploadOver,
)
from domain.profiles import BadAvatar
from domain.shared.actors import ANONYMOUS, SYSTEM, Actor, Role
from domain.shared.errors import Forbidden, Invalid, NotFound, StaleVersion, Unauthenticated
from domain.shared.ids import FileId
from domain.shared.money import Money
from tests.support.filing import BROKEN, PDF, PNG, Filing
from tests.support.pictures import in_pieces

HOUR = timedelta(hours=1)
LESSON = JobDraft(title="Piano lesson", category="music", price=Money(4500, "EUR"), duration=60, place="Lisboa")


def all_is_well(house: Filing) -> None:
    """Every rule of files holds."""
    tables: Any = {name: table.rows for name, table in house.store.tables.items()}
    rules = [rule for rule in RULES if rule.code.startswith("F")]
    assert judge_all(tables, rules=rules) == []


async def read(house: Filing, actor: Actor, file_id: FileId, **how: Any) -> bytes:
    opened = await house.use(OpenFile)(actor, file_id, **how)
    return b"".join([piece async for piece in opened.read(0, opened.size)])


async def a_talk(house: Filing) -> tuple[Actor, Actor, UUID]:
    """A customer, a provider, and the conversation they have."""
    vera = await house.provider()
    job = await house.job(vera)
    ann = await house.person("ann")
    talk = await house.use(StartConversation)(ann, Opening(job_id=job.id))
    return ann, vera, talk.id


# --- Bringing ---------------------------------------------------------------------------------------------------------


async def test_a_file_is_announced_sent_completed_and_tidied_after() -> None:
    house = Filing()
    ann = await house.person("ann")
    file = await house.announced(ann)
    assert house.charged(ann) == len(PNG)
    with pytest.raises(NotFound):
        await house.use(GetFile)(ANONYMOUS, file.id)
    await house.sent(ann, file.id)
    assert await house.lying() == [f"incoming/{file.id}"]
    stored = await house.use(CompleteUpload)(ann, file.id)
    again = await house.use(CompleteUpload)(ann, file.id)
    assert (stored.is_stored, again.version) == (True, stored.version)
    await house.follow()
    assert await house.lying() == [f"avatars/{file.id}/original", f"avatars/{file.id}/thumbnail"]
    assert await read(house, ANONYMOUS, file.id) == PNG
    assert await read(house, ANONYMOUS, file.id, rendering="thumbnail") == PNG[-1:]
    assert house.charged(ann) == len(PNG)
    all_is_well(house)


async def test_only_who_is_known_brings_files_and_only_where_they_may() -> None:
    house = Filing()
    ann = await house.person("ann")
    with pytest.raises(Unauthenticated):
        await house.announced(ANONYMOUS)
    with pytest.raises(NotForYou):
        await house.announced(ann, Bucket.JOB_PICTURES)
    with pytest.raises(TypeNotAllowed):
        await house.announced(ann, kind="application/pdf")
    assert house.rows("files") == []
    assert house.charged(ann) == 0


async def test_a_strangers_file_does_not_exist() -> None:
    house = Filing()
    ann, ben = await house.person("ann"), await house.person("ben")
    file = await house.announced(ann)
    for verb in (DirectUpload, CompleteUpload, DeleteFile):
        for other, refusal in ((ben, NotFound), (ANONYMOUS, Unauthenticated)):
            with pytest.raises(refusal):
                await house.use(verb)(other, file.id)
    with pytest.raises(NotFound):
        await house.sent(ben, file.id)
    assert house.state(file.id) == "uploading"


@pytest.mark.parametrize("content", [PNG[:-1], PNG + b"!", b""])
async def test_content_of_another_length_is_not_taken(content: bytes) -> None:
    house = Filing()
    ann = await house.person("ann")
    file = await house.announced(ann)
    with pytest.raises(NotWhatWasAnnounced):
        await house.sent(ann, file.id, content)
    assert await house.lying() == []
    with pytest.raises(FileNotStored):
        await house.use(CompleteUpload)(ann, file.id)


@pytest.mark.parametrize(
    ("content", "sha256", "refusal"),
    [
        (PDF.ljust(len(PNG)), None, NotWhatWasAnnounced),
        (BROKEN, None, BadFile),
        (PNG, "0" * 64, NotWhatWasAnnounced),
    ],
    ids=["another type", "broken", "another hash"],
)
async def test_what_is_refused_when_it_is_looked_into_leaves_nothing(
    content: bytes, sha256: str | None, refusal: type[Exception]
) -> None:
    house = Filing()
    ann = await house.person("ann")
    upload = Upload(bucket=Bucket.AVATARS, name="a.png", content_type="image/png", size=len(content), sha256=sha256)
    file = await house.use(RequestUpload)(ann, upload)
    await house.sent(ann, file.id, content)
    with pytest.raises(refusal):
        await house.use(CompleteUpload)(ann, file.id)
    await house.follow()
    assert (await house.lying(), house.state(file.id), house.charged(ann)) == ([], "gone", 0)
    with pytest.raises(NotFound):
        await house.use(CompleteUpload)(ann, file.id)


async def test_an_upload_that_came_to_the_store_with_another_size_is_refused_unread() -> None:
    house = Filing()
    ann = await house.person("ann")
    file = await house.announced(ann)
    await house.objects.put(f"incoming/{file.id}", in_pieces(b"x" * 9999), size=9999, content_type="image/png")
    with pytest.raises(NotWhatWasAnnounced):
        await house.use(CompleteUpload)(ann, file.id)
    await house.follow()
    assert await house.lying() == []


async def test_a_link_lets_whoever_holds_it_send_that_one_file_until_its_time_is_over() -> None:
    house = Filing()
    ann = await house.person("ann")
    file, other = await house.announced(ann), await house.announced(ann)
    told = await house.use(DirectUpload)(ann, file.id)
    query = dict(part.split("=") for part in told.url.partition("?")[2].split("&"))
    link = Link(expires=int(query["expires"]), signature=query["signature"])
    assert (told.method, told.expires_at) == ("PUT", file.expires_at)
    receive = house.use(ReceiveContent)
    for stranger, wrong in (
        (other.id, link),
        (file.id, replace(link, expires=link.expires + 1)),
        (file.id, replace(link, signature="")),
        (file.id, replace(link, signature="\ud800")),
    ):
        with pytest.raises(NotFound):
            await receive(ANONYMOUS, stranger, in_pieces(PNG), link=wrong)
    await receive(ANONYMOUS, file.id, in_pieces(PNG), link=link)
    house.clock.advance(timedelta(minutes=15))
    with pytest.raises(NotFound):
        await receive(ANONYMOUS, file.id, in_pieces(PNG), link=link)
    with pytest.raises(UploadOver):
        await house.sent(ann, file.id)
    assert (await house.use(CompleteUpload)(ann, file.id)).is_stored, "what has come in time may be completed later"


# --- Quotas -----------------------------------------------------------------------------------------------------------


async def test_nobody_keeps_more_than_their_quota_and_deleting_makes_room() -> None:
    house = Filing(quota_bytes=3 * len(PNG))
    ann, ben = await house.person("ann"), await house.person("ben")
    first, *_ = [await house.kept(ann) for _ in range(3)]
    with pytest.raises(QuotaExceeded):
        await house.announced(ann)
    await house.kept(ben)
    await house.use(DeleteFile)(ann, first.id)
    await house.kept(ann)
    await house.follow()
    assert house.charged(ann) == 3 * len(PNG)
    all_is_well(house)


# --- Showing ----------------------------------------------------------------------------------------------------------


async def test_a_new_picture_of_oneself_takes_the_place_of_the_old_one() -> None:
    house = Filing()
    ann = await house.person("ann")
    first, second = await house.kept(ann), await house.kept(ann)
    change = house.use(UpdateProfile)
    for picture in (first, second, second):
        await change(ann, ProfileChanges(avatar_id=str(picture.id)))
    assert (await house.use(GetProfile)(ANONYMOUS, ann.signed_in())).avatar_id == second.id
    with pytest.raises(FileInUse):
        await house.use(DeleteFile)(ann, second.id)
    all_is_well(house)
    await change(ann, ProfileChanges(avatar_id=""))
    await house.follow()
    assert (house.rows("files"), await house.lying(), house.charged(ann)) == ([], [], 0)
    all_is_well(house)


async def test_a_profile_shows_only_a_stored_picture_of_ones_own() -> None:
    house = Filing()
    ann, ben = await house.person("ann"), await house.person("ben")
    change = house.use(UpdateProfile)
    theirs, coming = await house.kept(ben), await house.announced(ann)
    attachment = await house.kept(ann, Bucket.ATTACHMENTS)
    for named, refusal in (
        (str(theirs.id), NotFound),
        (str(coming.id), FileNotStored),
        (str(attachment.id), NotFound),
        (str(uuid4()), NotFound),
        ("me.png", BadAvatar),
    ):
        with pytest.raises(refusal):
            await change(ann, ProfileChanges(avatar_id=named))
    assert (await house.use(GetProfile)(ANONYMOUS, ann.signed_in())).avatar_id is None


async def test_a_job_shows_its_pictures_in_order_and_those_left_out_go() -> None:
    house = Filing()
    vera = await house.provider()
    one, two, three = [(await house.kept(vera, Bucket.JOB_PICTURES)).id for _ in range(3)]
    job = await house.use(CreateJob)(vera, replace(LESSON, pictures=(one, two)))
    assert job.pictures == (one, two)
    revise = house.use(ReviseJob)
    assert (await revise(vera, job.id, JobRevision(pictures=(two, three)))).pictures == (two, three)
    assert (await revise(vera, job.id, JobRevision(title="Piano, slowly"))).pictures == (two, three)
    all_is_well(house)
    await house.follow()
    with pytest.raises(NotFound):
        await revise(vera, job.id, JobRevision(pictures=(one,)))
    with pytest.raises(Invalid):
        await revise(vera, job.id, JobRevision(pictures=(two, two)))
    with pytest.raises(Invalid):
        await revise(vera, job.id, JobRevision(pictures=tuple(FileId(uuid4()) for _ in range(13))))
    await house.use(DeleteDraft)(vera, job.id)
    await house.follow()
    assert (house.rows("files"), house.charged(vera)) == ([], 0)


async def test_one_picture_is_not_shown_by_two_jobs() -> None:
    house = Filing()
    vera = await house.provider()
    picture = (await house.kept(vera, Bucket.JOB_PICTURES)).id
    await house.use(CreateJob)(vera, replace(LESSON, pictures=(picture,)))
    with pytest.raises(FileInUse):
        await house.use(CreateJob)(vera, replace(LESSON, pictures=(picture,)))
    assert len(house.rows("jobs")) == 1


async def test_an_attachment_is_read_by_those_who_take_part_and_by_nobody_else() -> None:
    house = Filing()
    ann, vera, talk = await a_talk(house)
    kim, root = await house.person("kim"), await house.person("root", Role.ADMIN)
    file = await house.kept(ann, Bucket.ATTACHMENTS, PDF, "application/pdf")
    with pytest.raises(NotFound):
        await read(house, vera, file.id)
    message = await house.use(SendMessage)(ann, talk, Words(text="My plan", attachments=(file.id,)))
    (attached,) = message.attachments
    assert (attached.file_id, attached.name, attached.size) == (file.id, "file.pdf", len(PDF))
    for reader in (ann, vera):
        assert await read(house, reader, file.id) == PDF
    for stranger in (kim, root, ANONYMOUS):
        for ask in (GetFile, LinkFile, OpenFile):
            with pytest.raises(NotFound):
                await house.use(ask)(stranger, file.id)
    with pytest.raises(FileInUse):
        await house.use(DeleteFile)(ann, file.id)
    all_is_well(house)


async def test_a_message_carries_only_stored_files_of_its_sender() -> None:
    house = Filing()
    ann, vera, talk = await a_talk(house)
    send = house.use(SendMessage)
    hers = await house.kept(vera, Bucket.ATTACHMENTS)
    await send(vera, talk, Words(text="Look", attachments=(hers.id,)))
    avatar, coming = await house.kept(ann), await house.announced(ann, Bucket.ATTACHMENTS)
    for named, refusal in ((hers.id, NotFound), (avatar.id, NotFound), (coming.id, FileNotStored)):
        with pytest.raises(refusal):
            await send(ann, talk, Words(text="Look", attachments=(named,)))
    many = tuple([(await house.kept(ann, Bucket.ATTACHMENTS)).id for _ in range(11)])
    with pytest.raises(Invalid):
        await send(ann, talk, Words(text="All of them", attachments=many))
    assert len(house.rows("messages")) == 1
    all_is_well(house)


async def test_a_private_link_opens_one_copy_of_one_file_for_minutes() -> None:
    house = Filing()
    ann = await house.person("ann")
    file = await house.kept(ann, Bucket.ATTACHMENTS)
    other = await house.kept(ann, Bucket.ATTACHMENTS)
    address = await house.use(LinkFile)(ann, file.id)
    assert address.expires_at == house.clock.now() + timedelta(minutes=5)
    query = dict(part.split("=") for part in address.url.partition("?")[2].split("&"))
    link = Link(expires=int(query["expires"]), signature=query["signature"])
    assert await read(house, ANONYMOUS, file.id, link=link) == PNG
    for wanted in ({"rendering": "thumbnail"}, {"link": replace(link, expires=link.expires + 60)}):
        with pytest.raises(NotFound):
            await read(house, ANONYMOUS, file.id, **{"link": link, **wanted})
    with pytest.raises(NotFound):
        await read(house, ANONYMOUS, other.id, link=link)
    with pytest.raises(NotFound):
        await house.use(ReceiveContent)(ANONYMOUS, file.id, in_pieces(PNG), link=link)
    house.clock.advance(timedelta(minutes=5))
    with pytest.raises(NotFound):
        await read(house, ANONYMOUS, file.id, link=link)


async def test_a_public_file_has_an_address_for_ever() -> None:
    house = Filing()
    ann = await house.person("ann")
    file = await house.kept(ann)
    address = await house.use(LinkFile)(ANONYMOUS, file.id, rendering="thumbnail")
    assert address.expires_at is None
    assert address.url == f"https://guildhall.test/v1/files/{file.id}/content?rendering=thumbnail"
    with pytest.raises(NotFound):
        await house.use(LinkFile)(ANONYMOUS, file.id, rendering="huge")


async def test_ones_files_are_listed_newest_first() -> None:
    house = Filing()
    ann, ben = await house.person("ann"), await house.person("ben")
    first = await house.kept(ann)
    house.clock.advance(HOUR)
    second = await house.announced(ann, Bucket.ATTACHMENTS)
    await house.kept(ben)
    mine = house.use(ListMyFiles)
    assert [view.id for view in (await mine(ann)).items] == [second.id, first.id]
    assert [view.id for view in (await mine(ann, bucket=Bucket.AVATARS)).items] == [first.id]
    with pytest.raises(Unauthenticated):
        await mine(ANONYMOUS)


# --- In between -------------------------------------------------------------------------------------------------------


class Recording(PictureDelivery):
    """Somebody who hands out pictures, and remembers which."""

    def __init__(self) -> None:
        self.has: dict[str, bytes] = {}

    async def publish(self, picture: Picture, content: AsyncIterator[bytes]) -> bool:
        self.has[f"{picture.file_id}/{picture.rendering}"] = b"".join([piece async for piece in content])
        return True

    async def withdraw(self, picture: Picture) -> None:
        self.has.pop(f"{picture.file_id}/{picture.rendering}", None)

    def address(self, picture: Picture) -> str | None:
        return f"https://pictures.test/{picture.file_id}/{picture.rendering}"


async def test_public_pictures_are_handed_out_elsewhere_once_they_are_there_and_private_ones_never() -> None:
    house, delivery = Filing(), Recording()
    house.ports["picture_delivery"] = delivery
    ann = await house.person("ann")
    file, private = await house.kept(ann), await house.kept(ann, Bucket.ATTACHMENTS)
    assert (await house.use(OpenFile)(ANONYMOUS, file.id)).elsewhere is None
    await house.follow()
    assert delivery.has == {f"{file.id}/original": PNG, f"{file.id}/thumbnail": PNG[-1:]}
    opened = await house.use(OpenFile)(ANONYMOUS, file.id, rendering="thumbnail")
    assert opened.elsewhere == f"https://pictures.test/{file.id}/thumbnail"
    assert (await house.use(OpenFile)(ann, private.id)).elsewhere is None
    await house.use(DeleteFile)(ann, file.id)
    await house.follow()
    assert delivery.has == {}


async def test_two_who_complete_at_once_complete_one_file() -> None:
    house = Filing()
    ann = await house.person("ann")
    file = await house.announced(ann)
    await house.sent(ann, file.id)
    complete = house.use(CompleteUpload)

    async def meanwhile() -> None:
        await complete(ann, file.id)

    examine = house.ports["examiner"].examine

    @asynccontextmanager
    async def slowly(*args: Any, **how: Any) -> AsyncIterator[Any]:
        house.ports["examiner"].examine = examine
        async with examine(*args, **how) as found:
            house.meanwhile = meanwhile
            yield found

    house.ports["examiner"].examine = slowly
    with pytest.raises(StaleVersion):
        await complete(ann, file.id)
    assert (await complete(ann, file.id)).is_stored
    await house.follow()
    assert house.events().count("file.stored") == 1
    all_is_well(house)


async def test_a_file_deleted_while_it_is_looked_into_stays_deleted_and_its_bytes_are_swept() -> None:
    house = Filing()
    ann = await house.person("ann")
    file = await house.announced(ann)
    await house.sent(ann, file.id)
    examine = house.ports["examiner"].examine

    @asynccontextmanager
    async def slowly(*args: Any, **how: Any) -> AsyncIterator[Any]:
        async with examine(*args, **how) as found:
            await house.use(DeleteFile)(ann, file.id)
            await house.follow()
            yield found

    house.ports["examiner"].examine = slowly
    with pytest.raises(NotFound):
        await house.use(CompleteUpload)(ann, file.id)
    assert await house.lying() == [f"avatars/{file.id}/original", f"avatars/{file.id}/thumbnail"]
    assert (await house.use(SweepFiles)(SYSTEM)).orphans == 2
    assert (await house.lying(), house.charged(ann)) == ([], 0)


async def test_a_store_that_is_silent_loses_nothing() -> None:
    house = Filing()
    ann = await house.person("ann")
    file = await house.announced(ann)
    await house.sent(ann, file.id)
    put, remove = house.objects.put, house.objects.remove

    async def silent(*_: Any, **__: Any) -> None:
        raise StoreSilent("nobody answers")

    house.objects.put = silent  # type: ignore[method-assign]
    with pytest.raises(StoreSilent):
        await house.use(CompleteUpload)(ann, file.id)
    assert house.state(file.id) == "uploading"
    house.objects.put = put  # type: ignore[method-assign]
    await house.use(CompleteUpload)(ann, file.id)
    await house.use(DeleteFile)(ann, file.id)
    house.objects.remove = silent  # type: ignore[method-assign]
    await house.follow()
    assert (house.state(file.id), house.charged(ann)) == ("deleted", 0)
    house.objects.remove = remove  # type: ignore[method-assign]
    house.clock.advance(HOUR)
    await house.follow()
    assert (house.state(file.id), await house.lying()) == ("gone", [])


async def test_a_stored_file_whose_bytes_are_lost_says_so() -> None:
    house = Filing()
    ann = await house.person("ann")
    file = await house.kept(ann)
    await house.objects.remove((f"avatars/{file.id}/original",))
    with pytest.raises(ObjectMissing):
        await read(house, ANONYMOUS, file.id)


# --- Sweeping and verifying -------------------------------------------------------------------------------------------


async def swept_after(house: Filing, ann: Actor, waits: timedelta) -> FileId:
    """An upload whose content comes at the last moment, and a sweep some time after that."""
    file = await house.announced(ann)
    house.clock.advance(timedelta(minutes=14))
    await house.sent(ann, file.id)
    house.clock.advance(waits)
    await house.use(SweepFiles)(SYSTEM)
    await house.follow()
    return file.id


async def an_upload_under_way_survives_the_sweep(house: Filing) -> None:
    ann = await house.person("ann")
    file_id = await swept_after(house, ann, timedelta(minutes=2))
    assert house.state(file_id) == "uploading", "an upload under way was swept away"
    assert (await house.use(CompleteUpload)(ann, file_id)).is_stored


async def test_an_upload_under_way_survives_the_sweep() -> None:
    await an_upload_under_way_survives_the_sweep(Filing())


async def test_a_sweep_without_grace_takes_it_away() -> None:
    with pytest.raises(AssertionError, match="under way was swept away"):
        await an_upload_under_way_survives_the_sweep(Filing(grace=timedelta()))


async def test_an_upload_nobody_completes_is_given_up_and_its_room_with_it() -> None:
    house = Filing()
    ann = await house.person("ann")
    file_id = await swept_after(house, ann, timedelta(hours=2))
    assert (house.state(file_id), house.charged(ann), await house.lying()) == ("gone", 0, [])
    all_is_well(house)


async def test_bytes_that_belong_to_no_file_go_and_all_others_stay() -> None:
    house = Filing()
    ann = await house.person("ann")
    kept, coming = await house.kept(ann), await house.announced(ann)
    await house.sent(ann, coming.id)
    await house.follow()
    ours = await house.lying()
    strays = [f"incoming/{uuid4()}", f"avatars/{uuid4()}/original", "notes", f"incoming/{kept.id}"]
    strays += [f"avatars/{kept.id}/medium", f"avatars/{kept.id}/poster"]
    for key in strays:
        await house.objects.put(key, in_pieces(b"x"), size=1, content_type="image/png")
    looked = await house.use(SweepFiles)(SYSTEM, look_only=True)
    assert (looked.orphans, looked.objects, len(await house.lying())) == (6, len(ours) + 6, len(ours) + 6)
    assert (await house.use(SweepFiles)(SYSTEM, objects=False)).objects == 0
    assert (await house.use(SweepFiles)(SYSTEM)).orphans == 6
    assert await house.lying() == ours
    with pytest.raises(Forbidden):
        await house.use(SweepFiles)(ann)


async def crashed_between_object_and_row(house: Filing, *, row_first: bool) -> None:
    """The process dies with the bytes written and the file not yet kept; later the worker sweeps."""
    ann = await house.person("ann")
    file = await house.announced(ann) if row_first else None
    file_id = file.id if file else FileId(uuid4())
    for name in ("original", "thumbnail"):
        key = f"avatars/{file_id}/{name}"
        await house.objects.put(key, in_pieces(PNG), size=len(PNG), content_type="image/png")
    house.clock.advance(timedelta(hours=2))


async def every_byte_has_its_row(house: Filing) -> None:
    rows = {str(row["id"]) for row in house.rows("files")}
    assert {key.split("/")[1] for key in await house.lying()} <= rows, "bytes lie there that belong to no file"


@pytest.mark.parametrize("row_first", [True, False])
async def test_a_crash_between_bytes_and_row_is_mended_by_the_sweep(row_first: bool) -> None:
    house = Filing()
    await crashed_between_object_and_row(house, row_first=row_first)
    await house.use(SweepFiles)(SYSTEM)
    await house.follow()
    await every_byte_has_its_row(house)
    assert (await house.lying(), house.rows("files")) == ([], [])


async def test_bytes_before_their_row_and_no_sweep_leave_orphans() -> None:
    house = Filing()
    await crashed_between_object_and_row(house, row_first=False)
    with pytest.raises(AssertionError, match="belong to no file"):
        await every_byte_has_its_row(house)


async def test_files_are_verified_page_by_page_by_size_or_by_hash() -> None:
    house = Filing()
    ann = await house.person("ann")
    files = [await house.kept(ann) for _ in range(5)]
    verify = house.use(VerifyFiles)
    page = await verify(SYSTEM, most=3)
    rest = await verify(SYSTEM, since=page.last, most=3)
    assert (page.files, rest.files, page.wrong + rest.wrong) == (3, 2, ())
    assert (await verify(SYSTEM, since=rest.last)).last is None

    async def put(key: str, content: bytes) -> None:
        await house.objects.put(key, in_pieces(content), size=len(content), content_type="image/png")

    await house.objects.remove((files[0].key("thumbnail"),))
    await put(files[1].key(), b"short")
    await put(files[2].key(), b"\x89PNG and other pixels"[: len(PNG)])
    wrong = {each.subject: each.said for each in (await verify(SYSTEM)).wrong}
    assert wrong == {
        str(files[0].id): "its thumbnail is missing",
        str(files[1].id): f"its original has 5 bytes, not {len(PNG)}",
    }
    thorough = {each.subject for each in (await verify(SYSTEM, thoroughly=True)).wrong}
    assert thorough == {str(file.id) for file in files[:3]}
    with pytest.raises(Forbidden):
        await verify(ann)


async def test_letting_go_twice_gives_room_back_once() -> None:
    house = Filing()
    ann = await house.person("ann")
    file = await house.kept(ann)
    for _ in range(2):
        async with house.begin(ann) as work:
            let_go(work, await work.files.get(file.id), now=house.clock.now())
    assert house.charged(ann) == 0
