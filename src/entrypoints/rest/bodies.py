"""What may come over the wire: JSON, read strictly, so that nothing odd reaches a use case."""

import re
from collections.abc import Collection, Iterator
from typing import Any

import orjson
from fastapi import Request

from domain.shared.errors import Invalid
from entrypoints.rest.errors import BadRequest, UnsupportedMedia

_JSON = re.compile(r"^application/(?:[\w.-]+\+)?json$")


class StrictRequest(Request):
    """A request whose JSON is exactly what RFC 8259 says: UTF-8, no NaN, no lone surrogates, no endless nesting."""

    async def json(self) -> Any:
        """The body's value; a `JSONDecodeError` when there is none."""
        if not hasattr(self, "_strict"):
            self._strict = orjson.loads(await self.body())
        return self._strict

    async def judge(self, *, knows: Collection[str], takes_body: bool) -> None:
        """Refuse what no store could keep (NUL characters), parameters that mean nothing here, because a filter with a
        typing error would show everything, and bodies of a kind we do not read."""
        if b"%00" in self.scope["query_string"] or "\0" in self.scope["path"]:
            raise BadRequest("text holds no NUL characters", field="query")
        if self.scope["query_string"] and (unknown := sorted(set(self.query_params) - set(knows))):
            raise BadRequest(f"there is no parameter {unknown[0]!r} here", parameters=unknown)
        if not takes_body or not (body := await self.body()):
            return
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if not _JSON.match(kind):
            raise UnsupportedMedia("send JSON, as application/json", content_type=kind or None)
        if b"\\u0000" in body and any("\0" in text for text in _texts(await self._value())):
            raise Invalid("text holds no NUL characters", field="body")

    async def _value(self) -> Any:
        try:
            return await self.json()
        except orjson.JSONDecodeError:
            return None  # told where the body is parsed


def _texts(value: Any) -> Iterator[str]:
    """Every string in a JSON value, keys included."""
    waiting = [value]
    while waiting:
        match waiting.pop():
            case str() as text:
                yield text
            case list() as some:
                waiting += some
            case dict() as pairs:
                waiting += [*pairs.keys(), *pairs.values()]
