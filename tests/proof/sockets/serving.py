"""A real `guildhall serve` with the demo town in it, and what it wrote into its log."""

import json
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from entrypoints.cli.demo_people import CUSTOMERS, PASSWORD
from tests.cli.processes import Process, free_port, started

CHEAP = {"GUILDHALL_ARGON2_TIME_COST": "1", "GUILDHALL_ARGON2_MEMORY_KIB": "8", "GUILDHALL_RATE_LIMITS": "false"}


@dataclass(frozen=True, slots=True)
class Served:
    """Where it listens, a customer's access token, and its process."""

    port: int
    token: str
    process: Process

    def log_complaints(self) -> list[str]:
        """Faults in the log, and a process that is no more."""
        lines = self.process.log.splitlines()
        found = [f"in the log: {line[:600]}" for line in lines if _is_fault(line)]
        if (code := self.process.running.poll()) is not None:
            found.append(f"the server ended with {code}")
        return found


@contextmanager
def serving(storage: str) -> Iterator[Served]:
    """It runs for the length of the block."""
    with tempfile.TemporaryDirectory(prefix="guildhall-sockets-") as folder:
        Path(folder).chmod(0o711)
        port = free_port()
        settings = {"GUILDHALL_STORAGE": storage, "GUILDHALL_LOG_FORMAT": "json", **CHEAP}
        with started("serve", "--demo", "--port", str(port), folder=Path(folder), **settings) as process:
            process.first_word()
            yield Served(port, _token(port), process)
            process.stop()


def _token(port: int) -> str:
    body = json.dumps({"email": CUSTOMERS[0].email, "password": PASSWORD}).encode()
    asked = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/sessions", data=body, headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(asked, timeout=20) as answer:
        return str(json.load(answer)["access_token"])


def _is_fault(line: str) -> bool:
    if "Traceback" in line:
        return True
    try:
        said: Any = json.loads(line)
    except ValueError:
        return False
    return isinstance(said, dict) and said.get("level") in ("error", "critical")
