"""`guildhall serve` and `guildhall worker` as processes: started, shared, refused a second time, and stopped."""

import http.client
import json
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from typing import Any

from tests.cli.processes import fetched, free_port, guildhall, started

FRESH_START = 5.0
LATER_START = 2.0
A_BUSY_MACHINE = 5.0
"""Times as slow as one that does nothing else."""


def eventually(holds: Callable[[], Any], *, within: float = 20) -> Any:
    """What it answers once that is true; polled, because processes do not tell."""
    until = monotonic() + within
    while monotonic() < until:
        if found := holds():
            return found
        Event().wait(0.02)
    raise AssertionError("it did not become true")


def post(port: int, path: str, body: object, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    """The status and answer of a request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json", **(headers or {})})
    answer = connection.getresponse()
    told = json.loads(answer.read())
    connection.close()
    return answer.status, told


def test_it_starts_serves_is_refused_twice_stops_and_finds_its_data_again(fresh_folder: Path) -> None:
    port = free_port()
    begun = monotonic()
    with started("serve", "--demo", "--port", str(port), folder=fresh_folder) as serving:
        told = serving.first_word()
        assert monotonic() - begun < FRESH_START * A_BUSY_MACHINE
        address = f"http://127.0.0.1:{port}"
        assert told["address"] == address
        assert told["docs"] == f"{address}/docs"
        assert len(told["logins"]) == 12
        assert fetched(f"{address}/readyz")["status"] == "ready"
        assert set(fetched(f"{address}/readyz")["checks"]) == {"database", "schema", "worker"}
        login = told["logins"][-1]
        status, tokens = post(port, "/v1/sessions", {"email": login["email"], "password": login["password"]})
        assert status < 300, tokens

        second = guildhall("serve", "--port", str(port), "--json", folder=fresh_folder)
        assert second.code == 1
        assert second.refusal["code"] == "serve.port_taken"
        assert f"pid {serving.running.pid}" in second.refusal["message"]
        assert "Guildhall" in second.refusal["message"]

        # A command beside it shares its database, and knows who holds the port; the worker sends the town's mails.
        doctor = guildhall("doctor", "--json", folder=fresh_folder, GUILDHALL_PORT=str(port))
        found = {each["part"]: each for each in json.loads(doctor.out)["findings"]}
        assert doctor.code == 0, doctor.out
        assert found["port"]["verdict"] == "ok"
        assert found["application login"]["seen"].startswith("guildhall_app")
        eventually(lambda: list((fresh_folder / "mail").glob("*booking_confirmed*")))
        assert serving.stop(signal.SIGINT) == 0
        assert "Traceback" not in serving.log
    assert not _listens(port)
    _stopped(fresh_folder)

    begun = monotonic()
    with started("serve", "--demo", "--port", str(port), folder=fresh_folder) as serving:
        again = serving.first_word()
        assert monotonic() - begun < LATER_START * A_BUSY_MACHINE
        assert again["logins"] == told["logins"]
        assert fetched(f"http://127.0.0.1:{port}/v1/jobs?limit=1")["items"]
        assert serving.stop(signal.SIGTERM) == 0
    _stopped(fresh_folder)


def test_api_and_worker_run_as_processes_of_their_own(database: str, tmp_path: Path) -> None:
    port = free_port()
    common = {"folder": tmp_path, "DATABASE_URL": database, "GUILDHALL_ARGON2_MEMORY_KIB": "8"}
    form = {"email": "zoe@example.org", "password": "ten or more of them", "name": "Zoe"}
    with started("serve", "--no-worker", "--port", str(port), **common) as serving:
        assert serving.first_word()["logins"] == []
        assert "worker" not in fetched(f"http://127.0.0.1:{port}/readyz")["checks"]
        assert post(port, "/v1/users", form)[0] < 300
        assert not (tmp_path / "mail").exists()
        with started("worker", **common) as worker:
            assert worker.first_word() == {"working": True}
            eventually(lambda: list((tmp_path / "mail").glob("*zoe@example.org*")))
            assert worker.stop() == 0
            assert "Traceback" not in worker.log
        assert serving.stop() == 0


def test_a_request_in_flight_is_answered_before_it_stops_and_logged(tmp_path: Path) -> None:
    port = free_port()
    slow = {"GUILDHALL_ARGON2_TIME_COST": "20", "GUILDHALL_ARGON2_MEMORY_KIB": "65536"}
    with started("serve", "--port", str(port), folder=tmp_path, GUILDHALL_STORAGE="memory", **slow) as serving:
        serving.first_word()
        answers: list[tuple[int, Any]] = []
        body = {"email": "nobody@example.org", "password": "it takes a while to say no"}
        asking = Thread(target=lambda: answers.append(post(port, "/v1/sessions", body)))
        asking.start()
        eventually(lambda: _has_client(port))
        assert serving.stop() == 0
        asking.join(30)
        assert [status for status, _ in answers] == [401]
        logged = [json.loads(line) for line in serving.log.splitlines()]
    assert [(line["status"], line["level"]) for line in logged if line["logger"] == "http"] == [(401, "info")]


def test_a_port_held_by_anybody_is_told_before_anything_is_begun(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        said = guildhall("serve", "--port", str(port), "--json", folder=tmp_path)
    assert said.code == 1
    assert said.refusal["code"] == "serve.port_taken"
    assert list(tmp_path.iterdir()) == []


def test_a_demo_is_refused_in_production(tmp_path: Path) -> None:
    said = guildhall("serve", "--demo", folder=tmp_path, GUILDHALL_ENV="production")
    assert said.code == 2
    assert "GUILDHALL_DEMO" in said.err


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _has_client(port: int) -> bool:
    """Whether a connection to that port stands."""
    wanted, established = f":{port:04X}", "01"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return any(row[1].endswith(wanted) and row[3] == established for row in rows)


def _stopped(folder: Path) -> None:
    """The embedded server is gone with its last user."""
    from adapters.postgres.server import EmbeddedServer

    assert EmbeddedServer(folder / "postgres").postmaster() is None
