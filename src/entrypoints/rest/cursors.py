"""Cursors: a page's end, sealed so that it goes on only in the listing it came from."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

import orjson
from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel, Field

from application.ports.criteria import Position
from application.ports.readers import Page
from entrypoints.rest.errors import BadRequest
from entrypoints.rest.out import Out

O = TypeVar("O", bound=Out)  # noqa: E741 - an `...Out` schema
V = TypeVar("V")

_KINDS: dict[str, Callable[[Any], Any]] = {
    "u": UUID,
    "t": datetime.fromisoformat,
    "d": date.fromisoformat,
    "i": int,
    "s": str,
}


class Paged(BaseModel, Generic[O]):
    """One page of a listing."""

    items: list[O]
    next_cursor: str | None = Field(description="Ask again with this as `cursor` for the next page")
    has_more: bool


@dataclass(frozen=True, slots=True)
class Cursors:
    """Seals and opens cursors with a key of this installation."""

    key: bytes

    def seal(self, position: Position, listing: str) -> str:
        """The position as opaque text, bound to its listing (path, filter and sort)."""
        payload = orjson.dumps([_tagged(value) for value in position])
        return base64.urlsafe_b64encode(self._mac(payload, listing) + payload).rstrip(b"=").decode()

    def open(self, cursor: str, listing: str) -> Position:
        """The position in a cursor of this very listing; anything else is refused."""
        try:
            raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            mac, payload = raw[:12], raw[12:]
            if not hmac.compare_digest(mac, self._mac(payload, listing)):
                raise ValueError("sealed for another listing")
            return tuple(_KINDS[kind](value) for kind, value in orjson.loads(payload))
        except (ValueError, binascii.Error, KeyError, TypeError) as error:
            raise BadRequest("this cursor does not belong to this listing", field="cursor") from error

    def _mac(self, payload: bytes, listing: str) -> bytes:
        return hmac.new(self.key, listing.encode() + b"\n" + payload, hashlib.sha256).digest()[:12]


@dataclass(frozen=True, slots=True)
class Paging:
    """What a request asks of a listing: how many, and after which position."""

    limit: int
    after: Position | None
    listing: str
    cursors: Cursors
    request: Request
    response: Response

    def project(self, page: Page[V], out: type[O], by: Callable[[V], O] | None = None) -> Paged[O]:
        """The page in its items' schema, with the cursor of the next one, in the body and as a link. `by` says how an
        item is shown where its attributes alone do not."""
        end = None if page.next is None else self.cursors.seal(page.next, self.listing)
        if end is not None:
            onward = self.request.url.include_query_params(cursor=end)
            self.response.headers["Link"] = f'<{onward.path}?{onward.query}>; rel="next"'
        items = list(map(by or out.of, page.items))
        return Paged[out](items=items, next_cursor=end, has_more=end is not None)  # type: ignore[valid-type]


async def paging(
    request: Request,
    response: Response,
    limit: Annotated[int, Query(ge=1, le=100, description="Items on a page")] = 20,
    cursor: Annotated[
        str | None, Query(max_length=500, description="`next_cursor` of the page before, same filters and sort")
    ] = None,
) -> Paging:
    """The paging of this request; its listing is the path with every other parameter."""
    cursors: Cursors = request.app.state.cursors
    others = sorted((k, v) for k, v in request.query_params.multi_items() if k not in ("cursor", "limit"))
    listing = f"{request.scope['path']}?{others}"
    after = None if cursor is None else cursors.open(cursor, listing)
    return Paging(limit, after, listing, cursors, request, response)


Asked = Annotated[Paging, Depends(paging)]


def _tagged(value: object) -> tuple[str, object]:
    match value:
        case UUID():
            return "u", str(value)
        case datetime():
            return "t", value.isoformat()
        case date():
            return "d", value.isoformat()
        case int():
            return "i", value
        case _:
            return "s", str(value)
