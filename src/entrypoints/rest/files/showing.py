"""A file as an answer: whole, a part of it, or only that it has not changed; and nothing in it can act."""

import re
from collections.abc import AsyncIterator
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from application.files import OpenedFile
from entrypoints.rest.errors import RangeNotSatisfiable

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_FOR_EVER = "public, max-age=31536000, immutable"
_PRIVATE = "private, no-cache"
_ELSEWHERE = "public, max-age=3600"
_HARMLESS = "default-src 'none'; sandbox"
"""Whatever a browser takes the content for, it runs nothing and has no origin."""


async def shown(request: Request, opened: OpenedFile) -> Response:
    """The answer to a request for this file's content."""
    if opened.elsewhere is not None:
        return Response(status_code=302, headers={"location": opened.elsewhere, "cache-control": _ELSEWHERE})
    headers = _headers(opened)
    if _has(request.headers.get("if-none-match"), headers["etag"]):
        kept = {name: headers[name] for name in ("etag", "cache-control")}
        return Response(status_code=304, headers=kept)
    start, end, status = _part(request, opened, headers["etag"])
    headers["content-length"] = str(end - start)
    if status == 206:
        headers["content-range"] = f"bytes {start}-{end - 1}/{opened.size}"
    if request.scope.get("headless"):
        return Response(status_code=status, headers=headers)
    pieces = opened.read(start, end)
    # The first piece is fetched before anything is said, so that a file without content is refused as such.
    first = await anext(pieces, b"")
    return StreamingResponse(_on(first, pieces), status, headers)


def _headers(opened: OpenedFile) -> dict[str, str]:
    file = opened.file
    kind = f"{file.content_type}; charset=utf-8" if file.content_type == "text/plain" else file.content_type
    how = "inline" if file.is_picture else "attachment"
    return {
        "content-type": kind,
        "content-disposition": f"{how}; filename*=UTF-8''{quote(file.name, safe='')}",
        "etag": f'"{(file.sha256 or "")[:32]}-{opened.rendering}"',
        "accept-ranges": "bytes",
        "cache-control": _FOR_EVER if file.is_public else _PRIVATE,
        "content-security-policy": _HARMLESS,
        "cross-origin-resource-policy": "cross-origin" if file.is_public else "same-site",
    }


def _has(header: str | None, tag: str) -> bool:
    """Whether the asker has it already."""
    known = {each.strip().removeprefix("W/") for each in (header or "").split(",")}
    return bool(known & {tag, "*"})


def _part(request: Request, opened: OpenedFile, tag: str) -> tuple[int, int, int]:
    """From where to where, and by which status. What is no single range of bytes is not a range we know: all of it."""
    asked = _RANGE.fullmatch(request.headers.get("range", "").replace(" ", ""))
    size, only_if = opened.size, request.headers.get("if-range")
    if not asked or not any(asked.groups()) or (only_if is not None and only_if != tag):
        return 0, size, 200
    first, last = asked.groups()
    if first:
        start, end = int(first), min(int(last) + 1 if last else size, size)
        if last and int(last) < int(first):
            return 0, size, 200
    else:
        start, end = max(0, size - int(last)), size
    if start >= end:
        raise RangeNotSatisfiable("there are no bytes there", size=size)
    return start, end, 206


async def _on(first: bytes, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in pieces:
        yield piece
