"""What clients were told, held against what there is: acknowledged once is there once, the same key the same answer."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from entrypoints.simulation.wire import Answer

MARKED = {"bookings": "note", "messages": "text", "reviews": "text", "refunds": "reason", "jobs": "description"}
"""In which column of what a request makes its mark is found again."""


@dataclass(slots=True)
class Asked:
    """One wish of a client, however often it was asked for: under one key, and with a mark that its effect carries."""

    who: str
    table: str
    mark: str
    acknowledged: set[str] = field(default_factory=set)
    """The ids that were answered with."""
    refused: int = 0
    unknown: int = 0
    """Tries that were never answered, or told to come again."""


class History:
    """Everything the clients of one world remember."""

    def __init__(self, fail: Callable[[str, str], None]) -> None:
        self._fail = fail
        self._answers: dict[tuple[str, str, str, bytes], Answer] = {}
        self.asked: dict[str, Asked] = {}

    def answered(self, who: str, key: str | None, method: str, path: str, body: bytes, answer: Answer) -> None:
        """Remember an answer; under one key all that were given must be the same."""
        if key is None or not answer.fine:
            return
        place = (who, key, f"{method} {path}", body)
        before = self._answers.setdefault(place, answer)
        if (before.status, before.raw) != (answer.status, answer.raw):
            said = f"{who} asked twice under one key and heard {before.status} {before.raw!r}, then {answer.status}"
            self._fail("history.same_key_same_answer", f"{said} {answer.raw!r}")

    def wish(self, who: str, table: str, mark: str) -> Asked:
        """Somebody is about to ask for something that leaves a row with this mark in that table."""
        return self.asked.setdefault(mark, Asked(who, table, mark))

    def judge(self, rows: Callable[[str], Iterable[Mapping[str, Any]]]) -> None:
        """Compare with what there is."""
        made: dict[tuple[str, str], list[str]] = {}
        for table, column in MARKED.items():
            for row in rows(table):
                if row[column].startswith("#"):
                    made.setdefault((table, row[column].split()[0]), []).append(str(row["id"]))
        for asked in self.asked.values():
            there = made.get((asked.table, asked.mark), [])
            self._compare(asked, there)

    def _compare(self, asked: Asked, there: list[str]) -> None:
        named = f"{asked.who}'s {asked.table} {asked.mark}"
        if len(there) > 1:
            self._fail("history.one_effect", f"{named} was asked for under one key and is there {len(there)} times")
        elif asked.acknowledged and asked.acknowledged != set(there):
            self._fail("history.acknowledged", f"{named} was acknowledged as {asked.acknowledged} and there is {there}")
        elif there and asked.refused and not (asked.acknowledged or asked.unknown):
            self._fail("history.refused", f"{named} was refused every time and is there all the same")
