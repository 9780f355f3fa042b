"""Sessions as they stand elsewhere. Whoever keeps them ends the one that asks, or all of a user's; it lists none."""

from dataclasses import dataclass
from typing import ClassVar

from application.identity.sessions import SessionView
from application.ports.criteria import Position
from application.ports.identity_provider import ForeignSessions
from application.ports.readers import Page
from domain.identity import NotOffered
from domain.shared.actors import Actor
from domain.shared.errors import Refusal, Unauthenticated, Unavailable
from domain.shared.ids import SessionId


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOutAbroad:
    """End the session that asks. Its refresh token is worth nothing from now on; its access token until it expires."""

    foreign_sessions: ForeignSessions
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, NotOffered, Unavailable)

    async def __call__(self, actor: Actor) -> None:
        await self.foreign_sessions.end(_proof(actor))


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOutEverywhereAbroad:
    """End every session of the user who asks, this one too."""

    foreign_sessions: ForeignSessions
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, NotOffered, Unavailable)

    async def __call__(self, actor: Actor) -> None:
        await self.foreign_sessions.end(_proof(actor), everywhere=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSessionsAbroad:
    """The devices signed in are known only to whoever keeps their sessions, and not told."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, NotOffered)

    async def __call__(self, actor: Actor, *, after: Position | None = None, limit: int = 50) -> Page[SessionView]:
        actor.signed_in()
        raise NotOffered


@dataclass(frozen=True, slots=True, kw_only=True)
class EndSessionAbroad:
    """One session among others cannot be ended: sign out where it is, or everywhere."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, NotOffered)

    async def __call__(self, actor: Actor, session_id: SessionId) -> None:
        actor.signed_in()
        raise NotOffered


def _proof(actor: Actor) -> str:
    """The token by which the asker's session is known; a session of the house's own is none of theirs."""
    actor.signed_in()
    if not actor.proof:
        raise NotOffered
    return actor.proof
