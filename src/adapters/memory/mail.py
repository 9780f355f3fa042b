"""Mail kept in a list: for tests, the demo and the simulation. Written out in full, so that what SMTP would refuse is
refused here as well."""

from dataclasses import dataclass, field
from email.message import EmailMessage

from adapters.mime import message
from application.ports.mail import Mailer, OutgoingMail
from domain.notifications import MailRefused, MailUnavailable


@dataclass(slots=True)
class MemoryMailer(Mailer):
    """Remembers what was sent. `away` plays a server that does not answer, `refused` holds addresses it turns away."""

    sent: list[OutgoingMail] = field(default_factory=list)
    messages: list[EmailMessage] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    away: bool = False

    async def send(self, mail: OutgoingMail) -> None:
        """Keep the mail and its message."""
        composed = message(mail)
        if self.away:
            raise MailUnavailable("the mail server cannot be reached")
        if mail.to in self.refused:
            raise MailRefused("the mail server refused it for good: 550 no such mailbox", to=mail.to, code=550)
        self.sent.append(mail)
        self.messages.append(composed)

    def to(self, address: str) -> list[OutgoingMail]:
        """What was sent to one address, oldest first."""
        return [mail for mail in self.sent if mail.to == address]
