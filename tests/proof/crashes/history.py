"""The history as the clients saw it: what was asked, what was acknowledged, what nobody knows. Each line is on file
before the request leaves, or as soon as its answer is here; the judgement reads the file and nothing else."""

import json
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

_KEPT = ("id", "reference", "sequence", "payment_id", "state", "code", "refund", "amount", "conversation_id", "status")


@dataclass(slots=True)
class Attempt:
    """One sending of a request: its answer, or none."""

    api: int
    asked: float
    status: int | None = None
    told: dict[str, Any] = field(default_factory=dict)
    lost: str = ""
    at: float = 0.0


@dataclass(slots=True)
class Deed:
    """Something a client wanted done once, however often it was asked. `token` is written into what it makes."""

    token: str
    kind: str
    who: str
    about: dict[str, Any]
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def answer(self) -> Attempt | None:
        """The first acknowledgement."""
        return next((each for each in self.attempts if each.status is not None and each.status < 400), None)

    @property
    def acknowledged(self) -> bool:
        """Whether the client was told that it is done."""
        return self.answer is not None

    @property
    def refusal(self) -> Attempt | None:
        """The last word, when it was a no."""
        last = self.attempts[-1] if self.attempts else None
        refused = last is not None and last.status is not None and 400 <= last.status < 500
        return last if refused and not self.acknowledged else None

    @property
    def told(self) -> dict[str, Any]:
        """What the acknowledgement said."""
        return self.answer.told if self.answer else {}


class Chronicle:
    """The history while it is made: a file that only grows."""

    def __init__(self, file: Path) -> None:
        self._file = file.open("a", buffering=1)
        self._tokens = count(1)
        self.recent: deque[Deed] = deque(maxlen=500)

    def intends(self, kind: str, who: str, **about: Any) -> Deed:
        """Somebody is about to ask for something new."""
        deed = Deed(f"d{next(self._tokens):06}", kind, who, about)
        self.recent.append(deed)
        self._write({"deed": deed.token, "kind": kind, "who": who, "about": about})
        return deed

    def asks(self, deed: Deed, api: int, now: float) -> Attempt:
        """It leaves for that API."""
        attempt = Attempt(api, now)
        deed.attempts.append(attempt)
        self._write({"asks": deed.token, "n": len(deed.attempts), "api": api, "t": round(now, 4)})
        return attempt

    def takes_back(self, deed: Deed) -> None:
        """Nobody listened: it was not asked after all."""
        self._write({"not_asked": deed.token, "n": len(deed.attempts)})
        deed.attempts.pop()

    def hears(self, deed: Deed, attempt: Attempt, status: int, told: Any, now: float) -> None:
        """The answer."""
        said = {name: told[name] for name in _KEPT if name in told} if isinstance(told, dict) else {}
        attempt.status, attempt.told, attempt.at = status, said, now
        self._write({"hears": deed.token, "n": _number(deed, attempt), "status": status, "told": said, "t": now})

    def waits_in_vain(self, deed: Deed, attempt: Attempt, why: str) -> None:
        """No answer: it may or may not be done."""
        attempt.lost = why
        self._write({"lost": deed.token, "n": _number(deed, attempt), "why": why})

    def close(self) -> None:
        """Nothing more happens."""
        self._file.close()

    def _write(self, line: dict[str, Any]) -> None:
        self._file.write(json.dumps(line, separators=(",", ":")) + "\n")


def _number(deed: Deed, attempt: Attempt) -> int:
    return next(n for n, each in enumerate(deed.attempts, 1) if each is attempt)


def read(file: Path) -> list[Deed]:
    """The deeds of a history, in the order they were intended."""
    return replayed(json.loads(line) for line in file.read_text().splitlines())


def replayed(lines: Iterable[dict[str, Any]]) -> list[Deed]:
    """The deeds these lines tell of."""
    deeds: dict[str, Deed] = {}
    for line in lines:
        match line:
            case {"deed": token, "kind": kind, "who": who, "about": about}:
                deeds[token] = Deed(token, kind, who, about)
            case {"asks": token, "api": api, "t": asked}:
                deeds[token].attempts.append(Attempt(api, asked))
            case {"not_asked": token}:
                deeds[token].attempts.pop()
            case {"hears": token, "n": n, "status": status, "told": told, "t": at}:
                attempt = deeds[token].attempts[n - 1]
                attempt.status, attempt.told, attempt.at = status, told, at
            case {"lost": token, "n": n, "why": why}:
                deeds[token].attempts[n - 1].lost = why
            case _:
                raise ValueError(f"a history does not say {line}")
    return list(deeds.values())
