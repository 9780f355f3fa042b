"""Whom the server runs as: ourselves, or an unprivileged user when we are root, which PostgreSQL refuses."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from adapters.postgres.server.failures import ServerUnavailable

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True, slots=True)
class Account:
    """An operating-system user to run commands as."""

    uid: int
    gid: int

    @classmethod
    def for_data(cls, cluster: Path) -> "Account":
        """Ourselves; or, when we are root, whoever owns the data already, else `nobody`."""
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid())
        if cluster.exists() and (owner := cluster.stat()).st_uid != 0:
            return cls(owner.st_uid, owner.st_gid)
        try:
            nobody = pwd.getpwnam("nobody")
        except KeyError:
            raise ServerUnavailable(
                "PostgreSQL does not run as root, and this machine has no user `nobody` to run it as: "
                "start Guildhall as an ordinary user, or set DATABASE_URL"
            ) from None
        return cls(nobody.pw_uid, nobody.pw_gid)

    @property
    def is_ours(self) -> bool:
        """Whether commands run as the user we are."""
        return self.uid == os.geteuid()

    def run(
        self,
        *command: str | Path,
        given: str | None = None,
        errors: int | IO[Any] = subprocess.PIPE,
        inherits: tuple[int, ...] = (),
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end in a session of its own, with a bare environment and text in and out."""
        dropped: dict[str, Any] = {} if self.is_ours else {"user": self.uid, "group": self.gid, "extra_groups": []}
        try:
            return subprocess.run(  # noqa: S603 - our own words, never a shell's
                [str(word) for word in command],
                **({"stdin": subprocess.DEVNULL} if given is None else {"input": given}),
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                errors="replace",
                cwd="/",
                env=ENVIRONMENT,
                pass_fds=inherits,
                start_new_session=True,
                check=False,
                **dropped,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise ServerUnavailable(f"cannot run {command[0]} as user {self.uid}: {error}") from error

    def can_enter(self, folder: Path) -> bool:
        """Whether this user can reach what lies in a folder."""
        return self.is_ours or self.run("/bin/sh", "-c", 'test -x "$1"', "sh", folder).returncode == 0

    def own(self, path: Path) -> None:
        """Give a path to this user."""
        if not self.is_ours:
            os.chown(path, self.uid, self.gid)


def make_folder(folder: Path) -> None:
    """Make a folder and its missing parents: private to us, or, made by root, passable for the server's user."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    folder.chmod(0o711 if os.geteuid() == 0 else 0o700)


def belong(descriptor: int, folder: Path) -> None:
    """Give an open file to the owner of its folder, so that root's visit to a user's folder locks nobody out."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
