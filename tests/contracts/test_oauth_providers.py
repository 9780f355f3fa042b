"""What the house asks of whoever vouches for people, on GitHub's and Google's adapters, against a real HTTP server that
plays both: codes work once, for who asked, and nothing is believed that is not proven."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import pytest

from adapters.local_identity import DerivedFlowSecrets
from adapters.oauth import GitHub, Google, ProviderKeys
from adapters.system.clock import StandingClock
from application.ports.oauth import OAuthProvider
from domain.identity import ProviderDeclined, ProviderUnavailable, Stranger
from tests.support.authority import CLIENT_ID, CLIENT_SECRET, Authority, Person, authority
from tests.support.house import MONDAY

CALLBACK = "https://house.example/v1/sign-ins/any/callback"
SECRETS = DerivedFlowSecrets("a key for flows, used in tests only!")


@dataclass
class Visit:
    """An adapter, whom it asks, and a person who goes there and back."""

    provider: OAuthProvider
    there: Authority
    clock: StandingClock
    keys: ProviderKeys
    verifier: str = "v" * 43
    nonce: str = "n" * 43

    async def code(self, who: str = "mia") -> str:
        """The code somebody comes back with who has agreed."""
        challenge = SECRETS.challenge(self.verifier)
        address = await self.provider.departure(
            state="s" * 43, nonce=self.nonce, challenge=challenge, callback=CALLBACK
        )
        assert address.startswith(self.there.address)
        assert CLIENT_SECRET not in address
        asked = dict(parse_qsl(urlsplit(address).query))
        back = self.there.agree({**asked, "who": who})
        return parse_qs(urlsplit(back).query)["code"][0]

    async def identify(self, code: str, **said: Any) -> Stranger:
        """Whom the provider vouches for by it."""
        asked = {"verifier": self.verifier, "nonce": self.nonce, "callback": CALLBACK, **said}
        return await self.provider.identify(code=code, **asked)


@pytest.fixture(params=["github", "google"])
async def visit(request: pytest.FixtureRequest) -> AsyncIterator[Visit]:
    """A visit to either."""
    clock = StandingClock(MONDAY)
    async with authority() as there, httpx.AsyncClient(trust_env=False, timeout=5) as client:
        keys = ProviderKeys(client, clock, address=f"{there.address}/certs")
        known = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "client": client, "site": there.address}
        google = Google(**known, clock=clock, keys=keys, token_endpoint=f"{there.address}/token")
        github = GitHub(**known, api=there.address)
        yield Visit(github if request.param == "github" else google, there, clock, keys)


AT_GOOGLE = pytest.mark.parametrize("visit", ["google"], indirect=True)
"""GitHub signs nothing that could be verified."""


async def test_whoever_agreed_is_vouched_for_with_the_address_that_is_confirmed(visit: Visit) -> None:
    stranger = await visit.identify(await visit.code())
    assert stranger.issuer in ("https://github.com", "https://accounts.google.com")
    assert (stranger.subject, stranger.email, stranger.email_verified) == ("4711", "mia@example.org", True)
    assert stranger.name == "Mia"


async def test_an_address_the_provider_has_not_confirmed_is_not_told_as_if_it_had(visit: Visit) -> None:
    visit.there.people["eve"] = Person("666", "victim@example.org", verified=False)
    assert not (await visit.identify(await visit.code("eve"))).email_verified


async def test_a_code_works_once(visit: Visit) -> None:
    code = await visit.code()
    await visit.identify(code)
    with pytest.raises(ProviderDeclined):
        await visit.identify(code)


@pytest.mark.parametrize("wrong", [{"verifier": "w" * 43}, {"callback": "https://house.example/elsewhere"}])
async def test_a_code_is_worth_nothing_to_who_did_not_ask_for_it(visit: Visit, wrong: dict[str, str]) -> None:
    with pytest.raises(ProviderDeclined):
        await visit.identify(await visit.code(), **wrong)


@pytest.mark.parametrize("mood", ["down", "garbled", "hangs up"])
async def test_a_provider_that_does_not_make_sense_is_unavailable(visit: Visit, mood: str) -> None:
    code = await visit.code()
    visit.there.mood = mood
    with pytest.raises(ProviderUnavailable):
        await visit.identify(code)


async def test_a_no_is_a_no_whatever_its_number(visit: Visit) -> None:
    code = await visit.code()
    visit.there.mood = "declines"
    with pytest.raises(ProviderDeclined):
        await visit.identify(code)


@AT_GOOGLE
@pytest.mark.parametrize("issuer", ["https://accounts.google.com", "accounts.google.com"])
async def test_google_spells_its_name_in_two_ways_and_is_one_issuer(visit: Visit, issuer: str) -> None:
    visit.there.claims = {"iss": issuer}
    assert (await visit.identify(await visit.code())).issuer == "https://accounts.google.com"


@AT_GOOGLE
@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://accounts.google.com.evil.example"},
        {"iss": None},
        {"aud": "somebody-else"},
        {"aud": [CLIENT_ID, "somebody-else"], "azp": "somebody-else"},
        {"nonce": "of another sign-in"},
        {"nonce": None},
        {"sub": None},
        {"sub": 7},
        {"exp": int((MONDAY - timedelta(minutes=1)).timestamp())},
        {"exp": None},
        {"exp": "soon"},
        {"iat": int((MONDAY + timedelta(minutes=1)).timestamp())},
    ],
    ids=str,
)
async def test_an_id_token_that_is_not_for_us_and_now_is_not_believed(visit: Visit, claims: dict[str, Any]) -> None:
    visit.there.claims = claims
    with pytest.raises(ProviderUnavailable):
        await visit.identify(await visit.code())


@AT_GOOGLE
async def test_an_id_token_of_another_key_is_not_believed_even_under_a_known_name(visit: Visit) -> None:
    await visit.identify(await visit.code())
    visit.there.signs_with = "second"
    with pytest.raises(ProviderUnavailable):
        await visit.identify(await visit.code())


@AT_GOOGLE
async def test_a_new_key_is_found_when_it_first_signs_and_an_unknown_one_is_not_asked_for_again_and_again(
    visit: Visit,
) -> None:
    await visit.identify(await visit.code())
    visit.there.signs_with = "second"
    for _ in range(5):
        with pytest.raises(ProviderUnavailable):
            await visit.identify(await visit.code())
    assert visit.there.key_requests == 1
    visit.clock.advance(timedelta(minutes=1))
    visit.there.publishes = ("first", "second")
    await visit.identify(await visit.code())
    assert visit.there.key_requests == 2


@AT_GOOGLE
async def test_keys_outlive_the_address_they_came_from(visit: Visit) -> None:
    await visit.identify(await visit.code())
    visit.clock.advance(timedelta(hours=24))
    visit.there.now = visit.clock.now()
    visit.keys._address = f"{visit.there.address}/nowhere"
    await visit.identify(await visit.code())
