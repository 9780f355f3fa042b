"""What the doctor says of the front door."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from entrypoints.container.examining.doors import keeper, providers
from entrypoints.settings import Settings
from tests.support.gotrue import PUBLISHABLE, SECRET, URL

SUPABASE = {
    "identity": "supabase",
    "supabase_url": URL,
    "supabase_publishable_key": PUBLISHABLE,
    "supabase_secret_key": SECRET,
}


def settings(folder: Path, **said: Any) -> Settings:
    """Settings nobody else has a say in."""
    return Settings(_env_file=None, storage="memory", data_dir=folder, **said)


def answering(answer: httpx.Response | Exception) -> httpx.AsyncClient:
    """A project that answers so."""

    def handle(request: httpx.Request) -> httpx.Response:
        assert request.headers["apikey"] == PUBLISHABLE
        if isinstance(answer, Exception):
            raise answer
        return answer

    return httpx.AsyncClient(transport=httpx.MockTransport(handle))


@pytest.mark.parametrize(
    ("answer", "verdict", "seen"),
    [
        (httpx.Response(200, json={"mailer_autoconfirm": True}), "warn", "confirms every address"),
        (httpx.Response(200, json={"mailer_autoconfirm": False}), "warn", "its own letters"),
        (httpx.Response(200, json=[]), "fail", "something else"),
        (httpx.Response(401, json={}), "fail", "401"),
        (httpx.Response(502, text="<html>"), "fail", "502"),
        (httpx.ConnectError("nobody there"), "fail", "nobody there"),
    ],
)
async def test_a_keeper_elsewhere_is_asked(tmp_path: Path, answer: Any, verdict: str, seen: str) -> None:
    found = await keeper(settings(tmp_path, **SUPABASE), answering(answer))
    assert found is not None
    assert found.verdict == verdict
    assert seen in found.seen
    assert SECRET not in found.seen


async def test_all_is_well_with_confirmed_addresses_and_letters_of_our_own(tmp_path: Path) -> None:
    hooked = settings(tmp_path, **SUPABASE, supabase_auth_hook_secret="v1,whsec_c2VjcmV0")
    found = await keeper(hooked, answering(httpx.Response(200, json={})))
    assert found is not None
    assert found.verdict == "ok"
    assert await keeper(settings(tmp_path)) is None


def test_a_provider_is_told_with_the_address_it_has_to_know(tmp_path: Path) -> None:
    github = {"github_client_id": "id", "github_client_secret": "s", "public_url": "https://house.example"}
    (lonely,) = providers(settings(tmp_path, **github))
    assert lonely.verdict == "warn"
    (known,) = providers(settings(tmp_path, **github, return_origins="https://app.example"))
    assert known.verdict == "ok"
    assert "https://house.example/v1/sign-ins/github/callback" in known.seen
    assert list(providers(settings(tmp_path))) == []
