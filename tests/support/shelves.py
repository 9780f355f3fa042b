"""A store of files for tests of moving: bytes in a folder, that can be made to have no room."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from application.ports.files import ObjectFacts, Objects
from domain.shared.errors import Unavailable

PIECE = 64 * 1024
NOW = datetime(2026, 3, 18, 12, tzinfo=UTC)


class FolderShelf(Objects):
    """Objects in a folder, by keys of ids. `room` is how many more bytes there is place for."""

    def __init__(self, folder: Path, *, room: int | None = None) -> None:
        self.folder, self.room = folder, room
        self.types: dict[str, str] = {}
        self.puts = 0

    async def walk(self) -> AsyncIterator[ObjectFacts]:
        for path in sorted(self.folder.rglob("*")):
            if path.is_file() and path.suffix != ".new":
                yield ObjectFacts(str(path.relative_to(self.folder)), path.stat().st_size, NOW)

    async def facts(self, key: str) -> ObjectFacts | None:
        path = self.folder / key
        return ObjectFacts(key, path.stat().st_size, NOW) if path.is_file() else None

    async def read(self, key: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        content = (self.folder / key).read_bytes()[start:end]
        for at in range(0, len(content), PIECE):
            yield content[at : at + PIECE]

    async def put(self, key: str, content: AsyncIterator[bytes], *, size: int, content_type: str) -> None:
        path = self.folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_suffix(".new")
        with half.open("wb") as file:
            async for piece in content:
                if self.room is not None and self.room < len(piece):
                    raise Unavailable("there is no room left")
                self.room = None if self.room is None else self.room - len(piece)
                file.write(piece)
                await asyncio.sleep(0)
        half.rename(path)
        self.types[key] = content_type
        self.puts += 1

    async def remove(self, keys: Sequence[str]) -> None:
        for key in keys:
            (self.folder / key).unlink(missing_ok=True)
