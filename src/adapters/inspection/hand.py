"""One hand of the examiner: a process that has everything loaded, and for each upload makes a child with tight limits
that looks into it and ends. Jobs come as lines of JSON, and so do answers.

Run as `python -m adapters.inspection.hand`, without any of our environment."""

import gc
import json
import os
import resource
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from adapters.inspection.pictures import redrawn
from adapters.inspection.sniffing import Refused, kind_of, must_be_harmless

RESULT = "result.json"
ARRIVED = "arrived"


def main() -> None:
    """Work until nobody has anything more to look into."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.freeze()
    for line in sys.stdin.buffer:
        job = json.loads(line)
        child = os.fork()
        if child == 0:
            _work(job)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(json.dumps(_told(Path(job["folder"]), status)) + "\n")
        sys.stdout.flush()


def _work(job: dict[str, Any]) -> None:
    """In the child: look, write down what was found, and end without ceremony."""
    try:
        _bind(job["limits"])
        found = _looked(job)
    except Refused as refusal:
        found = {"refused": str(refusal)}
    except (MemoryError, RecursionError):
        found = {"refused": "it takes more memory to look into than we give"}
    except BaseException as error:
        found = {"failed": f"{type(error).__name__}: {error}"[:300]}
    with suppress(BaseException):
        Path(job["folder"], RESULT).write_text(json.dumps(found))
    os._exit(0)


def _looked(job: dict[str, Any]) -> dict[str, Any]:
    folder = Path(job["folder"])
    source = folder / ARRIVED
    data = source.read_bytes()
    kind = kind_of(data)
    if kind is None or kind != job["kind"]:
        return {"kind": kind}
    must_be_harmless(data, kind)
    del data
    if not kind.startswith("image/"):
        return {"kind": kind, "made": []}
    return {"kind": kind, "made": redrawn(source, folder, kind=kind, sizes=job["sizes"])}


def _bind(limits: dict[str, int]) -> None:
    """What this process may use; the alarm ends one that waits for something."""
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    signal.alarm(limits["seconds"])
    for what, most in (
        (resource.RLIMIT_AS, limits["memory"]),
        (resource.RLIMIT_CPU, limits["cpu_seconds"]),
        (resource.RLIMIT_FSIZE, limits["file"]),
        (resource.RLIMIT_NOFILE, 32),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most + 1 if what == resource.RLIMIT_CPU else most))
    os.nice(5)


def _told(folder: Path, status: int) -> dict[str, Any]:
    if os.WIFSIGNALED(status):
        return {"killed": os.WTERMSIG(status)}
    try:
        found: dict[str, Any] = json.loads((folder / RESULT).read_text())
    except (OSError, ValueError):
        return {"failed": "it left nothing behind"}
    return found


if __name__ == "__main__":
    main()
