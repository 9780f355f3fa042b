"""The installation: two API processes and a worker on one data directory with an embedded PostgreSQL, started as a user
would, and kept up as a service manager would."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

from adapters.postgres.errors import GONE
from adapters.postgres.server import EmbeddedServer
from adapters.system.clock import MovableClock
from tests.proof.crashes.wire import LOOPBACK, Line, NoAnswer, NotSent, Traffic

ROOT = Path(__file__).resolve().parents[3]
GUILDHALL = (sys.executable, "-c", "import sys; sys.argv[0] = 'guildhall'; from entrypoints.cli import main; main()")
OPEN_WITHIN = 90.0
CLOSED_WITHIN = 30.0
GLANCE = 0.02


@dataclass(slots=True)
class Member:
    """One process of the installation, started again whenever it ended."""

    name: str
    words: tuple[str, ...]
    environment: dict[str, str]
    folder: Path
    program: Sequence[str] = GUILDHALL
    process: "subprocess.Popen[bytes] | None" = None
    killed: set[int] = field(default_factory=set)
    starts: int = 0

    @property
    def log(self) -> Path:
        """What it says."""
        return self.folder / f"{self.name}.log"

    @property
    def runs(self) -> bool:
        """Whether it does, as far as the machine knows."""
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Start it."""
        self.starts += 1
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.program, *self.words, "--json"],
                env=self.environment,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self) -> None:
        """SIGKILL, without warning."""
        assert self.process is not None
        self.killed.add(self.process.pid)
        self.process.send_signal(signal.SIGKILL)

    def stop(self) -> int:
        """Tell it to stop, as an operator would; its exit code."""
        if self.process is None:
            return 0
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(CLOSED_WITHIN)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return -signal.SIGKILL


class Fleet:
    """All processes, and the way to their database for whoever checks."""

    def __init__(self, folder: Path, *, apis: int = 2, program: Sequence[str] = GUILDHALL) -> None:
        self.folder, self.data = folder, folder / "data"
        self.ports = tuple(_free_ports(apis))
        self.traffic = Traffic(self.ports)
        self.apis = [self._member(f"api-{n}", ("serve", "--no-worker"), program, n) for n in range(apis)]
        self.worker = self._member("worker", ("worker",), program, 0)
        self.surprises: list[str] = []
        self._server = EmbeddedServer(self.data / "postgres")
        self._connection: Any = None
        self._asking = asyncio.Lock()
        self._watch: asyncio.Task[None] | None = None

    @property
    def members(self) -> list[Member]:
        """Every process we start ourselves."""
        return [*self.apis, self.worker]

    @property
    def clock(self) -> MovableClock:
        """The clock of all of them."""
        return MovableClock(self.data)

    @property
    def environment(self) -> dict[str, str]:
        """The settings of the first API, which commands share."""
        return self.apis[0].environment

    async def open(self) -> None:
        """Start everything, and wait until it is ready."""
        for member in self.members:
            member.start()
        self._watch = asyncio.create_task(self._supervise())
        await asyncio.gather(*(self._ready(n) for n in range(len(self.apis))))

    async def close(self) -> list[str]:
        """Stop everything in order; who did not end well."""
        if self._watch is not None:
            self._watch.cancel()
            with suppress(asyncio.CancelledError):
                await self._watch
        if self._connection is not None:
            self._connection.terminate()
        codes = await asyncio.gather(*(asyncio.to_thread(member.stop) for member in self.members))
        await asyncio.to_thread(self._server.stop_if_unused)
        return [f"{m.name} ended with {code}" for m, code in zip(self.members, codes, strict=True) if code]

    def postmaster(self) -> int | None:
        """The process id of the database server."""
        return self._server.postmaster()

    async def rows(self, sql: str, *arguments: Any) -> list[Any]:
        """What the database says to its owner, as soon as it can."""
        until = time.monotonic() + OPEN_WITHIN
        async with self._asking:
            while True:
                try:
                    if self._connection is None or self._connection.is_closed():
                        self._connection = await asyncpg.connect(self._owner_url(), timeout=5, command_timeout=60)
                    return list(await self._connection.fetch(sql, *arguments))
                except (*GONE, asyncpg.PostgresError):
                    if time.monotonic() > until:
                        raise
                    if self._connection is not None:
                        self._connection.terminate()
                        self._connection = None
                    await asyncio.sleep(GLANCE)

    async def command(self, *words: str) -> tuple[int, str]:
        """What `guildhall` with these words says."""
        process = await asyncio.create_subprocess_exec(
            *GUILDHALL,
            *words,
            env=self.environment,
            cwd=self.folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, said.decode()

    def complaints(self, *words: str) -> list[str]:
        """Lines of the processes' logs with one of these words in them."""
        return [
            f"{member.name}: {line[:600]}"
            for member in self.members
            for line in member.log.read_text(errors="replace").splitlines()
            if any(word in line for word in words)
        ]

    def server_log(self) -> str:
        """What the database server logged."""
        log = self.data / "postgres" / "server.log"
        return log.read_text(errors="replace") if log.exists() else ""

    def _owner_url(self) -> str:
        folder = self.data / "postgres"
        password, port = (folder / "password").read_text().strip(), (folder / "port").read_text().strip()
        return f"postgresql://postgres:{password}@{LOOPBACK}:{port}/guildhall"

    def _member(self, name: str, words: tuple[str, ...], program: Sequence[str], api: int) -> Member:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("GUILDHALL_", "DATABASE_"))}
        settings = {
            "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}",
            "GUILDHALL_DATA_DIR": str(self.data),
            "GUILDHALL_PORT": str(self.ports[api]),
            "GUILDHALL_PUBLIC_URL": f"http://{LOOPBACK}:{self.ports[api]}",
            "GUILDHALL_CLOCK": "movable",
            "GUILDHALL_RATE_LIMITS": "false",
            "GUILDHALL_LOG_FORMAT": "json",
            "GUILDHALL_ACCESS_TOKEN_MINUTES": "60",
            "GUILDHALL_ARGON2_MEMORY_KIB": "8",
            "GUILDHALL_ARGON2_TIME_COST": "1",
        }
        return Member(name, words, inherited | settings, self.folder, program)

    async def _ready(self, api: int) -> None:
        line, until = Line(self.traffic, api), time.monotonic() + OPEN_WITHIN
        while time.monotonic() < until:
            with suppress(NotSent, NoAnswer):
                if (await line.ask("GET", "/readyz", {})).status == 200:
                    line.close()
                    return
            await asyncio.sleep(GLANCE)
        raise TimeoutError(f"{self.apis[api].name} is not ready: {self.apis[api].log.read_text()[-2000:]}")

    async def _supervise(self) -> None:
        """Start again what ended, and note what ended although nobody killed it."""
        while True:
            for member in self.members:
                if not member.runs and member.process is not None:
                    if member.process.pid not in member.killed:
                        last = member.log.read_text(errors="replace")[-400:]
                        self.surprises.append(f"{member.name} ended by itself ({member.process.returncode}): {last}")
                    member.start()
            await asyncio.sleep(GLANCE)


def _free_ports(many: int) -> list[int]:
    probes = [socket.socket() for _ in range(many)]
    for probe in probes:
        probe.bind((LOOPBACK, 0))
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports
