"""Tokens of other issuers at the API: what they open, and what is said when they do not."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.rest.world import Api, World, opened
from tests.support.issuers import (
    HOOK,
    PAGE,
    SECRET,
    clerk_claims,
    clerk_event,
    clerk_user,
    published,
    rs256,
    secretly,
    supabase_claims,
    svix,
    token,
)

KEY = rs256("ins_1")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def abroad(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[World, str]]:
    """A house that accepts tokens of Supabase by its secret, and of Clerk by keys fetched from a server."""
    folder: Path = tmp_path_factory.mktemp("abroad")
    with published([KEY.jwk()]) as (clerk, _):
        accepting: dict[str, Any] = {
            "accept_tokens_of": ("supabase", "clerk"),
            "supabase_url": "https://project.supabase.example",
            "supabase_jwt_secret": SECRET,
            "clerk_issuer": clerk,
            "clerk_authorized_parties": (PAGE,),
            "clerk_webhook_secret": (HOOK,),
        }
        async with opened(folder, **accepting) as world:
            yield world, clerk


def bearer(world: World, shown: str) -> Api:
    return world.client(authorization=f"Bearer {shown}")


async def test_people_of_three_issuers_ask_side_by_side(abroad: tuple[World, str]) -> None:
    world, clerk = abroad
    now: datetime = world.clock.now()
    ours = await world.person("Ana")
    theirs = bearer(world, secretly(supabase_claims(now)))
    others = bearer(world, token(KEY, clerk_claims(now, iss=clerk)))
    names = [(await one.get("/v1/me")).json()["name"] for one in (ours, theirs, others)]
    assert names == ["Ana", "Ann Able", "Somebody"]
    me = (await others.get("/v1/me")).json()
    assert (me["email"], me["email_verified"], me["role"], me["session_id"]) == (None, False, "customer", None)


async def test_a_bad_token_says_so_and_no_token_says_what_is_wanted(abroad: tuple[World, str]) -> None:
    world, clerk = abroad
    now: datetime = world.clock.now()
    late = token(KEY, clerk_claims(now - timedelta(minutes=2), iss=clerk))
    elsewhere = token(KEY, clerk_claims(now, iss=clerk, azp="https://evil.example"))
    for shown, code in ((late, "identity.token_expired"), (elsewhere, "identity.bad_token")):
        answer = await bearer(world, shown).get("/v1/jobs")
        assert (answer.status_code, answer.json()["code"]) == (401, code)
        assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert (await world.anybody.get("/v1/me")).headers["www-authenticate"] == "Bearer"


async def test_a_visitor_of_supabase_reads_what_is_public_and_no_more(abroad: tuple[World, str]) -> None:
    world, _ = abroad
    visitor = bearer(world, secretly(supabase_claims(world.clock.now(), is_anonymous=True)))
    assert (await visitor.get("/v1/jobs")).status_code == 200
    assert (await visitor.get("/v1/me")).status_code == 401


async def test_somebody_links_an_account_they_have_elsewhere(abroad: tuple[World, str]) -> None:
    world, clerk = abroad
    ben = await world.person("Ben")
    shown = token(KEY, clerk_claims(world.clock.now(), iss=clerk, sub="user_ben"))
    linked = await ben.post("/v1/identities", json={"access_token": shown})
    assert (linked.status_code, linked.json()["issuer"], linked.json()["origin"]) == (201, clerk, "signed_in")
    assert (await bearer(world, shown).get("/v1/me")).json()["name"] == "Ben"
    carla = await world.person("Carla")
    taken = await carla.post("/v1/identities", json={"access_token": shown})
    assert (taken.status_code, taken.json()["code"]) == (409, "identity.taken")
    assert (await world.anybody.post("/v1/identities", json={"access_token": shown})).status_code == 401


async def test_what_clerk_writes_is_done_here_too(abroad: tuple[World, str]) -> None:
    world, clerk = abroad
    now: datetime = world.clock.now()
    zoe = bearer(world, token(KEY, clerk_claims(now, iss=clerk, sub="user_zoe")))
    raw = clerk_event("user.created", clerk_user("user_zoe", updated_at=now), at=now)
    for _ in range(2):
        told = await world.anybody.post("/webhooks/clerk", content=raw, headers=svix(raw, id="msg_zoe", at=now))
        assert told.status_code == 202
    await world.deliver()
    me = (await zoe.get("/v1/me")).json()
    assert (me["name"], me["email"], me["email_verified"]) == ("Ann Able", "ann@example.com", True)
    raw = clerk_event("user.deleted", {"id": "user_zoe", "deleted": True}, at=now)
    await world.anybody.post("/webhooks/clerk", content=raw, headers=svix(raw, id="msg_gone", at=now))
    await world.deliver()
    answer = await zoe.get("/v1/me")
    assert (answer.status_code, answer.json()["code"]) == (401, "identity.access_ended")


async def test_what_is_not_clerks_is_refused_and_never_an_error(abroad: tuple[World, str]) -> None:
    world, _ = abroad
    now: datetime = world.clock.now()
    raw = clerk_event("user.created", clerk_user(updated_at=now), at=now)
    good = svix(raw, at=now)
    for headers, status in (
        ({}, 401),
        (good | {"svix-signature": "v1,,,"}, 401),
        (good | {"svix-timestamp": "soon"}, 401),
        (svix(raw, at=now - timedelta(seconds=301)), 401),
        (svix(raw, at=now + timedelta(seconds=301)), 401),
    ):
        assert (await world.anybody.post("/webhooks/clerk", content=raw, headers=headers)).status_code == status
    nonsense = b"\xff"
    answer = await world.anybody.post("/webhooks/clerk", content=nonsense, headers=svix(nonsense, at=now))
    assert answer.status_code == 422
