"""Accounts: signing up, confirming the address, seeing who one is."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Request, Response

from application.identity import Address, Link, ResendVerification, SignUp, SignUpForm, VerifyEmail, WhoAmI
from domain.shared.actors import Role
from domain.shared.ids import SessionId, UserId
from entrypoints.rest.asking import Anybody, Device, Somebody
from entrypoints.rest.limits import LETTERS, SIGN_INS, limited_by_address, take_by_email
from entrypoints.rest.once import CommandedUnkeyed
from entrypoints.rest.out import Accepted, Out
from entrypoints.rest.routing import api_router
from entrypoints.rest.speaks import speaks
from entrypoints.use_cases import UseCases

FORM: Any = {
    "customer": {
        "summary": "Somebody who comes to book",
        "value": {
            "email": "carla@example.org",
            "password": "correct horse battery",
            "name": "Carla Nunes",
            "zone": "Europe/Lisbon",
        },
    },
    "provider": {
        "summary": "Somebody who offers work",
        "value": {
            "email": "vera@example.org",
            "password": "seven strings to tune",
            "name": "Vera Lopes",
            "role": "provider",
            "locale": "pt-PT",
            "zone": "Europe/Lisbon",
        },
    },
}


class UserOut(Out):
    """An account."""

    id: UserId
    version: int
    email: str | None
    role: Role
    email_verified_at: datetime | None
    created_at: datetime


class AccountOut(Out):
    """The account that asks."""

    id: UserId
    email: str | None
    role: Role
    email_verified: bool
    name: str
    zone: str
    session_id: SessionId | None
    created_at: datetime


def users(use: UseCases) -> APIRouter:
    """Routes under /v1/users, and /v1/me."""
    router = api_router(tag="users")
    sign_up, verify_email, resend, who_am_i = use(SignUp), use(VerifyEmail), use(ResendVerification), use(WhoAmI)
    by_address = Depends(limited_by_address("sign-ups", SIGN_INS))
    letters = Depends(limited_by_address("letters", LETTERS))

    @router.post("/users", status_code=202, dependencies=[by_address], **speaks(SignUp, signed_in=False))
    async def create(
        actor: Anybody, form: Annotated[SignUpForm, Body(openapi_examples=FORM)], once: CommandedUnkeyed
    ) -> Accepted:
        await once(lambda: sign_up(actor, form))
        return Accepted(detail="If the address can have an account, a letter is on its way to it.")

    @router.post("/users/verify", dependencies=[by_address], **speaks(VerifyEmail, signed_in=False))
    async def verify(actor: Anybody, link: Link, device: Device, once: CommandedUnkeyed) -> UserOut:
        return UserOut.of(await once(lambda: verify_email(actor, link, device)))

    @router.post(
        "/users/verification",
        status_code=202,
        dependencies=[letters],
        **speaks(ResendVerification, signed_in=False),
    )
    async def resend_verification(
        request: Request, response: Response, actor: Anybody, address: Address, once: CommandedUnkeyed
    ) -> Accepted:
        await take_by_email(request, response, LETTERS, what="letters", email=address.email)
        await once(lambda: resend(actor, address))
        return Accepted(detail="If there is anything to confirm, a letter is on its way.")

    @router.get("/me", **speaks(WhoAmI))
    async def me(actor: Somebody) -> AccountOut:
        return AccountOut.of(await who_am_i(actor))

    return router
