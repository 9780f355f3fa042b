"""Objects at S3 through obstore, which signs, retries what may be retried, and cuts large ones into parts."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import S3Store

from adapters.system.spooling import spooled
from application.ports.files import DirectAccess, Directions, ObjectFacts, ObjectMissing, Objects, StoreSilent

PIECE = 256 * 1024
TIMEOUT = timedelta(seconds=20)
RETRIES = 3


class S3Objects(Objects, DirectAccess):
    """One bucket. Clients may put and fetch over addresses it signs, straight at the store."""

    def __init__(self, store: S3Store) -> None:
        self._store = store

    @classmethod
    def of(
        cls,
        *,
        bucket: str,
        region: str,
        endpoint: str | None = None,
        access_key_id: str | None = None,
        secret_access_key: str | None = None,
        timeout: timedelta = TIMEOUT,
        retries: int = RETRIES,
    ) -> "S3Objects":
        """The bucket of that name; without a key the machine's own role opens it."""
        config: dict[str, Any] = {"region": region}
        if endpoint is not None:
            config |= {"endpoint": endpoint, "virtual_hosted_style_request": False}
        if access_key_id is not None:
            config |= {"access_key_id": access_key_id, "secret_access_key": secret_access_key}
        return cls(
            S3Store(
                bucket,
                client_options={"allow_http": (endpoint or "").startswith("http://"), "timeout": timeout},
                retry_config={"max_retries": retries, "retry_timeout": timeout},
                **config,
            )
        )

    async def put(self, key: str, content: AsyncIterator[bytes], *, size: int, content_type: str) -> None:
        how = "inline" if content_type.startswith("image/") else "attachment"
        async with spooled(content, size=size) as file:
            with _told(key):
                attributes: Any = {"Content-Type": content_type, "Content-Disposition": how}
                await obstore.put_async(self._store, key, file, attributes=attributes)

    async def read(self, key: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        if end is not None and end <= start:
            return
        part: Any = {"offset": start} if end is None else (start, end)
        with _told(key):
            options: Any = {} if start == 0 and end is None else {"range": part}
            found = await obstore.get_async(self._store, key, options=options)
            async for piece in found.stream(min_chunk_size=PIECE):
                yield bytes(piece)

    async def facts(self, key: str) -> ObjectFacts | None:
        try:
            with _told(key):
                return _facts(await obstore.head_async(self._store, key))
        except ObjectMissing:
            return None

    async def remove(self, keys: Sequence[str]) -> None:
        for key in keys:
            try:
                with _told(key):
                    await obstore.delete_async(self._store, key)
            except ObjectMissing:
                continue

    async def walk(self) -> AsyncIterator[ObjectFacts]:
        with _told(""):
            async for batch in obstore.list(self._store, chunk_size=1000):
                for each in batch:
                    yield _facts(each)

    async def to_put(
        self, key: str, *, size: int, content_type: str, now: datetime, until: datetime
    ) -> Directions | None:
        with _told(key):
            url = await obstore.sign_async(self._store, "PUT", key, until - now)
        return Directions(method="PUT", url=url, headers={"Content-Type": content_type}, expires_at=until)

    async def to_get(self, key: str, *, life: timedelta) -> str | None:
        with _told(key):
            return await obstore.sign_async(self._store, "GET", key, life)


def _facts(meta: Any) -> ObjectFacts:
    return ObjectFacts(meta["path"], meta["size"], meta["last_modified"])


@contextmanager
def _told(key: str) -> Iterator[None]:
    """What the store says, in our words. A key that is not let in is no matter of whoever asks: the house's own
    settings are wrong, or the store's."""
    try:
        yield
    except (NotFoundError, FileNotFoundError):
        raise ObjectMissing(key) from None
    except BaseError as error:
        raise StoreSilent("the store of files does not answer", retry_after=5) from error
