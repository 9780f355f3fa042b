"""Either end of a move on PostgreSQL: its functions are called on a connection of the house."""

from typing import Any

import asyncpg

from adapters.persistence.moving import BUSY, CalledHouse, Rejected
from adapters.postgres.errors import AGAIN, unreadable
from adapters.postgres.pools import Pool
from domain.shared.errors import Refusal, Unavailable

TRIES = 5

_FUNCTIONS = {
    "move_standing": (),
    "move_batch": ("source text", "after text", "most bigint"),
    "move_news": ("reached jsonb", "most bigint"),
    "move_forget": ("seen uuid[]",),
    "move_digest": ("source text", "after text", "most bigint"),
    "move_digests": ("source text", "after text", "most bigint"),
    "move_leave": ("move uuid", "state text", "at timestamptz", "ranked text[]"),
    "move_open": (
        "move uuid",
        "origin text",
        "at timestamptz",
        "until timestamptz",
        "take_over boolean",
        "ranked text[]",
    ),
    "move_receive": (
        "move uuid",
        "fence bigint",
        "state text",
        "progress jsonb",
        "loads jsonb",
        "at timestamptz",
        "until timestamptz",
    ),
    "move_arrive": ("move uuid", "fence bigint", "state text", "at timestamptz", "ranked text[]"),
}
"""Every function, and its arguments with their types."""


class PostgresHouse(CalledHouse):
    """A house on the database of this pool, which is in the house's own role."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        super().__init__(self._called)

    async def _called(self, function: str, **arguments: Any) -> Any:
        parameters = [declared.split(" ") for declared in _FUNCTIONS[function]]
        placed = ", ".join(f"{name} => ${place}::{kind}" for place, (name, kind) in enumerate(parameters, 1))
        values = [arguments[name] for name, _ in parameters]
        for _ in range(TRIES):
            async with self._pool.connection() as connection:
                try:
                    return await connection.fetchval(f"select {function}({placed})", *values)
                except AGAIN:
                    continue
                except Exception as error:
                    raise (_meant(error) or error) from error
        raise Unavailable("the database is too busy to be moved now; try again")


def _meant(error: Exception) -> Exception | None:
    """What the database's no means: a refusal, or its condition for whoever asked."""
    if isinstance(error, asyncpg.LockNotAvailableError):
        return Unavailable(f"somebody holds on to a table ({BUSY}); try again")
    if isinstance(error, asyncpg.UndefinedFunctionError):
        return Unavailable("this database knows nothing of moving: run `guildhall migrate` there first")
    known: Refusal | None = unreadable(error)
    if known is None and isinstance(error, asyncpg.PostgresError):
        return Rejected(error.sqlstate, error.constraint_name or str(error.args[0]))
    return known
