"""`guildhall` as processes of their own, as an operator starts them."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cli.conftest import Said

PROGRAM = (sys.executable, "-c", "import sys; sys.argv[0] = 'guildhall'; from entrypoints.cli import main; main()")


def environment(folder: Path, **settings: str) -> dict[str, str]:
    """The surroundings of a process whose house is in that folder."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("GUILDHALL_", "DATABASE_"))}
    return {**inherited, "GUILDHALL_DATA_DIR": str(folder), **settings}


def guildhall(*words: str, folder: Path, typed: str = "", **settings: str) -> Said:
    """What `guildhall` with these words says."""
    done = subprocess.run(
        [*PROGRAM, *words],
        env=environment(folder, **settings),
        cwd=folder,
        input=typed,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return Said(done.returncode, done.stdout, done.stderr)


class Process:
    """A process that runs until it is told to stop."""

    def __init__(self, running: "subprocess.Popen[str]", log: Path) -> None:
        self.running = running
        self._log = log

    def first_word(self) -> Any:
        """What it says once it is ready; it may take its time to get there."""
        assert self.running.stdout is not None
        lines = []
        for line in self.running.stdout:
            lines.append(line)
            if line.rstrip() == "}":
                return json.loads("".join(lines))
        raise AssertionError(f"it ended with {self.running.wait()}: {self.log}")

    @property
    def log(self) -> str:
        """What it logged so far."""
        return self._log.read_text()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Tell it to stop; its exit code."""
        self.running.send_signal(how)
        return self.running.wait(30)


@contextmanager
def started(*words: str, folder: Path, **settings: str) -> Iterator[Process]:
    """A process, killed after the block if it still runs."""
    log = folder / f"{words[0]}.log"
    with log.open("w") as errors:
        running = subprocess.Popen(
            [*PROGRAM, *words, "--json"],
            env=environment(folder, **settings),
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
    process = Process(running, log)
    try:
        yield process
    finally:
        if running.poll() is None:
            running.kill()
            running.wait()
        assert running.stdout is not None
        running.stdout.close()


def free_port() -> int:
    """A port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def fetched(url: str) -> Any:
    """The JSON document there."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)
