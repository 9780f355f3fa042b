"""The page of an invitation. Opening it shows who invites, and changes nothing; a button answers."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from application.organizations import (
    AcceptInvitation,
    DeclineInvitation,
    InvitationCard,
    InvitationLink,
    JoinByInvitation,
    Joining,
    OpenInvitation,
)
from domain.organizations import MemberRole
from domain.shared.actors import ANONYMOUS
from entrypoints.rest.limits import SIGN_INS, limited_by_address
from entrypoints.rest.once import CommandedUnkeyed
from entrypoints.rest.pages.rendering import Field, form_of, page, page_router
from entrypoints.use_cases import UseCases

_AS = {MemberRole.OWNER: "an owner", MemberRole.MANAGER: "a manager", MemberRole.MEMBER: "a member"}
_NAME = Field(name="name", label="Your name", kind="text", complete="name")
_PASSWORD = Field(
    name="password", label="A password", kind="password", complete="new-password", hint="At least 10 characters."
)


def answering(use: UseCases, _: dict[str, Any]) -> APIRouter:
    """`/invitations`: look, accept (signing up on the way, if need be) or decline."""
    router = page_router()
    open_invitation, accept = use(OpenInvitation), use(AcceptInvitation)
    join, decline = use(JoinByInvitation), use(DeclineInvitation)
    limited = [Depends(limited_by_address("links", SIGN_INS))]

    @router.get("/invitations", dependencies=limited)
    async def look(token: Annotated[str, Query(max_length=500)] = "") -> HTMLResponse:
        card = await open_invitation(ANONYMOUS, InvitationLink(token=token))
        return _shown(card, token)

    @router.post("/invitations/accept", dependencies=limited)
    async def accepted(request: Request, once: CommandedUnkeyed) -> HTMLResponse:
        form = await form_of(request)
        token = form.get("token", "")
        if "password" in form:
            joining = Joining(token=token, name=form.get("name", ""), password=form["password"])
            await once(lambda: join(ANONYMOUS, joining))
        else:
            await once(lambda: accept(ANONYMOUS, InvitationLink(token=token)))
        told = ["You belong to the organization now."]
        return page("told.html", title="Welcome", told=told, links={"Sign in": "/sign-in"})

    @router.post("/invitations/decline", dependencies=limited)
    async def declined(request: Request, once: CommandedUnkeyed) -> HTMLResponse:
        link = InvitationLink(token=(await form_of(request)).get("token", ""))
        await once(lambda: decline(ANONYMOUS, link))
        return page("told.html", title="Declined", told=["You were not added to the organization."], links={})

    return router


def _shown(card: InvitationCard, token: str) -> HTMLResponse:
    lead = f"{card.organization_name} would like to have {card.email} as {_AS[card.role]}."
    asked = () if card.has_account else (_NAME, _PASSWORD)
    return page("invitation.html", title="You are invited", lead=lead, token=token, fields=asked)
