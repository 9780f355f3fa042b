"""How Auth is spoken to: which key, which shape of refusal, and that everything it says no with has a name here."""

import asyncio
from typing import Any

import httpx
import pytest

from adapters.supabase.auth import AuthApi, SupabaseAccounts, SupabaseSessions, SupabaseUsers
from adapters.supabase.auth.refusals import REFUSALS, refusal
from adapters.supabase.project import Project
from adapters.system.clock import StandingClock
from application.ports.identity_provider import Applicant
from domain.identity import (
    AccountSuspended,
    BadFlow,
    BadLink,
    BadRefreshToken,
    BadToken,
    EmailTaken,
    InvalidCredentials,
    NotOffered,
    Purpose,
    RefreshTokenReused,
    SessionOver,
    WeakPassword,
)
from domain.profiles import Particulars
from domain.shared.actors import Role
from domain.shared.errors import Invalid, NotFound, Refusal, StaleVersion, TooMany, Unavailable
from tests.support.gotrue import PUBLISHABLE, SECRET, URL, GoTrue
from tests.support.house import MONDAY

PROJECT = Project(url=URL, publishable_key=PUBLISHABLE, secret_key=SECRET)
ANN = Applicant(
    email="ann@example.com", password="correct horse battery", particulars=Particulars(name="Ann"), role=Role.CUSTOMER
)
NAMED = {
    "user_already_exists": EmailTaken,
    "invalid_credentials": InvalidCredentials,
    "email_not_confirmed": InvalidCredentials,
    "user_banned": AccountSuspended,
    "refresh_token_not_found": BadRefreshToken,
    "refresh_token_already_used": RefreshTokenReused,
    "session_expired": BadRefreshToken,
    "session_not_found": SessionOver,
    "conflict": StaleVersion,
    "flow_state_not_found": BadFlow,
    "flow_state_expired": BadFlow,
    "bad_code_verifier": BadFlow,
    "otp_disabled": NotOffered,
    "otp_expired": BadLink,
    "same_password": WeakPassword,
    "weak_password": WeakPassword,
    "reauthentication_needed": SessionOver,
    "over_request_rate_limit": TooMany,
    "over_email_send_rate_limit": TooMany,
    "over_sms_send_rate_limit": TooMany,
    "validation_failed": Invalid,
    "bad_jwt": BadToken,
    "user_not_found": NotFound,
    "unexpected_failure": Unavailable,
}
"""What the documented codes are called here."""


def worded(code: str, status: int = 400, **more: Any) -> httpx.Response:
    """A refusal in the newer shape."""
    return httpx.Response(status, json={"code": code, "message": "no", **more})


def numbered(code: str, status: int = 400, **more: Any) -> httpx.Response:
    """A refusal in the older one, where `code` is the status."""
    return httpx.Response(status, json={"code": status, "error_code": code, "msg": "no", **more})


def headed(code: str, status: int = 400) -> httpx.Response:
    """A refusal that only its header names."""
    return httpx.Response(status, text="no", headers={"x-sb-error-code": code})


@pytest.mark.parametrize("shape", [worded, numbered, headed])
@pytest.mark.parametrize("code", NAMED)
def test_a_refusal_is_known_by_its_code_in_every_shape_and_under_any_number(shape: Any, code: str) -> None:
    for status in (400, 403, 404, 409, 422):
        assert type(refusal(shape(code, status))) is NAMED[code]


def test_every_code_is_a_refusal_and_what_is_unknown_is_safe() -> None:
    for code in REFUSALS:
        assert isinstance(refusal(worded(code)), Refusal)
    for odd in (
        worded("a_code_of_next_year"),
        httpx.Response(500, text="<html>"),
        httpx.Response(502, json=["no"]),
        httpx.Response(400, json={"code": 400}),
        httpx.Response(400, json={"code": None, "error": {"a": 1}}),
        httpx.Response(302),
        httpx.Response(401, content=b"\xff"),
    ):
        assert type(refusal(odd)) is Unavailable


def test_oauths_own_shape_is_read_too() -> None:
    told = {"error": "invalid_credentials", "error_description": "no"}
    assert type(refusal(httpx.Response(400, json=told))) is InvalidCredentials


def test_a_weak_password_says_why() -> None:
    found = refusal(worded("weak_password", 422, weak_password={"reasons": ["pwned", "length"]}))
    assert found.details["reason"] == "pwned"
    assert refusal(worded("weak_password", 422, weak_password=7)).details["reason"] == "strength"


@pytest.mark.parametrize(
    ("said", "seconds"), [("7", 7), ("", 60), ("0", 1), ("9" * 12, 60), ("99999", 3600), ("-3", 60), ("٣", 60)]
)
def test_a_limit_says_how_long_to_wait_whatever_its_code(said: str, seconds: int) -> None:
    answer = httpx.Response(429, text="slow down", headers={"retry-after": said.encode()})
    assert (type(refusal(answer)), refusal(answer).details["retry_after"]) == (TooMany, seconds)


class Wire:
    """Keeps what was sent."""

    def __init__(self) -> None:
        self.auth = GoTrue(StandingClock(MONDAY))
        self.sent: list[httpx.Request] = []
        self.http = httpx.AsyncClient(transport=httpx.MockTransport(self.handle))
        self.api = AuthApi(PROJECT, self.http)

    async def handle(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        await asyncio.sleep(0)
        return await self.auth.handle(request)

    async def confirmed(self) -> None:
        """Ann has an account."""
        await SupabaseUsers(self.api).create(ANN)


async def test_the_key_that_may_do_everything_is_sent_for_the_house_only_and_never_as_a_token() -> None:
    wire = Wire()
    await wire.confirmed()
    granted = await SupabaseSessions(wire.api).sign_in(ANN.email, ANN.password)
    await SupabaseSessions(wire.api).end(granted.access_token)
    for request in wire.sent:
        house = "/admin/" in request.url.path
        assert request.headers["apikey"] == (SECRET if house else PUBLISHABLE)
        assert SECRET not in request.headers.get("authorization", "")
        assert request.headers["x-supabase-api-version"] == "2024-01-01"
        assert SECRET.encode() not in request.content
    assert wire.sent[-1].headers["authorization"] == f"Bearer {granted.access_token}"


@pytest.mark.parametrize("confirms", [True, False])
async def test_an_address_that_is_known_gets_the_answer_of_one_that_is_not(confirms: bool) -> None:
    wire = Wire()
    await wire.confirmed()
    wire.auth.confirms = confirms
    accounts = SupabaseAccounts(wire.api)
    await accounts.sign_up(ANN)
    for purpose in Purpose:
        await accounts.send_link("nobody@example.com", purpose)
    account = wire.auth.by_email(ANN.email)
    assert account is not None
    assert account.password == ANN.password
    assert wire.auth.by_email("nobody@example.com") is None


async def test_a_session_that_signing_up_begins_by_itself_is_ended() -> None:
    wire = Wire()
    wire.auth.confirms = False
    await SupabaseAccounts(wire.api).sign_up(ANN)
    assert wire.auth.sessions == {}


async def test_a_password_longer_than_auth_can_keep_is_refused_before_it_is_sent() -> None:
    wire = Wire()
    with pytest.raises(WeakPassword):
        await SupabaseAccounts(wire.api).set_password("token", "ü" * 37)
    assert wire.sent == []


async def test_one_token_is_exchanged_once_however_many_ask_at_the_same_time() -> None:
    wire = Wire()
    await wire.confirmed()
    sessions = SupabaseSessions(wire.api)
    granted = await sessions.sign_in(ANN.email, ANN.password)
    before = len(wire.sent)
    answers = await asyncio.gather(*(sessions.renew(granted.refresh_token) for _ in range(20)))
    assert len({answer.refresh_token for answer in answers}) == 1
    assert len(wire.sent) - before == 1
    await sessions.renew(answers[0].refresh_token)
    assert len(wire.sent) - before == 2
    assert sessions._renewing == {}


async def test_without_waiting_for_one_another_twenty_would_ask() -> None:
    """The twin: what the test above would see if each asked for itself."""
    wire = Wire()
    await wire.confirmed()
    granted = await SupabaseSessions(wire.api).sign_in(ANN.email, ANN.password)
    before = len(wire.sent)
    await asyncio.gather(*(SupabaseSessions(wire.api).renew(granted.refresh_token) for _ in range(20)))
    assert len(wire.sent) - before == 20


async def test_who_goes_away_takes_the_exchange_from_nobody_else() -> None:
    wire = Wire()
    await wire.confirmed()
    sessions = SupabaseSessions(wire.api)
    granted = await sessions.sign_in(ANN.email, ANN.password)
    first = asyncio.ensure_future(sessions.renew(granted.refresh_token))
    second = asyncio.ensure_future(sessions.renew(granted.refresh_token))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).refresh_token != granted.refresh_token


async def test_a_conflict_of_two_elsewhere_is_tried_again() -> None:
    wire = Wire()
    await wire.confirmed()
    sessions = SupabaseSessions(wire.api)
    granted = await sessions.sign_in(ANN.email, ANN.password)
    wire.auth.mood = "conflict"
    with pytest.raises(StaleVersion):
        await sessions.renew(granted.refresh_token)
    assert await sessions.renew(granted.refresh_token)


@pytest.mark.parametrize("mood", ["down", "silent", "garbled", "odd"])
async def test_what_makes_no_sense_is_nobody_answering(mood: str) -> None:
    wire = Wire()
    wire.auth.mood = mood
    with pytest.raises(Unavailable):
        await SupabaseSessions(wire.api).sign_in(ANN.email, ANN.password)
    with pytest.raises(Unavailable):
        await SupabaseAccounts(wire.api).redeem("token", Purpose.MAGIC_LINK)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"access_token": "a.b.c", "refresh_token": "r", "expires_in": 3600, "user": {"id": "1"}},
        {"access_token": 7, "refresh_token": "r", "expires_in": 3600, "user": {"id": "1"}},
        {"access_token": None, "refresh_token": None, "expires_in": None, "user": None},
        ["a", "list"],
    ],
)
async def test_a_session_that_cannot_be_read_lets_nobody_in(answer: Any) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=answer))
    sessions = SupabaseSessions(AuthApi(PROJECT, httpx.AsyncClient(transport=transport)))
    with pytest.raises(Unavailable):
        await sessions.sign_in(ANN.email, ANN.password)


async def test_older_keys_are_tokens_and_sent_as_such() -> None:
    wire = Wire()
    old = Project(url=URL, publishable_key="anon.jwt.x", secret_key="service.jwt.x")
    with pytest.raises(BadToken):  # this project knows the newer ones only
        await SupabaseUsers(AuthApi(old, wire.http)).page(1)
    assert wire.sent[0].headers["authorization"] == "Bearer service.jwt.x"


async def test_everybody_is_listed_page_by_page() -> None:
    wire = Wire()
    await wire.confirmed()
    users = SupabaseUsers(wire.api)
    assert [each.email for each in await users.page(1)] == [ANN.email]
    assert await users.page(2) == []


async def test_a_ban_of_whom_nobody_knows_any_more_is_no_trouble() -> None:
    wire = Wire()
    await SupabaseUsers(wire.api).ban("019cadc6-9a80-7d8e-91b7-584a2265b1f5")
