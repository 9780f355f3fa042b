"""What people are told: a notification inside the house, and a mail that leaves it."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from domain.shared.aggregate import Aggregate, Event
from domain.shared.errors import Conflict, Invalid, NotFound, StaleVersion, Unavailable
from domain.shared.ids import MailId, NotificationId, UserId
from domain.shared.text import text
from domain.shared.time import instant

LONGEST_TITLE = 200
LONGEST_BODY = 2000
LONGEST_ADDRESS = 254
LONGEST_TRANSITION = 200
LONGEST_ERROR = 500


class Template(StrEnum):
    """Every letter this house writes."""

    WELCOME = "welcome"
    VERIFY = "verify"
    MAGIC_LINK = "magic_link"
    RESET_PASSWORD = "reset_password"  # noqa: S105 - the name of a letter, not a secret
    ACCOUNT_EXISTS = "account_exists"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - the name of a letter, not a secret
    ACCOUNT_INVITE = "account_invite"
    ADDRESS_CHANGE = "address_change"
    ADDRESS_CHANGED = "address_changed"
    INVITATION = "invitation"
    BUSINESS_READY = "business_ready"
    BOOKING_REQUESTED = "booking_requested"
    BOOKING_HELD = "booking_held"
    BOOKING_CONFIRMED = "booking_confirmed"
    BOOKING_CANCELLED = "booking_cancelled"
    BOOKING_RESCHEDULED = "booking_rescheduled"
    BOOKING_DECLINED = "booking_declined"
    RECEIPT = "receipt"
    REFUND = "refund"
    REVIEW_REQUEST = "review_request"
    NEW_MESSAGE = "new_message"
    QUOTE = "quote"
    INVOICE = "invoice"
    INVOICE_REMINDER = "invoice_reminder"
    INVOICE_RECEIPT = "invoice_receipt"
    CREDIT_NOTE = "credit_note"


class MailState(StrEnum):
    """A mail waits, has left, or never will."""

    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"


class MailRefused(Invalid):
    """This mail will never arrive: the address is no address, or its server turned it away for good."""

    code = "mail.refused"


class MailUnavailable(Unavailable):
    """Mail cannot leave just now; the same mail may leave later."""

    code = "mail.unavailable"


class MailAlreadyQueued(StaleVersion):
    """That person has just been written to about this very turn of events; whoever looks again finds the letter."""

    code = "mail.already_queued"


class MailNotFailed(Conflict):
    """Only a mail that failed is sent again."""

    code = "mail.not_failed"

    def __init__(self, state: MailState) -> None:
        super().__init__(f"this mail is {state}; only a failed one is sent again", state=state.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailQueued(Event):
    """A mail waits to be written and sent."""

    name: ClassVar[str] = "mail.queued"
    mail_id: MailId


@dataclass(eq=False, slots=True, kw_only=True)
class Notification(Aggregate):
    """A line in a user's own list of news; `about` is the id of the booking, payment or conversation it tells of."""

    id: NotificationId
    user_id: UserId
    kind: str
    title: str
    body: str
    about: UUID | None = None
    read_at: datetime | None = None
    created_at: datetime

    @classmethod
    def post(
        cls,
        *,
        id: NotificationId,
        user_id: UserId,
        kind: str,
        title: str,
        body: str,
        about: UUID | None,
        now: datetime,
    ) -> "Notification":
        """A new, unread one."""
        return cls(
            id=id,
            user_id=user_id,
            kind=kind,
            title=text(title, field="title", longest=LONGEST_TITLE),
            body=text(body, field="body", longest=LONGEST_BODY, lines=True),
            about=about,
            created_at=instant(now),
        )

    def read(self, *, by: UserId, now: datetime) -> None:
        """Its owner has seen it; the first time counts. To anybody else it does not exist."""
        if by != self.user_id:
            raise NotFound.of("notification", self.id)
        if self.read_at is None:
            self.read_at = instant(now)


@dataclass(eq=False, slots=True, kw_only=True)
class Mail(Aggregate):
    """A letter to one address about one turn of events, sent once. `context` holds the facts of that moment as plain
    values; secrets are never in it. `attempts` counts deliveries that came to an end, well or badly."""

    id: MailId
    template: Template
    transition: str
    recipient_id: UserId | None
    to: str
    context: dict[str, Any] = field(default_factory=dict)
    state: MailState = MailState.QUEUED
    attempts: int = 0
    sent_at: datetime | None = None
    last_error: str = ""
    created_at: datetime

    @classmethod
    def queue(
        cls,
        *,
        id: MailId,
        template: Template,
        transition: str,
        recipient_id: UserId | None,
        to: str,
        context: dict[str, Any],
        now: datetime,
    ) -> "Mail":
        """A new one, waiting to be sent."""
        _must_be_plain(context)
        mail = cls(
            id=id,
            template=template,
            transition=text(transition, field="transition", longest=LONGEST_TRANSITION),
            recipient_id=recipient_id,
            to=address(to),
            context=context,
            created_at=instant(now),
        )
        mail._record(MailQueued(mail_id=id))
        return mail

    def delivered(self, *, now: datetime) -> None:
        """It was handed over; saying so twice changes nothing."""
        if self.state is MailState.SENT:
            return
        self.state, self.sent_at, self.last_error = MailState.SENT, instant(now), ""
        self.attempts += 1

    def gave_up(self, *, reason: str) -> None:
        """It was turned away for good, and why; a mail that has left stays sent."""
        if self.state is not MailState.QUEUED:
            return
        self.state, self.last_error = MailState.FAILED, _printable(reason)[:LONGEST_ERROR]
        self.attempts += 1

    def again(self) -> None:
        """Send a failed one once more, after an operator has mended the cause."""
        if self.state is not MailState.FAILED:
            raise MailNotFailed(self.state)
        self.state = MailState.QUEUED
        self._record(MailQueued(mail_id=self.id))


def address(value: str) -> str:
    """A mail address that can stand in a header: one line, one local part, one domain. Refused otherwise."""
    value = text(value, field="to", longest=LONGEST_ADDRESS)
    local, _, host = value.rpartition("@")
    if not local or not host or any(c.isspace() or c in '<>(),;:"[]\\' for c in value) or "@" in local:
        raise Invalid("that is not a mail address", field="to")
    return value


def _must_be_plain(value: object) -> None:
    match value:
        case None | str() | int() | bool():
            return
        case dict():
            if not all(isinstance(key, str) for key in value):
                raise Invalid("a mail's context is keyed by words", field="context")
            for item in value.values():
                _must_be_plain(item)
        case list():
            for item in value:
                _must_be_plain(item)
        case _:
            raise Invalid("a mail's context holds plain values only", field="context", kind=type(value).__name__)


def _printable(reason: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in reason).split())
