"""The page of the simulated gateway where a test card is given to be kept."""

from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from application.ports.payments import Declined
from domain.shared.errors import Conflict
from entrypoints.rest.pages.cards import CARDS
from entrypoints.rest.pages.rendering import form_of, page, page_router
from entrypoints.use_cases import UseCases


def giving(_: UseCases, facts: dict[str, Any]) -> APIRouter:
    """`/setups/{ref}`, where no money moves: whoever holds the setup's secret may give a card."""
    router = page_router()
    desk = facts.get("setup_desk")
    if desk is None:
        return router

    @router.get("/setups/{ref}")
    async def give(ref: str, secret: str = "") -> HTMLResponse:
        here = f"/setups/{ref}?{urlencode({'secret': secret})}"
        return page("till.html", title="Save a card", here=here, cards=CARDS, verb="Save")

    @router.post("/setups/{ref}")
    async def given(ref: str, request: Request, secret: str = "") -> HTMLResponse:
        try:
            await desk.give(ref, secret, (await form_of(request)).get("card", ""))
        except Declined:
            return page("told.html", title="Save a card", told=["That card was declined. Try another."], links={})
        except Conflict:
            pass  # it was given before
        return page("told.html", title="Your card is saved", told=["You can pay with it from now on."], links={})

    return router
