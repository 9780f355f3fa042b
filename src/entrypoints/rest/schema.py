"""The OpenAPI document: what FastAPI gathers from the routes, and the whole truth about refusals and headers."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from application.commands import KeyReused, OutcomeUnknown
from domain.shared.errors import Conflict, Outdated, Refusal
from entrypoints.rest.errors import BadJson, PreconditionRequired, TooLarge, UnsupportedMedia, status_of
from entrypoints.rest.headers import HEADERS, tell_headers
from entrypoints.rest.speaks import example

TAGS = {
    "users": "Accounts: signing up, confirming an address, seeing who one is.",
    "sessions": "Signing in and out; tokens and the devices that hold them.",
    "sign-ins": "Signing in by way of Google or GitHub.",
    "identities": "Accounts at other issuers, by whose tokens somebody is known here.",
    "passwords": "Passwords: lost, reset and changed.",
    "magic-links": "Signing in by mail, without a password.",
    "profiles": "What users say of themselves.",
    "organizations": "Who offers work together, and as what.",
    "invitations": "Asking people into an organization, and their answers.",
    "onboarding": "Setting an organization up: professions and their packs, and what is asked at the start.",
    "billing": "The plans of the house: what is sold, buying one, and what an organization has of it.",
    "jobs": "What providers offer, and how customers find it.",
    "scheduling": "The hours providers keep, and the free slots in them.",
    "bookings": "Booking a slot, and all that becomes of a booking.",
    "payments": "Paying, taking what is set aside, giving back, and how the money stands.",
    "payment-methods": "Saved cards: given to the gateway, never to us.",
    "disputes": "What customers' banks ask, and what is answered; warnings of fraud.",
    "payees": "What an organization receives: its own account at the gateway, payouts, and its books.",
    "quotes": "What work would cost, offered for a while and answered once.",
    "invoices": "What is asked for, how it is paid, and what is taken back.",
    "papers": "Invoices and credit notes as they left the house, and how they are signed.",
    "reviews": "What the parties of completed work say of each other.",
    "messaging": "Conversations between the people of a booking or a job.",
    "files": "Files people bring along: pictures, and what they attach to messages.",
    "notifications": "News for a user, in the house.",
    "admin": "Looking after the house; admins only.",
    "webhooks": "What other systems post to us.",
}
"""Features in the order of the docs."""

_METHODS = frozenset({"get", "post", "put", "patch", "delete"})
_BY_HEADER: dict[str, tuple[type[Refusal], ...]] = {
    "idempotency-key": (KeyReused, Conflict, OutcomeUnknown),
    "if-match": (Outdated, PreconditionRequired),
}
"""What a header that a route takes may lead to."""

_PROBLEM = {"$ref": "#/components/schemas/Problem"}


def describe(app: FastAPI) -> None:
    """Let the app tell its schema this way."""
    app.openapi = lambda: _told(app)  # type: ignore[method-assign]


def openapi_text(app: FastAPI) -> str:
    """The document as text: the same for the same routes, fit to be committed and compared."""
    return json.dumps(app.openapi(), indent=1, ensure_ascii=False) + "\n"


def _told(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            tags=[{"name": name, "description": said} for name, said in TAGS.items()],
        )
        examples: dict[str, Any] = {}
        for operation in _operations(document):
            _by_headers(operation)
            tell_headers(operation, document["components"]["schemas"])
            for status, answer in operation["responses"].items():
                if int(status) >= 400:
                    _as_problem(answer, examples)
        document["components"]["examples"] = dict(sorted(examples.items()))
        document["components"]["headers"] = dict(sorted(HEADERS.items()))
        document["components"]["responses"] = _shared(document)
        document["components"]["schemas"].pop("HTTPValidationError", None)
        document["components"]["schemas"].pop("ValidationError", None)
        app.openapi_schema = document
    return app.openapi_schema


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in document["paths"].values():
        yield from (operation for method, operation in path.items() if method in _METHODS)


def _by_headers(operation: dict[str, Any]) -> None:
    """Refusals that come with a header or a body, whatever the route."""
    taken = {each["name"].lower() for each in operation.get("parameters", ()) if each["in"] == "header"}
    refusals = [refusal for header in sorted(taken & _BY_HEADER.keys()) for refusal in _BY_HEADER[header]]
    if "requestBody" in operation:
        refusals += [BadJson, OutcomeUnknown, TooLarge, UnsupportedMedia]
    for refusal in refusals:
        answer = operation["responses"].setdefault(str(status_of(refusal)), {"description": "Refused: ", "content": {}})
        told = answer["content"].setdefault("application/problem+json", {}).setdefault("examples", {})
        if refusal.code not in told:
            told[refusal.code] = example(refusal)
            answer["description"] = f"Refused: {', '.join(f'`{code}`' for code in told)}"
    operation["responses"] = dict(sorted(operation["responses"].items()))


def _as_problem(answer: dict[str, Any], examples: dict[str, Any]) -> None:
    """A refusal has one media type; its examples are written once for the whole document."""
    told = answer.setdefault("content", {}).get("application/problem+json", {}).get("examples", {})
    examples.update(told)
    references = {code: {"$ref": f"#/components/examples/{code}"} for code in told}
    answer["content"] = {"application/problem+json": {"schema": _PROBLEM, "examples": references}}


def _shared(document: dict[str, Any]) -> dict[str, Any]:
    """The answer most operations have for a status is written once, as `Problem429`, and referred to."""
    answers = [
        (status, operation["responses"], json.dumps(answer, sort_keys=True))
        for operation in _operations(document)
        for status, answer in operation["responses"].items()
        if int(status) >= 400
    ]
    usual: dict[str, str] = {}
    for (status, text), _ in Counter((status, text) for status, _, text in answers).most_common():
        usual.setdefault(status, text)
    for status, responses, text in answers:
        if usual[status] == text:
            responses[status] = {"$ref": f"#/components/responses/Problem{status}"}
    return {f"Problem{status}": json.loads(text) for status, text in sorted(usual.items())}
