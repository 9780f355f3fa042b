"""`guildhall move`, killed (-9) at one call of a database: with `STRIKE=move_arrive:1:after`,
`python -m tests.proof.moving.struck move cutover ...` dies when the first `move_arrive` has been answered and nobody
has read the answer yet."""

import asyncio
import os
import signal
from collections import Counter
from typing import Any

from adapters.persistence.moving import CalledHouse
from entrypoints.cli import main

BEFORE, WITHIN, AFTER = "before", "within", "after"


class Striking:
    """Counts calls by their function, and dies at the one that is meant."""

    def __init__(self, strike: str) -> None:
        self.function, number, when = strike.split(":", 2)
        self.number = int(number)
        self.when, _, delay = when.partition(":")
        self.delay = float(delay or 0)
        self.seen: Counter[str] = Counter()

    async def around(self, call: Any, house: CalledHouse, function: str, **arguments: Any) -> Any:
        """This call, unless it is the one."""
        self.seen[function] += 1
        if (function, self.seen[function]) != (self.function, self.number):
            return await call(house, function, **arguments)
        if self.when == BEFORE:
            _die()
        if self.when == WITHIN:
            asyncio.get_running_loop().call_later(self.delay, _die)
        answer = await call(house, function, **arguments)
        _die()
        return answer


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _aimed(strike: str) -> None:
    striking, call = Striking(strike), CalledHouse._call

    async def struck(house: CalledHouse, function: str, **arguments: Any) -> Any:
        return await striking.around(call, house, function, **arguments)

    CalledHouse._call = struck  # type: ignore[assignment, method-assign]


if __name__ == "__main__":
    if aim := os.environ.get("STRIKE"):
        _aimed(aim)
    main()
