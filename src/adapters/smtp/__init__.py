"""Mail handed to an SMTP server."""

import ssl
from dataclasses import dataclass
from enum import StrEnum

import aiosmtplib

from adapters.mime import mailbox, message
from application.ports.mail import Mailer, OutgoingMail
from domain.notifications import MailRefused, MailUnavailable

__all__ = ["Security", "SmtpMailer", "SmtpServer"]

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Security(StrEnum):
    """How the connection is protected: TLS from the first byte (465), raised by STARTTLS (587), or not at all."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpServer:
    """Where the server is and how to be let in. `authority` replaces the system's certificate authorities."""

    host: str
    port: int = 587
    security: Security = Security.STARTTLS
    user: str = ""
    password: str = ""
    authority: ssl.SSLContext | None = None
    patience: float = 20.0
    """Seconds any one step may take."""

    def __post_init__(self) -> None:
        if self.password and self.security is Security.NONE and self.host not in _LOOPBACK:
            raise ValueError("a mail password is not sent over an open connection: choose tls or starttls")

    def __repr__(self) -> str:
        return f"SmtpServer({self.host}:{self.port}, {self.security.value})"


class SmtpMailer(Mailer):
    """One connection per mail: nothing to keep alive, nothing to find dead."""

    def __init__(self, server: SmtpServer) -> None:
        self._server = server

    async def send(self, mail: OutgoingMail) -> None:
        """Returns once the server has taken the mail."""
        composed = message(mail)
        sender, recipient = mailbox(mail.sender.address).addr_spec, mailbox(mail.to).addr_spec
        try:
            async with self._client(mail) as client:
                await client.send_message(composed, sender=sender, recipients=[recipient])
        except aiosmtplib.SMTPException as error:
            raise _translated(error, mail) from error
        except OSError as error:
            raise MailUnavailable(f"the mail server cannot be reached: {error}") from error

    def _client(self, mail: OutgoingMail) -> aiosmtplib.SMTP:
        server = self._server
        return aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            local_hostname=mail.sender.host if mail.sender.host.isascii() else "localhost",
            timeout=server.patience,
            use_tls=server.security is Security.TLS,
            start_tls=server.security is Security.STARTTLS,
            tls_context=server.authority,
            username=server.user or None,
            password=server.password or None,
        )


def _translated(error: aiosmtplib.SMTPException, mail: OutgoingMail) -> MailRefused | MailUnavailable:
    match error:
        case aiosmtplib.SMTPRecipientsRefused(recipients=[refused, *_]):
            return _judged(refused.code, refused.message, mail)
        case aiosmtplib.SMTPDataError():
            return _judged(error.code, error.message, mail)
        case aiosmtplib.SMTPNotSupported() if not mail.to.isascii():
            return MailRefused("the mail server takes no address beyond ASCII", to=mail.to)
        case aiosmtplib.SMTPResponseException():
            # greeting, sign-in and sender are ours to mend: the mail itself is not to blame and waits
            return MailUnavailable(f"the mail server says {error.code} {error.message}", code=error.code)
        case _:
            return MailUnavailable(f"the mail server cannot be reached: {error}")


def _judged(code: int, answer: str, mail: OutgoingMail) -> MailRefused | MailUnavailable:
    if 500 <= code < 600:
        return MailRefused(f"the mail server refused it for good: {code} {answer}", to=mail.to, code=code)
    return MailUnavailable(f"the mail server says to try later: {code} {answer}", code=code)
