"""Keys of issuers: fetched rarely, by one for all who ask, and kept whatever becomes of the issuer."""

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.jwt_issuers import FetchedKeys, VerifyingKey
from adapters.jwt_issuers.keys import BadKeySet, read_key_set
from adapters.system.clock import StandingClock
from domain.shared.errors import Unavailable
from tests.planted.issuers import AsksForEverybody, AsksForEveryName, EmptiedByFailure
from tests.support.issuers import KeyServer, es256, rs256

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BOTH = frozenset({"ES256", "RS256"})
AWAY: tuple[httpx.Response | Exception, ...] = (
    httpx.ConnectError("away"),
    httpx.ReadTimeout("slow"),
    httpx.Response(500),
    httpx.Response(200, text="<html>all is well</html>"),
    httpx.Response(200, json={"keys": []}),
    httpx.Response(200, json=["keys"]),
    httpx.Response(200, content=b" " * 300_000),
    httpx.Response(302, headers={"location": "https://evil.example"}),
)


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock(NOW)


@pytest.fixture
def server() -> KeyServer:
    return KeyServer([es256().jwk()])


def made(server: KeyServer, clock: StandingClock, cls: type[FetchedKeys] = FetchedKeys, **more: Any) -> FetchedKeys:
    return cls("https://issuer.example/jwks", client=server.client, clock=clock, algorithms=BOTH, **more)


async def known(keys: FetchedKeys, kid: str = "es-1") -> Sequence[VerifyingKey]:
    return await keys.candidates("ES256", kid)


async def settle() -> None:
    """Let what was begun beside the request come to its end."""
    for _ in range(50):
        await asyncio.sleep(0)


async def test_keys_are_fetched_once_and_used_from_then_on(server: KeyServer, clock: StandingClock) -> None:
    keys = made(server, clock)
    for _ in range(100):
        assert len(await known(keys)) == 1
    assert server.asked == 1


async def test_they_are_refreshed_beside_a_request_when_they_are_of_some_age(
    server: KeyServer, clock: StandingClock
) -> None:
    keys = made(server, clock)
    await known(keys)
    server.keys.append(es256("es-2").jwk())
    clock.advance(timedelta(minutes=10))
    assert len(await known(keys)) == 1
    await settle()
    assert server.asked == 2
    assert len(await known(keys, "es-2")) == 1
    assert server.asked == 2


async def outlasts_an_outage(cls: type[FetchedKeys], answer: httpx.Response | Exception) -> None:
    """A day without the issuer, somebody asking every few minutes."""
    clock, server = StandingClock(NOW), KeyServer([es256().jwk()])
    keys = made(server, clock, cls)
    assert await known(keys)
    server.answer = answer
    for _ in range(24 * 12):
        clock.advance(timedelta(minutes=5))
        assert await known(keys), "who was signed in is not any more"
    await settle()
    server.answer = None
    clock.advance(timedelta(minutes=1))
    assert await known(keys)


@pytest.mark.parametrize("answer", AWAY, ids=[str(n) for n in range(len(AWAY))])
async def test_a_day_without_the_issuer_hurts_nobody(answer: httpx.Response | Exception) -> None:
    await outlasts_an_outage(FetchedKeys, answer)


async def test_keys_that_a_failure_empties_would_be_noticed() -> None:
    with pytest.raises((AssertionError, Unavailable)):
        await outlasts_an_outage(EmptiedByFailure, AWAY[0])


async def bears_unknown_names(cls: type[FetchedKeys]) -> None:
    """Ten thousand tokens that name keys nobody has, within a minute."""
    clock, server = StandingClock(NOW), KeyServer([es256().jwk()])
    keys = made(server, clock, cls)
    assert await known(keys)
    for n in range(10_000):
        clock.advance(timedelta(milliseconds=6))
        assert not await known(keys, f"who-{n}")
    assert server.asked <= 3, f"the issuer was asked {server.asked} times"
    assert await known(keys)


async def test_names_nobody_knows_do_not_make_us_ask_each_time() -> None:
    await bears_unknown_names(FetchedKeys)


async def test_asking_for_every_name_would_be_noticed() -> None:
    with pytest.raises(AssertionError, match="the issuer was asked"):
        await bears_unknown_names(AsksForEveryName)


async def asks_once_for_all(cls: type[FetchedKeys]) -> None:
    """Two hundred first requests at once, and then two hundred with the name of a key that has just come."""
    clock, server = StandingClock(NOW), KeyServer([es256().jwk()])
    keys = made(server, clock, cls)
    assert all(await asyncio.gather(*(known(keys) for _ in range(200))))
    server.keys.append(es256("es-2").jwk())
    clock.advance(timedelta(seconds=31))
    assert all(await asyncio.gather(*(known(keys, "es-2") for _ in range(200)))), "somebody was turned away"
    assert server.asked == 2, f"the issuer was asked {server.asked} times"


async def test_many_at_once_ask_once() -> None:
    await asks_once_for_all(FetchedKeys)


async def test_asking_for_everybody_would_be_noticed() -> None:
    with pytest.raises(AssertionError, match="the issuer was asked"):
        await asks_once_for_all(AsksForEverybody)


async def test_who_gives_up_does_not_take_the_answer_from_the_others(clock: StandingClock) -> None:
    gate, asked = asyncio.Event(), 0

    async def slow(request: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        await gate.wait()
        return httpx.Response(200, json={"keys": [es256().jwk()]})

    client = httpx.AsyncClient(transport=httpx.MockTransport(slow))
    keys = FetchedKeys("https://issuer.example/jwks", client=client, clock=clock, algorithms=BOTH)
    impatient, patient = asyncio.ensure_future(known(keys)), asyncio.ensure_future(known(keys))
    await settle()
    impatient.cancel()
    await settle()
    gate.set()
    assert await patient
    assert asked == 1


async def test_before_anything_is_known_the_house_says_that_it_cannot_tell(
    server: KeyServer, clock: StandingClock
) -> None:
    server.answer = httpx.ConnectError("away")
    keys = made(server, clock)
    for _ in range(50):
        with pytest.raises(Unavailable) as refused:
            await known(keys)
        assert refused.value.details == {"retry_after": 5}
    assert server.asked == 1
    server.answer = None
    clock.advance(timedelta(seconds=30))
    assert await known(keys)


async def test_a_restart_while_the_issuer_is_away_hurts_nobody(
    server: KeyServer, clock: StandingClock, tmp_path: Path
) -> None:
    kept = tmp_path / "issuers" / "one.json"
    assert await known(made(server, clock, kept=kept))
    server.answer = httpx.ConnectError("away")
    assert await known(made(server, clock, kept=kept))
    kept.write_text("{")
    with pytest.raises(Unavailable):
        await known(made(server, clock, kept=kept))


async def test_a_clock_that_goes_back_does_not_stop_the_asking(server: KeyServer, clock: StandingClock) -> None:
    keys = made(server, clock)
    assert await known(keys)
    clock.set(NOW - timedelta(days=400))
    assert await known(keys)
    assert server.asked == 2


async def test_a_password_is_never_fetched(server: KeyServer, clock: StandingClock) -> None:
    keys = made(server, clock)
    assert not await keys.candidates("HS256", "es-1")
    assert not await keys.candidates("none", "es-1")
    assert server.asked == 0


def read(*keys: Any) -> list[tuple[str | None, str]]:
    return [(key.kid, key.algorithm) for key in read_key_set(json.dumps({"keys": keys}).encode(), BOTH)]


def test_only_keys_that_are_fit_are_read() -> None:
    good, weak = es256().jwk(), rs256("weak", bits=1024).jwk()
    unfit: list[Any] = [
        {"kty": "oct", "kid": "es-1", "k": "c2VjcmV0", "alg": "HS256", "use": "sig"},
        {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kid": "ed"},
        es256("enc").jwk(use="enc"),
        es256("ops").jwk(key_ops=["sign"]),
        es256("lie").jwk(alg="RS256"),
        es256("num").jwk(kid=7),
        es256("off").jwk(x="AAAA"),
        es256("pair").jwk(d="AAAA"),
        weak,
        {"kid": "empty"},
        "a word",
        None,
    ]
    assert read(*unfit, good) == [("es-1", "ES256")]
    with pytest.raises(BadKeySet):
        read(*unfit)


def test_keys_of_one_name_are_all_tried_and_one_without_a_word_of_its_algorithm_is_known_by_its_kind() -> None:
    twins = [es256("a").jwk(kid="twin"), es256("b").jwk(kid="twin"), rs256().jwk(alg="RS256")]
    bare = {name: said for name, said in es256("bare").jwk().items() if name not in ("alg", "use")}
    assert read(*twins, bare) == [("twin", "ES256"), ("twin", "ES256"), ("rs-1", "RS256"), ("bare", "ES256")]


def test_a_set_without_end_is_refused() -> None:
    with pytest.raises(BadKeySet):
        read(*(es256().jwk() for _ in range(51)))
