"""What the database says, in our words."""

import asyncpg

from adapters.persistence import refusals
from adapters.persistence.store import Changes
from adapters.postgres.pools import is_gone
from application.commands import OutcomeUnknown
from domain.shared.errors import Conflict, Invalid, Refusal, Unavailable

AGAIN = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
"""The database undid everything and asks to be asked again."""


def refused(error: Exception, changes: Changes) -> Refusal | None:
    """The refusal of a failed commit; None when it is no refusal but a fault."""
    match error:
        case asyncpg.UniqueViolationError() | asyncpg.ExclusionViolationError():
            return refusals.duplicate(str(error.constraint_name))
        case asyncpg.CheckViolationError() | asyncpg.ForeignKeyViolationError():
            return refusals.violation(str(error.constraint_name))
        case asyncpg.NotNullViolationError():
            return refusals.violation(f"{error.table_name}_{error.column_name}_not_null")
        case asyncpg.PostgresError() if error.sqlstate == "GH001":
            return _stopped(str(error.args[0]), changes)
        case asyncpg.PostgresError() if error.sqlstate == "GH002":
            return Conflict(str(error.args[0]))
        case _ if is_gone(error):
            return OutcomeUnknown("the database did not answer; what was asked may or may not be done")
    return unreadable(error)


def unreadable(error: Exception) -> Refusal | None:
    """The refusal for values no database can hold, or a database that is away; None for a fault."""
    if isinstance(
        error, asyncpg.DataError | OverflowError | UnicodeEncodeError | asyncpg.CharacterNotInRepertoireError
    ):
        return Invalid("a value cannot be stored as it is")
    if isinstance(error, asyncpg.OutOfMemoryError | asyncpg.DiskFullError | asyncpg.QueryCanceledError):
        return Unavailable("the database cannot do this now")
    if is_gone(error):
        return Unavailable("the database does not answer")
    return None


def _stopped(what: str, changes: Changes) -> Refusal:
    """A part of the commit did not find what it expected: a tally at its ceiling, or a row somebody changed."""
    kind, _, table = what.partition(":")
    if kind == "raise":
        capped = [tally.name for tally in changes.tallies if tally.ceiling is not None and tally.by > 0]
        return refusals.exhausted(capped[0] if capped else "")
    return refusals.stale(table or "tallies")
