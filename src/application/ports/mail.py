"""How a letter is written, and how it leaves the house."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from domain.notifications import Template
from domain.shared.ids import BookingId, ConversationId, InvoiceId, MailId, PurchaseId, QuoteId
from domain.shared.time import Span


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that travels with a mail; `content_type` may carry parameters, as in `text/calendar; method=REQUEST`."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A name and its mail address: the house itself as sender, or a party to a booking."""

    name: str
    address: str

    @classmethod
    def read(cls, value: str) -> "Mailbox":
        """From the way people write it: "Guildhall <no-reply@example.org>", or an address alone."""
        name, address = parseaddr(value)
        if "@" not in address:
            raise ValueError(f"{value!r} is not a mail address")
        return cls(name, address)

    @property
    def host(self) -> str:
        """The part after the @, under which the house makes up its message ids."""
        return self.address.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class Written:
    """A letter with its facts filled in: one subject line, and the same text plain and as HTML."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingMail:
    """A mail ready to leave. `created_at` is when it was queued, so that sending it again sends the same bytes."""

    id: MailId
    template: Template
    sender: Mailbox
    to: str
    subject: str
    text: str
    html: str
    attachments: tuple[Attachment, ...] = ()
    created_at: datetime

    @property
    def message_id(self) -> str:
        """The same for every attempt, so that a mail delivered twice is recognised as one."""
        return f"<{self.id}@{self.sender.host}>"


class Mailer(Protocol):
    """Hands mails to whoever carries them."""

    async def send(self, mail: OutgoingMail) -> None:
        """Returns once the mail is in other hands. `MailUnavailable` when nobody answers or says to try later;
        `MailRefused` when this mail or its address is turned away for good, nothing having been sent."""
        ...


class Letters(Protocol):
    """The house's letters, by template."""

    def write(self, template: Template, context: Mapping[str, Any]) -> Written:
        """The letter with these facts; a fact the template needs and does not find is an error, never a blank."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Invite:
    """What one party's calendar is told about a booking. A higher `sequence` replaces what was told before."""

    booking_id: BookingId
    sequence: int
    cancelled: bool
    span: Span
    title: str
    description: str
    place: str
    url: str
    organizer: Mailbox
    attendee: Mailbox
    stamped_at: datetime


class Invites(Protocol):
    """Calendar invitations (iCalendar, RFC 5545 and 5546)."""

    def write(self, invite: Invite) -> Attachment:
        """A request, or a cancellation, that any calendar files under the same event of that booking."""
        ...


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses of this house's own pages, as they appear in mails."""

    public_url: str

    def __post_init__(self) -> None:
        if not self.public_url.startswith(("https://", "http://")):
            raise ValueError("the public address starts with http:// or https://")
        object.__setattr__(self, "public_url", self.public_url.rstrip("/"))

    @property
    def home(self) -> str:
        """The front page."""
        return self.public_url + "/"

    def verify(self, secret: str) -> str:
        """Confirms a mail address; opening it only shows a page."""
        return self._with_token("/verify", secret)

    def magic(self, secret: str) -> str:
        """Signs in without a password; opening it only shows a page."""
        return self._with_token("/magic", secret)

    def reset(self, secret: str) -> str:
        """Asks for a new password."""
        return self._with_token("/reset", secret)

    def invitation(self, secret: str) -> str:
        """Answers an invitation; opening it only shows a page."""
        return self._with_token("/invitations", secret)

    def bought(self, purchase_id: PurchaseId) -> str:
        """Where one comes back to from the gateway's till."""
        return self._page("purchases", purchase_id)

    def booking(self, booking_id: BookingId) -> str:
        """One booking, to either of its parties."""
        return self._page("bookings", booking_id)

    def pay(self, booking_id: BookingId, secret: str) -> str:
        """Where a held booking is paid for, by whoever holds this link."""
        return self._with_token(f"/bookings/{booking_id}/pay", secret)

    def quote(self, quote_id: QuoteId, secret: str) -> str:
        """Where a quote is seen and answered, by whoever holds this link; opening it only shows a page."""
        return self._with_token(f"/quotes/{quote_id}", secret)

    def invoice(self, invoice_id: InvoiceId, secret: str) -> str:
        """Where an invoice is seen and paid, by whoever holds this link."""
        return self._with_token(f"/invoices/{invoice_id}", secret)

    def review(self, booking_id: BookingId) -> str:
        """Where a completed booking is reviewed."""
        return self._page("bookings", booking_id, "review")

    def conversation(self, conversation_id: ConversationId) -> str:
        """One conversation, to its participants."""
        return self._page("conversations", conversation_id)

    def sign_in(self) -> str:
        """Where one signs in."""
        return self.public_url + "/sign-in"

    def forgot(self) -> str:
        """Where one says that the password is lost."""
        return self.public_url + "/forgot"

    def callback(self, provider: str) -> str:
        """Where a provider sends somebody back to who signs in by way of it."""
        return f"{self.public_url}/v1/sign-ins/{provider}/callback"

    def signed_in(self) -> str:
        """Where one is signed in by way of a provider."""
        return self.public_url + "/signed-in"

    def _with_token(self, path: str, secret: str) -> str:
        return f"{self.public_url}{path}?{urlencode({'token': secret})}"

    def _page(self, *parts: object) -> str:
        return "/".join([self.public_url, *(quote(str(part), safe="") for part in parts)])
