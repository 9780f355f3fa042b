"""Rows and bytes brought together again after whatever happened, and whether they are."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import ClassVar

from application.belongings import let_go
from application.ports.clock import Clock
from application.ports.criteria import AnyOf, Between, Order
from application.ports.files import FileRules, ObjectFacts, ObjectMissing, Objects
from application.ports.unit_of_work import Begin
from domain.files import ORIGINAL, FileState, StoredFile, file_of
from domain.shared.actors import Actor
from domain.shared.errors import Forbidden, NotFound, Refusal, StaleVersion, Unauthenticated
from domain.shared.ids import FileId

_BATCH = 200


@dataclass(frozen=True, slots=True)
class Swept:
    """How many uploads were given up, how many objects belonged to nothing and are gone, and how many there are."""

    abandoned: int = 0
    orphans: int = 0
    objects: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepFiles:
    """Give up uploads nobody has completed in time, and remove bytes that belong to no file; or only look how much that
    would be. An upload under way has its time and an hour more; no bytes are removed while a row waits for them."""

    begin: Begin
    clock: Clock
    objects: Objects
    file_rules: FileRules
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, Forbidden)

    async def __call__(self, actor: Actor, *, objects: bool = True, look_only: bool = False) -> Swept:
        actor.must_be_admin()
        late = await self._late(actor)
        given_up = len(late) if look_only else sum([await self._give_up(actor, file.id) for file in late])
        swept = Swept(abandoned=given_up)
        if objects:
            async for batch in _batches(self.objects.walk()):
                orphans = await self._orphans(actor, batch)
                if orphans and not look_only:
                    await self.objects.remove(orphans)
                swept = replace(swept, orphans=swept.orphans + len(orphans), objects=swept.objects + len(batch))
        return swept

    async def _late(self, actor: Actor) -> list[StoredFile]:
        over = Between(below=self.clock.now() - self.file_rules.grace)
        async with self.begin(actor) as work:
            return await work.files.find(
                state=FileState.UPLOADING, expires_at=over, order=Order("expires_at"), limit=_BATCH
            )

    async def _give_up(self, actor: Actor, file_id: FileId) -> bool:
        try:
            async with self.begin(actor) as work:
                file = await work.files.get(file_id)
                if file.state is not FileState.UPLOADING:
                    return False
                let_go(work, file, now=self.clock.now())
                return True
        except (NotFound, StaleVersion):
            return False  # completed, deleted or given up by somebody else in this instant

    async def _orphans(self, actor: Actor, batch: list[ObjectFacts]) -> list[str]:
        """The bytes that belong to nothing. Their row came before them, so that one that is not there now has gone."""
        files = await _files_of(self.begin, actor, batch)
        return [facts.key for facts in batch if not _belongs(files.get(file_of(facts.key)), facts.key)]


@dataclass(frozen=True, slots=True)
class Wrong:
    """A file or an object that is not as it should be, and how."""

    subject: str
    said: str


@dataclass(frozen=True, slots=True)
class Checked:
    """How many files were looked at, what is wrong with them, and the last one, after which to go on."""

    files: int
    wrong: tuple[Wrong, ...]
    last: FileId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyFiles:
    """Whether every stored file has its bytes, some at a time: all of its copies, of the size that is known, and read
    whole with the hash that is known when looked at thoroughly."""

    begin: Begin
    objects: Objects
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, Forbidden)

    async def __call__(
        self, actor: Actor, *, thoroughly: bool = False, since: FileId | None = None, most: int = 100
    ) -> Checked:
        actor.must_be_admin()
        async with self.begin(actor) as work:
            newer = {} if since is None else {"id": Between(at_least=since)}
            files = await work.files.find(order=Order("id"), limit=most + 1, **newer)
        files = [file for file in files if file.id != since][:most]
        wrong = [await self._wrong(file, thoroughly) for file in files if file.is_stored]
        last = files[-1].id if files else None
        return Checked(len(files), tuple(each for some in wrong for each in some), last)

    async def _wrong(self, file: StoredFile, thoroughly: bool) -> list[Wrong]:
        sizes = {ORIGINAL: file.size, **{each.name: each.size for each in file.renderings}}
        found = []
        for name, size in sizes.items():
            facts = await self.objects.facts(file.key(name))
            if facts is None:
                found.append(Wrong(str(file.id), f"its {name} is missing"))
            elif facts.size != size:
                found.append(Wrong(str(file.id), f"its {name} has {facts.size} bytes, not {size}"))
        if thoroughly and not found and await self._hash(file) != file.sha256:
            found.append(Wrong(str(file.id), "its content is not what was stored"))
        return found

    async def _hash(self, file: StoredFile) -> str:
        digest = hashlib.sha256()
        try:
            async for piece in self.objects.read(file.key()):
                digest.update(piece)
        except ObjectMissing:
            return "nothing"
        return digest.hexdigest()


def _belongs(file: StoredFile | None, key: str) -> bool:
    """Whether the file needs what lies there: what may yet come of an upload, the copies of what is stored."""
    if file is None:
        return False
    return key in (file.keys if file.is_stored else file.every_key)


async def _files_of(begin: Begin, actor: Actor, batch: list[ObjectFacts]) -> dict[FileId | None, StoredFile]:
    ids = tuple(dict.fromkeys(file_id for facts in batch if (file_id := file_of(facts.key)) is not None))
    async with begin(actor) as work:
        files = await work.files.find(id=AnyOf(ids)) if ids else []
    return {file.id: file for file in files}


async def _batches(objects: AsyncIterator[ObjectFacts]) -> AsyncIterator[list[ObjectFacts]]:
    batch: list[ObjectFacts] = []
    async for facts in objects:
        batch.append(facts)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
