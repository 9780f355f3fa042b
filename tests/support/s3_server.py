"""A real S3 over HTTP for the tests: moto's server, in an environment of its own, because what it needs does not go
together with what we need. `make build/s3/.installed` makes it."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import httpx
import pytest

SERVER = Path(__file__).parents[2] / "build" / "s3" / "bin" / "moto_server"
READY_WITHIN_SECONDS = 60.0
_numbers = count(1)


@contextmanager
def s3_server() -> Iterator[str]:
    """Where it answers, for the length of the block."""
    if not SERVER.exists():
        pytest.skip("there is no S3 to test against: make build/s3/.installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    quiet = subprocess.DEVNULL
    server = subprocess.Popen([SERVER, "-H", "127.0.0.1", "-p", str(port)], stdout=quiet, stderr=quiet)
    try:
        address, until = f"http://127.0.0.1:{port}", time.monotonic() + READY_WITHIN_SECONDS
        while not _answers(address):
            assert server.poll() is None, "the S3 server has ended"
            assert time.monotonic() < until, "the S3 server does not answer"
            time.sleep(0.05)
        yield address
    finally:
        server.terminate()
        server.wait()


def new_bucket(address: str) -> str:
    """A bucket nobody else uses."""
    name = f"bucket-{next(_numbers)}"
    assert httpx.put(f"{address}/{name}", verify=False).status_code == 200
    return name


def _answers(address: str) -> bool:
    try:
        return httpx.get(address, verify=False).status_code == 200
    except httpx.TransportError:
        return False
