"""Either end of a move on Supabase: its functions are called over PostgREST, with the project's secret key."""

import asyncio
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx

from adapters.persistence.moving import BUSY, CalledHouse, Rejected
from adapters.supabase.errors import STALE, Said, unreadable
from adapters.supabase.rest import Rest, call
from domain.shared.errors import Unavailable

TRIES, PAUSE = 6, 0.1

_AGAIN = frozenset(("40001", "40P01"))
"""The database undid it; the same call may succeed."""
_ONCE = frozenset(("move_open",))
"""What is not asked again when its answer was lost: the first asking may have taken the move up."""


class SupabaseHouse(CalledHouse):
    """A house in this project."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        super().__init__(self._called)

    async def _called(self, function: str, **arguments: Any) -> Any:
        told = {name: _told(value) for name, value in arguments.items()}
        for attempt in range(TRIES):
            try:
                return await self._rest.as_house(call(function, told), again=function not in _ONCE)
            except Said as said:
                if said.code not in _AGAIN:
                    raise _meant(said) from said
            except httpx.TransportError as error:
                raise Unavailable(f"the project does not answer: {type(error).__name__}") from error
            await asyncio.sleep(PAUSE * 2**attempt)
        raise Unavailable("the project is too busy to be moved now; try again")


def _told(value: Any) -> Any:
    match value:
        case UUID():
            return str(value)
        case datetime():
            return value.isoformat()
    return value


def _meant(said: Said) -> Exception:
    """What the answer means: a refusal, or its condition for whoever asked."""
    rejected = Rejected(said.code, _named(said.message))
    if rejected.refusal is not None:
        return rejected
    if said.code == BUSY:
        return Unavailable(f"somebody holds on to a table ({BUSY}); try again")
    if said.code in STALE:
        return Unavailable("this project knows nothing of moving: bring its schema up first, by `guildhall migrate`")
    return unreadable(said) or rejected


def _named(message: str) -> str:
    """Of a constraint's message its name, which comes last in quotes."""
    return message.split('"')[-2] if "constraint" in message and '"' in message else message
