"""One odd conversation with a server, and what is wrong with how it went."""

import re
import socket
import struct
import time
from contextlib import suppress

from tests.proof.sockets.oddities import CLOSED, RESET, SILENT, Oddity

PATIENCE = 5.0
"""Seconds within which a server that owes an answer gives it or hangs up."""
HONEST = b"GET /version HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")


def complaints(port: int, oddity: Oddity, *, patience: float = PATIENCE) -> list[str]:
    """What this conversation showed that must not be; also that the next honest client is not served."""
    found = []
    heard = converse(port, oddity, patience=patience)
    for status in heard:
        if status >= 500:
            found.append(f"{oddity.name}: answered {status}")
        elif status not in oddity.allowed:
            found.append(f"{oddity.name}: {meaning(status)}, where {sorted(oddity.allowed)} was to be expected")
    if not served(port, patience=patience):
        found.append(f"{oddity.name}: the next honest client was not served")
    return found


def converse(port: int, oddity: Oddity, *, patience: float) -> list[int]:
    """The statuses that came back, or how else it ended."""
    heard = b""
    with socket.create_connection(("127.0.0.1", port), timeout=patience) as line:
        ended = _say(line, oddity)
        if oddity.reset:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return [RESET]
        waits = oddity.allowed <= {SILENT, CLOSED} or (SILENT in oddity.allowed)
        until = time.monotonic() + (0.5 if waits else patience)
        closed = ended
        while not closed and time.monotonic() < until:
            line.settimeout(max(until - time.monotonic(), 0.01))
            try:
                piece = line.recv(65536)
            except TimeoutError:
                break
            except OSError:
                closed = True
                break
            closed = not piece
            heard += piece
            if _STATUS.search(heard) and _complete(heard) and not waits:
                until = min(until, time.monotonic() + 0.1)
        if closed and not heard:
            with suppress(OSError):
                heard += line.recv(65536)
    statuses = [int(status) for status in _STATUS.findall(heard)]
    return statuses or [CLOSED if closed else SILENT]


def served(port: int, *, patience: float = PATIENCE) -> bool:
    """Whether an honest client is answered."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=patience) as line:
            line.sendall(HONEST)
            heard = b""
            while piece := line.recv(65536):
                heard += piece
    except OSError:
        return False
    return heard.startswith(b"HTTP/1.1 200 ")


def meaning(status: int) -> str:
    """How an ending is called."""
    return {CLOSED: "hung up", SILENT: "no answer", RESET: "reset"}.get(status, f"answered {status}")


def _say(line: socket.socket, oddity: Oddity) -> bool:
    """Send it all; whether the server hung up meanwhile without a word."""
    for step in oddity.steps:
        if isinstance(step, float):
            time.sleep(step)
            continue
        try:
            line.sendall(step)
        except OSError:
            return False  # what it said before it hung up may still be read
    return False


def _complete(heard: bytes) -> bool:
    """Whether the last answer's head has come whole."""
    return b"\r\n\r\n" in heard[heard.rfind(b"HTTP/1.") :]
