"""The folder where the instance lays its mail, read as its recipients would read it."""

import re
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail."""

    message: EmailMessage

    @property
    def subject(self) -> str:
        """Its subject line."""
        return str(self.message["Subject"])

    @property
    def text(self) -> str:
        """Its plain text."""
        part = self.message.get_body(("plain",))
        return "" if part is None else str(part.get_content())

    @property
    def html(self) -> str:
        """The same as a page."""
        part = self.message.get_body(("html",))
        return "" if part is None else str(part.get_content())

    def link(self, to: str) -> str:
        """The link to that path in its text."""
        found = re.search(rf"https?://\S*{re.escape(to)}[^\s<>\"]*", self.text)
        if found is None:
            raise LookupError(f"no link to {to} in {self.subject!r}")
        return found[0]

    def invite(self) -> "Invite":
        """The calendar file that goes with it."""
        files = [part for part in self.message.iter_attachments() if part.get_filename() == "invite.ics"]
        if not files:
            raise LookupError(f"no invite.ics in {self.subject!r}")
        return Invite.read(bytes(files[0].get_payload(decode=True) or b"").decode())


@dataclass(frozen=True, slots=True)
class Invite:
    """What a calendar reads in an invitation: the lines of its one event, by name."""

    method: str
    event: dict[str, str]

    @classmethod
    def read(cls, ics: str) -> "Invite":
        """From the file: folded lines joined, parameters left aside."""
        lines = ics.replace("\r\n ", "").replace("\r\n\t", "").split("\r\n")
        pairs = [(name.partition(";")[0], value) for name, _, value in (line.partition(":") for line in lines if line)]
        begin, end = pairs.index(("BEGIN", "VEVENT")), pairs.index(("END", "VEVENT"))
        return cls(method=dict(pairs)["METHOD"], event=dict(pairs[begin + 1 : end]))

    @property
    def uid(self) -> str:
        """The same for every invitation to the same booking."""
        return self.event["UID"]

    @property
    def sequence(self) -> int:
        """Counts the times the booking was moved."""
        return int(self.event["SEQUENCE"])


@dataclass(frozen=True, slots=True)
class Mailbox:
    """All mail of the instance."""

    folder: Path

    def of(self, address: str, template: str) -> list[Letter]:
        """The letters of that kind to that address, the oldest first."""
        found = sorted(self.folder.glob(f"*-{template}-{address}-*.eml"))
        return [Letter(message_from_bytes(path.read_bytes(), policy=default)) for path in found]

    def count(self) -> int:
        """How many letters there are."""
        return len(list(self.folder.glob("*.eml")))
