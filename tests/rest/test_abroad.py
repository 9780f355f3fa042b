"""The API of a house whose accounts Supabase keeps: the same routes, the same answers, tokens of another issuer."""

from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import pytest_asyncio
from dependency_injector.providers import Object

from adapters.jwt_issuers import ALGORITHMS, AcceptedTokens, FetchedKeys, supabase
from adapters.system.clock import StandingClock
from application.ports.identity import AccessClaims, BearerTokens, ForeignClaims
from domain.identity import BadToken
from tests.rest.test_sign_ins import APP, VERIFIER
from tests.rest.world import MONDAY, PASSWORD, Api, World, opened
from tests.support.gotrue import PUBLISHABLE, SECRET, URL, GoTrue

FORM = {"email": "ana@example.org", "password": PASSWORD, "name": "Ana", "role": "provider"}
CREDENTIALS = {"email": FORM["email"], "password": PASSWORD}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def standing_house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[World, GoTrue]]:
    """The house, and the project on its transport."""
    auth = GoTrue(StandingClock(MONDAY))
    settings = {"supabase_url": URL, "supabase_publishable_key": PUBLISHABLE, "supabase_secret_key": SECRET}
    async with httpx.AsyncClient(transport=httpx.MockTransport(auth.handle)) as client:
        keys = FetchedKeys(
            f"{URL}/auth/v1/.well-known/jwks.json", client=client, clock=auth.clock, algorithms=ALGORITHMS["supabase"]
        )
        tokens = AcceptedTokens(NoneOfOurs(), [supabase(f"{URL}/auth/v1", keys)], auth.clock)
        overrides = {"http": Object(client), "bearer_tokens": Object(tokens)}
        folder = tmp_path_factory.mktemp("house")
        async with opened(
            folder, overrides=overrides, identity="supabase", return_origins="https://app.example", **settings
        ) as world:
            yield world, auth


@pytest.fixture
def auth(standing_house: tuple[World, GoTrue]) -> GoTrue:
    """The project, empty."""
    standing_house[1].renew()
    return standing_house[1]


@pytest.fixture
def house(standing_house: tuple[World, GoTrue], auth: GoTrue) -> World:
    """The house as if it had just been opened."""
    standing_house[0].renew()
    return standing_house[0]


class NoneOfOurs(BearerTokens):
    """This house issues no tokens of its own."""

    async def verify(self, token: str) -> AccessClaims | ForeignClaims:
        raise BadToken


async def signed_in(house: World, auth: GoTrue) -> Api:
    """Ana, with a session of the project's."""
    assert (await house.anybody.post("/v1/users", json=FORM)).status_code == 202
    link = auth.mailed(FORM["email"], "signup")[-1]
    assert (await house.anybody.post("/v1/users/verify", json={"token": link})).status_code == 200
    answer = await house.anybody.post("/v1/sessions", json=CREDENTIALS)
    assert answer.status_code == 201, answer.text
    ana = house.client(authorization=f"Bearer {answer.json()['access_token']}")
    ana.tokens = answer.json()
    return ana


async def test_somebody_signs_up_and_in_and_is_known_by_the_projects_token(house: World, auth: GoTrue) -> None:
    ana = await signed_in(house, auth)
    me = (await ana.get("/v1/me")).json()
    assert (me["email"], me["role"], me["email_verified"], me["name"]) == (FORM["email"], "provider", True, "Ana")
    assert me["id"] == ana.tokens["user_id"]
    assert (await ana.get("/v1/organizations/mine")).status_code in (200, 404)


async def test_signing_up_says_the_same_of_a_new_and_of_a_taken_address(house: World, auth: GoTrue) -> None:
    await signed_in(house, auth)
    for confirms in (True, False):
        auth.confirms = confirms
        taken = await house.anybody.post("/v1/users", json={**FORM, "password": "another good password"})
        fresh = await house.anybody.post("/v1/users", json={**FORM, "email": f"new{confirms}@example.org".lower()})
        assert (taken.status_code, taken.json()) == (fresh.status_code, fresh.json()) == (202, fresh.json())


async def test_sessions_are_refreshed_and_ended_where_they_are_kept(house: World, auth: GoTrue) -> None:
    ana = await signed_in(house, auth)
    renewal = {"refresh_token": ana.tokens["refresh_token"]}
    following = await house.anybody.post("/v1/sessions/refresh", json=renewal)
    assert following.status_code == 200, following.text
    assert (await ana.delete("/v1/sessions/current")).status_code == 204
    gone = await house.anybody.post("/v1/sessions/refresh", json={"refresh_token": following.json()["refresh_token"]})
    assert (gone.status_code, gone.json()["code"]) == (401, "identity.bad_refresh_token")
    assert (await ana.get("/v1/sessions")).json()["code"] == "identity.not_offered"


async def test_a_password_is_changed_by_whoever_knows_it(house: World, auth: GoTrue) -> None:
    ana = await signed_in(house, auth)
    change = {"current_password": PASSWORD, "new_password": "another good password"}
    wrong = await ana.put("/v1/me/password", json={**change, "current_password": "not that one"})
    assert (wrong.status_code, wrong.json()["code"]) == (403, "identity.wrong_password")
    assert (await ana.put("/v1/me/password", json=change)).status_code == 204
    assert (await house.anybody.post("/v1/sessions", json=CREDENTIALS)).status_code == 401


async def test_whom_an_admin_suspends_is_out_at_the_next_request_and_banned_there(house: World, auth: GoTrue) -> None:
    ana = await signed_in(house, auth)
    admin = await house.admin()
    suspend = await admin.post(f"/v1/admin/users/{ana.tokens['user_id']}/suspend", json={"reason": "rude"})
    assert suspend.status_code == 200, suspend.text
    assert (await ana.get("/v1/me")).json()["code"] == "identity.suspended"
    await house.deliver()
    account = auth.by_email(FORM["email"])
    assert account is not None
    assert account.banned_until is not None


async def test_a_front_end_signs_somebody_in_by_way_of_google_through_the_project(house: World, auth: GoTrue) -> None:
    gone = await house.anybody.get("/v1/sign-ins/google", params=APP)
    assert gone.headers["location"].startswith(f"{URL}/auth/v1/authorize?provider=google")
    back = parse_qs(urlsplit(auth.agree(gone.headers["location"], "mia@example.org")).query)
    voucher = {"code": back["code"][0], "verifier": VERIFIER}
    wrong = await house.anybody.post("/v1/sign-ins", json={**voucher, "verifier": "another"})
    assert wrong.json()["code"] == "identity.bad_flow"
    tokens = await house.anybody.post("/v1/sign-ins", json=voucher)
    assert tokens.status_code == 201, tokens.text
    mia = house.client(authorization=f"Bearer {tokens.json()['access_token']}")
    assert (await mia.get("/v1/me")).json()["email"] == "mia@example.org"


@pytest.mark.parametrize(
    ("mood", "status"), [("down", 503), ("silent", 503), ("garbled", 503), ("odd", 503), ("busy", 429)]
)
async def test_nobody_at_the_project_is_never_our_own_fault(house: World, auth: GoTrue, mood: str, status: int) -> None:
    auth.mood = mood
    for path, body in (
        ("/v1/sessions", CREDENTIALS),
        ("/v1/users", FORM),
        ("/v1/sessions/refresh", {"refresh_token": "r"}),
        ("/v1/passwords/forgot", {"email": FORM["email"]}),
        ("/v1/sign-ins", {"code": "c", "verifier": "v"}),
    ):
        answer = await house.anybody.post(path, json=body)
        assert answer.status_code == status, (path, answer.text)
        assert answer.headers["retry-after"] == ("7" if mood == "busy" else "1")
