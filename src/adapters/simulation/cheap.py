"""What would eat the time and is not what is simulated: hashing passwords, setting letters and packing them."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import orjson

from application.ports.identity import PasswordHasher, Verdict
from application.ports.invoicing import InvoicePrinter, Sheet
from application.ports.mail import Attachment, Invite, Invites, Letters, Mailer, OutgoingMail, Written
from domain.notifications import Template


class CheapPasswords(PasswordHasher):
    """One fast hash without a salt, under the name of argon2, in whose place it stands."""

    async def hash(self, password: str) -> str:
        return f"$argon2id$cheap${blake2b(password.encode(), digest_size=16).hexdigest()}"

    async def verify(self, password: str, hash: str | None) -> bool:
        return hash is not None and hash == await self.hash(password)

    async def verify_and_upgrade(self, password: str, hash: str | None) -> Verdict:
        return Verdict(await self.verify(password, hash))


class PlainLetters(Letters):
    """The facts of a letter as JSON, in place of its templates."""

    def write(self, template: Template, context: Mapping[str, Any]) -> Written:
        return Written(template.value, orjson.dumps(context, default=str).decode(), "")


class PostBox(Mailer):
    """Keeps what was sent, without writing it out as a mail."""

    def __init__(self) -> None:
        self.sent: list[OutgoingMail] = []

    async def send(self, mail: OutgoingMail) -> None:
        self.sent.append(mail)


class PlainPrinter(InvoicePrinter):
    """A line in place of a document."""

    async def print(self, sheet: Sheet) -> bytes:
        return f"%PDF- {sheet.kind.value} {sheet.number} {sheet.total}".encode()


class PlainInvites(Invites):
    """A line in place of a calendar file."""

    def write(self, invite: Invite) -> Attachment:
        said = f"{invite.booking_id} {invite.sequence} {'cancelled' if invite.cancelled else 'on'}"
        return Attachment("invite.ics", "text/calendar", said.encode())
