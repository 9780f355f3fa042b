"""On which version: the ETag of what is told, and the If-Match of what is changed."""

import re
from typing import Annotated, Any

from fastapi import Depends, Header, Response
from pydantic import BeforeValidator, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue

from domain.shared.errors import Invalid
from entrypoints.rest.errors import BadRequest, PreconditionRequired

_ETAG = re.compile(r'^"?([0-9]{1,18})"?$')
_DOC = 'The `ETag` you decided on, such as `"3"`; `*` for any'
_FIELD = "expected_version"


def tagged(response: Response, thing: Any) -> None:
    """Give the answer the ETag of this thing's version."""
    response.headers["ETag"] = f'"{thing.version}"'


async def expected_version(
    if_match: Annotated[str | None, Header(description=f"{_DOC}. Required here.")] = None,
) -> int | None:
    """The version the asker decided on; None when any will do. A change without one is refused."""
    if if_match is None:
        raise PreconditionRequired("say in If-Match which version you change, or * for any", field="if-match")
    return _version(if_match)


async def welcome_version(if_match: Annotated[str | None, Header(description=_DOC)] = None) -> int | None:
    """The same where it may be left out: a step that the state of the thing judges anyway."""
    return None if if_match is None else _version(if_match)


ExpectedVersion = Annotated[int | None, Depends(expected_version)]
WelcomeVersion = Annotated[int | None, Depends(welcome_version)]


class ByHeader(BeforeValidator):
    """Marks an input whose `expected_version` comes from If-Match: a body that names one is refused, and the docs do
    not offer it."""

    def __get_pydantic_json_schema__(self, schema: Any, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        told = handler(schema)
        handler.resolve_ref_schema(told)["properties"].pop(_FIELD, None)
        return told


def _without_version(given: Any) -> Any:
    if isinstance(given, dict) and _FIELD in given:
        raise Invalid("name the version in If-Match, not in the body", field=_FIELD)
    return given


BY_HEADER = ByHeader(_without_version)


def _version(header: str) -> int | None:
    if header.strip() == "*":
        return None
    if not (found := _ETAG.match(header.strip())):
        raise BadRequest("If-Match takes one strong ETag", field="if-match")
    return int(found[1])
