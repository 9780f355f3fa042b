"""Where providers send browsers back to, and where people without a front end finish."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from application.identity import Comeback, FinishSignIn, ReturnFromProvider, Voucher
from domain.identity import Provider
from domain.shared.actors import ANONYMOUS
from entrypoints.rest.asking import Device
from entrypoints.rest.identity.sessions import TokensOut
from entrypoints.rest.identity.sign_ins import COOKIE
from entrypoints.rest.limits import SIGN_INS, limited_by_address
from entrypoints.rest.once import CommandedUnkeyed
from entrypoints.rest.pages.rendering import Field, form_of, form_page, page, page_router
from entrypoints.rest.routing import PREFIX
from entrypoints.use_cases import UseCases

LONGEST = 2000


def vouching(use: UseCases, _: dict[str, Any]) -> APIRouter:
    """`/v1/sign-ins/<provider>/callback` and `/signed-in`."""
    router = page_router()
    come_back, finish = use(ReturnFromProvider), use(FinishSignIn)

    @router.get(f"{PREFIX}/sign-ins/{{provider}}/callback")
    async def callback(
        request: Request, provider: Provider, device: Device, once: CommandedUnkeyed
    ) -> RedirectResponse:
        # Providers add parameters of their own; what none of them sends is longer than this.
        told = {name: request.query_params.get(name, "")[:LONGEST] for name in ("code", "state", "error")}
        comeback, browser = Comeback(**told), request.cookies.get(COOKIE, "")
        return RedirectResponse(await once(lambda: come_back(ANONYMOUS, provider, comeback, browser, device)), 303)

    @router.get("/signed-in")
    async def vouched(
        code: Annotated[str, Query(max_length=LONGEST)] = "", error: Annotated[str, Query(max_length=LONGEST)] = ""
    ) -> HTMLResponse:
        if error or not code:
            told = ["Nobody was signed in. You can begin again."]
            return page("told.html", title="That did not work", told=told, links={"Sign in": "/sign-in"})
        lead = "You are known. One step, and you are signed in."
        return form_page("Sign in", lead, "/signed-in", "Sign in", Field(name="code", value=code))

    @router.post("/signed-in", dependencies=[Depends(limited_by_address("links", SIGN_INS))])
    async def finished(request: Request, device: Device, once: CommandedUnkeyed) -> HTMLResponse:
        code = (await form_of(request)).get("code", "")
        voucher = Voucher(code=code, verifier=request.cookies.get(COOKIE, ""))
        tokens = TokensOut.given(await once(lambda: finish(ANONYMOUS, voucher, device)))
        answer = page("tokens.html", title="You are signed in", tokens=tokens)
        answer.delete_cookie(COOKIE)
        return answer

    return router
