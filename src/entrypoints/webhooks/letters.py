"""Letters that whoever keeps the accounts asks us to send: `/webhooks/supabase/send-email`."""

from typing import Any

from fastapi import APIRouter, Request

from application.notifications import QueueAskedLetters
from domain.shared.actors import Actor, Kind
from entrypoints.use_cases import UseCases

_REFUSALS: dict[int | str, dict[str, Any]] = {
    401: {"description": "The signature is missing, bad or stale"},
    422: {"description": "Properly signed, and still nothing we can read"},
}
_ACTOR = Actor(kind=Kind.SYSTEM, name="webhook:supabase")


def letters(use: UseCases) -> APIRouter:
    """One route, for Supabase's send-email hook."""
    router = APIRouter(
        prefix="/webhooks", tags=["webhooks"], generate_unique_id_function=lambda route: f"webhooks-{route.name}"
    )
    queue = use(QueueAskedLetters)

    @router.post(
        "/supabase/send-email",
        name="send-email",
        summary="Take Supabase's send-email hook",
        responses=_REFUSALS,
    )
    async def send_email(request: Request) -> dict[str, str]:
        """The signature is verified on the raw bytes, the letter is queued, and the answer is empty, as Auth wants it;
        the same call again queues nothing more."""
        await queue(_ACTOR, await request.body(), dict(request.headers))
        return {}

    return router
