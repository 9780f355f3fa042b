"""What other systems tell us: gateways (`/webhooks/stripe`, and `/webhooks/simulated` for the test gateway) of money,
issuers (`/webhooks/clerk`) of people."""

from typing import Any

from fastapi import APIRouter, Request

from application.payments import ReceiveWebhook
from domain.shared.actors import Actor, Kind
from entrypoints.use_cases import UseCases

_REFUSALS: dict[int | str, dict[str, Any]] = {
    401: {"description": "The signature is bad or stale"},
    404: {"description": "We take no messages from a sender of that name"},
    422: {"description": "Properly signed, and still nothing we can read"},
}


def payments(use: UseCases) -> APIRouter:
    """One route for every sender; only a sender whose messages we can verify exists."""
    router = APIRouter(
        prefix="/webhooks", tags=["webhooks"], generate_unique_id_function=lambda route: f"webhooks-{route.name}"
    )
    receive = use(ReceiveWebhook)

    @router.post("/{sender}", status_code=202, name="receive", summary="Take a sender's webhook", responses=_REFUSALS)
    async def receive_webhook(sender: str, request: Request) -> dict[str, str]:
        """The signature is verified on the raw bytes; a message that came before is answered the same."""
        actor = Actor(kind=Kind.SYSTEM, name=f"webhook:{sender[:40]}")
        webhook = await receive(actor, sender, await request.body(), dict(request.headers))
        return {"id": str(webhook.id)}

    return router
