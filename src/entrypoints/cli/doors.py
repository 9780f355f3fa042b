"""The door of a process: a listening socket taken before anything heavy starts, and who stands in it already."""

import errno
import http.client
import json
import os
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from domain.shared.errors import Conflict

BACKLOG = 2048
_LISTENING = "0A"


class PortTaken(Conflict):
    """Another process listens there already."""

    code = "serve.port_taken"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who listens on a port, as far as this machine tells."""

    pid: int | None = None
    command: str = ""
    version: str = ""

    def __str__(self) -> str:
        who = f"Guildhall {self.version}" if self.version else "another process"
        return f"{who} (pid {self.pid}: {self.command})" if self.pid else who


def taken(host: str, port: int) -> socket.socket:
    """A socket that listens there; a refusal that says who else does. Clients that come early wait in its queue."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(f"port {port} of {host} is held by {holder(host, port)}", host=host, port=port) from error
        raise PortTaken(f"{host}:{port} cannot be listened on: {error.strerror}", host=host, port=port) from error
    listener.setblocking(False)
    return listener


def holder(host: str, port: int) -> Holder:
    """Who listens on that port."""
    pid = _pid_of(port)
    return Holder(pid, _command_of(pid) if pid else "", _version_at(host, port))


def _version_at(host: str, port: int) -> str:
    """The version of the Guildhall that answers there, if one does."""
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - seen from this machine
    connection = http.client.HTTPConnection(reached, port, timeout=1)
    with suppress(OSError, http.client.HTTPException, ValueError):
        connection.request("GET", "/version")
        told = json.loads(connection.getresponse().read(1000))
        if isinstance(told, dict) and told.get("name") == "guildhall":
            return str(told.get("version", ""))
    connection.close()
    return ""


def _pid_of(port: int) -> int | None:
    """The process that listens on the port, where the system tells (Linux, and processes one may look at)."""
    sockets = {f"socket:[{inode}]" for inode in _inodes_of(port)}
    if not sockets:
        return None
    for folder in Path("/proc").glob("[0-9]*/fd"):
        with suppress(OSError):
            for descriptor in folder.iterdir():
                with suppress(OSError):
                    if os.readlink(descriptor) in sockets:
                        return int(folder.parent.name)
    return None


def _inodes_of(port: int) -> set[str]:
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                columns = line.split()
                if columns[3] == _LISTENING and int(columns[1].rpartition(":")[2], 16) == port:
                    found.add(columns[9])
    return found


def _command_of(pid: int) -> str:
    with suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        return " ".join(os.path.basename(word) if place < 2 else word for place, word in enumerate(words) if word)[:120]
    return ""
