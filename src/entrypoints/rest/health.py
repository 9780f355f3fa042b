"""How the instance is: alive, ready, which version, and its figures. Outside of /v1, the schema and every limit."""

from collections.abc import Awaitable, Callable

import structlog
from fastapi import APIRouter, Response

from domain.shared.errors import Refusal
from entrypoints.rest.metrics import Metrics

log = structlog.get_logger("health")

Checks = dict[str, Callable[[], Awaitable[str]]]
"""Name to a check that returns what it saw, or raises."""


def health(*, version: str, checks: Checks, metrics: Metrics, refresh: Callable[[], Awaitable[None]]) -> APIRouter:
    """Routes for those who watch over the instance."""
    router = APIRouter(include_in_schema=False)

    @router.get("/healthz")
    async def alive() -> dict[str, str]:
        return {"status": "alive"}

    @router.get("/readyz")
    async def ready(response: Response) -> dict[str, object]:
        seen: dict[str, dict[str, str]] = {}
        for name, check in checks.items():
            try:
                seen[name] = {"status": "ok", "detail": await check()}
            except Refusal as refusal:
                seen[name] = {"status": "failed", "detail": refusal.message}
            except Exception as error:
                log.error("a check failed", check=name, exc_info=error)
                seen[name] = {"status": "failed", "detail": "the log says why"}
        fine = all(each["status"] == "ok" for each in seen.values())
        response.status_code = 200 if fine else 503
        return {"status": "ready" if fine else "not ready", "checks": seen}

    @router.get("/version")
    async def which() -> dict[str, str]:
        return {"name": "guildhall", "version": version}

    @router.get("/metrics")
    async def figures() -> Response:
        await refresh()
        return Response(metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return router
