"""How a mail becomes a message (MIME): shared by every adapter that carries mail; knows no carrier."""

import unicodedata
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime

import idna

from application.ports.mail import Attachment, OutgoingMail
from domain.notifications import MailRefused, address
from domain.shared.errors import Invalid


def message(mail: OutgoingMail) -> EmailMessage:
    """The whole message, the same bytes each time; `MailRefused` when a header would carry more than its own line."""
    try:
        return _message(mail)
    except MailRefused:
        raise
    except (Invalid, ValueError, MessageError) as error:
        raise MailRefused(f"this mail cannot be written: {error}", to=mail.to) from error


def octets(mail: OutgoingMail) -> bytes:
    """The message as it stands in a file; addresses beyond ASCII are kept as they are."""
    composed = message(mail)
    return composed.as_bytes(policy=SMTP if mail.to.rpartition("@")[0].isascii() else SMTPUTF8)


def mailbox(value: str, *, name: str = "") -> Address:
    """A mail address for a header, its domain in ASCII (IDNA 2008, so that no name turns into its neighbour)."""
    local, _, host = address(value).rpartition("@")
    ascii_host = host if host.isascii() else idna.encode(host, uts46=True).decode("ascii")
    return Address(display_name=_one_line(name), username=local, domain=ascii_host)


def _message(mail: OutgoingMail) -> EmailMessage:
    composed = EmailMessage(policy=SMTP)
    composed["From"] = mailbox(mail.sender.address, name=mail.sender.name)
    composed["To"] = mailbox(mail.to)
    composed["Subject"] = _one_line(mail.subject)
    composed["Date"] = format_datetime(mail.created_at)
    composed["Message-ID"] = mail.message_id
    composed["Auto-Submitted"] = "auto-generated"
    # quoted-printable never holds "=_": no text can imitate the boundaries set below
    composed.set_content(mail.text, cte="quoted-printable")
    composed.add_alternative(mail.html, subtype="html", cte="quoted-printable")
    for attachment in mail.attachments:
        _offer_in_place(composed, attachment)
    for attachment in mail.attachments:
        _attach(composed, attachment)
    parts = [part for part in composed.walk() if part.is_multipart()]
    for position, part in enumerate(parts):
        part.set_boundary(f"=_{mail.id.hex}_{position}")
    return composed


def _offer_in_place(composed: EmailMessage, attachment: Attachment) -> None:
    # mail programs show their accept and cancel buttons only for a calendar among the alternatives
    kind = _kind(attachment)
    if kind.get_content_type() == "text/calendar" and (method := kind.get_param("method")):
        composed.add_alternative(
            attachment.content.decode("utf-8"), subtype="calendar", params={"method": str(method)}, cte="base64"
        )


def _attach(composed: EmailMessage, attachment: Attachment) -> None:
    kind = _kind(attachment).get_content_type()
    maintype, subtype = ("application", "ics") if kind == "text/calendar" else kind.split("/")
    composed.add_attachment(
        attachment.content, maintype=maintype, subtype=subtype, filename=_one_line(attachment.name), cte="base64"
    )


def _kind(attachment: Attachment) -> EmailMessage:
    kind = EmailMessage()
    kind["Content-Type"] = attachment.content_type
    return kind


def _one_line(value: str) -> str:
    if any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in value):
        raise MailRefused("a header is one line of text")
    return value
