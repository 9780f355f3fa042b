"""Bytes in a bucket of Supabase Storage, over its own HTTP interface. It answers whatever it refuses with 400, and says
in the body what it means."""

import asyncio
import json
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from adapters.supabase.project import Project
from adapters.system.spooling import pieces_of, spooled
from application.ports.files import DirectAccess, Directions, ObjectFacts, ObjectMissing, Objects, StoreSilent
from domain.files import BadFile

TIMEOUT_SECONDS = 20.0
TRIES = 3
_LISTED = 1000
_FOLDERS_AT_ONCE = 16
_AGAIN = frozenset({429, 500, 502, 503, 504, 520, 522, 524, 544})


class SupabaseObjects(Objects, DirectAccess):
    """One private bucket, made when it is first needed. Clients may put and fetch over addresses it signs."""

    def __init__(
        self,
        project: Project,
        *,
        bucket: str,
        transport: httpx.AsyncBaseTransport | None = None,
        pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._base, self._bucket, self._pause = project.storage, bucket, pause
        self._http = httpx.AsyncClient(headers=project.as_house(), timeout=TIMEOUT_SECONDS, transport=transport)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def put(self, key: str, content: AsyncIterator[bytes], *, size: int, content_type: str) -> None:
        headers = {"Content-Type": content_type, "Content-Length": str(size), "x-upsert": "true"}
        async with spooled(content, size=size) as file:

            async def send() -> httpx.Response:
                file.seek(0)
                return await self._http.post(self._object(key), content=pieces_of(file), headers=headers)

            await self._asked(send, key)

    async def read(self, key: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        if end is not None and end <= start:
            return
        whole = start == 0 and end is None
        headers = {} if whole else {"Range": f"bytes={start}-{'' if end is None else end - 1}"}
        async with self._streamed(key, headers) as response:
            try:
                async for piece in response.aiter_bytes():
                    yield piece
            except httpx.HTTPError as error:
                raise _silent() from error

    async def facts(self, key: str) -> ObjectFacts | None:
        try:
            told = await self._json("GET", f"/object/info/{self._bucket}/{key}", key=key)
        except ObjectMissing:
            return None
        return _facts(key, told)

    async def remove(self, keys: Sequence[str]) -> None:
        with suppress(ObjectMissing):
            await self._json("DELETE", f"/object/{self._bucket}", {"prefixes": list(keys)})

    async def walk(self) -> AsyncIterator[ObjectFacts]:
        async for facts in self._below(""):
            yield facts

    async def to_put(
        self, key: str, *, size: int, content_type: str, now: datetime, until: datetime
    ) -> Directions | None:
        told = await self._json("POST", f"/object/upload/sign/{self._bucket}/{key}", {}, upsert=True, key=key)
        url = self._base + str(told["url"])
        ends = min(until, _ends(url) or until)
        headers = {"Content-Type": content_type, "x-upsert": "true"}
        return Directions(method="PUT", url=url, headers=headers, expires_at=ends)

    async def to_get(self, key: str, *, life: timedelta) -> str | None:
        wanted = {"expiresIn": max(1, int(life.total_seconds()))}
        told = await self._json("POST", f"/object/sign/{self._bucket}/{key}", wanted, key=key)
        return self._base + str(told["signedURL"])

    def _object(self, key: str) -> str:
        return f"{self._base}/object/{self._bucket}/{key}"

    async def _below(self, folder: str) -> AsyncIterator[ObjectFacts]:
        """Everything in a folder and those below it; a folder is an entry without an id."""
        offset = 0
        while True:
            wanted = {
                "prefix": folder,
                "limit": _LISTED,
                "offset": offset,
                "sortBy": {"column": "name", "order": "asc"},
            }
            entries = await self._json("POST", f"/object/list/{self._bucket}", wanted)
            for start in range(0, len(entries), _FOLDERS_AT_ONCE):
                some = entries[start : start + _FOLDERS_AT_ONCE]
                for found in await asyncio.gather(*(self._under(folder, entry) for entry in some)):
                    for facts in found:
                        yield facts
            if len(entries) < _LISTED:
                return
            offset += len(entries)

    async def _under(self, folder: str, entry: Any) -> list[ObjectFacts]:
        """The object of an entry; of a folder, everything in it. A file has a folder of its own, so that most hold a
        few; they are asked for several at once."""
        place = f"{folder}/{entry['name']}" if folder else str(entry["name"])
        if entry.get("id") is not None:
            return [_facts(place, entry)]
        return [facts async for facts in self._below(place)]

    async def _json(self, method: str, path: str, body: Any = None, *, key: str = "", upsert: bool = False) -> Any:
        headers = {"x-upsert": "true"} if upsert else {}
        url = self._base + path

        async def send() -> httpx.Response:
            return await self._http.request(method, url, json=body, headers=headers)

        answer = await self._asked(send, key)
        try:
            return answer.json()
        except ValueError as error:
            raise _silent() from error

    async def _asked(self, send: Callable[[], Awaitable[httpx.Response]], key: str) -> httpx.Response:
        """The answer to a request that may be sent again: by what it says, and after a while if it says nothing."""
        made = False
        for attempt in range(1, TRIES + 1):
            try:
                answer = await send()
            except httpx.HTTPError:
                status, code = 503, ""
            else:
                if answer.is_success:
                    return answer
                status, code = _meant(answer)
            if code == "NoSuchBucket" and not made:
                made = True
                await self._make_bucket()
            elif status not in _AGAIN:
                raise _refusal(status, key)
            elif attempt < TRIES:
                await self._pause(0.2 * 4 ** (attempt - 1))
        raise _silent()

    @asynccontextmanager
    async def _streamed(self, key: str, headers: dict[str, str]) -> AsyncIterator[httpx.Response]:
        """An answer whose body has yet to come."""
        opened: list[httpx.Response] = []

        async def send() -> httpx.Response:
            request = self._http.build_request("GET", self._object(key), headers=headers)
            answer = await self._http.send(request, stream=True)
            opened.append(answer)
            if not answer.is_success:
                await answer.aread()
            return answer

        try:
            yield await self._asked(send, key)
        finally:
            for each in opened:
                await each.aclose()

    async def _make_bucket(self) -> None:
        wanted = {"id": self._bucket, "name": self._bucket, "public": False}
        with suppress(httpx.HTTPError):  # whether it is there now, the next try tells
            await self._http.post(f"{self._base}/bucket", json=wanted)


def _meant(answer: httpx.Response) -> tuple[int, str]:
    """The status that is meant, and its code: the one sent is 400 for whatever is refused."""
    try:
        body = answer.json()
        return int(body.get("statusCode", answer.status_code)), str(body.get("code") or body.get("error") or "")
    except (ValueError, AttributeError, TypeError):
        return answer.status_code, ""


def _refusal(status: int, key: str) -> Exception:
    if status == 404:
        return ObjectMissing(key)
    if status == 413:
        return BadFile("the store takes none of that size")
    if status == 415:
        return BadFile("the store takes none of that type")
    return _silent()


def _silent() -> StoreSilent:
    return StoreSilent("the store of files does not answer", retry_after=5)


def _facts(key: str, told: Any) -> ObjectFacts:
    """What is known of an object; listings and single ones say it in different words."""
    more = told.get("metadata") or {}
    size = next(each for each in (told.get("size"), more.get("size"), more.get("contentLength")) if each is not None)
    when = told.get("last_modified") or told.get("updated_at") or told["created_at"]
    return ObjectFacts(key, int(size), datetime.fromisoformat(when))


def _ends(url: str) -> datetime | None:
    """When a signed address stops working, as its token says: sooner than we asked, on some installations."""
    try:
        claims = parse_qs(urlsplit(url).query)["token"][0].split(".")[1]
        told = json.loads(urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
        return datetime.fromtimestamp(int(told["exp"]), UTC)
    except (KeyError, IndexError, ValueError, TypeError):
        return None
