"""Files are moved whole, in as many runs as it takes, and one byte that differs is found."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from adapters.memory.moving import MemoryHouse
from adapters.memory.store import MemoryStore
from application.moving import MoveFiles, VerifyFiles
from application.ports.moving import Batch, Standing
from domain.shared.actors import ANONYMOUS, SYSTEM
from domain.shared.errors import Unauthenticated, Unavailable
from tests.planted.moving import Passing
from tests.support.shelves import FolderShelf

FILES = 25


class Told(Passing):
    """A house with rows that tell the types of files."""

    async def standing(self) -> Standing:
        found: Standing = await self._house.standing()
        return Standing(
            identity=found.identity,
            revision=found.revision,
            tables={**found.tables, "files": found.tables["users"]},
            arriving=None,
            leaving=None,
            noted=0,
        )

    async def batch(self, table: str, *, after: str | None, most: int) -> Batch:
        if table != "files" or after:
            return Batch(rows=[], last=None)
        rows: list[dict[str, Any]] = [
            {"id": str(UUID(int=1)), "content_type": "image/png", "found_type": "image/jpeg"},
            {"id": str(UUID(int=2)), "content_type": "text/plain", "found_type": None},
        ]
        return Batch(rows=rows, last=rows[-1]["id"])


@pytest.fixture
def shelves(tmp_path: Path) -> tuple[FolderShelf, FolderShelf]:
    """A shelf with files of all lengths, and an empty one."""
    for number in range(FILES):
        path = tmp_path / "here" / "pictures" / str(UUID(int=number)) / "original"
        path.parent.mkdir(parents=True)
        path.write_bytes(bytes([number]) * (number * 9_999))
    (tmp_path / "there").mkdir()
    return FolderShelf(tmp_path / "here"), FolderShelf(tmp_path / "there")


def moving(here: FolderShelf, there: FolderShelf) -> MoveFiles:
    return MoveFiles(origin=Told(MemoryHouse(MemoryStore())), objects=here, other_objects=there)  # type: ignore[arg-type]


async def test_every_file_is_there_afterwards_with_its_type(shelves: tuple[FolderShelf, FolderShelf]) -> None:
    here, there = shelves
    copied = await moving(here, there)(SYSTEM)
    assert (copied.objects, copied.copied, copied.there) == (FILES, FILES, 0)
    assert copied.bytes == sum(path.stat().st_size for path in here.folder.rglob("original"))
    verdict = await VerifyFiles(objects=here, other_objects=there)(SYSTEM)
    assert verdict.identical
    assert verdict.objects == FILES
    types = {UUID(key.split("/")[1]).int: kind for key, kind in there.types.items()}
    assert (types[1], types[2], types[3]) == ("image/jpeg", "text/plain", "application/octet-stream")


async def test_a_full_disk_ends_it_and_the_next_run_does_the_rest(shelves: tuple[FolderShelf, FolderShelf]) -> None:
    here, there = shelves
    there.room = 1_500_000
    with pytest.raises(Unavailable):
        await moving(here, there)(SYSTEM)
    done = there.puts
    assert 0 < done < FILES
    assert not (await VerifyFiles(objects=here, other_objects=there)(SYSTEM)).identical
    there.room = None
    copied = await moving(here, there)(SYSTEM)
    assert (copied.there, copied.copied) == (done, FILES - done)
    assert (await VerifyFiles(objects=here, other_objects=there)(SYSTEM)).identical


async def test_one_flipped_byte_a_missing_and_a_strange_file_are_named(
    shelves: tuple[FolderShelf, FolderShelf],
) -> None:
    here, there = shelves
    await moving(here, there)(SYSTEM)
    keys = [one.key async for one in there.walk()]
    flipped = there.folder / keys[7]
    flipped.write_bytes(b"\xff" + flipped.read_bytes()[1:])
    (there.folder / keys[9]).unlink()
    (there.folder / "strange").write_bytes(b"?")
    verdict = await VerifyFiles(objects=here, other_objects=there)(SYSTEM)
    assert (verdict.unlike, verdict.missing, verdict.too_many) == ([keys[7]], [keys[9]], ["strange"])


async def test_a_stranger_moves_no_files(shelves: tuple[FolderShelf, FolderShelf]) -> None:
    for use_case in (moving(*shelves), VerifyFiles(objects=shelves[0], other_objects=shelves[1])):
        with pytest.raises(Unauthenticated):
            await use_case(ANONYMOUS)
