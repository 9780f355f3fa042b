"""What a route says of itself in the API docs: taken from its use case, so that it is written once."""

from collections import defaultdict
from typing import Any

from application.identity import Authenticate
from application.identity.abroad import ABROAD
from domain.moving import BeingMoved
from domain.shared.errors import Invalid, Refusal, TooMany, Unauthenticated, Unavailable
from entrypoints.rest.errors import BadRequest, Problem, status_of, title_of

ALWAYS: tuple[type[Refusal], ...] = (
    Invalid,
    BadRequest,
    Unauthenticated,
    TooMany,
    Unavailable,
    BeingMoved,
    *Authenticate.refuses,
)
"""What any request may meet, whatever it is for; a bad token is refused also where none is needed."""


def speaks(use_case: type[Any], *also: type[Refusal], signed_in: bool = True) -> dict[str, Any]:
    """Summary, description and every documented refusal of a route, from its use case, and from the one that stands in
    for it where accounts are kept elsewhere: clients need not know which house they talk to."""
    text = " ".join((use_case.__doc__ or "").split())
    summary = text.split(". ")[0].split("; ")[0].split(": ")[0].rstrip(".")
    abroad = getattr(ABROAD.get(use_case), "refuses", ())
    refusals = {*getattr(use_case, "refuses", ()), *abroad, *also, *ALWAYS}
    said: dict[str, Any] = {"summary": summary, "description": text}
    if not signed_in:
        said["openapi_extra"] = {"security": [{}]}
    return {**said, "responses": problems(*refusals)}


def problems(*refusals: type[Refusal]) -> dict[int | str, dict[str, Any]]:
    """These refusals as documented answers, by status, with one example each."""
    by_status: dict[int, list[type[Refusal]]] = defaultdict(list)
    for refusal in sorted(set(refusals), key=lambda each: each.code):
        by_status[status_of(refusal)].append(refusal)
    return {status: _answer(some) for status, some in sorted(by_status.items())}


def _answer(refusals: list[type[Refusal]]) -> dict[str, Any]:
    return {
        "model": Problem,
        "description": f"Refused: {', '.join(f'`{refusal.code}`' for refusal in refusals)}",
        "content": {"application/problem+json": {"examples": {each.code: example(each) for each in refusals}}},
    }


def example(refusal: type[Refusal]) -> dict[str, Any]:
    """One refusal as the docs show it."""
    status = status_of(refusal)
    meaning = " ".join((refusal.__doc__ or "").split())
    value = {"type": f"urn:guildhall:{refusal.code}", "title": title_of(status), "status": status, "code": refusal.code}
    return {"summary": meaning, "value": value}
