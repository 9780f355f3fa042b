"""The law of the house is enforced: each contract holds, and each is seen to catch what it forbids."""

import ast
import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SRC = ROOT / "src"
ROOMS = ("domain", "application", "adapters", "entrypoints")

# contract -> modules that break it, each with its offending line. Modules that do not exist yet show that new ones
# are covered without anybody editing the contract.
OFFENCES: dict[str, list[tuple[str, str]]] = {
    "rooms": [
        ("domain/bookings/offender", "import application.ports.clock"),
        ("domain/shared/offender", "import adapters.memory"),
        ("application/ports/offender", "from adapters import persistence"),
        ("adapters/memory/offender", "import entrypoints.settings"),
    ],
    "composition-root": [
        ("entrypoints/rest/offender", "from adapters.memory import store"),
        ("entrypoints/offender", "def lazily() -> None:\n    import adapters.system.clock"),
    ],
    "injector": [
        ("entrypoints/rest/offender", "from dependency_injector.wiring import inject"),
        ("application/offender", "import dependency_injector"),
    ],
    "plain-core": [
        ("domain/offender", "from pydantic import BaseModel"),
        ("application/offender", "import sqlalchemy.ext.asyncio"),
        ("application/ports/offender", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import stripe"),
    ],
    "deaf-core": [
        ("domain/offender", "from time import time"),
        ("application/offender", "import random"),
    ],
    "still-domain": [("domain/offender", "import asyncio")],
    "domain-contexts": [
        ("domain/offender", "from domain.jobs import Job"),
        ("domain/shared/offender", "import domain.bookings"),
    ],
    "application-contexts": [
        ("application/offender", "from application import jobs"),
        ("application/ports/offender", "import application.reviews"),
        ("application/parties", "import application.jobs"),
    ],
    "technologies": [
        ("adapters/smtp/offender", "from adapters.memory import store"),
        ("adapters/offender", "import adapters.postgres"),
    ],
    "plain-persistence": [
        ("adapters/persistence/offender", "import asyncpg"),
        ("adapters/persistence/schema/offender", "import adapters.memory.store"),
    ],
    "frameworks": [("adapters/offender", "from fastapi import HTTPException")],
    "vendors": [("entrypoints/cli/offender", "import alembic.command")],
    "entrances": [
        ("entrypoints/cli/offender", "import entrypoints.rest"),
        ("entrypoints/webhooks/offender", "from entrypoints import worker"),
    ],
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the house that may be spoilt."""
    copied = tmp_path_factory.mktemp("house")
    shutil.copytree(SRC, copied / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    shutil.copy(ROOT / "importlinter.cfg", copied)
    return copied


def lint(house: Path, *contracts: str) -> subprocess.CompletedProcess[str]:
    """What import-linter says about that house."""
    chosen = [word for contract in contracts for word in ("--contract", contract)]
    run = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-P", "-c", run, "--config", "importlinter.cfg", "--no-cache", *chosen],
        cwd=house,
        env={**os.environ, "PYTHONPATH": str(house / "src"), "COLUMNS": "200", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def contracts() -> dict[str, str]:
    """The name of each contract by its id."""
    config = ConfigParser()
    config.read(ROOT / "importlinter.cfg")
    prefix = "importlinter:contract:"
    return {one.removeprefix(prefix): config[one]["name"] for one in config.sections() if one.startswith(prefix)}


def test_every_contract_holds() -> None:
    said = lint(ROOT)
    assert said.returncode == 0, said.stdout + said.stderr
    assert f"Contracts: {len(contracts())} kept, 0 broken." in said.stdout


def test_every_contract_has_somebody_who_breaks_it() -> None:
    assert set(OFFENCES) == set(contracts())


@pytest.mark.parametrize(
    ("contract", "module", "line"),
    [(contract, module, line) for contract, offences in OFFENCES.items() for module, line in offences],
    ids=[f"{contract}-{place}" for contract, offences in OFFENCES.items() for place in range(len(offences))],
)
def test_a_broken_contract_is_caught(copy: Path, contract: str, module: str, line: str) -> None:
    file = copy / "src" / f"{module}.py"
    before = file.read_text() if file.exists() else None
    file.write_text(f"{before or ''}\n{line}\n")
    try:
        said = lint(copy, contract)
    finally:
        file.write_text(before) if before is not None else file.unlink()
    # The broken chain must be the planted one: an error in the configuration also exits with 1.
    assert said.returncode == 1, said.stdout + said.stderr
    assert f"{contracts()[contract]} BROKEN" in said.stdout, said.stdout + said.stderr
    assert module.replace("/", ".") in said.stdout


def test_the_rooms_come_from_src_and_alembic_from_the_library() -> None:
    for room in ROOMS:
        found = importlib.util.find_spec(room)
        assert found is not None
        assert found.origin == str(SRC / room / "__init__.py")
    library = importlib.util.find_spec("alembic.config")
    assert library is not None
    assert library.origin is not None
    assert ROOT / "alembic" not in Path(library.origin).parents
    assert "site-packages" in library.origin


def test_the_migrations_are_no_package() -> None:
    # With an __init__.py the folder would shadow the library for everything started from the checkout.
    assert not list((ROOT / "alembic").rglob("__init__.py"))


def imported(folder: Path) -> Iterator[tuple[str, Path]]:
    """Every top-level name imported below a folder, and by which file."""
    for file in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(), str(file))):
            if isinstance(node, ast.Import):
                yield from ((one.name.partition(".")[0], file) for one in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{file} imports relatively"
                yield (node.module or "").partition(".")[0], file


@pytest.mark.parametrize("room", ["domain", "application"])
def test_the_core_imports_the_standard_library_and_itself_only(room: str) -> None:
    known = sys.stdlib_module_names | {"domain", room}
    assert [f"{file.relative_to(ROOT)}: {name}" for name, file in imported(SRC / room) if name not in known] == []


def test_whatever_is_imported_is_declared_and_whatever_is_declared_is_locked() -> None:
    declared = {
        _distribution(one) for one in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    }
    distributions = importlib.metadata.packages_distributions()
    names = {name for name, _ in imported(SRC)} - sys.stdlib_module_names - set(ROOMS)
    undeclared = {name for name in names if not {_canonical(one) for one in distributions.get(name, [])} & declared}
    assert undeclared == set()
    for lock in ("requirements.lock", "requirements-dev.lock"):
        locked = {_distribution(line) for line in (ROOT / lock).read_text().splitlines() if not line.startswith(" ")}
        assert declared - locked == set()


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_holds_names_versions_and_hashes_only(lock: str) -> None:
    pinned = re.compile(r"[a-z0-9][a-z0-9._-]*==[^ ;/:@]+( ; [^:/@]+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?")
    assert [line for line in (ROOT / lock).read_text().splitlines() if not pinned.fullmatch(line)] == []


@pytest.mark.parametrize(
    "line",
    [
        "import time\nnow = time.time()",
        "from time import time\nnow = time()",
        "from datetime import UTC, datetime\nnow = datetime.now(UTC)",
        "import datetime as dt\nnow = dt.datetime.utcnow()",
        "from datetime import date\ntoday = date.today()",
        "from uuid import uuid4\nid = uuid4()",
        "import uuid\nid = uuid.uuid1()",
        "import secrets\ntoken = secrets.token_hex()",
        "from random import choice\none = choice('abc')",
        "import os\nkey = os.urandom(8)",
    ],
)
@pytest.mark.parametrize(
    ("place", "allowed"),
    [("src/domain/x.py", False), ("src/adapters/postgres/x.py", False), ("src/adapters/system/x.py", True)],
)
def test_only_the_machines_adapter_may_ask_for_time_and_chance(place: str, line: str, allowed: bool) -> None:
    said = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--no-cache", "--select", "TID251", "--stdin-filename", place, "-"],
        input=line,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (said.returncode == 0) is allowed, said.stdout + said.stderr


def test_the_linter_is_silenced_about_time_and_chance_nowhere_else() -> None:
    silenced = re.compile(r"#\s*(ruff: )?noqa(?!: [A-Z])|noqa:[^#]*TID251")
    places = [file for file in SRC.rglob("*.py") if silenced.search(file.read_text())]
    assert places == []


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _distribution(requirement: str) -> str:
    return _canonical(re.split(r"[\[=<>;~! ]", requirement, maxsplit=1)[0])
