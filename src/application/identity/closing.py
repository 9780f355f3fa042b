"""Ending sessions, with the refresh tokens they live by, and taking accounts from whoever only claimed an address."""

from collections.abc import Iterable
from datetime import datetime

from application.ports.criteria import AnyOf
from application.ports.unit_of_work import Work
from domain.identity import EndReason, Session, User
from domain.shared.ids import SessionId


async def close(work: Work, sessions: Iterable[Session], reason: EndReason, *, now: datetime) -> None:
    """End these sessions for good. Their current tokens are revoked too, so that an exchange under way at the same
    moment finds its token changed."""
    ending = tuple(sessions)
    for session in ending:
        session.end(reason, now=now)
    current = await work.refresh_tokens.find(
        session_id=AnyOf(tuple(session.id for session in ending)), rotated_at=None, revoked_at=None
    )
    for token in current:
        token.revoke(now=now)


async def close_all(work: Work, user: User, reason: EndReason, *, now: datetime, keep: SessionId | None = None) -> None:
    """End this user's sessions, but for the one to keep, which is carried over into the user's present epoch. A session
    begun meanwhile belongs to an earlier epoch and counts for nothing: see `User.epoch`."""
    live = await work.sessions.find(user_id=user.id, revoked_at=None)
    for session in live:
        if session.id == keep:
            session.carry_over(epoch=user.epoch)
    await close(work, (session for session in live if session.id != keep), reason, now=now)


async def dispossess(work: Work, user: User, *, now: datetime) -> None:
    """An account of an address nobody had confirmed so far may have been made by anyone, to lie in wait for its owner.
    The owner has shown themselves: everything by which its maker could come in is taken away."""
    user.end_sessions()
    await close_all(work, user, EndReason.CLAIMED, now=now)
    for credential in await work.credentials.find(id=user.id):
        work.credentials.remove(credential)
    for identity in await work.external_identities.find(user_id=user.id):
        work.external_identities.remove(identity)
