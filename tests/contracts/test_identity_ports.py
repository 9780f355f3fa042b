"""What the ports of identity promise, whoever keeps the promise."""

import asyncio
import json
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import bcrypt
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.utils import base64url_encode

from adapters.local_identity import (
    DerivedOneTimeSecrets,
    DerivedRefreshSecrets,
    FixedKeyring,
    HashCost,
    KeptKeyring,
    KeyringUnusable,
    LocalAccessTokens,
    LocalPasswords,
    SigningKey,
)
from adapters.system.clock import StandingClock
from adapters.system.ids import SeededIds
from application.ports.identity import AccessTokens, PasswordHasher
from domain.identity import BadToken, Client, Session, SignInMethod, TokenExpired, User
from domain.shared.actors import Role
from domain.shared.errors import TooMany
from domain.shared.ids import OneTimeTokenId, RefreshTokenId, SessionId, UserId

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANN = User.create(id=UserId(UUID(int=1)), email="ann@example.com", role=Role.PROVIDER, now=NOW)
SESSION = Session.open(
    id=SessionId(UUID(int=2)), user_id=ANN.id, epoch=1, method=SignInMethod.PASSWORD, client=Client(), now=NOW
)
ISSUER, AUDIENCE = "https://house.example", "guildhall"


# PasswordHasher


@pytest.fixture(scope="module")
def passwords() -> Iterator[PasswordHasher]:
    local = LocalPasswords(HashCost.least())
    yield local
    local.close()


async def test_a_password_matches_its_own_hash_and_no_other(passwords: PasswordHasher) -> None:
    kept = await passwords.hash("correct horse")
    assert "correct horse" not in kept
    assert await passwords.verify("correct horse", kept)
    assert not await passwords.verify("correct house", kept)


async def test_two_hashes_of_one_password_differ(passwords: PasswordHasher) -> None:
    assert await passwords.hash("correct horse") != await passwords.hash("correct horse")


@pytest.mark.parametrize("kept", [None, "", "plain text", "$argon2id$v=19$m=8,t=1,p=1$broken", "$2b$10$broken"])
async def test_what_cannot_be_compared_is_no_match(passwords: PasswordHasher, kept: str | None) -> None:
    assert not await passwords.verify("correct horse", kept)
    assert not (await passwords.verify_and_upgrade("correct horse", kept)).matches


async def test_text_that_is_no_text_is_no_match(passwords: PasswordHasher) -> None:
    assert not await passwords.verify("half \ud800", await passwords.hash("correct horse"))


async def test_a_hash_of_today_is_left_alone(passwords: PasswordHasher) -> None:
    verdict = await passwords.verify_and_upgrade("correct horse", await passwords.hash("correct horse"))
    assert (verdict.matches, verdict.upgraded) == (True, None)


async def test_a_hash_of_another_cost_is_made_anew() -> None:
    dear, cheap = LocalPasswords(HashCost(memory_kib=64, passes=2)), LocalPasswords(HashCost.least())
    verdict = await dear.verify_and_upgrade("correct horse", await cheap.hash("correct horse"))
    assert verdict.upgraded is not None
    assert "m=64,t=2" in verdict.upgraded
    assert await dear.verify("correct horse", verdict.upgraded)
    assert (await dear.verify_and_upgrade("wrong horse", await cheap.hash("correct horse"))).upgraded is None


@pytest.mark.parametrize("prefix", [b"2a", b"2b"])
async def test_an_imported_bcrypt_hash_is_read_and_made_anew(passwords: PasswordHasher, prefix: bytes) -> None:
    imported = bcrypt.hashpw(b"correct horse", bcrypt.gensalt(4, prefix)).decode()
    verdict = await passwords.verify_and_upgrade("correct horse", imported)
    assert verdict.matches
    assert verdict.upgraded is not None
    assert verdict.upgraded.startswith("$argon2id$")
    assert not await passwords.verify("wrong horse", imported)


async def test_an_imported_bcrypt_hash_went_by_72_bytes(passwords: PasswordHasher) -> None:
    long = "ü" * 50
    imported = bcrypt.hashpw(long.encode()[:72], bcrypt.gensalt(4)).decode()
    verdict = await passwords.verify_and_upgrade(long, imported)
    assert verdict.upgraded is not None
    assert await passwords.verify(long, verdict.upgraded)
    assert not await passwords.verify(long[:-1], verdict.upgraded)


async def test_hashing_leaves_the_event_loop_free() -> None:
    slow = LocalPasswords(HashCost(memory_kib=32 * 1024, passes=3), threads=1)
    hashing = asyncio.create_task(slow.hash("correct horse"))
    turns = 0
    while not hashing.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 10
    slow.close()


async def test_a_flood_is_turned_away_and_the_rest_is_served() -> None:
    few = LocalPasswords(HashCost.least(), threads=1, waiting=2)
    outcomes = await asyncio.gather(*(few.hash("correct horse") for _ in range(10)), return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, TooMany)]
    assert len(refused) == 7
    assert refused[0].details["retry_after"] == 2
    assert await few.hash("correct horse")
    few.close()


def test_the_cost_outside_of_tests_is_the_recommended_one() -> None:
    assert HashCost() == HashCost(memory_kib=19456, passes=2, lanes=1)


# Secrets


def test_a_secret_is_the_same_each_time_and_hard_to_guess() -> None:
    one, other = DerivedOneTimeSecrets("k" * 32), DerivedOneTimeSecrets("l" * 32)
    link = OneTimeTokenId(UUID(int=7))
    secret = one.secret(link)
    assert secret == one.secret(link)
    assert len(secret) == 43
    assert secret.replace("-", "").replace("_", "").isalnum()
    assert secret not in (other.secret(link), one.secret(OneTimeTokenId(UUID(int=8))))


def test_a_mailed_link_is_never_a_refresh_token() -> None:
    same = UUID(int=7)
    link = DerivedOneTimeSecrets("k" * 32).secret(OneTimeTokenId(same))
    assert link != DerivedRefreshSecrets("k" * 32).secret(RefreshTokenId(same))


def test_only_a_digest_is_stored_and_any_text_has_one() -> None:
    secrets = DerivedRefreshSecrets("k" * 32)
    secret = secrets.secret(RefreshTokenId(UUID(int=7)))
    assert len(secrets.digest(secret)) == 64
    assert secret not in secrets.digest(secret)
    assert secrets.digest("half \ud800") != secrets.digest(secret)


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="32"):
        DerivedOneTimeSecrets("short")


# AccessTokens


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock(NOW)


@pytest.fixture
def keyring(tmp_path: Path) -> KeptKeyring:
    return KeptKeyring(tmp_path / "keys" / "signing.json", now=NOW)


@pytest.fixture
def tokens(keyring: KeptKeyring, clock: StandingClock) -> LocalAccessTokens:
    return made(keyring, clock)


def made(keyring: Any, clock: StandingClock, **others: Any) -> LocalAccessTokens:
    told = {"issuer": ISSUER, "audience": AUDIENCE, **others}
    return LocalAccessTokens(keyring, clock, SeededIds(clock, seed=1), **told)


async def test_a_token_says_who_it_was_issued_to(tokens: AccessTokens) -> None:
    claims = await tokens.verify(tokens.issue(ANN, SESSION))
    assert (claims.user_id, claims.session_id, claims.role) == (ANN.id, SESSION.id, Role.PROVIDER)
    assert (claims.issued_at, claims.expires_at) == (NOW, NOW + tokens.lifetime)


async def test_no_two_tokens_are_the_same(tokens: AccessTokens) -> None:
    one, other = tokens.issue(ANN, SESSION), tokens.issue(ANN, SESSION)
    assert (await tokens.verify(one)).token_id != (await tokens.verify(other)).token_id


@pytest.mark.parametrize("seen_before", [True, False])
async def test_a_token_expires_by_our_clock(tokens: AccessTokens, clock: StandingClock, seen_before: bool) -> None:
    token = tokens.issue(ANN, SESSION)
    if seen_before:
        await tokens.verify(token)
    clock.advance(tokens.lifetime + timedelta(seconds=4))
    await tokens.verify(token)
    clock.advance(timedelta(seconds=1))
    for _ in range(2):
        with pytest.raises(TokenExpired):
            await tokens.verify(token)


async def test_a_token_from_the_future_is_not_ours(tokens: AccessTokens, clock: StandingClock) -> None:
    token = tokens.issue(ANN, SESSION)
    clock.set(NOW - timedelta(seconds=6))
    with pytest.raises(BadToken):
        await tokens.verify(token)


def test_the_public_keys_are_published_without_their_secrets(tokens: AccessTokens) -> None:
    (key,) = tokens.jwks()["keys"]
    assert set(key) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("EC", "P-256", "ES256", "sig")


async def test_anybody_can_verify_a_token_by_the_published_keys(tokens: AccessTokens) -> None:
    token = tokens.issue(ANN, SESSION)
    keys = jwt.PyJWKSet.from_dict({"keys": [dict(key) for key in tokens.jwks()["keys"]]})
    key = keys[jwt.get_unverified_header(token)["kid"]]
    options: Any = {"verify_exp": False, "verify_iat": False}
    claims = jwt.decode(token, key, audience=AUDIENCE, issuer=ISSUER, options=options)
    assert claims["sub"] == str(ANN.id)
    assert set(claims) == {"iss", "aud", "sub", "sid", "role", "db_role", "iat", "exp", "jti"}
    assert claims["db_role"] == "authenticated", "the database takes the bearer for a client, whoever it is"


def forged(key: Any, *, algorithm: str = "ES256", header: dict[str, Any] | None = None, **claims: Any) -> str:
    said = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(ANN.id),
        "sid": str(SESSION.id),
        "role": "admin",
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 600,
        "jti": str(UUID(int=5)),
        **claims,
    }
    said = {name: value for name, value in said.items() if value is not None}
    return jwt.encode(said, key, algorithm=algorithm, headers={"typ": "at+jwt", **(header or {})})


def headed(header: Any, token: str) -> str:
    """The token under another header, its signature no longer fitting."""
    return ".".join([base64url_encode(json.dumps(header).encode()).decode(), *token.split(".")[1:]])


@contextmanager
def raises(refusal: type[Exception], *, why: str) -> Iterator[None]:
    try:
        yield
    except refusal:
        return
    pytest.fail(why)


async def test_a_forged_token_is_refused(tokens: AccessTokens, keyring: KeptKeyring) -> None:
    mine = keyring.keys[0]
    theirs = ec.generate_private_key(ec.SECP256R1())
    kid = {"kid": mine.kid}
    public = json.dumps(mine.jwk())
    good = tokens.issue(ANN, SESSION)
    head, body, signature = good.split(".")
    attempts = {
        "nothing": "",
        "no token": "abc",
        "empty parts": "..",
        "far too long": good + "A" * 5000,
        "not text": good + "\ud800",
        "cut": good[:-3],
        "no signature": f"{head}.{body}.",
        "another body": f"{head}.{body[:-4]}AAAA.{signature}",
        "signed by another key": forged(theirs, header=kid),
        "another key's name": forged(theirs, header={"kid": "who"}),
        "no key named": forged(mine.private),
        "a key named by a number": headed({"alg": "ES256", "typ": "at+jwt", "kid": 7}, good),
        "a key named by a list": headed({"alg": "ES256", "typ": "at+jwt", "kid": [mine.kid]}, good),
        "a header that is a list": headed([], good),
        "a header we must understand": headed({"alg": "ES256", "typ": "at+jwt", "crit": ["exp"], **kid}, good),
        "no algorithm": forged(None, algorithm="none", header=kid),
        "our public key as a password": forged(public * 2, algorithm="HS256", header=kid),
        "another algorithm": forged(
            rsa.generate_private_key(public_exponent=65537, key_size=2048), algorithm="RS256", header=kid
        ),
        "another type": forged(mine.private, header={**kid, "typ": "JWT"}),
        "another issuer": forged(mine.private, header=kid, iss="https://evil.example"),
        "another audience": forged(mine.private, header=kid, aud="others"),
        "no subject": forged(mine.private, header=kid, sub=None),
        "no expiry": forged(mine.private, header=kid, exp=None),
        "a subject that is no user": forged(mine.private, header=kid, sub="ann"),
        "a session that is a number": forged(mine.private, header=kid, sid=7),
        "a role nobody has": forged(mine.private, header=kid, role="king"),
        "an expiry beyond all time": forged(mine.private, header=kid, exp=10**20),
        "an expiry in words": forged(mine.private, header=kid, exp="tomorrow"),
    }
    for attempt, token in attempts.items():
        with raises(BadToken, why=attempt):
            await tokens.verify(token)
    assert (await tokens.verify(forged(mine.private, header=kid))).role is Role.ADMIN


async def test_what_is_remembered_is_bounded(keyring: KeptKeyring, clock: StandingClock) -> None:
    tokens = made(keyring, clock, remembered=3)
    issued = [tokens.issue(ANN, SESSION) for _ in range(10)]
    for token in issued:
        await tokens.verify(token)
    assert len(tokens._known) == 3
    await tokens.verify(issued[0])


# Keys


async def test_after_a_rotation_old_tokens_still_verify_and_new_ones_bear_another_name(
    tokens: AccessTokens, keyring: KeptKeyring
) -> None:
    before = tokens.issue(ANN, SESSION)
    fresh = keyring.rotate(now=NOW)
    after = tokens.issue(ANN, SESSION)
    await tokens.verify(before)
    await tokens.verify(after)
    assert jwt.get_unverified_header(after)["kid"] == fresh.kid != jwt.get_unverified_header(before)["kid"]
    assert [key["kid"] for key in tokens.jwks()["keys"]] == [fresh.kid, jwt.get_unverified_header(before)["kid"]]


async def test_a_rotation_by_another_process_is_noticed(
    tokens: AccessTokens, keyring: KeptKeyring, clock: StandingClock, tmp_path: Path
) -> None:
    other = KeptKeyring(tmp_path / "keys" / "signing.json", now=NOW)
    other.rotate(now=NOW)
    theirs = made(other, clock).issue(ANN, SESSION)
    assert (await tokens.verify(theirs)).user_id == ANN.id
    assert jwt.get_unverified_header(tokens.issue(ANN, SESSION))["kid"] == other.keys[0].kid


async def test_a_key_that_leaked_is_dropped_and_its_tokens_with_it(
    tokens: AccessTokens, clock: StandingClock, tmp_path: Path
) -> None:
    token = tokens.issue(ANN, SESSION)
    await tokens.verify(token)
    KeptKeyring(tmp_path / "keys" / "signing.json", now=NOW).rotate(now=NOW, keep=timedelta())
    clock.advance(timedelta(seconds=30))
    with pytest.raises(BadToken):
        await tokens.verify(token)


def test_a_retired_key_goes_when_nothing_it_signed_can_be_good(keyring: KeptKeyring) -> None:
    first = keyring.keys[0].kid
    second = keyring.rotate(now=NOW).kid
    third = keyring.rotate(now=NOW + timedelta(hours=1)).kid
    assert [key.kid for key in keyring.keys] == [third, second, first]
    fourth = keyring.rotate(now=NOW + timedelta(days=1)).kid
    assert [key.kid for key in keyring.keys] == [fourth, third, second]


def test_keys_are_kept_for_their_owner_only(keyring: KeptKeyring, tmp_path: Path) -> None:
    file = tmp_path / "keys" / "signing.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = KeptKeyring(file, now=NOW + timedelta(days=1))
    assert [key.kid for key in again.keys] == [key.kid for key in keyring.keys]


def test_a_broken_key_file_does_not_take_the_known_keys_away(keyring: KeptKeyring, tmp_path: Path) -> None:
    known = [key.kid for key in keyring.keys]
    file = tmp_path / "keys" / "signing.json"
    for damage in ("", "{}", '{"keys": []}', '{"keys": [{"kty": "EC"}]}', '{"keys": 3}'):
        file.write_text(damage)
        keyring.look_again()
        assert [key.kid for key in keyring.keys] == known
        with pytest.raises(KeyringUnusable):
            KeptKeyring(file, now=NOW)
    file.unlink()
    keyring.look_again()
    assert [key.kid for key in keyring.keys] == known


async def test_keys_can_be_given_as_text(tmp_path: Path, clock: StandingClock, keyring: KeptKeyring) -> None:
    given = FixedKeyring((tmp_path / "keys" / "signing.json").read_text())
    tokens = made(given, clock)
    clock.advance(timedelta(minutes=1))
    await tokens.verify(made(keyring, clock).issue(ANN, SESSION))


def test_only_private_keys_of_the_right_curve_sign() -> None:
    stored = SigningKey.generate(now=NOW).stored()
    assert SigningKey.read(stored).made_at == NOW
    for wrong in (
        {name: value for name, value in stored.items() if name != "d"},
        {name: value for name, value in stored.items() if name != "made_at"},
        {**stored, "crv": "P-384"},
        {**stored, "kty": "RSA"},
        {**stored, "made_at": "yesterday"},
    ):
        with pytest.raises(KeyringUnusable):
            SigningKey.read(wrong)
