"""Tokens for reading on behalf of users: whichever key signs them, the project takes them, and shows what is theirs."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from adapters.persistence.store import Insert
from adapters.supabase.errors import ProjectShut
from adapters.supabase.tokens import LIFETIME, RENEWED, CarriedTokens, ClientTokens, MintedTokens, NoTokens, carry
from adapters.system.clock import StandingClock, SystemClock
from application.ports.criteria import Order
from domain.shared.actors import Actor
from domain.shared.ids import UserId
from tests.contracts.rows import Rows
from tests.contracts.stores import Backend, emptied, on_supabase
from tests.support.postgrest import SECRET, PostgREST, postgrest

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ANN, BEN = UUID(int=1), UUID(int=2)


def signing_key(kid: str) -> tuple[str, dict[str, Any]]:
    """A private key as a JWK, and its public half."""
    key = ec.generate_private_key(ec.SECP256R1())
    private = ECAlgorithm.to_jwk(key, as_dict=True) | {"kid": kid, "alg": "ES256"}
    public = ECAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": kid, "alg": "ES256"}
    return json.dumps(private), public


async def own_rows(backend: Backend, user: UUID) -> list[Any]:
    found = await backend.views.rows(
        Actor(user_id=UserId(user)), "users", ("id", "email"), {}, order=Order(), after=None, limit=9
    )
    return [row["id"] for row in found]


@asynccontextmanager
async def with_ann_and_ben(rest: PostgREST, url: str, tokens: ClientTokens) -> AsyncIterator[Backend]:
    async with on_supabase(rest, url, tokens=tokens) as backend:
        rows = Rows("tokens")
        users = [rows.row("users", id=id, email=f"{name}@example.org") for id, name in ((ANN, "ann"), (BEN, "ben"))]
        await backend.commit(*(Insert("users", user) for user in users))
        yield backend


async def test_a_token_minted_with_the_projects_secret_shows_what_is_its_users(
    standing_project: tuple[PostgREST, str],
) -> None:
    rest, url = standing_project
    await emptied(url)
    async with with_ann_and_ben(rest, url, MintedTokens(rest.secret, SystemClock())) as backend:
        assert await own_rows(backend, ANN) == [ANN]
        assert await own_rows(backend, BEN) == [BEN]


async def test_a_token_minted_with_an_imported_key_does_the_same(database: str) -> None:
    private, public = signing_key("imported")
    secret = {"kty": "oct", "k": jwt.utils.base64url_encode(SECRET.encode()).decode()}
    with postgrest(database, jwt_secret=json.dumps({"keys": [secret, public]})) as rest:
        async with with_ann_and_ben(rest, database, MintedTokens(private, SystemClock())) as backend:
            assert await own_rows(backend, ANN) == [ANN]


ISSUER = "https://abc.example/auth/v1"


async def test_the_askers_own_token_is_used_while_it_is_at_hand_and_for_nobody_else(
    standing_project: tuple[PostgREST, str],
) -> None:
    rest, url = standing_project
    await emptied(url)
    claims = {"iss": ISSUER, "sub": "ann there", "role": "authenticated", "exp": datetime(2126, 1, 1, tzinfo=UTC)}
    async with with_ann_and_ben(rest, url, CarriedTokens(NoTokens())) as backend:
        known = Rows("issuers").row("external_identities", issuer=ISSUER, subject="ann there", user_id=ANN)
        await backend.insert("external_identities", known)
        carry(ANN, jwt.encode(claims, rest.secret), issuer="https://another.example")
        with pytest.raises(ProjectShut):
            await own_rows(backend, ANN)
        carry(ANN, jwt.encode(claims, rest.secret), issuer=ISSUER)
        assert await own_rows(backend, ANN) == [ANN]
        with pytest.raises(ProjectShut):
            await own_rows(backend, BEN)


async def test_an_own_token_that_has_run_out_gives_way_to_a_minted_one(
    standing_project: tuple[PostgREST, str],
) -> None:
    rest, url = standing_project
    await emptied(url)
    old = {"iss": ISSUER, "sub": "ann there", "role": "authenticated", "exp": NOON}
    async with with_ann_and_ben(rest, url, CarriedTokens(MintedTokens(rest.secret, SystemClock()))) as backend:
        carry(ANN, jwt.encode(old, rest.secret), issuer=ISSUER)
        assert await own_rows(backend, ANN) == [ANN]


def test_a_token_is_kept_until_shortly_before_its_end_and_another_follows() -> None:
    clock = StandingClock(NOON)
    tokens = MintedTokens(SECRET, clock)
    first = tokens.of(ANN)
    assert tokens.of(BEN) != first
    clock.advance(LIFETIME - RENEWED)
    assert tokens.of(ANN) == first
    clock.advance(timedelta(seconds=1))
    second = tokens.of(ANN)
    assert second != first
    claims = jwt.decode(second, SECRET, ["HS256"], audience="authenticated", options={"verify_exp": False})
    until = (clock.now() + LIFETIME).timestamp()
    assert claims == {
        "iss": "guildhall",
        "sub": str(ANN),
        "role": "authenticated",
        "aud": "authenticated",
        "exp": int(until),
    }
    clock.advance(timedelta(seconds=1))
    assert tokens.of(ANN) == second
    tokens.forget(ANN)
    assert tokens.of(ANN) != second


def test_users_who_have_not_asked_for_long_are_forgotten() -> None:
    clock = StandingClock(NOON)
    tokens = MintedTokens(SECRET, clock, kept=2)
    first = tokens.of(ANN)
    tokens.of(BEN)
    clock.advance(timedelta(seconds=1))
    assert tokens.of(ANN) == first
    tokens.of(UUID(int=3))
    clock.advance(timedelta(seconds=1))
    assert tokens.of(ANN) == first
