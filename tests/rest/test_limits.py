"""How fast one may ask, and how that is told."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from httpx import ASGITransport

from adapters.rate_limits import MemoryRateLimiter
from tests.rest.world import World, opened


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def counting(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A house that counts."""
    async with opened(tmp_path_factory.mktemp("counting"), rate_limits=True) as world:
        yield world


@pytest.fixture
def busy(counting: World) -> World:
    """The same, with nothing counted yet."""
    counting.renew()
    counting.app.state.limiter = MemoryRateLimiter(counting.clock)
    return counting


async def test_every_answer_says_how_much_is_left(busy: World) -> None:
    first, second = await busy.anybody.get("/v1/jobs"), await busy.anybody.get("/v1/jobs")
    assert first.headers["ratelimit-policy"] == '"reads";q=600;w=60'
    left = [int(answer.headers["ratelimit"].split("r=")[1].split(";")[0]) for answer in (first, second)]
    assert left[0] - left[1] == 1


async def test_sign_ins_are_counted_by_address_and_by_who_is_meant(busy: World) -> None:
    credentials = {"email": "ana@example.org", "password": "wrong, every time"}
    answers = [await busy.anybody.post("/v1/sessions", json=credentials) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert answers[-1].json()["code"] == "too_many_requests"
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert answers[-1].headers["ratelimit"].startswith('"sign-ins";r=0;t=')
    assert (await busy.anybody.get("/v1/jobs")).status_code == 200


async def test_one_account_is_not_guessed_at_from_many_addresses(busy: World) -> None:
    codes = []
    for number in range(11):
        client = busy.client()
        client._transport = ASGITransport(busy.app, client=(f"198.51.100.{number}", 1))
        spelt = "Ana@example.org" if number % 2 else " ana@example.org"
        answer = await client.post("/v1/sessions", json={"email": spelt, "password": "wrong, every time"})
        codes.append(answer.status_code)
    assert codes == [401] * 10 + [429]


async def test_letters_are_few(busy: World) -> None:
    asked = [await busy.anybody.post("/v1/passwords/forgot", json={"email": f"u{n}@example.org"}) for n in range(6)]
    assert [answer.status_code for answer in asked] == [202] * 5 + [429]
    page = await busy.anybody.post("/forgot", data={"email": "u9@example.org"})
    assert page.status_code == 429
    assert page.headers["content-type"].startswith("text/html")


async def test_messages_are_counted_by_user(busy: World) -> None:
    ana = await busy.person("Ana")
    asked = [await ana.post("/v1/conversations", json={}) for _ in range(61)]
    assert [answer.status_code for answer in asked[-2:]] == [422, 429]
    assert (await ana.get("/v1/me")).status_code == 200
