"""One PostgreSQL data directory, and the server that may be running on it."""

import os
import signal
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from adapters.postgres.server.account import Account, belong
from adapters.postgres.server.binaries import Binaries, find_binaries
from adapters.postgres.server.creation import OWNER, create_cluster, last_line, write
from adapters.postgres.server.failures import ServerUnavailable
from adapters.postgres.server.locks import FileLock, patience

LOOPBACK = "127.0.0.1"
START_WITHIN_SECONDS = 60.0
STOP_WITHIN_SECONDS = 30.0
LOG_BYTES = 5_000_000
WITHOUT_DURABILITY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Postmaster:
    """What the running server says about itself in `postmaster.pid`."""

    pid: int
    port: int
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A data directory in its folder. Everything that changes it is called by one process at a time.

    The folder holds `cluster` (the data directory, or a link to it where the server's user cannot reach the folder),
    `password`, `port`, `server.log` and locks. Whatever works on the data directory, the server and its backends above
    all, inherits the lock `server.lock`: it says for certain whether anything lives there, when process ids do not.
    """

    folder: Path
    shared: Path
    database: str
    bin_dir: Path | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    durable: bool = True

    def run(self) -> int:
        """See that the server runs and accepts connections: adopt, await or start it. Its port."""
        for _ in patience(START_WITHIN_SECONDS):
            with FileLock(self.folder / "server.lock") as life:
                if life.exclusive():
                    if port := self._start(life):
                        return port
                    continue  # another process took the port in the meantime
            if port := self._accepting():
                return port
        raise ServerUnavailable(
            f"a PostgreSQL lives on {self._data} but accepts no connections; see {self._log}", log=str(self._log)
        )

    def stop(self) -> None:
        """Stop the server if it runs: clients are disconnected, what they committed is on disk."""
        for how in (signal.SIGINT, signal.SIGQUIT):
            told = False
            for _ in patience(STOP_WITHIN_SECONDS):
                if not self.is_alive():
                    return
                if not told and (postmaster := self.postmaster()):
                    told = self._signal(postmaster.pid, how)
        raise ServerUnavailable(f"PostgreSQL on {self._data} does not stop; see {self._log}", log=str(self._log))

    def is_alive(self) -> bool:
        """Whether any process of a server still works on the data directory."""
        with FileLock(self.folder / "server.lock") as life:
            return not life.shared()

    def postmaster(self) -> Postmaster | None:
        """Who runs, or ran last if it was killed; None when nobody does or has not said so yet."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return None
        if len(lines) < 4:
            return None
        return Postmaster(pid=int(lines[0]), port=int(lines[3]), status=lines[7].strip() if len(lines) > 7 else "")

    def url(self, port: int) -> str:
        """The address of the database for its owner."""
        password = (self.folder / "password").read_text().strip()
        return f"postgresql://{OWNER}:{password}@{LOOPBACK}:{port}/{self.database}"

    @property
    def _data(self) -> Path:
        return self.folder / "cluster"

    @property
    def _log(self) -> Path:
        return self.folder / "server.log"

    def _accepting(self) -> int | None:
        """The port of the server that lives here, once it is ready for connections."""
        postmaster = self.postmaster()
        if postmaster is None or postmaster.status != "ready":
            return None
        try:
            # A killed postmaster leaves its file, and for a moment its backends: only an answer counts.
            socket.create_connection((LOOPBACK, postmaster.port), timeout=1).close()
        except OSError:
            return None
        return postmaster.port

    def _start(self, life: FileLock) -> int | None:
        """Start the server, making its data directory first where there is none; None when its port was taken."""
        account = Account.for_data(self._data)
        binaries = find_binaries(self.bin_dir, account=account, shared=self.shared)
        if self._data.is_symlink() and not self._data.exists():
            raise ServerUnavailable(
                f"the data directory {self._data.readlink()} is gone: put it back, or remove {self.folder}"
            )
        if not self._data.exists():
            create_cluster(
                self._data,
                database=self.database,
                binaries=binaries,
                account=account,
                life=life,
                shared=self.shared,
                durable=self.durable,
            )
        written_by = int((self._data / "PG_VERSION").read_text())
        if written_by != binaries.major:
            raise ServerUnavailable(
                f"the data in {self._data} were written by PostgreSQL {written_by}, and {binaries.folder} holds "
                f"{binaries.major}: name the bin directory of a PostgreSQL {written_by}, or use another data folder"
            )
        self._forget_the_dead()
        port = self._remembered_port()
        if port is None or not _is_free(port):
            port = _free_port()
            write(self.folder / "port", f"{port}\n")
        if self._launch(life, binaries=binaries, account=account, port=port):
            return port
        if not _is_free(port):
            return None
        raise ServerUnavailable(f"PostgreSQL did not start: {self._last_words()}; see {self._log}", log=str(self._log))

    def _launch(self, life: FileLock, *, binaries: Binaries, account: Account, port: int) -> bool:
        """Start the server as nobody's child and wait until it is ready; False when it ended instead.

        With no parent of its own it is the same server to us whether we started it or found it.
        """
        settings = {
            "listen_addresses": LOOPBACK,
            "port": str(port),
            "unix_socket_directories": "",
            "cluster_name": "guildhall",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_checkpoints": "off",
            **({} if self.durable else WITHOUT_DURABILITY),
            **self.settings,
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        if self._log.exists() and self._log.stat().st_size > LOG_BYTES:
            self._log.replace(self._log.with_suffix(".log.1"))
        with os.fdopen(os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w") as log:
            belong(log.fileno(), self.folder)
            answer = account.run(
                *("/bin/sh", "-c", '"$@" >&2 & echo $!', "sh"),
                *(binaries.folder / "postgres", "-D", self._data.resolve()),
                *options,
                errors=log,
                inherits=(life.descriptor,),
            )
        life.close()
        pid = int(answer.stdout)
        for _ in patience(START_WITHIN_SECONDS):
            if (postmaster := self.postmaster()) and postmaster.pid == pid and postmaster.status == "ready":
                return True
            if not self.is_alive():
                return False
        self._signal(pid, signal.SIGQUIT)
        return False

    def _forget_the_dead(self) -> None:
        """Remove the pid file of a server that is gone while its number is still, or again, that of a process.

        PostgreSQL would take that for a server and refuse to start. It happens in containers, where numbers are few and
        nobody buries the dead.
        """
        if (postmaster := self.postmaster()) and self._is_stranger(postmaster.pid):
            (self._data / "postmaster.pid").unlink()

    def _is_stranger(self, pid: int) -> bool:
        """Whether a process is certainly not our server; where there is no way to know, PostgreSQL judges."""
        try:
            return os.readlink(f"/proc/{pid}/cwd") != str(self._data.resolve())
        except FileNotFoundError:
            return Path(f"/proc/{pid}").exists()  # dead and not yet buried
        except OSError:
            return False

    def _remembered_port(self) -> int | None:
        try:
            return int((self.folder / "port").read_text())
        except (FileNotFoundError, ValueError):
            return None

    def _last_words(self) -> str:
        with self._log.open("rb") as log:
            log.seek(max(0, self._log.stat().st_size - 4096))
            return last_line(log.read().decode(errors="replace"))

    def _signal(self, pid: int, how: signal.Signals) -> bool:
        if self._is_stranger(pid):
            return False
        try:
            os.kill(pid, how)
        except ProcessLookupError:
            return False
        return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port
