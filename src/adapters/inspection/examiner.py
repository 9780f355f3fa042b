"""The examiner: uploads are laid into a folder of their own, looked into by a hand, and what came of them is read back
from there. This process never looks at what is in them, and never holds more than a piece of it."""

import asyncio
import hashlib
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from adapters.inspection.hands import HandLost, Hands
from adapters.system.spooling import pieces_of
from application.ports.files import Examined, Examiner, ExaminerBusy, Part
from domain.files import ORIGINAL, BadFile, Content, FilePolicy, FileTooLarge, NotWhatWasAnnounced, Rendering

_ARRIVED = "arrived"


@dataclass(frozen=True, slots=True)
class Limits:
    """What looking into one upload may take: bytes of memory and of any one file written, seconds of work and of all
    in all."""

    memory: int = 1024 * 1024 * 1024
    file: int = 128 * 1024 * 1024
    cpu_seconds: int = 15
    seconds: int = 30


class IsolatedExaminer(Examiner):
    """Has `hands` processes for it, and a short queue before them. Close it when the process ends."""

    def __init__(self, *, hands: int = 2, queue: int = 32, limits: Limits = Limits()) -> None:
        self._hands, self._queue, self._limits = hands, queue, limits
        self._made: Hands | None = None
        self._inside = 0

    @asynccontextmanager
    async def examine(
        self, arriving: AsyncIterator[bytes], *, content_type: str, policy: FilePolicy
    ) -> AsyncIterator[Examined]:
        if self._made is None:
            self._made = Hands(self._hands)
        if self._inside >= self._hands + self._queue:
            raise ExaminerBusy("many files are being looked at; try again in a moment", retry_after=5)
        self._inside += 1
        try:
            async with self._laid_out(self._made, arriving, content_type, policy) as found:
                yield found
        finally:
            self._inside -= 1

    def close(self) -> None:
        """End the hands."""
        if self._made is not None:
            self._made.close()
            self._made = None

    @asynccontextmanager
    async def _laid_out(
        self, hands: Hands, arriving: AsyncIterator[bytes], content_type: str, policy: FilePolicy
    ) -> AsyncIterator[Examined]:
        folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="guildhall-examining-"))
        try:
            arrived = await _arrived(arriving, folder / _ARRIVED, most=policy.most_bytes)
            found = await self._looked_into(hands, folder, content_type, policy)
            yield await asyncio.to_thread(_LaidOut.of, folder, content_type, arrived, found)
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def _looked_into(
        self, hands: Hands, folder: Path, content_type: str, policy: FilePolicy
    ) -> list[tuple[str, int, int]]:
        job = {
            "folder": str(folder),
            "kind": content_type,
            "sizes": [(size.name, size.side) for size in policy.sizes],
            "limits": asdict(self._limits),
        }
        try:
            answer = await hands.ask(job, seconds=self._limits.seconds + 10)
        except HandLost as lost:
            raise ExaminerBusy("this file could not be looked at now; try again in a moment", retry_after=5) from lost
        return _judged(answer, content_type)


def _judged(answer: dict[str, Any], content_type: str) -> list[tuple[str, int, int]]:
    """What was made of the upload, or why it is refused."""
    match answer:
        case {"kind": kind, **more}:
            if kind != content_type:
                raise NotWhatWasAnnounced("content type", content_type, kind or "something we do not know")
            made: list[tuple[str, int, int]] = more["made"]
            return made
        case {"refused": why}:
            raise BadFile(why)
        case {"killed": signal.SIGXCPU}:
            raise BadFile("it takes more time to look into than we give")
        case {"killed": signal.SIGXFSZ}:
            raise BadFile("more comes out of it than we keep")
        case {"killed": signal.SIGSEGV | signal.SIGABRT | signal.SIGBUS | signal.SIGILL | signal.SIGFPE}:
            raise BadFile("it breaks what looks into it")
        case _:
            # Killed from outside, or by the alarm of a machine with too much to do: the file is not to blame.
            raise ExaminerBusy("this file could not be looked at now; try again in a moment", retry_after=5)


@dataclass(frozen=True, slots=True)
class _Arrived:
    size: int
    sha256: str


class _LaidOut(Examined):
    """What came of an upload, in its folder."""

    def __init__(self, folder: Path, content: Content, files: Sequence[str]) -> None:
        self._folder, self.content, self._files = folder, content, files

    @classmethod
    def of(cls, folder: Path, content_type: str, arrived: _Arrived, made: Sequence[tuple[str, int, int]]) -> "_LaidOut":
        """A picture's copies, or the file as it came."""
        if not made:
            (folder / _ARRIVED).rename(folder / ORIGINAL)
        first = made[0] if made else None
        content = Content(
            content_type=content_type,
            size=(folder / ORIGINAL).stat().st_size,
            sha256=_hash(folder / ORIGINAL) if made else arrived.sha256,
            arrived_size=arrived.size,
            arrived_sha256=arrived.sha256,
            width=first and first[1],
            height=first and first[2],
            renderings=tuple(
                Rendering(name, width, height, (folder / name).stat().st_size) for name, width, height in made[1:]
            ),
        )
        return cls(folder, content, (ORIGINAL, *(each.name for each in content.renderings)))

    def parts(self) -> Sequence[Part]:
        return [Part(name, (self._folder / name).stat().st_size, _pieces(self._folder / name)) for name in self._files]


async def _arrived(arriving: AsyncIterator[bytes], place: Path, *, most: int) -> _Arrived:
    digest, size = hashlib.sha256(), 0
    with await asyncio.to_thread(open, place, "wb") as file:
        async for piece in arriving:
            size += len(piece)
            if size > most:
                raise FileTooLarge(size, most)
            digest.update(piece)
            await asyncio.to_thread(file.write, piece)
    return _Arrived(size, digest.hexdigest())


async def _pieces(place: Path) -> AsyncIterator[bytes]:
    with await asyncio.to_thread(open, place, "rb") as file:
        async for piece in pieces_of(file):
            yield piece


def _hash(place: Path) -> str:
    with open(place, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
