"""Making a data directory: whole, with its owner's password and its database, or not at all."""

import os
import shutil
import tempfile
from pathlib import Path

from adapters.postgres.server.account import Account, belong
from adapters.postgres.server.binaries import Binaries, open_folder
from adapters.postgres.server.failures import ServerUnavailable
from adapters.postgres.server.locks import FileLock
from adapters.system.secrets import fresh_secret

OWNER = "postgres"
HOST_RULES = """# Written by Guildhall: passwords only, from this machine only.
local all all scram-sha-256
host all all 127.0.0.1/32 scram-sha-256
"""


def create_cluster(
    data: Path, *, database: str, binaries: Binaries, account: Account, life: FileLock, shared: Path, durable: bool
) -> None:
    """Make the data directory `data` with one database, and the password of its owner in the file beside it."""
    home = _home_for(account, data.parent, shared)
    staging = home / "cluster.new"
    # Left by a maker who was killed; that its programs ended is what `life` says.
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(mode=0o700)
    account.own(staging)
    _initialise(staging, binaries=binaries, account=account, life=life, durable=durable)
    write(staging / "pg_hba.conf", HOST_RULES, mode=0o644)
    password = fresh_secret()
    write(data.with_name("password"), f"{password}\n")
    single = account.run(
        *(binaries.folder / "postgres", "--single", "-D", staging),
        *("-c", "exit_on_error=on", "-c", "log_checkpoints=off", OWNER),
        given=f"alter role {OWNER} password '{password}'\ncreate database {database}\n",
        inherits=(life.descriptor,),
    )
    if single.returncode != 0:
        raise ServerUnavailable(f"the database cannot be made: {last_line(single.stderr)}")
    staging.rename(home / "cluster")
    if home != data.parent:
        data.symlink_to(home / "cluster")


def write(path: Path, text: str, *, mode: int = 0o600) -> None:
    """Put a small file in its place whole and on disk, or not at all."""
    staging = path.with_name(f"{path.name}.new")
    with os.fdopen(os.open(staging, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as file:
        os.fchmod(file.fileno(), mode)
        belong(file.fileno(), path.parent)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    staging.replace(path)


def last_line(text: str) -> str:
    """The line of a log that names the reason: the last complaint, else the last line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()] or ["it said nothing"]
    return next((line for line in reversed(lines) if "FATAL" in line or "error" in line.lower()), lines[-1])


def _home_for(account: Account, folder: Path, shared: Path) -> Path:
    """The folder if the server's user can reach it, else a new one in the shared place, which a link will name."""
    if account.can_enter(folder):
        return folder
    open_folder(shared)
    if not account.can_enter(shared):
        raise ServerUnavailable(
            f"PostgreSQL's user can reach neither {folder} nor {shared}: "
            "choose a data folder outside private directories, or set DATABASE_URL"
        )
    home = Path(tempfile.mkdtemp(prefix=f"{folder.name}-", dir=shared))
    home.chmod(0o711)
    return home


def _initialise(staging: Path, *, binaries: Binaries, account: Account, life: FileLock, durable: bool) -> None:
    complaint = ""
    # Code points order and classify text the same on every version and system, where that locale exists.
    for locale in ("C.UTF-8", "C"):
        answer = account.run(
            *(binaries.folder / "initdb", "-D", staging, "-U", OWNER, "--encoding=UTF8", f"--locale={locale}"),
            *(("--locale-provider=builtin", "--builtin-locale=C.UTF-8") if binaries.major >= 17 else ()),
            # Nobody is let in until our own rules stand.
            *("--auth=reject", *(() if durable else ("--no-sync",))),
            inherits=(life.descriptor,),
        )
        if answer.returncode == 0:
            return
        complaint = last_line(answer.stderr)
        if "invalid locale" not in answer.stderr:
            break
    raise ServerUnavailable(f"initdb failed: {complaint}")
