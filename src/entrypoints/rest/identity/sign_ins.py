"""Signing in by way of a provider: a browser is sent away, comes back, and its front end finishes."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse

from application.identity import (
    Departure,
    FinishSignIn,
    StartSignIn,
    Voucher,
)
from domain.identity import Provider
from domain.shared.actors import ANONYMOUS
from entrypoints.rest.asking import Anybody, Device
from entrypoints.rest.identity.sessions import TokensOut
from entrypoints.rest.limits import SIGN_INS, limited_by_address
from entrypoints.rest.once import CommandedUnkeyed
from entrypoints.rest.queries import asked
from entrypoints.rest.routing import api_router
from entrypoints.rest.speaks import speaks
from entrypoints.use_cases import UseCases

COOKIE = "guildhall_sign_in"
"""What a browser keeps while it is away with a provider."""
KEPT_SECONDS = 900


def sign_ins(use: UseCases) -> APIRouter:
    """Routes under /v1/sign-ins."""
    router = api_router("/sign-ins", tag="sign-ins")
    start, finish = use(StartSignIn), use(FinishSignIn)
    by_address = Depends(limited_by_address("sign-ins", SIGN_INS))

    @router.get(
        "/{provider}",
        status_code=303,
        response_class=RedirectResponse,
        dependencies=[by_address],
        **speaks(StartSignIn, signed_in=False),
    )
    async def leave(
        request: Request,
        provider: Provider,
        departure: Annotated[Departure, Depends(asked(Departure))],
        once: CommandedUnkeyed,
    ) -> RedirectResponse:
        departed = await once(lambda: start(ANONYMOUS, provider, departure))
        away = RedirectResponse(departed.address, 303)
        https = request.url.scheme == "https"
        away.set_cookie(COOKIE, departed.browser, max_age=KEPT_SECONDS, secure=https, httponly=True, samesite="lax")
        return away

    @router.post("", status_code=201, dependencies=[by_address], **speaks(FinishSignIn, signed_in=False))
    async def create(actor: Anybody, voucher: Voucher, device: Device, once: CommandedUnkeyed) -> TokensOut:
        return TokensOut.given(await once(lambda: finish(actor, voucher, device)))

    return router
