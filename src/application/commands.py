"""One command, carried out once: its key, its receipt, and the tries it takes."""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID, uuid5

from application.ports.chance import Chance
from application.ports.clock import Clock
from application.ports.ids import Ids
from domain.shared.errors import Conflict, Invalid, Refusal, StaleVersion, Unavailable

T = TypeVar("T")
_SPACE = UUID("6f3c1d0e-5c0a-4d6b-9a63-0f6a3a3d2f57")


class KeyReused(Invalid):
    """The same idempotency key came with another request."""

    code = "idempotency.key_reused"


class AlreadyCommitted(Conflict):
    """A commit with this command's receipt exists: somebody else carried it out first."""

    code = "idempotency.already_committed"


class OutcomeUnknown(Unavailable):
    """The store took the commit and did not answer: it may or may not have happened."""

    code = "outcome_unknown"


_AGAIN = (StaleVersion, AlreadyCommitted, OutcomeUnknown)
"""Refusals after which the whole command may be run once more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What makes two requests the same one: who asks, for what, under which key; `fingerprint` digests the request."""

    principal: str
    operation: str
    key: str
    fingerprint: str
    life: timedelta | None = timedelta(hours=24)
    """How long its receipt is kept; None for a reaction's, which lives as long as its event."""
    asked_to_remember: bool = True
    """Whether the asker sent the key (a receipt may exist already) or we made it up for this run."""
    looks_first: bool = True
    """Whether its receipt is looked for before it is carried out. Where nothing but the commit has an effect that may
    wait: a second commit finds the first one's receipt in its way, and whoever does not commit looks then."""

    @property
    def id(self) -> UUID:
        """The receipt's id."""
        return uuid5(_SPACE, f"{self.principal}\n{self.operation}\n{self.key}")


@dataclass(frozen=True, slots=True)
class Receipt:
    """A command that was carried out: the fingerprint of its request, and its answer rebuilt (None if it had none)."""

    fingerprint: str
    answer: Any


class Receipts(Protocol):
    """The receipts that commits have left."""

    async def find(self, command: Command) -> Receipt | None:
        """The receipt of this command, if it has been carried out."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """A command's answer; `replayed` says that it was carried out before and nothing was done now."""

    answer: T
    replayed: bool = False


_current: ContextVar[Command | None] = ContextVar("command", default=None)


def current_command() -> Command | None:
    """The command being carried out, as long as no commit has taken its receipt."""
    return _current.get()


def receipt_left() -> None:
    """A commit has taken the command's receipt: later commits of this run leave none."""
    _current.set(None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Perform:
    """Carry out a command once, whatever happens on the way: a retried request finds its first answer, a stale version
    runs the whole of it again, and a commit with no reply is looked up by its receipt."""

    receipts: Receipts
    clock: Clock
    ids: Ids
    chance: Chance
    tries: int = 3

    def unkeyed(self, principal: str, operation: str) -> Command:
        """A command whose asker sent no key: its own fresh one makes an unknown outcome resolvable."""
        return Command(
            principal=principal, operation=operation, key=str(self.ids.new()), fingerprint="", asked_to_remember=False
        )

    async def __call__(self, command: Command, call: Callable[[], Awaitable[T]]) -> Outcome[T]:
        """The outcome of `call`, which runs at most `tries` times and commits at most once."""
        found: Outcome[T] | None
        if command.asked_to_remember and command.looks_first and (found := await self._found(command)):
            return found
        for attempt in range(1, self.tries + 1):
            token = _current.set(command)
            try:
                answer = await call()
                return await self._committed_before(command) or Outcome(answer)
            except Refusal as refusal:
                if found := await self._done_all_the_same(command, refusal):
                    return found
                if not isinstance(refusal, _AGAIN) or attempt == self.tries:
                    raise
            finally:
                _current.reset(token)
            await self.chance.pause(attempt)
        raise Conflict("this changes too quickly; try again")

    async def _committed_before(self, command: Command) -> Outcome[T] | None:
        """The first answer of a command that committed nothing this time, because the first time has done it all."""
        if command.looks_first or not command.asked_to_remember or current_command() is None:
            return None
        return await self._found(command)

    async def _done_all_the_same(self, command: Command, refusal: Refusal) -> Outcome[T] | None:
        """What a commit left behind although this run was refused: its own, whose reply was lost, or that of a twin who
        was faster, and who may be why it was refused."""
        lost = isinstance(refusal, OutcomeUnknown)
        if current_command() is None and not lost:
            return None  # its own commit succeeded, and it chose to refuse after it
        if not (command.asked_to_remember or isinstance(refusal, AlreadyCommitted) or lost):
            return None
        found: Outcome[T] | None = await self._found(command)
        return Outcome(found.answer) if found and lost else found

    async def _found(self, command: Command) -> Outcome[T] | None:
        receipt = await self.receipts.find(command)
        if receipt is None:
            return None
        if command.asked_to_remember and receipt.fingerprint != command.fingerprint:
            raise KeyReused("this key was used for another request", key=command.key)
        return Outcome(receipt.answer, replayed=True)
