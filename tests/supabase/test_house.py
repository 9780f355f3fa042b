"""A house whose rows are in a Supabase project, without any connection to its database, as its operator uses it. The
whole journey is played on it by `python -m tests.proof.project`."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from adapters.supabase.project import Project
from entrypoints.cli.app import app
from entrypoints.container import open_house
from entrypoints.container.serving import app_of
from entrypoints.settings import Settings
from tests.contracts.stores import connected, until
from tests.support.postgrest import PostgREST, gateway, settings_for


@pytest.fixture
def project(rest: PostgREST, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Project]:
    """A project with the newest schema and no rows, which is what is set."""
    with gateway(rest) as made:
        for name, value in settings_for(made).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("GUILDHALL_DATA_DIR", str(tmp_path))
        yield made


def guildhall(*words: str, typed: str = "") -> tuple[int, Any]:
    """How a command ended, and what it said."""
    outcome = CliRunner().invoke(app, [*words, "--json"], input=typed)
    return outcome.exit_code, json.loads(outcome.stdout or outcome.stderr)


async def test_an_operator_keeps_house_without_a_database_connection(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def at_the_desk() -> None:
        code, standing = guildhall("migrate", "--check")
        assert (code, standing["present"]) == (0, True)
        words = ("user", "create-admin", "--email", "ada@town.example", "--name", "Ada")
        code, ada = guildhall(*words, typed="seven strings to tune\n")
        assert (code, ada["role"]) == (0, "admin")
        code, users = guildhall("user", "list")
        assert [user["email"] for user in users["items"]] == ["ada@town.example"]
        code, found = guildhall("doctor")
        unwell = {one["part"]: one["seen"] for one in found["findings"] if one["verdict"] == "fail"}
        assert (code, unwell) == (0, {})
        parts = {one["part"]: one["verdict"] for one in found["findings"]}
        assert [parts[part] for part in ("project", "secret key", "publishable key", "tokens of users")] == ["ok"] * 4
        assert parts["own tokens"] == "ok"
        monkeypatch.setenv("GUILDHALL_TOKEN_ISSUER", "https://house.example")
        _, found = guildhall("doctor")
        (told,) = [one for one in found["findings"] if one["part"] == "own tokens"]
        assert (told["verdict"], "nobody" in told["seen"]) == ("warn", True)
        code, refused = guildhall("doctor", "--rules")
        assert (code, refused["error"]["code"]) == (3, "unavailable")
        assert "set DATABASE_URL" in refused["error"]["message"]
        code, refused = guildhall("demo")
        assert (code, refused["error"]["code"]) == (1, "demo.not_empty")

    await asyncio.to_thread(at_the_desk)


async def test_the_api_is_ready_and_keeps_what_it_is_told(project: Project) -> None:
    async with open_house(Settings(_env_file=None)) as house:
        transport = httpx.ASGITransport(app_of(house))
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as http:
            ready = await http.get("/readyz")
            assert (ready.status_code, ready.json()["checks"]["schema"]["status"]) == (200, "ok")
            form = {"email": "vera@town.example", "password": "seven strings to tune", "name": "Vera"}
            form |= {"role": "provider", "zone": "Europe/Lisbon"}
            assert (await http.post("/v1/users", json=form)).status_code == 202
            assert (await http.get("/v1/jobs")).json()["items"] == []
            assert (await http.get("/v1/me")).status_code == 401
        (user,) = await house.container.store().load("users", {})
        assert user["email"] == "vera@town.example"


async def test_an_older_schema_is_refused_with_the_way_to_mend_it(project: Project, database: str) -> None:
    async with connected(database) as owner:
        await owner.execute("update alembic_version set version_num = '0001'")
    for words in (("user", "list"), ("migrate",)):
        code, refused = await asyncio.to_thread(guildhall, *words)
        assert (code, refused["error"]["code"]) == (3, "schema.behind")
        assert "migrate --sql" in refused["error"]["message"]
    async with open_house(Settings(_env_file=None)) as house:
        transport = httpx.ASGITransport(app_of(house))
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as http:
            assert (await http.get("/readyz")).status_code == 503
    async with connected(database) as owner:
        await owner.execute("revoke select on alembic_version from service_role")
    code, refused = await asyncio.to_thread(guildhall, "user", "list")
    assert "0002 or before" in refused["error"]["message"]


async def test_a_doctor_sees_keys_that_open_too_little_or_too_much(
    project: Project, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing() -> dict[str, str]:
        _, found = await asyncio.to_thread(guildhall, "doctor")
        return {one["part"]: one["seen"] for one in found["findings"] if one["verdict"] == "fail"}

    monkeypatch.setenv("SUPABASE_JWT_SECRET", "another secret than the project's, of more than 32 characters")
    assert set(await failing()) == {"tokens of users"}
    async with connected(database) as owner:
        await owner.execute("grant select on tallies to anon; create policy open on tallies to anon using (true)")
        assert set(await failing()) == {"tokens of users", "publishable key"}
        await owner.execute("revoke select on tallies from service_role")
    assert set(await until(failing)) >= {"tokens of users"}
    monkeypatch.setenv("SUPABASE_SECRET_KEY", "sb_secret_guessed")
    assert set(await failing()) == {"project"}
