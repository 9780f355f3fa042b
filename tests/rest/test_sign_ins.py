"""Signing in by way of GitHub over the API, as a front end does it and as a browser does."""

from collections.abc import AsyncIterator
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import pytest
import pytest_asyncio
from dependency_injector.providers import Object

from adapters.oauth import GitHub
from domain.identity import Provider
from tests.rest.world import World, opened
from tests.support.authority import CLIENT_ID, CLIENT_SECRET, Authority, authority

VERIFIER = "the front end keeps this to itself, all the way there"
CHALLENGE = "P13UO_rqTJZUlPlOZcK3_Cu5tiq38KSmobjVyWiGi78"
APP = {"return_to": "https://app.example/in", "challenge": CHALLENGE}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def there() -> AsyncIterator[Authority]:
    """GitHub."""
    async with authority() as there:
        yield there


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def standing_house(there: Authority, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A house that has an account with it."""
    async with httpx.AsyncClient(trust_env=False) as client:
        known = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        github = GitHub(**known, client=client, site=there.address, api=there.address)
        vouching = {"oauth_providers": Object({Provider.GITHUB: github})}
        folder = tmp_path_factory.mktemp("house")
        async with opened(folder, overrides=vouching, return_origins="https://app.example") as world:
            yield world


@pytest.fixture
def house(standing_house: World) -> World:
    """The house as if it had just been opened, and a browser nobody has used."""
    standing_house.renew()
    standing_house.anybody.cookies.clear()
    return standing_house


async def agreed(house: World, there: Authority, who: str = "mia", **departure: str) -> str:
    """Somebody leaves, says who they are, and comes back; where the browser is then."""
    gone = await house.anybody.get("/v1/sign-ins/github", params=departure)
    assert gone.status_code == 303
    asked = dict(parse_qsl(urlsplit(gone.headers["location"]).query))
    back = await house.anybody.get(there.agree({**asked, "who": who}))
    assert back.status_code == 303, back.text
    return back.headers["location"]


async def test_a_front_end_signs_somebody_in_by_way_of_github(house: World, there: Authority) -> None:
    address = await agreed(house, there, **APP)
    (code,) = parse_qs(urlsplit(address).query)["code"]
    tokens = await house.anybody.post("/v1/sign-ins", json={"code": code, "verifier": VERIFIER})
    assert tokens.status_code == 201, tokens.text
    mia = house.client(authorization=f"Bearer {tokens.json()['access_token']}")
    me = (await mia.get("/v1/me")).json()
    assert (me["email"], me["email_verified"], me["name"]) == ("mia@example.org", True, "Mia")
    assert (await mia.get("/v1/sessions")).json()["items"][0]["method"] == "github"


async def test_the_cookie_of_a_way_there_is_for_this_site_and_no_script(house: World) -> None:
    gone = await house.anybody.get("/v1/sign-ins/github", params=APP)
    (cookie,) = gone.headers.get_list("set-cookie")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie  # this house is reached by http
    secret = cookie.partition("=")[2].partition(";")[0]
    assert secret not in gone.headers["location"]


async def test_a_browser_without_the_cookie_is_told_so_on_a_page(house: World, there: Authority) -> None:
    gone = await house.anybody.get("/v1/sign-ins/github", params=APP)
    asked = dict(parse_qsl(urlsplit(gone.headers["location"]).query))
    house.anybody.cookies.clear()
    back = await house.anybody.get(there.agree({**asked, "who": "mia"}))
    assert back.status_code == 422
    assert back.headers["content-type"].startswith("text/html")
    assert "begin again" in back.text


async def test_who_cancels_comes_back_with_a_reason(house: World, there: Authority) -> None:
    address = await agreed(house, there, who="", **APP)
    assert parse_qs(urlsplit(address).query)["error"] == ["identity.provider_declined"]


async def test_without_a_front_end_a_page_shows_the_tokens(house: World, there: Authority) -> None:
    assert "/v1/sign-ins/github" in (await house.anybody.get("/sign-in")).text
    address = await agreed(house, there)
    (code,) = parse_qs(urlsplit(address).query)["code"]
    asking = await house.anybody.get(address)
    assert code in asking.text
    shown = await house.anybody.post("/signed-in", data={"code": code})
    assert shown.status_code == 200, shown.text
    assert shown.text.count(".") > 2
    spent = await house.anybody.post("/signed-in", data={"code": code})
    assert spent.status_code == 422


@pytest.mark.parametrize(
    ("departure", "code"),
    [
        ({"return_to": "https://evil.example/in", "challenge": CHALLENGE}, "identity.bad_return"),
        ({"return_to": "https://app.example/in"}, "invalid"),
        ({"return_too": "https://app.example/in"}, "bad_request"),
    ],
)
async def test_a_departure_that_could_lead_astray_is_refused(
    house: World, departure: dict[str, str], code: str
) -> None:
    gone = await house.anybody.get("/v1/sign-ins/github", params=departure)
    assert gone.json()["code"] == code
    assert "set-cookie" not in gone.headers


async def test_other_providers_are_not_there(house: World) -> None:
    assert (await house.anybody.get("/v1/sign-ins/google", params=APP)).json()["code"] == "identity.no_such_provider"
    assert (await house.anybody.get("/v1/sign-ins/myspace", params=APP)).status_code == 422
    assert (await house.anybody.get("/v1/sign-ins/google/callback")).status_code == 404


async def test_a_code_that_was_guessed_opens_nothing(house: World) -> None:
    answer = await house.anybody.post("/v1/sign-ins", json={"code": "guess", "verifier": VERIFIER})
    assert (answer.status_code, answer.json()["code"]) == (422, "identity.bad_flow")


async def test_ways_in_are_listed_linked_and_taken_away_again(house: World, there: Authority) -> None:
    ana = await house.person("Ana")
    (code,) = parse_qs(urlsplit(await agreed(house, there, **APP)).query)["code"]
    linked = await ana.post("/v1/identities/vouched", json={"code": code, "verifier": VERIFIER})
    assert linked.status_code == 201, linked.text
    (found,) = (await ana.get("/v1/identities")).json()["items"]
    assert (found["issuer"], found["subject"], found["origin"]) == ("https://github.com", "4711", "signed_in")
    assert (await ana.delete(f"/v1/identities/{found['id']}")).status_code == 204
    assert (await ana.get("/v1/identities")).json()["items"] == []
