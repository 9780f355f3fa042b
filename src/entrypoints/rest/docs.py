"""The API's own pages, /docs and /redoc: everything they need comes from this server, and nothing else may run."""

import re
from base64 import b64encode
from collections.abc import Awaitable, Callable
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from fastapi.staticfiles import StaticFiles
from starlette.responses import HTMLResponse

from entrypoints.rest.routing import include

ASSETS = "/static-offline-docs"
_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


def add_docs(app: FastAPI) -> None:
    """Serve the pages with the scripts and styles that the package `fastapi-offline` carries."""
    assert app.openapi_url is not None
    swagger = get_swagger_ui_html(
        openapi_url=app.openapi_url,
        title=f"{app.title} API",
        swagger_js_url=f"{ASSETS}/swagger-ui-bundle.js",
        swagger_css_url=f"{ASSETS}/swagger-ui.css",
        swagger_favicon_url=f"{ASSETS}/favicon.png",
        swagger_ui_parameters={"persistAuthorization": True, "docExpansion": "none", "filter": True},
    )
    redoc = get_redoc_html(
        openapi_url=app.openapi_url,
        title=f"{app.title} API",
        redoc_js_url=f"{ASSETS}/redoc.standalone.js",
        redoc_favicon_url=f"{ASSETS}/favicon.png",
        with_google_fonts=False,
    )
    router = APIRouter(include_in_schema=False)
    for path, page in (("/docs", swagger), ("/redoc", redoc)):
        router.add_api_route(path, _showing(bytes(page.body)), name=path[1:])
    app.mount(ASSETS, StaticFiles(directory=_assets()), name="docs-assets")
    include(app, router)


def _showing(page: bytes) -> Callable[[], Awaitable[HTMLResponse]]:
    headers = {"content-security-policy": _policy(page)}

    async def show() -> HTMLResponse:
        return HTMLResponse(page, headers=headers)

    return show


def _policy(page: bytes) -> str:
    """Scripts of this server, and those written in the page itself, by their digests. The styles both viewers write
    while they run have none."""
    digests = " ".join(f"'sha256-{b64encode(sha256(script).digest()).decode()}'" for script in _SCRIPT.findall(page))
    return (
        f"default-src 'none'; script-src 'self' {digests}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "font-src 'self' data:; connect-src 'self'; worker-src blob:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )


def _assets() -> Path:
    found = find_spec("fastapi_offline")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "static"
