"""Links from mails, and signing in. Opening one shows a page and changes nothing, because mail scanners open links too;
submitting it does."""

from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse

from application.identity import (
    Address,
    ConsumeMagicLink,
    ForgotPassword,
    Link,
    NewPassword,
    PasswordSignIn,
    ResendVerification,
    ResetPassword,
    SignIn,
    VerifyEmail,
)
from domain.identity import BadLink, Provider
from domain.shared.actors import ANONYMOUS
from entrypoints.rest.asking import Device
from entrypoints.rest.errors import status_of
from entrypoints.rest.identity.sessions import TokensOut
from entrypoints.rest.limits import LETTERS, SIGN_INS, limited_by_address, take_by_email
from entrypoints.rest.once import CommandedUnkeyed
from entrypoints.rest.pages.rendering import Field, form_of, form_page, page, page_router
from entrypoints.use_cases import UseCases

Token = Annotated[str, Query(max_length=500)]
_EMAIL = Field(name="email", label="E-mail address", kind="email", complete="username")
_SIGN_IN = {"Sign in": "/sign-in"}
NAMES = {Provider.GOOGLE: "Google", Provider.GITHUB: "GitHub"}


def links(use: UseCases, facts: dict[str, Any]) -> APIRouter:
    """`/verify`, `/magic`, `/reset`, `/forgot` and `/sign-in`."""
    router = page_router()
    _confirming(router, use)
    _signing_in(router, use, facts["providers"])
    _resetting(router, use)
    return router


def _confirming(router: APIRouter, use: UseCases) -> None:
    verify_email, resend_verification = use(VerifyEmail), use(ResendVerification)

    @router.get("/verify")
    async def verify(token: Token = "") -> HTMLResponse:
        lead = "One step and your address is confirmed."
        return form_page("Confirm your address", lead, "/verify", "Confirm", Field(name="token", value=token))

    @router.post("/verify", dependencies=[Depends(limited_by_address("links", SIGN_INS))])
    async def verified(request: Request, device: Device, once: CommandedUnkeyed) -> HTMLResponse:
        form = await form_of(request)
        link = Link(token=form.get("token", ""))
        try:
            user = await once(lambda: verify_email(ANONYMOUS, link, device))
        except BadLink as refusal:
            lead = f"{refusal.message[:1].upper()}{refusal.message[1:]}. We can send you another link."
            again = form_page("This link does not work", lead, "/verify/again", "Send another", _EMAIL)
            again.status_code = status_of(BadLink)
            return again
        return page(
            "told.html", title="Confirmed", told=[f"{user.email} is yours. You can sign in now."], links=_SIGN_IN
        )

    @router.post("/verify/again", dependencies=[Depends(limited_by_address("letters", LETTERS))])
    async def verify_again(request: Request, response: Response, once: CommandedUnkeyed) -> HTMLResponse:
        address = Address(email=(await form_of(request)).get("email", ""))
        await take_by_email(request, response, LETTERS, what="letters", email=address.email)
        await once(lambda: resend_verification(ANONYMOUS, address))
        return _on_its_way()


def _signing_in(router: APIRouter, use: UseCases, providers: Iterable[Provider]) -> None:
    sign_in, consume_link = use(SignIn), use(ConsumeMagicLink)

    @router.get("/magic")
    async def magic(token: Token = "") -> HTMLResponse:
        return form_page("Sign in", "No password needed.", "/magic", "Sign in", Field(name="token", value=token))

    @router.post("/magic", dependencies=[Depends(limited_by_address("links", SIGN_INS))])
    async def consume(request: Request, device: Device, once: CommandedUnkeyed) -> HTMLResponse:
        link = Link(token=(await form_of(request)).get("token", ""))
        tokens = TokensOut.given(await once(lambda: consume_link(ANONYMOUS, link, device)))
        return page("tokens.html", title="You are signed in", tokens=tokens)

    @router.get("/sign-in")
    async def ask_sign_in() -> HTMLResponse:
        password = Field(name="password", label="Password", kind="password", complete="current-password")
        others = {f"Sign in with {NAMES[each]}": f"/v1/sign-ins/{each.value}" for each in providers}
        lead, ways = "With your address and password.", {"I forgot my password": "/forgot", **others}
        return form_page("Sign in", lead, "/sign-in", "Sign in", _EMAIL, password, links=ways)

    @router.post("/sign-in", dependencies=[Depends(limited_by_address("sign-ins", SIGN_INS))])
    async def signed_in(request: Request, response: Response, device: Device, once: CommandedUnkeyed) -> HTMLResponse:
        form = await form_of(request)
        credentials = PasswordSignIn(email=form.get("email", ""), password=form.get("password", ""))
        await take_by_email(request, response, SIGN_INS, what="sign-ins", email=credentials.email)
        tokens = TokensOut.given(await once(lambda: sign_in(ANONYMOUS, credentials, device)))
        return page("tokens.html", title="You are signed in", tokens=tokens)


def _resetting(router: APIRouter, use: UseCases) -> None:
    forgot_password, reset_password = use(ForgotPassword), use(ResetPassword)

    @router.get("/forgot")
    async def forgot() -> HTMLResponse:
        lead = "We send a link to your address with which you choose another."
        return form_page("Forgot your password?", lead, "/forgot", "Send the link", _EMAIL)

    @router.post("/forgot", dependencies=[Depends(limited_by_address("letters", LETTERS))])
    async def ask_reset(request: Request, response: Response, once: CommandedUnkeyed) -> HTMLResponse:
        address = Address(email=(await form_of(request)).get("email", ""))
        await take_by_email(request, response, LETTERS, what="letters", email=address.email)
        await once(lambda: forgot_password(ANONYMOUS, address))
        return _on_its_way()

    @router.get("/reset")
    async def reset(token: Token = "") -> HTMLResponse:
        password = Field(
            name="password",
            label="New password",
            kind="password",
            complete="new-password",
            hint="At least 10 characters.",
        )
        lead = "It replaces the old one, and ends all your sessions."
        return form_page(
            "Choose a new password", lead, "/reset", "Change it", Field(name="token", value=token), password
        )

    @router.post("/reset", dependencies=[Depends(limited_by_address("links", SIGN_INS))])
    async def was_reset(request: Request, device: Device, once: CommandedUnkeyed) -> HTMLResponse:
        form = await form_of(request)
        new = NewPassword(token=form.get("token", ""), password=form.get("password", ""))
        await once(lambda: reset_password(ANONYMOUS, new, device))
        return page("told.html", title="Password changed", told=["Sign in with the new one."], links=_SIGN_IN)


def _on_its_way() -> HTMLResponse:
    told = ["If the address has an account, a letter is on its way to it."]
    return page("told.html", title="Look into your mail", told=told, links={})
