"""What a project says, in our words: answers of PostgREST, of PostgreSQL behind it, and of what stands before it."""

from typing import Any

import httpx
import orjson
import structlog

from adapters.persistence import refusals
from adapters.persistence.moving import SHUT
from application.commands import OutcomeUnknown
from domain.moving import BeingMoved
from domain.shared.errors import Conflict, Refusal, Unavailable

log = structlog.get_logger("supabase")

STALE = frozenset(("PGRST002", "PGRST202", "PGRST204", "PGRST205"))
"""PostgREST does not know the schema, or not this one; nothing was done. It learns of it within moments."""
EXPIRED = frozenset(("PGRST301", "PGRST303"))
"""A token is not taken, for its age or its signature."""
_LOST = frozenset(("PGRST001", "57P01", "57P02", "57P03"))
"""The database went in the middle of it."""
_NOT_BEGUN = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


class Said(Exception):
    """An answer that is an error: its HTTP status, and what PostgREST says of it, if it was PostgREST."""

    def __init__(self, status: int, body: bytes) -> None:
        told = _told(body)
        self.status, self.code, self.message = status, str(told.get("code") or ""), str(told.get("message") or "")
        super().__init__(f"{status} {self.code} {self.message}")


class ProjectShut(Unavailable):
    """The project is there and does not let us in."""

    code = "project.shut"


async def judged(answer: httpx.Response) -> None:
    """Raise what is an error."""
    if answer.is_error or answer.is_redirect:
        raise Said(answer.status_code, await answer.aread())


def refused(error: Exception) -> Refusal | PermissionError | None:
    """The refusal of a commit that failed: one that may have happened all the same says so."""
    match error:
        case Said(code=code) if code in _LOST:
            return _unknown()
        case Said(code="", status=status) if status >= httpx.codes.INTERNAL_SERVER_ERROR and status != 503:
            return _unknown()
        case httpx.TransportError() if not isinstance(error, _NOT_BEGUN):
            return _unknown()
    return unreadable(error)


def unreadable(error: Exception) -> Refusal | PermissionError | None:
    """The refusal of a question that failed; None when it is a fault of ours."""
    match error:
        case httpx.TransportError():
            return Unavailable("the project does not answer")
        case Said(code=code) if code == SHUT:
            return BeingMoved()
        case Said(code="42501"):
            return PermissionError(error.message)
        case Said(code=code) if code in EXPIRED or (error.status == httpx.codes.UNAUTHORIZED):
            return ProjectShut("the project does not take our key or token")
        case Said(code=code) if code[:2] == "22":
            return refusals.unstorable()
        case Said(code=code) if code[:2] == "40":
            return Conflict("too many at once; try again")
        case Said(code=code):
            if code[:2] not in ("08", "53", "55", "57", "PG"):
                log.error("the project says what nobody expected", status=error.status, code=code, said=error.message)
            return Unavailable("the project cannot do this now")
    return None


def undone(answer: dict[str, Any]) -> Refusal:
    """The refusal that `commit_changes` answers with."""
    state, said, constraint = answer["refused"], answer["said"], answer["constraint"]
    match state:
        case "23505" | "23P01":
            return refusals.duplicate(constraint)
        case "23502":
            return refusals.violation(f"{answer['table']}_{answer['column']}_not_null")
        case "GH001":
            return refusals.stopped(said)
        case "GH002":
            return Conflict(said)
    return refusals.violation(constraint) if state.startswith("23") else refusals.unstorable()


def _unknown() -> Refusal:
    return OutcomeUnknown("the project did not answer; what was asked may or may not be done")


def _told(body: bytes) -> dict[str, Any]:
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return told if isinstance(told, dict) else {}
