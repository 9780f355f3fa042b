"""Users, as those see them who look after the house."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from application.identity import (
    ChangeRole,
    CreateUser,
    DeleteUser,
    GetUser,
    ListUsers,
    NewRole,
    NewUser,
    RestoreUser,
    SuspendUser,
    Suspension,
    UserFilter,
)
from domain.shared.ids import UserId
from entrypoints.rest.asking import Somebody
from entrypoints.rest.cursors import Asked, Paged
from entrypoints.rest.identity.accounts import UserOut
from entrypoints.rest.once import Commanded
from entrypoints.rest.queries import asked
from entrypoints.rest.routing import api_router
from entrypoints.rest.speaks import speaks
from entrypoints.rest.versions import BY_HEADER, ExpectedVersion, WelcomeVersion, tagged
from entrypoints.use_cases import UseCases


class CaredForOut(UserOut):
    """A user, and whether the account is closed."""

    suspended_at: datetime | None


def users(use: UseCases) -> APIRouter:
    """Routes under /v1/admin/users."""
    router = api_router("/admin/users", tag="admin")
    create_user, list_users, get_user = use(CreateUser), use(ListUsers), use(GetUser)
    suspend_user, restore_user, change_role = use(SuspendUser), use(RestoreUser), use(ChangeRole)
    delete_user = use(DeleteUser)

    @router.get("", **speaks(ListUsers))
    async def find_users(
        actor: Somebody, filter: Annotated[UserFilter, Depends(asked(UserFilter))], page: Asked
    ) -> Paged[CaredForOut]:
        return page.project(await list_users(actor, filter, after=page.after, limit=page.limit), CaredForOut)

    @router.post("", status_code=201, **speaks(CreateUser))
    async def add_user(actor: Somebody, new: NewUser, once: Commanded) -> CaredForOut:
        return CaredForOut.of(await once(lambda: create_user(actor, new)))

    @router.get("/{user_id}", **speaks(GetUser))
    async def read_user(actor: Somebody, user_id: UserId, response: Response) -> CaredForOut:
        user = await get_user(actor, user_id)
        tagged(response, user)
        return CaredForOut.of(user)

    @router.post("/{user_id}/suspend", **speaks(SuspendUser))
    async def suspend(
        actor: Somebody,
        user_id: UserId,
        suspension: Annotated[Suspension, BY_HEADER],
        expected: WelcomeVersion,
        once: Commanded,
    ) -> CaredForOut:
        suspension = replace(suspension, expected_version=expected)
        return CaredForOut.of(await once(lambda: suspend_user(actor, user_id, suspension)))

    @router.post("/{user_id}/restore", **speaks(RestoreUser))
    async def restore(actor: Somebody, user_id: UserId, once: Commanded) -> CaredForOut:
        return CaredForOut.of(await once(lambda: restore_user(actor, user_id)))

    @router.delete("/{user_id}", status_code=204, **speaks(DeleteUser))
    async def delete(actor: Somebody, user_id: UserId, once: Commanded) -> None:
        await once(lambda: delete_user(actor, user_id))

    @router.put("/{user_id}/role", **speaks(ChangeRole))
    async def set_role(
        actor: Somebody,
        user_id: UserId,
        new: Annotated[NewRole, BY_HEADER],
        expected: ExpectedVersion,
        once: Commanded,
    ) -> CaredForOut:
        new = replace(new, expected_version=expected)
        return CaredForOut.of(await once(lambda: change_role(actor, user_id, new)))

    return router
