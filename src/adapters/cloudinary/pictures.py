"""The delivery of public pictures through Cloudinary: it gets the full size once, and makes the smaller ones itself."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx

from adapters.cloudinary.signing import Account
from adapters.system.spooling import spooled
from application.ports.clock import Clock
from application.ports.files import Picture, PictureDelivery, StoreSilent
from domain.files import FILE_POLICIES, ORIGINAL

API = "https://api.cloudinary.com/v1_1"
TIMEOUT_SECONDS = 30.0
_EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "image/gif": "gif"}


class CloudinaryPictures(PictureDelivery):
    """Asking twice changes nothing: a picture's name there is made of its id."""

    def __init__(self, account: Account, clock: Clock, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._account, self._clock = account, clock
        self._http = httpx.AsyncClient(timeout=TIMEOUT_SECONDS, transport=transport)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def publish(self, picture: Picture, content: AsyncIterator[bytes]) -> bool:
        if picture.rendering != ORIGINAL:
            return True
        named = {"public_id": _name(picture), "overwrite": True, "invalidate": True}
        async with spooled(content, size=picture.size) as file:
            await self._ask("upload", named, files={"file": (_name(picture), file, picture.content_type)})
        return True

    async def withdraw(self, picture: Picture) -> None:
        if picture.rendering == ORIGINAL:
            await self._ask("destroy", {"public_id": _name(picture), "invalidate": True})

    def address(self, picture: Picture) -> str | None:
        sides = {size.name: size.side for size in FILE_POLICIES[picture.bucket].sizes}
        side = sides.get(picture.rendering)
        return self._account.address(
            _name(picture),
            extension=_EXTENSIONS[picture.content_type],
            transformation=f"c_limit,h_{side},q_auto,w_{side}" if side else "",
        )

    async def _ask(self, verb: str, named: Mapping[str, object], files: Any = None) -> None:
        signed = self._account.signed({**named, "timestamp": int(self._clock.now().timestamp())})
        url = f"{API}/{self._account.cloud_name}/image/{verb}"
        try:
            answer = await self._http.post(url, data=signed, files=files)
        except httpx.HTTPError as error:
            raise StoreSilent("cloudinary does not answer", retry_after=5) from error
        if not answer.is_success:
            # The worker asks again, and tells an operator in the end: what is wrong is the account, or passes.
            raise StoreSilent("cloudinary does not take it", status=answer.status_code, retry_after=60)


def _name(picture: Picture) -> str:
    return f"guildhall/{picture.bucket.value}/{picture.file_id}"
