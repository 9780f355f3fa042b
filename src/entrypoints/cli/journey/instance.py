"""A throw-away instance: a process of its own on a free port, with a folder of its own that goes when it goes."""

import asyncio
import os
import shutil
import signal
import socket
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from entrypoints.cli.journey.checking import Unmet
from entrypoints.container import Container
from entrypoints.settings import ClockName, Settings, env_name

_PROGRAM = "from entrypoints.cli import main; main()"
_OPEN_WITHIN = 60.0
_CLOSED_WITHIN = 30.0
_LAST_LINES = 25


class DidNotOpen(Unmet):
    """The instance never answered."""


@dataclass(slots=True)
class Instance:
    """One Guildhall, asked only from outside: over HTTP, by its command line, and by signals."""

    folder: Path
    port: int
    wishes: Mapping[str, str] = field(default_factory=dict)
    """What else is set for it, by the names in the environment."""
    process: Process | None = None

    @property
    def clock(self) -> Any:
        """Its clock, which whoever has its folder can move for all of its processes."""
        settings = Settings.model_construct(data_dir=self.data, clock=ClockName.MOVABLE)
        return Container(settings=settings).clock()

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def data(self) -> Path:
        """Its data folder."""
        return self.folder / "data"

    async def open(self) -> None:
        """Start it, and wait until it is ready."""
        with self._log.open("wb") as log:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", _PROGRAM, "serve"),
                env=self._environment(),
                cwd=self.folder,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C ends the journey, and the journey then ends its instance in order.
                start_new_session=True,
            )
        await self._ready()

    async def run(self, *words: str, typed: str = "") -> tuple[int, str, str]:
        """A command of `guildhall` on this instance: its exit code, what it answered, what it complained of."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _PROGRAM, *words),
            env=self._environment(),
            cwd=self.folder,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
        )
        try:
            answered, complained = await process.communicate(typed.encode())
        finally:
            await _ended(process)
        assert process.returncode is not None
        return process.returncode, answered.decode(), complained.decode()

    async def close(self) -> int:
        """Tell it to stop, as an operator would; its exit code. One that does not listen is ended."""
        if self.process is None:
            return 0
        process, self.process = self.process, None
        return await _ended(process)

    def last_words(self) -> str:
        """The end of its log."""
        lines = self._log.read_text(errors="replace").splitlines() if self._log.exists() else []
        return "\n".join(lines[-_LAST_LINES:])

    def complaints(self) -> list[str]:
        """What it logged as an error."""
        lines = self._log.read_text(errors="replace").splitlines()
        return [
            line for line in lines if '"level":"error"' in line or '"level":"critical"' in line or "Traceback" in line
        ]

    def _environment(self) -> dict[str, str]:
        """Ours, without what is set for an instance of one's own."""
        names = {env_name(field) for field in Settings.model_fields}
        known = names | {f"{name}_FILE" for name in names}
        return {
            **{name: value for name, value in os.environ.items() if name not in known},
            "GUILDHALL_DATA_DIR": str(self.data),
            "GUILDHALL_PORT": str(self.port),
            "GUILDHALL_CLOCK": ClockName.MOVABLE.value,
            "GUILDHALL_RATE_LIMITS": "false",
            "GUILDHALL_LOG_FORMAT": "json",
            **self.wishes,
        }

    @property
    def _log(self) -> Path:
        return self.folder / "instance.log"

    async def _ready(self) -> None:
        clock = asyncio.get_running_loop()
        until = clock.time() + _OPEN_WITHIN
        async with httpx.AsyncClient(base_url=self.address, trust_env=False) as http:
            while clock.time() < until:
                if self.process is None or self.process.returncode is not None:
                    raise DidNotOpen(f"the instance ended before it was open: {self.last_words()}")
                with suppress(httpx.TransportError):
                    if (await http.get("/readyz", timeout=5)).is_success:
                        return
                await asyncio.sleep(0.05)
        raise DidNotOpen(f"the instance was not ready after {_OPEN_WITHIN:.0f} s: {self.last_words()}")


@asynccontextmanager
async def throw_away(*, keep: bool = False, wishes: Mapping[str, str] | None = None) -> AsyncIterator[Instance]:
    """An instance that is not open yet; afterwards it is closed and, unless it is kept, nothing is left of it."""
    folder = _new_folder()
    instance = Instance(folder, _free_port(), wishes or {})
    try:
        yield instance
    finally:
        await instance.close()
        if not keep:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


async def _ended(process: Process) -> int:
    """Tell it to stop, if it has not; its exit code. What it shares with others of its instance is put in order."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
    try:
        return await asyncio.wait_for(process.wait(), _CLOSED_WITHIN)
    except TimeoutError:
        process.kill()
        return await process.wait()


def _new_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="guildhall-demo-"))
    # The embedded database steps down from root, and its user has to reach its folder.
    folder.chmod(0o711)
    return folder


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
