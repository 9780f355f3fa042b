"""The two houses as one: every request goes to both, and what they answer must be the same to the letter."""

import asyncio
import base64
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.proof.model.houses import Answer, House, opened
from tests.proof.model.society import Verdict

STATUS = {
    401: """identity.token_expired identity.session_over identity.bad_refresh_token identity.refresh_token_reused
        identity.invalid_credentials identity.bad_token unauthenticated""",
    403: """forbidden identity.suspended identity.own_account job.not_yours job.not_a_provider availability.not_yours
        availability.not_a_provider organization.may_not organization.cannot_join booking.own_job booking.wrong_side
        payment.not_yours_to_refund review.not_the_reviewed message.not_the_sender""",
    404: "not_found availability.no_such_override availability.no_such_time_off",
    412: "outdated",
    422: """invalid identity.bad_link booking.too_many_seats conversation.with_yourself idempotency.key_reused
        availability.day_is_over""",
    428: "precondition_required",
}
EXPECTED = {code: status for status, codes in STATUS.items() for code in codes.split()}
"""What each refusal is over HTTP; the rest are conflicts."""


class Divergence(AssertionError):
    """Two of the three do not agree."""


@dataclass(slots=True)
class Figures:
    """What a run has looked at."""

    examples: int = 0
    steps: int = 0
    requests: int = 0
    answers: int = 0
    judged: int = 0
    rows: int = 0
    letters: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    tried: Counter[str] = field(default_factory=Counter)
    reached: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Pair:
    """A house in memory and one on PostgreSQL, asked the same at the same moments."""

    runner: asyncio.Runner
    houses: tuple[House, ...]
    figures: Figures = field(default_factory=Figures)
    story: list[str] = field(default_factory=list)
    """What was done in this example."""

    @property
    def now(self) -> datetime:
        return self.houses[0].clock.now()

    def renew(self, seed: int) -> None:
        """Both begin anew."""
        self.story.clear()
        self._each("renew", seed)

    def admin(self, email: str, password: str) -> None:
        self._each("admin", email, password)

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
        """The answer of both; `headers` may hold a token per house, by its name."""
        tokens = {house.name: (headers or {}).get(house.name) for house in self.houses}
        plain = {name: value for name, value in (headers or {}).items() if name not in tokens}
        answers = [
            self.runner.run(house.ask(method, path, body, plain | _bearer(tokens[house.name]))) for house in self.houses
        ]
        self.figures.requests += len(answers)
        self.figures.answers += 1
        self.figures.statuses[answers[0].status] += 1
        self._same(f"{method} {path}", [_told(answer) for answer in answers])
        if answers[0].status < 400 and isinstance(answers[0].body, dict) and "access_token" in answers[0].body:
            own = {house.name: answer.body["access_token"] for house, answer in zip(self.houses, answers, strict=True)}
            return Answer(answers[0].status, answers[0].headers, {**answers[0].body, "access_token": own})
        if answers[0].status >= 500:
            raise Divergence(f"{method} {path} answered {answers[0].status}: {answers[0].body}")
        return answers[0]

    def work(self, *, webhooks: bool = False) -> None:
        """Both workers do what there is to do."""
        for house in self.houses:
            self.runner.run(house.work(webhooks=webhooks))

    def duties(self) -> None:
        self._same("the worker's duties", self._each("duties"))

    def pay(self, ref: str, secret: str, card: str) -> str:
        return str(self._same("paying", self._each("pay", ref, secret, card)))

    def hear_again(self, index: int) -> Answer:
        """A webhook comes again."""
        answers = self._each("hear_again", index)
        self.figures.requests += len(answers)
        self.figures.answers += 1
        self._same("a webhook again", [_told(answer) for answer in answers])
        answer: Answer = answers[0]
        return answer

    def heard(self) -> int:
        """How many webhooks have come."""
        return len(self.houses[0].posted)

    def letters(self) -> list[Any]:
        """All mail that left."""
        return list(self.houses[0].letters())

    def advance(self, by: timedelta) -> None:
        for house in self.houses:
            house.clock.advance(by)

    def compare(self) -> None:
        """Everything that is kept, and all mail that left."""
        dumps = self._each("dump")
        for table in dumps[0]:
            rows = [dump[table] for dump in dumps]
            self.figures.rows += len(rows[0])
            if any(other != rows[0] for other in rows[1:]):
                raise Divergence(f"{table}: {_difference(*rows)}")
        self.figures.letters += len(self.letters())
        self._same("mail", [house.letters() for house in self.houses])

    def agree(self, what: str, answer: Answer, expected: Verdict) -> bool:
        """Both houses answered this; whether the model says it is right, and whether it was done."""
        self.figures.judged += 1
        if answer.status >= 400:
            self.figures.codes[answer.code] += 1
            right = isinstance(expected, set) and answer.code in expected
            if not right or answer.status != EXPECTED.get(answer.code, 409):
                raise Divergence(f"{what}: refused with {answer.status} {answer.body}, the model says {expected}")
            return False
        if isinstance(expected, set):
            raise Divergence(f"{what}: done, the model says {expected}: {answer.body}")
        if wrong := list(_differing(expected, answer.body or {}, "")):
            raise Divergence(f"{what}: {'; '.join(wrong)}")
        return True

    def _each(self, verb: str, *said: Any) -> list[Any]:
        return [self.runner.run(getattr(house, verb)(*said)) for house in self.houses]

    def _same(self, what: str, told: list[Any]) -> Any:
        for house, other in zip(self.houses[1:], told[1:], strict=True):
            if other != told[0]:
                raise Divergence(f"{what}: {self.houses[0].name} said {told[0]}, {house.name} {other}")
        return told[0]


@contextmanager
def paired(folder: Path, url: str | None, project: Mapping[str, Any] | None = None) -> Iterator[Pair]:
    """Both houses, open; without an address the one in memory alone, judged by the model only. What is set for a
    project keeps the second from its database."""
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()

        async def both() -> tuple[House, ...]:
            houses = [await stack.enter_async_context(opened(folder, "memory"))]
            if url is not None:
                houses.append(await stack.enter_async_context(opened(folder, "postgres", url=url, project=project)))
            return tuple(houses)

        try:
            yield Pair(runner, runner.run(both()))
        finally:
            runner.run(stack.aclose())


def _bearer(token: str | None) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"} if token else {}


def _told(answer: Answer) -> Any:
    """The whole answer; of an access token what it says, as its signature is drawn by chance."""
    body = answer.body
    if isinstance(body, dict) and "access_token" in body:
        said = body["access_token"].split(".")[1]
        body = {**body, "access_token": json.loads(base64.urlsafe_b64decode(said + "=" * (-len(said) % 4)))}
    return answer.status, answer.headers, body


def _differing(expected: Any, told: Any, where: str) -> Iterator[str]:
    """Where the answer does not show what it must."""
    if isinstance(expected, dict) and isinstance(told, dict):
        for name, value in expected.items():
            yield from _differing(value, told.get(name), f"{where}.{name}")
    elif isinstance(expected, list) and isinstance(told, list) and len(expected) == len(told):
        for index, value in enumerate(expected):
            yield from _differing(value, told[index], f"{where}[{index}]")
    else:
        if isinstance(expected, datetime):
            told = told and datetime.fromisoformat(told)
        if expected != told:
            yield f"{where} is {told!r}, the model says {expected!r}"


def _difference(ours: list[Any], theirs: list[Any]) -> str:
    """The first rows that differ."""
    for mine, other in zip(ours, theirs, strict=False):
        if mine != other:
            columns = {name: (mine[name], other.get(name)) for name in mine if mine[name] != other.get(name)}
            return f"row {mine.get('id')}: {columns}"
    return f"{len(ours)} rows against {len(theirs)}"
