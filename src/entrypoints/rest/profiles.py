"""What users say of themselves."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Response

from application.profiles import GetOwnProfile, GetProfile, ProfileChanges, UpdateProfile
from domain.shared.ids import FileId, UserId
from entrypoints.rest.asking import Anybody, Somebody
from entrypoints.rest.once import Commanded
from entrypoints.rest.out import Out
from entrypoints.rest.routing import api_router
from entrypoints.rest.speaks import speaks
from entrypoints.rest.versions import BY_HEADER, ExpectedVersion, tagged
from entrypoints.use_cases import UseCases


class ProfileOut(Out):
    """What everybody may know of a user."""

    id: UserId
    version: int
    name: str
    headline: str
    bio: str
    avatar_url: str
    avatar_id: FileId | None
    """A picture kept here: see `/v1/files`; it goes before `avatar_url`."""
    zone: str
    created_at: datetime


class OwnProfileOut(ProfileOut):
    """One's own profile, with what others do not see."""

    locale: str
    phone: str
    updated_at: datetime


def profiles(use: UseCases) -> APIRouter:
    """Routes under /v1/profiles, and /v1/me/profile."""
    router = api_router(tag="profiles")
    get_profile, get_own_profile, update_profile = use(GetProfile), use(GetOwnProfile), use(UpdateProfile)

    @router.get("/profiles/{user_id}", **speaks(GetProfile, signed_in=False))
    async def read(actor: Anybody, user_id: UserId, response: Response) -> ProfileOut:
        profile = await get_profile(actor, user_id)
        tagged(response, profile)
        return ProfileOut.of(profile)

    @router.get("/me/profile", **speaks(GetOwnProfile))
    async def read_own(actor: Somebody, response: Response) -> OwnProfileOut:
        profile = await get_own_profile(actor)
        tagged(response, profile)
        return OwnProfileOut.of(profile)

    @router.patch("/me/profile", **speaks(UpdateProfile))
    async def update(
        actor: Somebody, changes: Annotated[ProfileChanges, BY_HEADER], expected: ExpectedVersion, once: Commanded
    ) -> OwnProfileOut:
        changes = replace(changes, expected_version=expected)
        return OwnProfileOut.of(await once(lambda: update_profile(actor, changes)))

    return router
