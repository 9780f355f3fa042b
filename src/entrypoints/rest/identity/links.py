"""What is proven by mail: passwords lost and reset, and signing in without one."""

from fastapi import APIRouter, Depends, Request, Response

from application.identity import (
    Address,
    AddressChange,
    ChangePassword,
    ConsumeMagicLink,
    ForgotPassword,
    Link,
    NewPassword,
    PasswordChange,
    RequestAddressChange,
    RequestMagicLink,
    ResetPassword,
)
from entrypoints.rest.asking import Anybody, Device, Somebody
from entrypoints.rest.identity.sessions import TokensOut
from entrypoints.rest.limits import LETTERS, SIGN_INS, limited, limited_by_address, take_by_email
from entrypoints.rest.once import CommandedUnkeyed
from entrypoints.rest.out import Accepted
from entrypoints.rest.routing import api_router
from entrypoints.rest.speaks import speaks
from entrypoints.use_cases import UseCases

ON_ITS_WAY = Accepted(detail="If the address has an account, a letter is on its way to it.")
_LETTERS = Depends(limited_by_address("letters", LETTERS))
_GUESSES = Depends(limited_by_address("links", SIGN_INS))


def magic_links(use: UseCases) -> APIRouter:
    """Routes under /v1/magic-links."""
    router = api_router("/magic-links", tag="magic-links")
    request_link, consume_link = use(RequestMagicLink), use(ConsumeMagicLink)

    @router.post("", status_code=202, dependencies=[_LETTERS], **speaks(RequestMagicLink, signed_in=False))
    async def create(
        request: Request, response: Response, actor: Anybody, address: Address, once: CommandedUnkeyed
    ) -> Accepted:
        await take_by_email(request, response, LETTERS, what="letters", email=address.email)
        await once(lambda: request_link(actor, address))
        return ON_ITS_WAY

    @router.post("/consume", dependencies=[_GUESSES], **speaks(ConsumeMagicLink, signed_in=False))
    async def consume(actor: Anybody, link: Link, device: Device, once: CommandedUnkeyed) -> TokensOut:
        return TokensOut.given(await once(lambda: consume_link(actor, link, device)))

    return router


def passwords(use: UseCases) -> APIRouter:
    """Routes under /v1/passwords, and /v1/me/password."""
    router = api_router(tag="passwords")
    forgot_password, reset_password = use(ForgotPassword), use(ResetPassword)
    change_password = use(ChangePassword)

    @router.post(
        "/passwords/forgot", status_code=202, dependencies=[_LETTERS], **speaks(ForgotPassword, signed_in=False)
    )
    async def forgot(
        request: Request, response: Response, actor: Anybody, address: Address, once: CommandedUnkeyed
    ) -> Accepted:
        await take_by_email(request, response, LETTERS, what="letters", email=address.email)
        await once(lambda: forgot_password(actor, address))
        return ON_ITS_WAY

    @router.post("/passwords/reset", status_code=204, dependencies=[_GUESSES], **speaks(ResetPassword, signed_in=False))
    async def reset(actor: Anybody, new: NewPassword, device: Device, once: CommandedUnkeyed) -> None:
        await once(lambda: reset_password(actor, new, device))

    @router.put(
        "/me/password",
        status_code=204,
        dependencies=[Depends(limited("passwords", SIGN_INS))],
        **speaks(ChangePassword),
    )
    async def change(actor: Somebody, change: PasswordChange, device: Device, once: CommandedUnkeyed) -> None:
        await once(lambda: change_password(actor, change, device))

    return router


def addresses(use: UseCases) -> APIRouter:
    """The route /v1/me/email."""
    router = api_router(tag="users")
    change_address = use(RequestAddressChange)

    @router.put(
        "/me/email",
        status_code=202,
        dependencies=[Depends(limited("passwords", SIGN_INS)), _LETTERS],
        **speaks(RequestAddressChange),
    )
    async def change(
        request: Request,
        response: Response,
        actor: Somebody,
        change: AddressChange,
        device: Device,
        once: CommandedUnkeyed,
    ) -> Accepted:
        await take_by_email(request, response, LETTERS, what="letters", email=change.email)
        await once(lambda: change_address(actor, change, device))
        return Accepted(detail="If the address can be yours, a letter is on its way to it.")

    return router
