"""The front door, and the addresses in mails that a front end is meant to answer."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from entrypoints.rest.pages.rendering import page, page_router
from entrypoints.use_cases import UseCases


def front(_: UseCases, __: dict[str, Any]) -> APIRouter:
    """`/`, and where bookings, reviews and conversations would be shown."""
    router = page_router()

    @router.get("/")
    async def home() -> HTMLResponse:
        told = ["The backend of a business of bookable work: jobs, bookings, payments, reviews and messages."]
        links = {
            "Try the API": "/docs",
            "Read the API reference": "/redoc",
            "OpenAPI document": "/openapi.json",
            "Is it well?": "/readyz",
        }
        return page("told.html", title="Guildhall", told=told, links=links)

    @router.get("/bookings/{booking_id}")
    async def booking(booking_id: UUID) -> HTMLResponse:
        return _elsewhere("Your booking", f"/v1/bookings/{booking_id}")

    @router.get("/bookings/{booking_id}/review")
    async def review(booking_id: UUID) -> HTMLResponse:
        return _elsewhere("Your review", f"/v1/bookings/{booking_id}/reviews")

    @router.get("/conversations/{conversation_id}")
    async def conversation(conversation_id: UUID) -> HTMLResponse:
        return _elsewhere("Your conversation", f"/v1/conversations/{conversation_id}/messages")

    return router


def _elsewhere(title: str, address: str) -> HTMLResponse:
    told = [
        "This is shown by the front end of the business. This installation has none of its own; its API knows it as:",
        address,
    ]
    return page("told.html", title=title, told=told, links={"Sign in": "/sign-in", "Try the API": "/docs"})
