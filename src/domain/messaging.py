"""Conversations between the parties of a booking, or of work that may become one; read and written by them alone."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from domain.shared.aggregate import Aggregate, Event
from domain.shared.errors import Conflict, Forbidden, Invalid, StaleVersion
from domain.shared.ids import BookingId, ConversationId, FileId, MessageId, ParticipantId, UserId
from domain.shared.text import text as written

EDIT_WINDOW = timedelta(minutes=15)
"""How long a sender may still reword a message."""

LONGEST_MESSAGE = 5000
LONGEST_SUBJECT = 200
MOST_ATTACHMENTS = 10


class ConversationKind(StrEnum):
    """Whether a conversation belongs to a booking, or to two people."""

    BOOKING = "booking"
    DIRECT = "direct"


class EditWindowClosed(Conflict):
    """A message can be reworded for a quarter of an hour only."""

    code = "message.edit_window_closed"

    def __init__(self, until: datetime) -> None:
        super().__init__(f"this message could be edited until {until:%d %b %H:%M} UTC", until=until.isoformat())


class NotTheSender(Forbidden):
    """Only who wrote a message may reword it."""

    code = "message.not_the_sender"

    def __init__(self) -> None:
        super().__init__("only its sender may edit a message")


class WithYourself(Invalid):
    """A conversation takes two."""

    code = "conversation.with_yourself"

    def __init__(self) -> None:
        super().__init__("a conversation takes somebody else", field="recipient_id")


class AlreadyTalking(StaleVersion):
    """Somebody opened the same conversation first: there is one per booking, and one between any two people. Asking
    again finds it."""

    code = "conversation.already_open"

    def __init__(self) -> None:
        super().__init__("this conversation has just been opened by somebody else")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationOpened(Event):
    """A conversation exists; `participants` may write from now on."""

    name: ClassVar[str] = "conversation.opened"
    conversation_id: ConversationId
    kind: ConversationKind
    booking_id: BookingId | None
    participants: tuple[UserId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSent(Event):
    """Somebody wrote. The words themselves, and their number, are the message's alone."""

    name: ClassVar[str] = "message.sent"
    message_id: MessageId
    conversation_id: ConversationId
    sender_id: UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageEdited(Event):
    """A sender reworded a message."""

    name: ClassVar[str] = "message.edited"
    message_id: MessageId
    conversation_id: ConversationId
    sender_id: UserId


def pair_of(one: UserId, other: UserId) -> str:
    """The key of a conversation between two people, the same whoever begins."""
    return ":".join(sorted((str(one), str(other))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that came with a message, as it was when it was sent."""

    file_id: FileId
    name: str
    content_type: str
    size: int


@dataclass(eq=False, slots=True, kw_only=True)
class Conversation(Aggregate):
    """What a group of messages is about. A direct one has a `pair`, a booking's has its `booking_id`."""

    id: ConversationId
    kind: ConversationKind
    booking_id: BookingId | None
    pair: str | None
    subject: str
    created_by: UserId
    created_at: datetime

    def __post_init__(self) -> None:
        belongs = self.booking_id if self.kind is ConversationKind.BOOKING else self.pair
        if belongs is None or (self.booking_id is not None and self.pair is not None):
            raise Invalid("a conversation belongs to one booking, or to two people", field="kind")

    @classmethod
    def about_booking(
        cls,
        *,
        id: ConversationId,
        booking_id: BookingId,
        subject: str,
        customer_id: UserId,
        provider_id: UserId,
        now: datetime,
    ) -> "Conversation":
        """The one conversation of a booking, between its customer and its provider."""
        conversation = cls(
            id=id,
            kind=ConversationKind.BOOKING,
            booking_id=booking_id,
            pair=None,
            subject=written(subject, field="subject", longest=LONGEST_SUBJECT),
            created_by=customer_id,
            created_at=now,
        )
        conversation._opened(customer_id, provider_id)
        return conversation

    @classmethod
    def between(
        cls, *, id: ConversationId, starter: UserId, recipient: UserId, subject: str, now: datetime
    ) -> "Conversation":
        """The one direct conversation of two people, begun by `starter`."""
        if starter == recipient:
            raise WithYourself
        conversation = cls(
            id=id,
            kind=ConversationKind.DIRECT,
            booking_id=None,
            pair=pair_of(starter, recipient),
            subject=written(subject, field="subject", longest=LONGEST_SUBJECT),
            created_by=starter,
            created_at=now,
        )
        conversation._opened(starter, recipient)
        return conversation

    def _opened(self, *participants: UserId) -> None:
        self._record(
            ConversationOpened(
                conversation_id=self.id,
                kind=self.kind,
                booking_id=self.booking_id,
                participants=tuple(dict.fromkeys(participants)),
            )
        )


@dataclass(eq=False, slots=True, kw_only=True)
class Participant(Aggregate):
    """Somebody's place in a conversation, and how far they have read."""

    id: ParticipantId
    conversation_id: ConversationId
    user_id: UserId
    joined_at: datetime
    read_sequence: int = 0

    @classmethod
    def join(
        cls, *, id: ParticipantId, conversation_id: ConversationId, user_id: UserId, now: datetime
    ) -> "Participant":
        """A place for this user, with everything still to read."""
        return cls(id=id, conversation_id=conversation_id, user_id=user_id, joined_at=now)

    def read_up_to(self, sequence: int, *, latest: int) -> None:
        """Mark everything up to that message as read. The mark never goes back, and never ahead of what was written."""
        if sequence < 0:
            raise Invalid("messages are counted from one", field="sequence")
        self.read_sequence = max(self.read_sequence, min(sequence, latest))


@dataclass(eq=False, slots=True, kw_only=True)
class Message(Aggregate):
    """What a participant wrote. `sequence` is its gapless number in the conversation, given by the commit; 0 before."""

    id: MessageId
    conversation_id: ConversationId
    participant_id: ParticipantId
    sender_id: UserId
    sequence: int = 0
    text: str
    attachments: tuple[Attachment, ...] = ()
    sent_at: datetime
    edited_at: datetime | None = None

    @classmethod
    def write(
        cls,
        *,
        id: MessageId,
        sender: Participant,
        text: str,
        attachments: tuple[Attachment, ...] = (),
        now: datetime,
    ) -> "Message":
        """A new message by this participant: 1 to 5000 characters, lines allowed, and up to ten files with it."""
        if len(attachments) > MOST_ATTACHMENTS:
            raise Invalid(
                f"a message carries at most {MOST_ATTACHMENTS} files", field="attachments", most=MOST_ATTACHMENTS
            )
        message = cls(
            id=id,
            conversation_id=sender.conversation_id,
            participant_id=sender.id,
            sender_id=sender.user_id,
            text=_worded(text),
            attachments=attachments,
            sent_at=now,
        )
        message._record(MessageSent(message_id=id, conversation_id=sender.conversation_id, sender_id=sender.user_id))
        return message

    def edit(self, text: str, *, by: UserId, now: datetime) -> None:
        """Reword it, by its sender and while the window is open."""
        if by != self.sender_id:
            raise NotTheSender
        if now >= (until := self.sent_at + EDIT_WINDOW):
            raise EditWindowClosed(until)
        self.text = _worded(text)
        self.edited_at = now
        self._record(MessageEdited(message_id=self.id, conversation_id=self.conversation_id, sender_id=self.sender_id))


def _worded(value: str) -> str:
    return written(value, field="text", longest=LONGEST_MESSAGE, lines=True)
