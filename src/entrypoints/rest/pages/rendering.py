"""How pages are made: templates that escape everything, and a policy under which nothing foreign runs."""

from base64 import b64encode
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from domain.shared.errors import Invalid, NotFound, Refusal
from entrypoints.rest.errors import UnsupportedMedia, status_of
from entrypoints.rest.limits import READS, limited_by_address
from entrypoints.rest.routing import operation_id

HERE = Path(__file__).parent
_ENV = Environment(
    loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
STYLE, WAITING, ELEMENT = (Markup((HERE / name).read_text()) for name in ("style.css", "waiting.js", "element.js"))  # noqa: S704
"""Our own style and scripts, written into the page itself and allowed by their digests."""

STRIPE = {
    "script-src": "https://js.stripe.com",
    "frame-src": "https://js.stripe.com https://hooks.stripe.com",
    "connect-src": "https://api.stripe.com",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """Something a form asks for, or (hidden) carries along."""

    name: str
    label: str = ""
    kind: str = "hidden"
    value: str = ""
    complete: str = "off"
    hint: str = ""


def page(template: str, *, status: int = 200, also: dict[str, str] | None = None, **facts: Any) -> HTMLResponse:
    """The page with these facts; `also` allows foreign addresses to it by directive."""
    text = _ENV.get_template(template).render(style=STYLE, waiting=WAITING, element=ELEMENT, **facts)
    return HTMLResponse(text, status, {"content-security-policy": _policy(also or {})})


def form_page(
    title: str, lead: str, action: str, button: str, *fields: Field, links: dict[str, str] | None = None
) -> HTMLResponse:
    """A page with one form and its one button."""
    return page("form.html", title=title, lead=lead, action=action, button=button, fields=fields, links=links or {})


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a submitted form; of one named twice, the last."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        raise UnsupportedMedia("send the form as it is on the page")
    try:
        given = dict(parse_qsl((await request.body()).decode("ascii"), max_num_fields=20, keep_blank_values=True))
    except ValueError:
        raise Invalid("this form cannot be read") from None
    if any("\0" in value for value in given.values()):
        raise Invalid("text holds no NUL characters")
    return given


class PageRoute(APIRoute):
    """A route for people: what is refused is told as a page."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def kindly(request: Request) -> Response:
            try:
                return await handle(request)
            except RequestValidationError:
                return sorry(NotFound("there is nothing at this address"))
            except Refusal as refusal:
                return sorry(refusal)

        return kindly


def page_router() -> APIRouter:
    """A router of pages."""
    return APIRouter(
        tags=["pages"],
        dependencies=[Depends(limited_by_address("pages", READS))],
        route_class=PageRoute,
        generate_unique_id_function=operation_id,
        include_in_schema=False,
    )


def sorry(refusal: Refusal) -> HTMLResponse:
    """Why it cannot be done, for a person."""
    told = [f"{refusal.message[:1].upper()}{refusal.message[1:]}."]
    answer = page("told.html", status=status_of(type(refusal)), title="That did not work", told=told, links={})
    if wait := refusal.details.get("retry_after"):
        answer.headers["Retry-After"] = str(wait)
    return answer


def _policy(also: dict[str, str]) -> str:
    directives = {
        "default-src": "'none'",
        "script-src": " ".join(map(_digest, (WAITING, ELEMENT))),
        "style-src": _digest(STYLE),
        "img-src": "data:",
        "connect-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    for directive, addresses in also.items():
        directives[directive] = f"{directives.get(directive, '')} {addresses}".strip()
    return "; ".join(f"{directive} {allowed}" for directive, allowed in directives.items())


def _digest(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
