"""Throw-away PostgreSQL servers for the tests: 18 from the embedded wheel, 15 from Debian or a directory.

A run has one server per version, started by the first test that wants it, shared by all pytest-xdist workers and
stopped by the last. Its schema is migrated once, into a template that tests clone in a few milliseconds. They promise
nothing about crashes; a test of durability starts an `EmbeddedServer` of its own in a `fresh_folder`.

    @pytest.mark.parametrize("postgres_server", VERSIONS, indirect=True)
    async def test_something(database: str) -> None: ...
"""

import asyncio
import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from adapters.postgres.server import EmbeddedServer
from adapters.postgres.server.locks import FileLock, patience

VERSIONS = ("18", "15")
TEMPLATE = "guildhall_template"
PREFIX = "guildhall-tests-"
# A clone takes 8 ms in memory, and 40 to 200 ms on a disk.
MEMORY = Path("/dev/shm")
# Root's own TMPDIR may be private, and then its servers could not reach it.
DISK = Path("/tmp") if os.geteuid() == 0 else Path(tempfile.gettempdir())
DEBIAN_15 = "/usr/lib/postgresql/15/bin"
MIGRATED_WITHIN_SECONDS = 120.0
SETTINGS = {"max_connections": "200", "autovacuum": "off", "shared_buffers": "64MB", "max_wal_size": "256MB"}
ROOM_BYTES = 2_000_000_000

_run_folder = pytest.StashKey[Path]()
_run_lock = pytest.StashKey[FileLock]()


class Server:
    """One running server: makes databases, and drops them again."""

    def __init__(self, owner_url: str, folder: Path, migrate: Callable[[str], None]) -> None:
        self.owner_url = owner_url
        self._folder = folder
        self._migrate = migrate
        self._numbers = itertools.count(1)
        self._has_template = False
        # Fixtures are called beside event loops and inside them: ours runs on a thread of its own.
        self._thread = ThreadPoolExecutor(1)
        self._runner = asyncio.Runner()
        self._connection: Any = None

    @contextmanager
    def clone(self) -> Iterator[str]:
        """A fresh database with the newest schema, by its owner's address; dropped after the block."""
        self._make_template()
        with self._created(TEMPLATE) as url:
            yield url

    @contextmanager
    def empty(self) -> Iterator[str]:
        """A fresh database with nothing in it, by its owner's address; dropped after the block."""
        with self._created("template1") as url:
            yield url

    def execute(self, statement: str) -> Any:
        """Run a statement as the owner, outside of any database of a test; the first value it gives."""
        return self._thread.submit(lambda: self._runner.run(self._first_value(statement))).result()

    def close(self) -> None:
        """Make no more databases."""
        self._thread.submit(self._disconnect).result()
        self._thread.shutdown()

    @contextmanager
    def _created(self, template: str) -> Iterator[str]:
        name = f"test_{os.getpid()}_{next(self._numbers)}"
        self.execute(f"create database {name} template {template} strategy file_copy")
        try:
            yield self._address(name)
        finally:
            self.execute(f"drop database {name} with (force)")

    def _make_template(self) -> None:
        if self._has_template:
            return
        with FileLock(self._folder / "template.lock") as lock:
            assert any(lock.exclusive() for _ in patience(MIGRATED_WITHIN_SECONDS)), (
                "another worker migrates for too long"
            )
            if not self.execute(f"select datistemplate from pg_database where datname = '{TEMPLATE}'"):
                self.execute(f"drop database if exists {TEMPLATE} with (force)")
                self.execute(f"create database {TEMPLATE}")
                with ThreadPoolExecutor(1) as thread:
                    thread.submit(self._migrate, self._address(TEMPLATE)).result()
                self.execute(f"alter database {TEMPLATE} is_template true allow_connections false")
        self._has_template = True

    def _address(self, database: str) -> str:
        return f"{self.owner_url.rpartition('/')[0]}/{database}"

    async def _first_value(self, statement: str) -> Any:
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(self._address("postgres"), timeout=30)
        return await self._connection.fetchval(statement)

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._runner.run(self._connection.close())
        self._runner.close()


class Servers:
    """The servers of this run, each started when first asked for."""

    def __init__(self, folder: Path, migrate: Callable[[str], None]) -> None:
        self._folder = folder
        self._migrate = migrate
        self._running: dict[str, Server] = {}
        self._stack = ExitStack()

    def get(self, version: str) -> Server:
        """The server of a version, "18" or "15"."""
        if version not in self._running:
            folder = self._folder / f"postgres-{version}"
            embedded = EmbeddedServer(
                folder,
                bin_dir=postgres_15() if version == "15" else None,
                settings=SETTINGS,
                durable=False,
            )
            server = Server(self._stack.enter_context(embedded.use()), folder, self._migrate)
            self._stack.callback(server.close)
            major = int(server.execute("show server_version_num")) // 10_000
            assert major == int(version), f"asked for PostgreSQL {version}, got {major}"
            self._running[version] = server
        return self._running[version]

    def leave(self) -> None:
        """Use them no longer."""
        self._running.clear()
        self._stack.close()


@pytest.fixture(scope="session")
def migrations() -> Callable[[str], None]:
    """What brings an empty database, by its owner's address, to the newest schema."""
    from adapters.postgres.migrations import migrate

    return migrate


@pytest.fixture(scope="session")
def postgres_servers(request: pytest.FixtureRequest, migrations: Callable[[str], None]) -> Iterator[Servers]:
    """All servers of this run, by version."""
    servers = Servers(request.config.stash[_run_folder], migrations)
    try:
        yield servers
    finally:
        servers.leave()


@pytest.fixture(scope="session")
def postgres_server(request: pytest.FixtureRequest, postgres_servers: Servers) -> Server:
    """A running server: 18, or the version given by indirect parametrisation."""
    return postgres_servers.get(getattr(request, "param", "18"))


@pytest.fixture
def database(postgres_server: Server) -> Iterator[str]:
    """A fresh clone of the migrated database for one test, by its owner's address."""
    with postgres_server.clone() as url:
        yield url


@pytest.fixture(scope="module")
def module_database(postgres_server: Server) -> Iterator[str]:
    """A fresh clone of the migrated database for one module's tests, by its owner's address."""
    with postgres_server.clone() as url:
        yield url


@pytest.fixture
def empty_database(postgres_server: Server) -> Iterator[str]:
    """A fresh database with nothing in it, by its owner's address."""
    with postgres_server.empty() as url:
        yield url


@pytest.fixture
def fresh_folder(request: pytest.FixtureRequest) -> Iterator[Path]:
    """An empty folder that, unlike pytest's own, a server's unprivileged user can reach; what runs in it is stopped."""
    with _new_folder(request.config) as folder:
        yield folder


@pytest.fixture(scope="module")
def module_folder(request: pytest.FixtureRequest) -> Iterator[Path]:
    """The same for one module's tests together."""
    with _new_folder(request.config) as folder:
        yield folder


def pytest_configure(config: pytest.Config) -> None:
    """The run's folder: made by the controlling process, told to the workers."""
    if told := getattr(config, "workerinput", {}).get("servers_folder"):
        config.stash[_run_folder] = Path(told)
        return
    _sweep()
    making = Path(tempfile.mkdtemp(prefix=f"new-{PREFIX}", dir=_place()))
    making.chmod(0o711)
    lock = FileLock(making / "run.lock")
    lock.exclusive()
    folder = making.rename(making.with_name(making.name.removeprefix("new-")))
    config.stash[_run_folder], config.stash[_run_lock] = folder, lock


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a pytest-xdist worker where the servers are."""
    node.workerinput["servers_folder"] = str(node.config.stash[_run_folder])


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what workers left running, and leave nothing behind."""
    if lock := config.stash.get(_run_lock, None):
        _remove(config.stash[_run_folder])
        lock.close()


@contextmanager
def _new_folder(config: pytest.Config) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="folder-", dir=config.stash[_run_folder]))
    folder.chmod(0o711)
    yield folder
    _remove(folder)


def _place() -> Path:
    roomy = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM_BYTES
    return MEMORY if roomy else DISK


def _sweep() -> None:
    """Remove what runs that were killed left behind."""
    for folder in [*MEMORY.glob(f"{PREFIX}*"), *DISK.glob(f"{PREFIX}*")]:
        # Another run may sweep at the same time, and another user's folders are not ours to sweep.
        with suppress(FileNotFoundError, PermissionError), FileLock(folder / "run.lock") as lock:
            if lock.exclusive():
                _remove(folder)


def _remove(folder: Path) -> None:
    """Remove a folder and stop the servers in it, unless somebody still uses one."""
    for found in [*folder.glob("users.lock"), *folder.glob("*/users.lock"), *folder.glob("*/*/users.lock")]:
        server = EmbeddedServer(found.parent)
        server.stop_if_unused()
        if server.postmaster():
            return
    shutil.rmtree(folder)


def postgres_15() -> Path:
    """The directory of PostgreSQL 15; its absence fails, and skips only where a person asked for that."""
    folder = Path(os.environ.get("GUILDHALL_TEST_PG15_BIN") or DEBIAN_15)
    if (folder / "postgres").exists():
        return folder
    if os.environ.get("GUILDHALL_TEST_SKIP_PG15") == "1" and os.environ.get("CI") != "true":
        pytest.skip("PostgreSQL 15 is not here, and GUILDHALL_TEST_SKIP_PG15=1")
    pytest.fail(
        f"no PostgreSQL 15 in {folder}: install Debian's postgresql-15, or set GUILDHALL_TEST_PG15_BIN to a directory "
        "with its programs; GUILDHALL_TEST_SKIP_PG15=1 goes without it, except in CI",
        pytrace=False,
    )
