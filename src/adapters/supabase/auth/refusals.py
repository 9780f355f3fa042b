"""What Auth says no with, and what that is called here. Only its codes are looked at: its sentences and numbers change
between versions (400 and 422 are used for the same things)."""

from collections.abc import Callable, Mapping
from typing import Any

import httpx

from domain.identity import (
    AccountSuspended,
    BadEmail,
    BadFlow,
    BadLink,
    BadRefreshToken,
    BadToken,
    EmailTaken,
    InvalidCredentials,
    NotOffered,
    RefreshTokenReused,
    SessionOver,
    WeakPassword,
    WrongPassword,
)
from domain.shared.errors import Invalid, NotFound, Refusal, StaleVersion, TooMany, Unavailable

Told = Mapping[str, Any]
"""The body of a refusal."""


def _weak(told: Told) -> Refusal:
    reasons = told.get("weak_password")
    listed = reasons.get("reasons") if isinstance(reasons, dict) else None
    first = str(listed[0]) if isinstance(listed, list) and listed else "strength"
    return WeakPassword("this password is too easy to guess", reason=first)


def _shut(_: Told) -> Refusal:
    return NotOffered()


def _away(_: Told) -> Refusal:
    return unavailable()


REFUSALS: dict[str, Callable[[Told], Refusal]] = {
    # at the door
    "invalid_credentials": lambda _: InvalidCredentials(),
    "email_not_confirmed": lambda _: InvalidCredentials(),
    "phone_not_confirmed": lambda _: InvalidCredentials(),
    "user_banned": lambda _: AccountSuspended(),
    "user_sso_managed": _shut,
    "signup_disabled": _shut,
    "email_provider_disabled": _shut,
    "phone_provider_disabled": _shut,
    "otp_disabled": _shut,
    "captcha_failed": _shut,
    "email_address_not_authorized": _shut,
    "anonymous_provider_disabled": _shut,
    "user_already_exists": lambda _: EmailTaken(),
    "email_exists": lambda _: EmailTaken(),
    "phone_exists": lambda _: EmailTaken(),
    "email_conflict_identity_not_deletable": lambda _: EmailTaken(),
    "email_address_invalid": lambda _: BadEmail(),
    "weak_password": _weak,
    "same_password": lambda _: WeakPassword("that is your password already", reason="same"),
    "current_password_required": lambda _: WrongPassword(),
    "current_password_invalid": lambda _: WrongPassword(),
    "reauthentication_needed": lambda _: SessionOver(),
    "reauthentication_not_valid": lambda _: WrongPassword(),
    # sessions
    "refresh_token_not_found": lambda _: BadRefreshToken(),
    "refresh_token_already_used": lambda _: RefreshTokenReused(),
    "session_expired": lambda _: BadRefreshToken(),
    "session_not_found": lambda _: SessionOver(),
    "conflict": lambda _: StaleVersion("somebody was faster; try again"),
    "bad_jwt": lambda _: BadToken(),
    "no_authorization": lambda _: BadToken(),
    "user_not_found": lambda _: NotFound("there is no such account"),
    "insufficient_aal": _shut,
    # links, and by way of others
    "otp_expired": lambda _: BadLink(),
    "invite_not_found": lambda _: BadLink(),
    "flow_state_not_found": lambda _: BadFlow(),
    "flow_state_expired": lambda _: BadFlow(),
    "bad_code_verifier": lambda _: BadFlow(),
    "bad_oauth_state": lambda _: BadFlow(),
    "bad_oauth_callback": lambda _: BadFlow(),
    "provider_disabled": _shut,
    "oauth_provider_not_supported": _shut,
    "provider_email_needs_verification": lambda _: InvalidCredentials(),
    # how it was asked
    "validation_failed": lambda _: Invalid("the identity provider cannot take this as it is"),
    "bad_json": _away,
    "not_admin": _away,
    "unexpected_audience": _away,
    "unexpected_failure": _away,
    "request_timeout": _away,
    "hook_timeout": _away,
    "hook_timeout_after_retry": _away,
    "over_request_rate_limit": _away,
    "over_email_send_rate_limit": _away,
    "over_sms_send_rate_limit": _away,
}
"""By code. Limits are told from the status, whatever their code. What stands nowhere here is `Unavailable`: nobody was
let in, and nothing is known to have been done."""


def unavailable() -> Unavailable:
    """Nobody answers, or not in a way that can be understood."""
    return Unavailable("the identity provider does not answer; try again in a little while")


def refusal(response: httpx.Response) -> Refusal:
    """What this answer, which is no success, is called here."""
    told = body_of(response)
    code = code_of(response, told)
    if response.status_code == 429 or code.startswith("over_"):
        return TooMany("you ask too often; wait a little", retry_after=_wait(response))
    known = REFUSALS.get(code)
    return known(told) if known else unavailable()


def code_of(response: httpx.Response, told: Told) -> str:
    """The code, wherever this version puts it: in a header, as `error_code`, as a `code` that is a word (an older one
    is the status again), or as OAuth's `error`."""
    for said in (response.headers.get("x-sb-error-code"), told.get("error_code"), told.get("code"), told.get("error")):
        if isinstance(said, str) and said:
            return said
    return ""


def body_of(response: httpx.Response) -> dict[str, Any]:
    """The body, if it is an object; a gateway in between answers with pages of its own."""
    try:
        told = response.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _wait(response: httpx.Response) -> int:
    said = response.headers.get("retry-after", "")
    return min(max(int(said), 1), 3600) if said.isascii() and said.isdigit() and len(said) < 9 else 60
