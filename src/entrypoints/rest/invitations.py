"""Invitations: written by those who manage an organization, answered by whoever is reached."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends

from application.organizations import (
    AcceptInvitation,
    DeclineInvitation,
    InvitationFilter,
    InvitationLink,
    InviteMember,
    JoinByInvitation,
    Joining,
    ListInvitations,
    NewInvitation,
    OpenInvitation,
    RevokeInvitation,
)
from domain.organizations import InvitationState, MemberRole
from domain.shared.ids import InvitationId, OrganizationId, UserId
from entrypoints.rest.asking import Anybody, Somebody
from entrypoints.rest.cursors import Asked, Paged
from entrypoints.rest.limits import SIGN_INS, limited_by_address
from entrypoints.rest.once import Commanded, CommandedUnkeyed
from entrypoints.rest.organizations import MembershipOut
from entrypoints.rest.out import Out
from entrypoints.rest.queries import asked
from entrypoints.rest.routing import api_router
from entrypoints.rest.speaks import speaks
from entrypoints.use_cases import UseCases

_BY_LINK = [Depends(limited_by_address("links", SIGN_INS))]


class InvitationOut(Out):
    """An invitation and what became of it."""

    id: InvitationId
    version: int
    organization_id: OrganizationId
    email: str
    role: MemberRole
    invited_by: UserId | None
    state: InvitationState
    accepted_by: UserId | None
    expires_at: datetime
    answered_at: datetime | None
    created_at: datetime


class InvitationCardOut(Out):
    """What the holder of an invitation is shown before they answer."""

    organization_id: OrganizationId
    organization_name: str
    email: str
    role: MemberRole
    expires_at: datetime
    has_account: bool
    """Whether the address has an account; one without signs up with the invitation."""


def invitations(use: UseCases) -> APIRouter:
    """Routes under /v1/invitations, and an organization's own."""
    router = api_router(tag="invitations")
    invite, list_invitations, revoke_invitation = use(InviteMember), use(ListInvitations), use(RevokeInvitation)

    @router.post("/organizations/{organization_id}/invitations", status_code=201, **speaks(InviteMember))
    async def create(
        actor: Somebody, organization_id: OrganizationId, new: NewInvitation, once: Commanded
    ) -> InvitationOut:
        return InvitationOut.of(await once(lambda: invite(actor, organization_id, new)))

    @router.get("/organizations/{organization_id}/invitations", **speaks(ListInvitations))
    async def search(
        actor: Somebody,
        organization_id: OrganizationId,
        wanted: Annotated[InvitationFilter, Depends(asked(InvitationFilter))],
        page: Asked,
    ) -> Paged[InvitationOut]:
        found = await list_invitations(actor, organization_id, wanted, after=page.after, limit=page.limit)
        return page.project(found, InvitationOut)

    @router.post("/organizations/{organization_id}/invitations/{invitation_id}/revoke", **speaks(RevokeInvitation))
    async def revoke(
        actor: Somebody, organization_id: OrganizationId, invitation_id: InvitationId, once: Commanded
    ) -> InvitationOut:
        return InvitationOut.of(await once(lambda: revoke_invitation(actor, organization_id, invitation_id)))

    _answering(router, use)
    return router


def _answering(router: APIRouter, use: UseCases) -> None:
    open_invitation, accept_invitation = use(OpenInvitation), use(AcceptInvitation)
    join_by_invitation, decline_invitation = use(JoinByInvitation), use(DeclineInvitation)

    @router.post("/invitations/look", dependencies=_BY_LINK, **speaks(OpenInvitation, signed_in=False))
    async def look(actor: Anybody, link: InvitationLink) -> InvitationCardOut:
        return InvitationCardOut.of(await open_invitation(actor, link))

    @router.post("/invitations/accept", dependencies=_BY_LINK, **speaks(AcceptInvitation))
    async def accept(actor: Somebody, link: InvitationLink, once: Commanded) -> MembershipOut:
        return MembershipOut.of(await once(lambda: accept_invitation(actor, link)))

    @router.post(
        "/invitations/join", status_code=201, dependencies=_BY_LINK, **speaks(JoinByInvitation, signed_in=False)
    )
    async def join(actor: Anybody, joining: Joining, once: CommandedUnkeyed) -> MembershipOut:
        return MembershipOut.of(await once(lambda: join_by_invitation(actor, joining)))

    @router.post(
        "/invitations/decline", status_code=204, dependencies=_BY_LINK, **speaks(DeclineInvitation, signed_in=False)
    )
    async def decline(actor: Anybody, link: InvitationLink, once: CommandedUnkeyed) -> None:
        await once(lambda: decline_invitation(actor, link))
