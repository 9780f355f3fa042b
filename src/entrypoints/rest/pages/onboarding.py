"""The page of the simulated gateway where an organization's account is opened by saying yes."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse

from application.ports.payees import AccountDesk
from entrypoints.rest.pages.rendering import page, page_router
from entrypoints.rest.routing import include
from entrypoints.use_cases import UseCases


def onboarding(_: UseCases, facts: dict[str, Any]) -> APIRouter:
    """`/onboarding/{ref}`, where no money moves. Coming back proves nothing: what is stored follows the gateway."""
    router = page_router()
    if facts.get("account_desk") is not None:
        include(router, _account(facts["account_desk"]))
    return router


def _account(desk: AccountDesk) -> APIRouter:
    router = page_router()

    @router.get("/onboarding/{ref}")
    async def asked(ref: str) -> HTMLResponse:
        payee = await desk.find(ref)
        return page("onboarding.html", title="Your account", here=f"/onboarding/{payee.ref}", wanted=payee.wanted)

    @router.post("/onboarding/{ref}")
    async def answered(ref: str) -> RedirectResponse:
        await desk.answer(ref)
        return RedirectResponse("/", 303)

    return router
