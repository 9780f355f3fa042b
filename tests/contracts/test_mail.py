"""What every carrier of mail promises: memory, a folder, and SMTP against a real server on a free port."""

import asyncio
import email
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from adapters.mail_folder import FolderMailer
from adapters.memory.mail import MemoryMailer
from adapters.smtp import Security, SmtpMailer, SmtpServer
from application.ports.mail import Attachment, Mailbox, Mailer, OutgoingMail
from domain.notifications import MailRefused, MailUnavailable, Template
from domain.shared.ids import MailId

CALENDAR = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nSUMMARY:Fris\xc3\xb6r\r\nEND:VCALENDAR\r\n"


def a_mail(**over: Any) -> OutgoingMail:
    facts: dict[str, Any] = {
        "id": MailId(UUID(int=2**100 + 8)),
        "template": Template.BOOKING_CONFIRMED,
        "sender": Mailbox("Guildhall", "no-reply@book.example.org"),
        "to": "ana@example.org",
        "subject": "Confirmed: Frisör & Söhne, 12 März · 予約",
        "text": "Hello Ana,\n\n.\n.hidden dot\nsee you at the Frisör — 予約\n",
        "html": "<!doctype html><html><body><p>Hello <b>Ana</b> — 予約</p></body></html>",
        "attachments": (Attachment("invite.ics", "text/calendar; charset=utf-8; method=REQUEST", CALENDAR),),
        "created_at": datetime(2026, 3, 12, 9, 30, tzinfo=UTC),
    }
    return OutgoingMail(**(facts | over))


@dataclass(slots=True)
class Carrier:
    """A mailer under test, what has arrived at its far end, and how to make that end fail."""

    mailer: Mailer
    arrived: Callable[[], list[EmailMessage]]
    leave: Callable[[], Awaitable[None]]
    refuse: Callable[[str], None] | None = None


@dataclass(slots=True)
class Postmaster:
    """An SMTP server's handler: keeps what comes, and answers as it is told to."""

    envelopes: list[Envelope] = field(default_factory=list)
    greetings: list[str] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    to_sender: str = ""
    to_recipient: str = ""
    to_content: str = ""

    async def handle_EHLO(  # noqa: N802 - the server looks handlers up by this name
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self.greetings.append(hostname)
        return responses

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.to_sender:
            return self.to_sender
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return "550 5.1.1 no such mailbox"
        if self.to_recipient:
            return self.to_recipient
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.to_content:
            return self.to_content
        self.envelopes.append(envelope)
        return "250 taken"

    def messages(self) -> list[EmailMessage]:
        return [parsed(bytes(envelope.original_content or b"")) for envelope in self.envelopes]


def parsed(content: bytes) -> EmailMessage:
    message = email.message_from_bytes(content, policy=WIRE)
    assert isinstance(message, EmailMessage)
    return message


def only_ben(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    welcome = isinstance(data, LoginPassword) and (data.login, data.password) == (b"ben", b"s3cret")
    return AuthResult(success=welcome, handled=welcome)


@asynccontextmanager
async def a_server(
    postmaster: Postmaster, *, wrapped_in: ssl.SSLContext | None = None, **kwargs: Any
) -> AsyncIterator[tuple[asyncio.Server, int]]:
    sessions: list[SMTP] = []

    def answer() -> SMTP:
        options: dict[str, Any] = {"enable_SMTPUTF8": True, "hostname": "mx.example.org"} | kwargs
        sessions.append(SMTP(postmaster, **options))
        return sessions[-1]

    server = await asyncio.get_running_loop().create_server(answer, "127.0.0.1", 0, ssl=wrapped_in)
    try:
        yield server, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await hang_up(sessions)


async def hang_up(sessions: list[SMTP]) -> None:
    """Nothing of one test's server is left for the next."""
    for session in sessions:
        task, transport = session._handler_coroutine, session.transport
        if transport is not None:
            transport.close()
        if task is not None:
            await asyncio.wait([task], timeout=2)
    await asyncio.sleep(0)


def open_smtp(port: int, **over: Any) -> SmtpMailer:
    return SmtpMailer(SmtpServer(host="127.0.0.1", port=port, security=Security.NONE, patience=5.0, **over))


@asynccontextmanager
async def by_memory(folder: Path) -> AsyncIterator[Carrier]:
    mailer = MemoryMailer()

    async def leave() -> None:
        mailer.away = True

    yield Carrier(
        mailer, lambda: [parsed(message.as_bytes()) for message in mailer.messages], leave, mailer.refused.add
    )


@asynccontextmanager
async def by_folder(folder: Path) -> AsyncIterator[Carrier]:
    target = folder / "mails" / "out"

    async def leave() -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("a file where the folder should be")

    yield Carrier(FolderMailer(target), lambda: [parsed(file.read_bytes()) for file in sorted(target.glob("*"))], leave)


@asynccontextmanager
async def by_smtp(folder: Path) -> AsyncIterator[Carrier]:
    postmaster = Postmaster()
    async with a_server(postmaster) as (server, port):

        async def leave() -> None:
            server.close()
            await server.wait_closed()

        yield Carrier(open_smtp(port), postmaster.messages, leave, postmaster.refused.add)


CARRIERS = {"memory": by_memory, "folder": by_folder, "smtp": by_smtp}


@pytest.fixture(params=CARRIERS)
async def carrier(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Carrier]:
    async with CARRIERS[request.param](tmp_path) as carrier:
        yield carrier


async def test_a_mail_arrives_with_its_headers(carrier: Carrier) -> None:
    await carrier.mailer.send(a_mail())
    (message,) = carrier.arrived()
    assert message["From"] == "Guildhall <no-reply@book.example.org>"
    assert message["To"] == "ana@example.org"
    assert message["Subject"] == "Confirmed: Frisör & Söhne, 12 März · 予約"
    assert message["Message-ID"] == "<00000010-0000-0000-0000-000000000008@book.example.org>"
    assert message["Date"].datetime == datetime(2026, 3, 12, 9, 30, tzinfo=UTC)
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["MIME-Version"] == "1.0"
    assert not message.defects


async def test_a_mail_arrives_with_all_its_parts(carrier: Carrier) -> None:
    await carrier.mailer.send(a_mail())
    (message,) = carrier.arrived()
    assert message.get_content_type() == "multipart/mixed"
    kinds = [part.get_content_type() for part in message.walk() if not part.is_multipart()]
    assert kinds == ["text/plain", "text/html", "text/calendar", "application/ics"]
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert plain.get_content().replace("\r\n", "\n") == a_mail().text
    assert html.get_content().strip() == a_mail().html
    calendar = next(part for part in message.walk() if part.get_content_type() == "text/calendar")
    assert calendar.get_param("method") == "REQUEST"
    assert "SUMMARY:Frisör" in calendar.get_content()
    (file,) = message.iter_attachments()
    assert (file.get_filename(), file.get_content()) == ("invite.ics", CALENDAR)


async def test_a_mail_without_a_file_is_just_its_two_forms(carrier: Carrier) -> None:
    await carrier.mailer.send(a_mail(attachments=()))
    (message,) = carrier.arrived()
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]


async def test_sent_again_it_is_recognised_as_the_same_mail(carrier: Carrier) -> None:
    await carrier.mailer.send(a_mail())
    await carrier.mailer.send(a_mail())
    arrived = carrier.arrived()
    assert len({message.as_bytes() for message in arrived}) == 1
    assert len({message["Message-ID"] for message in arrived}) == 1


@pytest.mark.parametrize(
    "forged",
    [
        {"subject": "Hello\r\nBcc: everybody@example.org"},
        {"subject": "Hello\nBcc: everybody@example.org"},
        {"subject": "Hello\u2028Bcc: everybody@example.org"},
        {"to": "ana@example.org\r\nBcc: everybody@example.org"},
        {"to": "ana@example.org, everybody@example.org"},
        {"to": "Ana <ana@example.org>"},
        {"to": "nobody"},
        {"sender": Mailbox("Guild\r\nBcc: everybody@example.org", "no-reply@book.example.org")},
        {"sender": Mailbox("Guildhall", "no-reply@book.example.org>\r\nBcc: <everybody@example.org")},
        {"attachments": (Attachment('a.ics"\r\nX-Evil: 1', "text/calendar", b""),)},
        {"attachments": (Attachment("a.ics", "text/calendar\r\nX-Evil: 1", b""),)},
    ],
)
async def test_no_fact_can_forge_a_header(carrier: Carrier, forged: dict[str, Any]) -> None:
    with pytest.raises(MailRefused) as refused:
        await carrier.mailer.send(a_mail(**forged))
    assert refused.value.code == "mail.refused"
    assert carrier.arrived() == []


async def test_a_body_cannot_end_itself_early(carrier: Carrier) -> None:
    text = f"hello\n--=_{a_mail().id.hex}_0\nContent-Type: text/html\n\n<b>forged</b>\n.\nQUIT\n"
    await carrier.mailer.send(a_mail(text=text))
    (message,) = carrier.arrived()
    plain = message.get_body(("plain",))
    assert plain is not None
    assert plain.get_content().replace("\r\n", "\n") == text


async def test_a_name_with_commas_and_quotes_is_still_one_sender(carrier: Carrier) -> None:
    await carrier.mailer.send(a_mail(sender=Mailbox('Müller, "Söhne" & Co.', "no-reply@book.example.org")))
    (message,) = carrier.arrived()
    (sender,) = message["From"].addresses
    assert (sender.display_name, sender.addr_spec) == ('Müller, "Söhne" & Co.', "no-reply@book.example.org")


async def test_a_domain_in_any_script_keeps_its_own_name(carrier: Carrier) -> None:
    await carrier.mailer.send(a_mail(to="ana@straße.example"))
    (message,) = carrier.arrived()
    assert message["To"] == "ana@xn--strae-oqa.example"


async def test_a_mailbox_in_any_script_is_written_to(carrier: Carrier) -> None:
    await carrier.mailer.send(a_mail(to="jörg@bücher.example"))
    (message,) = carrier.arrived()
    assert "j" in str(message["To"])
    assert str(message["To"]).endswith("@xn--bcher-kva.example")


async def test_nobody_answering_is_no_refusal_of_the_mail(carrier: Carrier) -> None:
    await carrier.leave()
    with pytest.raises(MailUnavailable) as unavailable:
        await carrier.mailer.send(a_mail())
    assert unavailable.value.code == "mail.unavailable"


@pytest.mark.parametrize("carrier", ["memory", "smtp"], indirect=True)
async def test_an_address_refused_for_good_is_told_apart_from_a_server_away(carrier: Carrier) -> None:
    assert carrier.refuse is not None
    carrier.refuse("ana@example.org")
    with pytest.raises(MailRefused) as refused:
        await carrier.mailer.send(a_mail())
    assert refused.value.details["code"] == 550
    assert carrier.arrived() == []
    await carrier.mailer.send(a_mail(to="ben@example.org"))
    assert [message["To"] for message in carrier.arrived()] == ["ben@example.org"]


# --- the folder's own


def names_in(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


async def test_files_sort_by_time_and_tell_recipient_and_letter(tmp_path: Path) -> None:
    mailer = FolderMailer(tmp_path)
    for minutes, template, to in (
        (2, Template.RECEIPT, "ana@example.org"),
        (0, Template.VERIFY, "../../etc/passwd@example.org"),
        (1, Template.WELCOME, "ana@example.org"),
    ):
        created = datetime(2026, 3, 12, 9, 30, tzinfo=UTC) + timedelta(minutes=minutes)
        await mailer.send(a_mail(id=MailId(UUID(int=minutes + 1)), template=template, to=to, created_at=created))
    assert names_in(tmp_path) == [
        "20260312T093000000000Z-verify-____etc_passwd@example.org-00000001.eml",
        "20260312T093100000000Z-welcome-ana@example.org-00000002.eml",
        "20260312T093200000000Z-receipt-ana@example.org-00000003.eml",
    ]


async def test_a_mail_sent_twice_is_one_file(tmp_path: Path) -> None:
    mailer = FolderMailer(tmp_path)
    await mailer.send(a_mail())
    await mailer.send(a_mail())
    assert len(names_in(tmp_path)) == 1


# --- SMTP's own


async def sending(
    postmaster: Postmaster, mail: OutgoingMail, *, user: str = "", password: str = "", **kwargs: Any
) -> None:
    async with a_server(postmaster, **kwargs) as (_, port):
        await open_smtp(port, user=user, password=password).send(mail)


@pytest.mark.parametrize(
    ("postmaster", "outcome"),
    [
        (Postmaster(to_recipient="450 4.2.0 greylisted, try again"), MailUnavailable),
        (Postmaster(to_recipient="421 4.3.2 shutting down"), MailUnavailable),
        (Postmaster(to_recipient="550 5.1.1 unknown user"), MailRefused),
        (Postmaster(to_content="452 4.3.1 insufficient storage"), MailUnavailable),
        (Postmaster(to_content="554 5.7.1 looks like spam"), MailRefused),
        (Postmaster(to_sender="550 5.7.1 sender not allowed"), MailUnavailable),
        (Postmaster(to_sender="451 4.3.0 try later"), MailUnavailable),
    ],
    ids=["greylisted", "shutting down", "unknown user", "disk full", "spam", "sender not allowed", "sender later"],
)
async def test_only_what_is_final_about_this_mail_is_final(postmaster: Postmaster, outcome: type[Exception]) -> None:
    with pytest.raises(outcome):
        await sending(postmaster, a_mail())
    assert postmaster.envelopes == []


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
async def test_the_right_password_is_let_in_and_a_wrong_one_leaves_the_mail_waiting() -> None:
    postmaster = Postmaster()
    guarded: dict[str, Any] = {"authenticator": only_ben, "auth_required": True, "auth_require_tls": False}
    await sending(postmaster, a_mail(), user="ben", password="s3cret", **guarded)
    assert len(postmaster.envelopes) == 1
    for user, password in (("ben", "wrong"), ("", "")):
        with pytest.raises(MailUnavailable):
            await sending(postmaster, a_mail(), user=user, password=password, **guarded)
    assert len(postmaster.envelopes) == 1


async def test_the_envelope_names_the_two_parties_and_the_greeting_our_own_host() -> None:
    postmaster = Postmaster()
    await sending(postmaster, a_mail())
    (envelope,) = postmaster.envelopes
    assert (envelope.mail_from, envelope.rcpt_tos) == ("no-reply@book.example.org", ["ana@example.org"])
    assert postmaster.greetings == ["book.example.org"]


async def test_a_server_that_takes_ascii_only_refuses_other_mailboxes_for_good() -> None:
    postmaster = Postmaster()
    with pytest.raises(MailRefused):
        await sending(postmaster, a_mail(to="jörg@example.org"), enable_SMTPUTF8=False)
    assert postmaster.envelopes == []


@asynccontextmanager
async def a_bad_server(greeting: bytes) -> AsyncIterator[int]:
    """Says its greeting, if any, waits for one line and hangs up."""
    over = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        with suppress(ConnectionError):
            await reader.readline()
            writer.close()
            await writer.wait_closed()
        over.set()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.wait_for(over.wait(), timeout=2)


async def test_a_server_that_says_nothing_is_not_waited_for_longer_than_patience() -> None:
    async with a_bad_server(b"") as port:
        target = SmtpServer(host="127.0.0.1", port=port, security=Security.NONE, patience=0.05)
        with pytest.raises(MailUnavailable):
            await SmtpMailer(target).send(a_mail())


async def test_a_server_that_hangs_up_in_the_middle_leaves_the_mail_waiting() -> None:
    async with a_bad_server(b"220 mx.example.org\r\n") as port:
        with pytest.raises(MailUnavailable):
            await open_smtp(port).send(a_mail())


@dataclass(frozen=True, slots=True)
class Certificates:
    """A certificate for 127.0.0.1 on the server's side, and the trust in it on ours."""

    server: ssl.SSLContext
    trust: ssl.SSLContext


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2120, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return Certificates(server, ssl.create_default_context(cafile=str(folder / "cert.pem")))


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
async def test_the_password_travels_under_tls(security: Security, certificates: Certificates) -> None:
    postmaster = Postmaster()
    implicit = security is Security.TLS
    target = SmtpServer(
        host="127.0.0.1", security=security, user="ben", password="s3cret", authority=certificates.trust, patience=5.0
    )
    async with a_server(
        postmaster,
        wrapped_in=certificates.server if implicit else None,
        tls_context=None if implicit else certificates.server,
        require_starttls=not implicit,
        authenticator=only_ben,
        auth_require_tls=not implicit,
    ) as (_, port):
        await SmtpMailer(replace(target, port=port)).send(a_mail())
        with pytest.raises(MailUnavailable):
            await SmtpMailer(replace(target, port=port, authority=None)).send(a_mail())
    assert len(postmaster.envelopes) == 1


async def test_a_server_without_starttls_is_not_spoken_to_in_the_clear() -> None:
    postmaster = Postmaster()
    async with a_server(postmaster) as (_, port):
        with pytest.raises(MailUnavailable):
            await SmtpMailer(SmtpServer(host="127.0.0.1", port=port, patience=5.0)).send(a_mail())
    assert postmaster.envelopes == []


def test_a_password_is_never_set_up_for_an_open_line_to_elsewhere_nor_printed() -> None:
    with pytest.raises(ValueError, match="open connection"):
        SmtpServer(host="mail.example.org", port=25, security=Security.NONE, user="ben", password="s3cret")
    assert "s3cret" not in repr(SmtpServer(host="mail.example.org", user="ben", password="s3cret"))
