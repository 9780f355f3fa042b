"""Sessions: signing in, going on, and out again, here or everywhere."""

from datetime import datetime

from fastapi import APIRouter, Depends, Request, Response

from application.identity import (
    EndSession,
    ListSessions,
    PasswordSignIn,
    RefreshSession,
    Renewal,
    SessionView,
    SignIn,
    SignOut,
    SignOutEverywhere,
    Tokens,
)
from domain.identity import SignInMethod
from domain.shared.actors import Actor
from domain.shared.errors import Unavailable
from domain.shared.ids import SessionId, UserId
from entrypoints.rest.asking import Anybody, Device, Somebody
from entrypoints.rest.cursors import Asked, Paged
from entrypoints.rest.limits import SIGN_INS, limited_by_address, take_by_email
from entrypoints.rest.once import CommandedUnkeyed
from entrypoints.rest.out import Out
from entrypoints.rest.routing import api_router
from entrypoints.rest.speaks import speaks
from entrypoints.use_cases import UseCases


class TokensOut(Out):
    """What a client holds of its session: the access token for each request, the refresh token for the next pair."""

    access_token: str
    token_type: str
    expires_in: int
    """Seconds the access token lasts."""
    refresh_token: str
    session_id: SessionId
    user_id: UserId

    @classmethod
    def given(cls, tokens: Tokens | None) -> "TokensOut":
        """These tokens. A session whose beginning was not answered in time is found again by no key: its tokens were
        kept nowhere."""
        if tokens is None:
            raise Unavailable("the session may have begun, but its tokens are lost; sign in again")
        return cls.of(tokens)


class SessionOut(Out):
    """A device that is signed in."""

    id: SessionId
    method: SignInMethod
    ip: str
    user_agent: str
    last_used_at: datetime
    created_at: datetime
    current: bool = False
    """Whether it is the one that asks."""

    @classmethod
    def seen(cls, session: SessionView, actor: Actor) -> "SessionOut":
        """The session, as one of its user's sessions sees it."""
        return cls.of(session).model_copy(update={"current": session.id == actor.session_id})


def sessions(use: UseCases) -> APIRouter:
    """Routes under /v1/sessions."""
    router = api_router("/sessions", tag="sessions")
    sign_in, refresh_session, list_sessions = use(SignIn), use(RefreshSession), use(ListSessions)
    sign_out, sign_out_everywhere, end_session = use(SignOut), use(SignOutEverywhere), use(EndSession)
    by_address = Depends(limited_by_address("sign-ins", SIGN_INS))

    @router.post("", status_code=201, dependencies=[by_address], **speaks(SignIn, signed_in=False))
    async def create(
        request: Request,
        response: Response,
        actor: Anybody,
        credentials: PasswordSignIn,
        device: Device,
        once: CommandedUnkeyed,
    ) -> TokensOut:
        await take_by_email(request, response, SIGN_INS, what="sign-ins", email=credentials.email)
        return TokensOut.given(await once(lambda: sign_in(actor, credentials, device)))

    @router.post("/refresh", **speaks(RefreshSession, signed_in=False))
    async def refresh(actor: Anybody, renewal: Renewal, device: Device, once: CommandedUnkeyed) -> TokensOut:
        return TokensOut.given(await once(lambda: refresh_session(actor, renewal, device)))

    @router.get("", **speaks(ListSessions))
    async def mine(actor: Somebody, page: Asked) -> Paged[SessionOut]:
        found = await list_sessions(actor, after=page.after, limit=page.limit)
        return page.project(found, SessionOut, by=lambda session: SessionOut.seen(session, actor))

    @router.delete("/current", status_code=204, **speaks(SignOut))
    async def end_current(actor: Somebody, once: CommandedUnkeyed) -> None:
        await once(lambda: sign_out(actor))

    @router.delete("", status_code=204, **speaks(SignOutEverywhere))
    async def end_all(actor: Somebody, once: CommandedUnkeyed) -> None:
        await once(lambda: sign_out_everywhere(actor))

    @router.delete("/{session_id}", status_code=204, **speaks(EndSession))
    async def end(actor: Somebody, session_id: SessionId, once: CommandedUnkeyed) -> None:
        await once(lambda: end_session(actor, session_id))

    return router
