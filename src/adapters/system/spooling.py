"""Bytes on their way through: on the disk, so that neither their number nor a second try costs memory."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import IO

PIECE = 256 * 1024
IN_MEMORY = 512 * 1024
"""Smaller ones never see the disk."""


@asynccontextmanager
async def spooled(content: AsyncIterator[bytes], *, size: int) -> AsyncIterator[IO[bytes]]:
    """All of these bytes as a file at its beginning, once there are as many as were said."""
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as file:
        written = 0
        async for piece in content:
            written += len(piece)
            await asyncio.to_thread(file.write, piece)
        if written != size:
            raise ValueError(f"{written} bytes instead of {size}")
        file.seek(0)
        yield file


async def pieces_of(file: IO[bytes]) -> AsyncIterator[bytes]:
    """The bytes of a file from where it stands, without holding anybody up."""
    while piece := await asyncio.to_thread(file.read, PIECE):
        yield piece
