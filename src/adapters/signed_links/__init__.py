"""Addresses of files at this house, signed with its secret and judged by its clock."""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from datetime import datetime
from urllib.parse import urlencode

from application.ports.clock import Clock
from application.ports.files import FileLinks, Picture, PictureDelivery
from domain.files import ORIGINAL
from domain.shared.ids import FileId

__all__ = ["HandedOutHere", "SignedLinks"]

SHORTEST_KEY = 32


class SignedLinks(FileLinks):
    """Each link is good for one verb, one file, one copy of it, and until one second."""

    def __init__(self, key: str, clock: Clock, *, public_url: str) -> None:
        if len(key) < SHORTEST_KEY:
            raise ValueError(f"a key has at least {SHORTEST_KEY} characters")
        # A key of its own, so that nothing else signed with the house's secret is ever taken for a link.
        self._key = hmac.digest(key.encode(), b"links to files", "sha256")
        self._clock = clock
        self._base = f"{public_url.rstrip('/')}/v1/files"

    def to_put(self, file_id: FileId, *, until: datetime) -> str:
        return self._signed("put", file_id, ORIGINAL, until)

    def to_get(self, file_id: FileId, rendering: str, *, until: datetime) -> str:
        return self._signed("get", file_id, rendering, until)

    def lasting(self, file_id: FileId, rendering: str) -> str:
        return f"{self._base}/{file_id}/content{_query(rendering)}"

    def opens(self, verb: str, file_id: FileId, rendering: str, *, expires: int, signature: str) -> bool:
        good = self._signature(verb, file_id, rendering, expires)
        genuine = hmac.compare_digest(good.encode(), signature.encode("utf-8", "surrogatepass"))
        return genuine and self._clock.now().timestamp() < expires

    def _signed(self, verb: str, file_id: FileId, rendering: str, until: datetime) -> str:
        expires = int(until.timestamp())
        signature = self._signature(verb, file_id, rendering, expires)
        return f"{self._base}/{file_id}/content{_query(rendering, expires=str(expires), signature=signature)}"

    def _signature(self, verb: str, file_id: FileId, rendering: str, expires: int) -> str:
        said = f"{verb}\n{file_id}\n{rendering}\n{expires}"
        drawn = hmac.digest(self._key, said.encode("utf-8", "surrogatepass"), "sha256")
        return urlsafe_b64encode(drawn).rstrip(b"=").decode()


class HandedOutHere(PictureDelivery):
    """Nobody else hands out our pictures."""

    async def publish(self, picture: Picture, content: AsyncIterator[bytes]) -> bool:
        return False

    async def withdraw(self, picture: Picture) -> None:
        pass

    def address(self, picture: Picture) -> str | None:
        return None


def _query(rendering: str, **also: str) -> str:
    told = ({} if rendering == ORIGINAL else {"rendering": rendering}) | also
    return f"?{urlencode(told)}" if told else ""
