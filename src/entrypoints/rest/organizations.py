"""Who offers work together, and as what."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from application.organizations import (
    ActivityFilter,
    AddMember,
    ChangeMemberRole,
    CreateOrganization,
    GetOrganization,
    ListActivity,
    ListMembers,
    MemberChange,
    MyOrganizations,
    NewMember,
    NewName,
    NewOrganization,
    RemoveMember,
    RenameOrganization,
)
from domain.organizations import MemberRole
from domain.shared.ids import MembershipId, OrganizationId, UserId
from entrypoints.rest.asking import Anybody, Somebody
from entrypoints.rest.cursors import Asked, Paged
from entrypoints.rest.once import Commanded
from entrypoints.rest.out import Out
from entrypoints.rest.queries import asked
from entrypoints.rest.routing import api_router
from entrypoints.rest.speaks import speaks
from entrypoints.rest.versions import BY_HEADER, ExpectedVersion, tagged
from entrypoints.use_cases import UseCases


class OrganizationOut(Out):
    """An organization; `solo` is that of a provider who works alone."""

    id: OrganizationId
    version: int
    name: str
    solo: bool
    profession: str
    """The profession whose pack it took up; empty while it has none."""
    created_at: datetime


class MembershipOut(Out):
    """A user's place in an organization."""

    id: MembershipId
    version: int
    organization_id: OrganizationId
    user_id: UserId
    role: MemberRole
    created_at: datetime


class MemberOut(MembershipOut):
    """A membership with the names on both sides."""

    organization_name: str | None
    solo: bool | None
    name: str | None
    avatar_url: str | None


class ActivityOut(Out):
    """One thing somebody did to something of the organization's, as its audit entry tells it."""

    id: UUID
    at: datetime
    actor: str
    action: str
    subject_table: str
    subject_id: UUID
    details: dict[str, Any]


def organizations(use: UseCases) -> APIRouter:
    """Routes under /v1/organizations."""
    router = api_router("/organizations", tag="organizations")
    create_organization, rename_organization = use(CreateOrganization), use(RenameOrganization)
    get_organization, my_organizations, list_members = use(GetOrganization), use(MyOrganizations), use(ListMembers)
    add, change_role, remove = use(AddMember), use(ChangeMemberRole), use(RemoveMember)

    @router.post("", status_code=201, **speaks(CreateOrganization))
    async def create(actor: Somebody, new: NewOrganization, once: Commanded) -> OrganizationOut:
        return OrganizationOut.of(await once(lambda: create_organization(actor, new)))

    @router.get("/mine", **speaks(MyOrganizations))
    async def mine(actor: Somebody, page: Asked) -> Paged[MemberOut]:
        return page.project(await my_organizations(actor, after=page.after, limit=page.limit), MemberOut)

    @router.get("/{organization_id}", **speaks(GetOrganization, signed_in=False))
    async def read(actor: Anybody, organization_id: OrganizationId, response: Response) -> OrganizationOut:
        organization = await get_organization(actor, organization_id)
        tagged(response, organization)
        return OrganizationOut.of(organization)

    @router.patch("/{organization_id}", **speaks(RenameOrganization))
    async def rename(
        actor: Somebody,
        organization_id: OrganizationId,
        new: Annotated[NewName, BY_HEADER],
        expected: ExpectedVersion,
        once: Commanded,
    ) -> OrganizationOut:
        new = replace(new, expected_version=expected)
        return OrganizationOut.of(await once(lambda: rename_organization(actor, organization_id, new)))

    @router.get("/{organization_id}/members", **speaks(ListMembers))
    async def members(actor: Somebody, organization_id: OrganizationId, page: Asked) -> Paged[MemberOut]:
        found = await list_members(actor, organization_id, after=page.after, limit=page.limit)
        return page.project(found, MemberOut)

    @router.post("/{organization_id}/members", status_code=201, **speaks(AddMember))
    async def add_member(
        actor: Somebody, organization_id: OrganizationId, new: NewMember, once: Commanded
    ) -> MembershipOut:
        return MembershipOut.of(await once(lambda: add(actor, organization_id, new)))

    @router.patch("/{organization_id}/members/{user_id}", **speaks(ChangeMemberRole))
    async def change_member(
        actor: Somebody,
        organization_id: OrganizationId,
        user_id: UserId,
        change: Annotated[MemberChange, BY_HEADER],
        expected: ExpectedVersion,
        once: Commanded,
    ) -> MembershipOut:
        change = replace(change, expected_version=expected)
        return MembershipOut.of(await once(lambda: change_role(actor, organization_id, user_id, change)))

    @router.delete("/{organization_id}/members/{user_id}", status_code=204, **speaks(RemoveMember))
    async def remove_member(actor: Somebody, organization_id: OrganizationId, user_id: UserId, once: Commanded) -> None:
        await once(lambda: remove(actor, organization_id, user_id))

    _activity(router, use)
    return router


def _activity(router: APIRouter, use: UseCases) -> None:
    list_activity = use(ListActivity)

    @router.get("/{organization_id}/activity", **speaks(ListActivity))
    async def activity(
        actor: Somebody,
        organization_id: OrganizationId,
        wanted: Annotated[ActivityFilter, Depends(asked(ActivityFilter))],
        page: Asked,
    ) -> Paged[ActivityOut]:
        found = await list_activity(actor, organization_id, wanted, after=page.after, limit=page.limit)
        return page.project(found, ActivityOut)
