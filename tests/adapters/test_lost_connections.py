"""A database that goes down in the middle of an answer: nobody gets that connection any more."""

import asyncpg
import pytest

from adapters.postgres.errors import refused, unreadable
from adapters.postgres.pools import Pool
from application.commands import OutcomeUnknown
from domain.shared.errors import Unavailable


async def test_a_connection_whose_server_took_its_leave_is_not_lent_again(database: str) -> None:
    """The server's farewell arrives as an answer, and the connection's end a moment later. Lent in between it would
    fail with the driver's own complaint, which is no refusal but a fault (found by killing the postmaster)."""
    pool = Pool(database, role="service_role", size=1)

    async def left_alone() -> None:
        async with pool.reading() as connection:
            seen.append(await connection.fetchval("select pg_backend_pid()"))
            raise asyncpg.AdminShutdownError("terminating connection due to unexpected postmaster exit")

    seen: list[int] = []
    with pytest.raises(Unavailable):
        await left_alone()
    async with pool.reading() as connection:
        assert await connection.fetchval("select pg_backend_pid()") not in seen
    await pool.close()


def test_a_connection_between_the_servers_farewell_and_its_end_is_a_database_that_is_away() -> None:
    """Every idle connection is in that state for a moment after the postmaster was killed."""
    error = asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress")
    assert isinstance(unreadable(error), Unavailable)
    assert isinstance(refused(error), OutcomeUnknown)
