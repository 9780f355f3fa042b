"""Bodies that are files: read in pieces, never kept whole."""

import re
from collections.abc import AsyncIterator
from typing import Any

from fastapi import Request

from domain.files import BIGGEST, EXTENSIONS
from entrypoints.rest.errors import BadRequest

UPLOADS = (
    ("POST", re.compile(r"/v1/files"), BIGGEST),
    ("PUT", re.compile(r"/v1/files/[^/]+/content"), BIGGEST),
)
"""Where bodies may be larger than elsewhere, and how large."""

A_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The content itself, with its Content-Type and Content-Length",
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in EXTENSIONS},
    }
}
"""Such a body, as the docs tell it."""


def announced_size(request: Request) -> int:
    """How long the body is said to be; without that it is not read."""
    length = request.headers.get("content-length", "")
    if not length.isdigit():
        raise BadRequest("say in Content-Length how long the file is", field="content-length")
    return int(length[:18])


async def pieces(request: Request) -> AsyncIterator[bytes]:
    """The body as it comes, in pieces worth writing."""
    gathered = bytearray()
    async for piece in request.stream():
        gathered += piece
        if len(gathered) >= _PIECE:
            yield bytes(gathered)
            gathered.clear()
    if gathered:
        yield bytes(gathered)


_PIECE = 256 * 1024
