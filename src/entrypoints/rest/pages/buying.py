"""Where one comes back to after buying a plan, and the till of the simulated gateway."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from application.billing import GetPurchase
from application.ports.billing import PlanDesk
from domain.billing import PurchaseState
from domain.shared.actors import ANONYMOUS
from domain.shared.ids import PurchaseId
from entrypoints.rest.pages.cards import CARDS
from entrypoints.rest.pages.rendering import form_of, page, page_router
from entrypoints.rest.routing import include
from entrypoints.use_cases import UseCases

SAID = {
    PurchaseState.PROVISIONED: "Your business is ready. A letter with a link to sign in is on its way to you.",
    PurchaseState.PAYING: "Thank you. As soon as your payment has arrived, a letter with a link to sign in follows.",
    PurchaseState.FAILED: "Your payment did not go through; nothing was set up and nothing is owed.",
    PurchaseState.EXPIRED: "This purchase was not paid in time. You can begin another.",
}
_WAITING = "Thank you. Your business is being set up; a letter with a link to sign in follows in a moment."
_NOT_FOR_PLANS = ("3ds", "refund", "disputed", "warned")
TAKEN = {
    name: meaning for name, meaning in CARDS.items() if not name.startswith(("3ds", "refund", "disputed", "warned"))
}


def buying(use: UseCases, facts: dict[str, Any]) -> APIRouter:
    """`/purchases/{id}`, and `/till/{ref}` where no money moves. Coming back from the till proves nothing: the page
    shows what is stored, and what is stored follows the gateway."""
    router = page_router()
    get_purchase, desk = use(GetPurchase), facts.get("plan_desk")
    if desk is not None:
        include(router, _till(desk))

    @router.get("/purchases/{purchase_id}")
    async def bought(purchase_id: PurchaseId) -> HTMLResponse:
        purchase = await get_purchase(ANONYMOUS, purchase_id)
        told = [SAID.get(purchase.state, _WAITING)]
        return page("told.html", title="Your purchase", told=told, links={"Sign in": "/sign-in"})

    return router


def _till(desk: PlanDesk) -> APIRouter:
    router = page_router()

    @router.get("/till/{ref}", response_model=None)
    async def till(ref: str) -> HTMLResponse | RedirectResponse:
        checkout = await desk.find(ref)
        if checkout.url is None:
            return _back(checkout.purchase_id)
        return page("till.html", title="Pay for your plan", here=f"/till/{checkout.ref}", cards=TAKEN, verb="Subscribe")

    @router.post("/till/{ref}")
    async def pay(ref: str, request: Request) -> RedirectResponse:
        checkout = await desk.show_card(ref, (await form_of(request)).get("card", ""))
        return _back(checkout.purchase_id)

    return router


def _back(purchase_id: PurchaseId | None) -> RedirectResponse:
    return RedirectResponse(f"/purchases/{purchase_id}" if purchase_id else "/", 303)
