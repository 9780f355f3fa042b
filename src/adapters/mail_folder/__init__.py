"""Mail laid into a folder, one .eml file each: the default, and the one a developer looks at."""

import asyncio
import os
import re
from pathlib import Path

from adapters.mime import octets
from application.ports.mail import Mailer, OutgoingMail
from domain.notifications import MailUnavailable

__all__ = ["FolderMailer"]


class FolderMailer(Mailer):
    """Every mail becomes `<when>-<template>-<recipient>-<id>.eml`, whole or not at all; sent twice it is there once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def send(self, mail: OutgoingMail) -> None:
        """Write the file and return once it is on the disk."""
        content = octets(mail)
        try:
            await asyncio.to_thread(self._write, self._folder / file_name(mail), content)
        except OSError as error:
            raise MailUnavailable(f"mail cannot be laid into its folder: {error.strerror or error}") from error

    def _write(self, path: Path, content: bytes) -> None:
        # Mails hold links that sign people in: they are for the owner of the folder only.
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        with open(unfinished, "wb", opener=_privately) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)


def _privately(path: str, flags: int) -> int:
    return os.open(path, flags, mode=0o600)


def file_name(mail: OutgoingMail) -> str:
    """Sorts by time, and tells what the mail is and whom it is for."""
    recipient = re.sub(r"[^A-Za-z0-9@._+-]+", "_", mail.to).replace("..", "_")[:80]
    return f"{mail.created_at:%Y%m%dT%H%M%S%fZ}-{mail.template.value}-{recipient}-{mail.id.hex[-8:]}.eml"
