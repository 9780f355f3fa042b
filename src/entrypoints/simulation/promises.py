"""What the API's own documentation says it may answer."""

from functools import lru_cache
from typing import Any


class Promises:
    """Every status, and the code of every refusal, by method and path."""

    def __init__(self, app: Any) -> None:
        document = app.openapi()
        shared = document["components"].get("responses", {})
        self._allowed: dict[tuple[str, str, int], frozenset[str] | None] = {}
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                for status, answer in operation.get("responses", {}).items() if isinstance(operation, dict) else ():
                    told = shared[answer["$ref"].split("/")[-1]] if "$ref" in answer else answer
                    problem = told.get("content", {}).get("application/problem+json", {}).get("examples")
                    codes = frozenset(problem) if problem else None
                    self._allowed[method.upper(), path, int(status)] = codes

    def broken(self, method: str, route: str, status: int, code: str) -> str | None:
        """What was not promised about this answer, if anything."""
        if not route.startswith("/v1") or status == 304:
            return None
        place = (method, route, status)
        if place not in self._allowed:
            return f"{method} {route} does not say that it may answer {status} {code}"
        codes = self._allowed[place]
        if status >= 400 and codes and code not in codes:
            return f"{method} {route} does not say that {status} may be {code}"
        return None


@lru_cache(maxsize=4)
def promises_of(app: Any) -> Promises:
    """The promises of that application, read once."""
    return Promises(app)
