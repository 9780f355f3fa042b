"""What the database says, in our words."""

import asyncpg

from adapters.persistence import refusals
from adapters.persistence.moving import SHUT
from application.commands import OutcomeUnknown
from domain.moving import BeingMoved
from domain.shared.errors import Conflict, Refusal, Unavailable

GONE = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.TooManyConnectionsError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
"""How a database that is away, starting or stopping shows itself. The last is what the driver says of a connection that
has heard the server's farewell and not yet its end."""

AGAIN = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
"""The database undid everything and asks to be asked again."""


def refused(error: Exception) -> Refusal | None:
    """The refusal of a failed commit; None when it is no refusal but a fault."""
    match error:
        case asyncpg.UniqueViolationError() | asyncpg.ExclusionViolationError():
            return refusals.duplicate(str(error.constraint_name))
        case asyncpg.CheckViolationError() | asyncpg.ForeignKeyViolationError():
            return refusals.violation(str(error.constraint_name))
        case asyncpg.NotNullViolationError():
            return refusals.violation(f"{error.table_name}_{error.column_name}_not_null")
        case asyncpg.PostgresError() if error.sqlstate == "GH001":
            return refusals.stopped(str(error.args[0]))
        case asyncpg.PostgresError() if error.sqlstate == "GH002":
            return Conflict(str(error.args[0]))
        case _ if isinstance(error, GONE):
            return OutcomeUnknown("the database did not answer; what was asked may or may not be done")
    return unreadable(error)


def unreadable(error: Exception) -> Refusal | None:
    """The refusal for values no database can hold, or a database that is away; None for a fault."""
    if isinstance(
        error, asyncpg.DataError | OverflowError | UnicodeEncodeError | asyncpg.CharacterNotInRepertoireError
    ):
        return refusals.unstorable()
    if isinstance(error, asyncpg.PostgresError) and error.sqlstate == SHUT:
        return BeingMoved()
    if isinstance(error, asyncpg.OutOfMemoryError | asyncpg.DiskFullError | asyncpg.QueryCanceledError):
        return Unavailable("the database cannot do this now")
    if isinstance(error, GONE):
        return Unavailable("the database does not answer")
    return None
