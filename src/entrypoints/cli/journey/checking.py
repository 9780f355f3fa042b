"""Checks: what a step asserts, each kept with its words, so that the report can say what was looked at."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx

T = TypeVar("T")

PATIENCE = 20.0
"""Seconds after which what should have happened by itself counts as not happening."""
_GLANCE = 0.04


class Unmet(Exception):
    """Something is not as the step says it should be."""


@dataclass(slots=True)
class Checks:
    """The checks of one step, in the order they held."""

    held: list[str] = field(default_factory=list)
    patience: float = PATIENCE

    def that(self, said: str, holds: object, saw: object = "") -> None:
        """It holds, or the journey ends here; `saw` is what there was instead."""
        if not holds:
            raise Unmet(f"{said}; but saw {_told(saw)}")
        self.held.append(said)

    def same(self, said: str, seen: object, expected: object) -> None:
        """What was seen is what was expected."""
        if seen != expected:
            raise Unmet(f"{said}; but saw {_told(seen)} instead of {_told(expected)}")
        self.held.append(said)

    def done(self, said: str, answer: httpx.Response, status: int = 200) -> Any:
        """The answer has this status; its body."""
        if answer.status_code != status:
            raise Unmet(f"{said}; but {_asked(answer)} was answered {answer.status_code}: {_told(answer.text)}")
        self.held.append(f"{said} ({status})")
        in_json = answer.content and answer.headers["content-type"].startswith("application/json")
        return answer.json() if in_json else answer.text

    def refused(self, said: str, answer: httpx.Response, status: int, code: str) -> Any:
        """The answer is a problem with this status and code; the problem."""
        kind = answer.headers.get("content-type", "")
        told = answer.json() if kind.startswith("application/problem+json") else {}
        if (answer.status_code, told.get("code")) != (status, code):
            wanted = f"{status} {code}"
            raise Unmet(
                f"{said}; but {_asked(answer)} was answered {answer.status_code}, not {wanted}: {_told(answer.text)}"
            )
        self.held.append(f"{said} ({status} {code})")
        return told

    async def soon(self, said: str, look: Callable[[], Awaitable[T]], come: Callable[[T], object]) -> T:
        """It comes to be so by itself, within bounds; what it was then."""
        clock = asyncio.get_running_loop()
        until = clock.time() + self.patience
        while not come(seen := await look()):
            if clock.time() > until:
                raise Unmet(f"{said}; but after {self.patience:g} s it was still {_told(seen)}")
            await asyncio.sleep(_GLANCE)
        self.held.append(said)
        return seen


def _asked(answer: httpx.Response) -> str:
    return f"{answer.request.method} {answer.request.url.path}"


def _told(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= 600 else f"{text[:600]} ..."
