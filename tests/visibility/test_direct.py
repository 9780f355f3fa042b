"""A front end that speaks to PostgREST with its own token: it reads what is its user's to see, by whatever trick, and
writes nothing."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import orjson
import pytest

from adapters.local_identity import KeptKeyring, LocalAccessTokens
from adapters.postgres.issuer import introduce
from adapters.postgres.server.locks import patience
from adapters.system.clock import SystemClock
from adapters.system.ids import SystemIds
from domain.shared.actors import Role
from tests.planted.policies import IN_THE_OPEN
from tests.support.postgrest import PostgREST, postgrest, token
from tests.visibility.direct import OVER, ask, contents, everything, expired, functions_of, refused
from tests.visibility.probe import connected, furnish
from tests.visibility.questions import questions
from tests.visibility.world import World

THESE = ("anonymous", "ann, signed in", "ann, signed out", "vera, by another issuer", "max", "root", "service")
"""Who asks in `make test`; in `make prove` everybody does."""


@pytest.mark.parametrize("name", THESE)
async def test_everybody_is_answered_what_is_theirs(name: str, rest: PostgREST, owner: Any, here: World) -> None:
    before = await contents(owner)
    asked = await everything(rest, here, [here.named(name)], await functions_of(owner))
    assert asked.complaints == []
    assert sum(asked.counts.values()) > 400
    assert await contents(owner) == before


async def test_a_token_that_is_over_is_good_for_nothing(rest: PostgREST, here: World) -> None:
    root = here.named("root")
    asked = await refused(rest, here, root, expired(root), OVER)
    assert asked.complaints == []


@pytest.mark.parametrize("role", ["guildhall_app", "authenticator", "postgres", "nobody_at_all", ""])
async def test_a_token_makes_nobody_more_than_a_client(role: str, rest: PostgREST, here: World) -> None:
    root = here.named("root")
    async with httpx.AsyncClient(base_url=rest.url, trust_env=False) as client:
        headers = {"Authorization": f"Bearer {token(role, sub=str(root.user_id))}"}
        said = await client.get("/users?select=id", headers=headers)
    assert said.is_error
    assert said.json()["code"] in ("42501", "22023"), said.text


async def test_guildhalls_own_tokens_are_good_at_postgrest(furnished: str, here: World, tmp_path: Path) -> None:
    """Verified by the keys it publishes; and a session that ends takes its tokens with it."""
    issuer = "https://guildhall.example"
    clock = SystemClock()
    keyring = KeptKeyring(tmp_path / "keys.json", now=clock.now())
    tokens = LocalAccessTokens(keyring, clock, SystemIds(clock), issuer=issuer, audience=issuer)
    keys = orjson.dumps(tokens.jwks()).decode()
    await introduce(furnished, issuer)
    with postgrest(furnished, jwt_secret=keys, jwt_role_claim_key=".db_role", jwt_aud=issuer) as rest:
        for name, rows in (("ann, signed in", 2), ("ann, signed out", 0), ("root, signed in", 6)):
            who = here.named(name)
            user = SimpleNamespace(id=who.user_id, role=Role.ADMIN)
            bearer = tokens.issue(user, SimpleNamespace(id=who.session_id))  # type: ignore[arg-type]
            async with httpx.AsyncClient(base_url=rest.url, trust_env=False) as client:
                for _ in patience(20):  # Until it knows the schema: who waited for that had no token of this issuer.
                    said = await client.get("/bookings?select=id", headers={"Authorization": f"Bearer {bearer}"})
                    if said.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                        break
            assert said.status_code == httpx.codes.OK, said.text
            assert len(said.json()) == rows
    await introduce(furnished, "guildhall")


@pytest.fixture(scope="module")
def careless(request: pytest.FixtureRequest, here: World) -> Iterator[tuple[str, PostgREST]]:
    """Another such database, to do harm to; and PostgREST in front of it."""
    servers = request.getfixturevalue("postgres_servers")
    with servers.get("18").clone() as url, ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(furnish(url, here))).result()
        with postgrest(url) as running:
            yield url, running


@pytest.mark.parametrize("planted", IN_THE_OPEN, ids=lambda planted: planted.name)
async def test_harm_is_seen_from_here(planted: Any, careless: tuple[str, PostgREST], here: World) -> None:
    url, rest = careless
    who = here.named(planted.who)
    asking = [each for each in questions(here, who, {}) if f"/{planted.where}" in each.path]
    async with connected(url) as owner:
        await owner.execute(planted.harm)
        try:
            asked = await ask(rest, asking, "" if who.role == "anon" else token(**who.claims))
        finally:
            await owner.execute(planted.mended)
    assert asked.complaints
    assert (await ask(rest, asking, "" if who.role == "anon" else token(**who.claims))).complaints == []
