"""The headers of answers, as the API's description tells them: each once, and where it may be expected."""

from typing import Any

TEXT = {"type": "string"}
HEADERS: dict[str, dict[str, Any]] = {
    "ETag": {"description": "The version, for If-Match and If-None-Match", "required": True, "schema": TEXT},
    "X-Request-ID": {
        "description": "Your own id of this request, or one made up for it; the log knows it",
        "required": True,
        "schema": TEXT,
    },
    "RateLimit-Policy": {"description": 'How often this may be asked, as in `"reads";q=600;w=60`', "schema": TEXT},
    "RateLimit": {"description": 'How much of it is left, as in `"reads";r=599;t=60`', "schema": TEXT},
    "Retry-After": {
        "description": "Seconds to wait before asking again",
        "required": True,
        "schema": {"type": "integer", "minimum": 0},
    },
    "WWW-Authenticate": {"description": "How to sign in", "required": True, "schema": TEXT},
    "Link": {"description": 'The next page, as in `</v1/jobs?cursor=...>; rel="next"`', "schema": TEXT},
    "Idempotent-Replayed": {
        "description": "That this was done before, under the same Idempotency-Key",
        "schema": {"type": "string", "enum": ["true"]},
    },
}
"""Every header that a program would read."""

_ON_REFUSAL = {"401": ("WWW-Authenticate",), "429": ("Retry-After",), "503": ("Retry-After",)}


def tell_headers(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Say of every answer of this operation which headers come with it."""
    taken = {each["name"] for each in operation.get("parameters", ())}
    limited = "429" in operation["responses"]
    for status, answer in operation["responses"].items():
        names = ["X-Request-ID", *_ON_REFUSAL.get(status, ())]
        if limited:
            names += ["RateLimit", "RateLimit-Policy"]
        if int(status) < 300:
            shown = answer.get("content", {}).get("application/json", {}).get("schema", {}).get("$ref", "")
            fields = schemas.get(shown.split("/")[-1], {}).get("properties", {})
            names += ["ETag"] * ("version" in fields) + ["Link"] * ("next_cursor" in fields)
            names += ["Idempotent-Replayed"] * ("idempotency-key" in taken)
        answer["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in sorted(names)}
