"""Who asks, and from where: what every route takes from the request besides its input."""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from fastapi.security.http import HTTPAuthorizationCredentials

from domain.identity import Client
from domain.shared.actors import ANONYMOUS, Actor
from domain.shared.errors import Unauthenticated

bearer = HTTPBearer(
    scheme_name="bearer",
    auto_error=False,
    description="An access token: from /v1/sessions, or from another issuer whose tokens this house accepts",
    bearerFormat="JWT",
)


def address_of(request: Request) -> str:
    """The network address the request came from, as the trusted proxies tell it."""
    return request.client.host if request.client else "unknown"


def device_of(request: Request) -> Client:
    """Where the request comes from, for its user to recognise among the sessions."""
    return Client(ip=address_of(request), user_agent=request.headers.get("user-agent", ""))


async def device(request: Request) -> Client:
    """The same for routes that say they take it."""
    return device_of(request)


Device = Annotated[Client, Depends(device)]


async def anybody(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> Actor:
    """Whoever asks; without a token, nobody in particular. A bad token is refused, never ignored."""
    if credentials is None:
        if request.headers.get("authorization"):
            raise Unauthenticated("use a bearer token")
        return ANONYMOUS
    actor: Actor = await request.app.state.recognise(credentials.credentials, device_of(request))
    if actor.user_id is not None:
        request.scope["principal"] = actor.principal
    return actor


async def somebody(actor: Annotated[Actor, Depends(anybody)]) -> Actor:
    """A signed-in user, or a refusal."""
    if actor.user_id is None:
        raise Unauthenticated("sign in first")
    return actor


Anybody = Annotated[Actor, Depends(anybody)]
Somebody = Annotated[Actor, Depends(somebody)]
