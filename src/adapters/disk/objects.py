"""Objects as files below one folder, each at its key."""

import asyncio
import os
import re
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from application.ports.files import DirectAccess, Directions, ObjectFacts, ObjectMissing, Objects, StoreSilent

PIECE = 256 * 1024
_KEY = re.compile(r"[a-z0-9-]+(/[a-z0-9-]+)*")
_PARTS = ".parts"
_STALE_SECONDS = 86_400
"""What was begun so long ago is not being written any more."""


class DiskObjects(Objects, DirectAccess):
    """Files only their owner reads, written beside and then put in place: a reader or a crash sees all of one or
    nothing. There is no way to them but through this process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()

    async def put(self, key: str, content: AsyncIterator[bytes], *, size: int, content_type: str) -> None:
        place, written = self._place(key), 0
        try:
            handle, name = await asyncio.to_thread(self._part)
        except OSError as error:
            raise _silent(error) from error
        part = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                async for piece in content:
                    written += len(piece)
                    await asyncio.to_thread(file.write, piece)
                if written != size:
                    raise ValueError(f"{key}: {written} bytes instead of {size}")
                await asyncio.to_thread(_to_disk, file)
            await asyncio.to_thread(_in_place, part, place)
        except OSError as error:
            raise _silent(error) from error
        finally:
            await asyncio.to_thread(part.unlink, missing_ok=True)

    async def read(self, key: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        try:
            file = await asyncio.to_thread(open, self._place(key), "rb")
        except FileNotFoundError:
            raise ObjectMissing(key) from None
        except OSError as error:
            raise _silent(error) from error
        with file:
            file.seek(start)
            left = None if end is None else end - start
            while left is None or left > 0:
                piece = await asyncio.to_thread(file.read, PIECE if left is None else min(PIECE, left))
                if not piece:
                    return
                left = None if left is None else left - len(piece)
                yield piece

    async def facts(self, key: str) -> ObjectFacts | None:
        try:
            return _facts(key, await asyncio.to_thread(os.stat, self._place(key)))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _silent(error) from error

    async def remove(self, keys: Sequence[str]) -> None:
        try:
            await asyncio.to_thread(self._remove, [self._place(key) for key in keys])
        except OSError as error:
            raise _silent(error) from error

    async def walk(self) -> AsyncIterator[ObjectFacts]:
        found = await asyncio.to_thread(self._found)
        for facts in found:
            yield facts

    async def to_put(
        self, key: str, *, size: int, content_type: str, now: datetime, until: datetime
    ) -> Directions | None:
        return None

    async def to_get(self, key: str, *, life: timedelta) -> str | None:
        return None

    def _place(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise ValueError(f"{key!r} is no key of ours")
        return self._folder / key

    def _part(self) -> tuple[int, str]:
        parts = self._folder / _PARTS
        parts.mkdir(mode=0o700, parents=True, exist_ok=True)
        return tempfile.mkstemp(dir=parts)

    def _remove(self, places: list[Path]) -> None:
        for place in places:
            place.unlink(missing_ok=True)
            # The folder of a file goes with its last copy; one that is being filled is not empty.
            if place.parent != self._folder:
                with suppress(OSError):
                    place.parent.rmdir()

    def _found(self) -> list[ObjectFacts]:
        if not self._folder.is_dir():
            return []
        self._forget_stale()
        return sorted(self._files(), key=lambda facts: facts.key)

    def _files(self) -> Iterator[ObjectFacts]:
        for folder, folders, files in os.walk(self._folder):
            if Path(folder) == self._folder and _PARTS in folders:
                folders.remove(_PARTS)
            for name in files:
                place = Path(folder, name)
                key = place.relative_to(self._folder).as_posix()
                with suppress(FileNotFoundError):  # removed while we walk
                    if _KEY.fullmatch(key):
                        yield _facts(key, place.stat())

    def _forget_stale(self) -> None:
        """Remove what a crash left half written, by the file system's own present."""
        handle, name = self._part()
        os.close(handle)
        fresh = Path(name)
        present = fresh.stat().st_mtime
        for part in fresh.parent.iterdir():
            with suppress(FileNotFoundError):
                if part == fresh or part.stat().st_mtime < present - _STALE_SECONDS:
                    part.unlink()


def _to_disk(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _in_place(part: Path, place: Path) -> None:
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        part.replace(place)
    except FileNotFoundError:
        # Its folder went with the last copy of another moment: once more.
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part.replace(place)
    folder = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _facts(key: str, status: os.stat_result) -> ObjectFacts:
    return ObjectFacts(key, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))


def _silent(error: OSError) -> StoreSilent:
    return StoreSilent(f"the folder of files cannot be used: {error.strerror or error}")
