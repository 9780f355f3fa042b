"""The API as one ASGI application: routers of every context under /v1, and what surrounds them."""

from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from fastapi import APIRouter, FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware

from application.commands import Perform
from application.ports.limits import RateLimiter
from domain.shared.actors import Actor
from entrypoints.rest.bodiless import Bodiless
from entrypoints.rest.bounds import BoundedBody
from entrypoints.rest.cursors import Cursors
from entrypoints.rest.dispatch import Dispatch
from entrypoints.rest.docs import add_docs
from entrypoints.rest.errors import add_problems
from entrypoints.rest.faults import Faults
from entrypoints.rest.files import UPLOADS
from entrypoints.rest.health import Checks, health
from entrypoints.rest.metrics import Metrics
from entrypoints.rest.middleware import Surroundings
from entrypoints.rest.routers import ROUTERS, WITH_FACTS
from entrypoints.rest.routing import include, operation_id
from entrypoints.rest.schema import describe
from entrypoints.use_cases import UseCases

ABOUT = """The backend of a business of bookable work: jobs, availability, bookings, payments, reviews and messages.

Refusals are problems (RFC 9457) with a stable `code`. Lists are pages: ask again with `next_cursor`. Changes name the
version they were decided on in `If-Match`; bookings, payments and refunds take an `Idempotency-Key`. Times are RFC 3339
in UTC; money is integer minor units with its currency."""

EXPOSED = ["ETag", "Idempotent-Replayed", "Link", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-ID"]


PACKED = (*DEFAULT_EXCLUDED_CONTENT_TYPES, "application/pdf", "text/plain")
"""What is not packed on the way: it is packed already, or is a file of which parts are asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """What an API is made of: use cases, how a token is recognised, how commands are performed, and its bounds."""

    use: UseCases
    perform: Perform
    recognise: Callable[..., Awaitable[Actor]]
    limiter: RateLimiter
    secret: str
    new_id: Callable[[], UUID]
    version: str
    public_url: str
    max_body_bytes: int = 1_048_576
    cors_origins: tuple[str, ...] = ()
    checks: Checks = field(default_factory=dict)
    metrics: Metrics = field(default_factory=Metrics)
    refresh_metrics: Callable[[], Awaitable[None]]
    facts: dict[str, Any] = field(default_factory=dict)
    """What pages show of the settings, such as the gateway's publishable key."""
    also: Iterable[APIRouter] = ()
    """Routers of other entry points that are served by the same process."""
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]] | None = None


def create_app(api: Api) -> FastAPI:
    """The application, with every route there is."""
    app = FastAPI(
        title="Guildhall",
        version=api.version,
        description=ABOUT,
        lifespan=api.lifespan,
        generate_unique_id_function=operation_id,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.perform, app.state.recognise, app.state.limiter = api.perform, api.recognise, api.limiter
    app.state.cursors = Cursors(api.secret.encode())
    include(app, *(router(api.use) for router in ROUTERS), *api.also)
    include(app, *(made(api.use, api.facts) for made in WITH_FACTS))
    include(app, health(version=api.version, checks=api.checks, metrics=api.metrics, refresh=api.refresh_metrics))
    add_problems(app)
    add_docs(app)
    describe(app)
    _surround(app, api)
    return app


def _surround(app: FastAPI, api: Api) -> None:
    """What every request passes, the innermost first."""
    app.add_middleware(Dispatch, routes=app.routes)
    app.add_middleware(Faults)
    app.add_middleware(Bodiless)
    app.add_middleware(GZipMiddleware, minimum_size=1024, exclude_content_types=PACKED)
    app.add_middleware(BoundedBody, most=api.max_body_bytes, also=UPLOADS)
    if api.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=api.cors_origins,
            allow_credentials="*" not in api.cors_origins,
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=EXPOSED,
            max_age=600,
        )
    https = api.public_url.startswith("https://")
    app.add_middleware(Surroundings, new_id=api.new_id, metrics=api.metrics, https=https)
