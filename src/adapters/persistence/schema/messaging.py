"""Conversations, who takes part in them, and what was written."""

from adapters.persistence.schema.tables import (
    Check,
    Index,
    Join,
    Latest,
    References,
    Table,
    Unique,
    View,
    at_least,
    identity,
    instant,
    integer,
    json,
    one_of,
    text,
    uuid,
)
from domain.messaging import LONGEST_MESSAGE, ConversationKind

CONVERSATIONS = Table(
    "conversations",
    (
        *identity(),
        text("kind"),
        uuid("booking_id", nullable=True),
        text("pair", nullable=True),
        text("subject"),
        uuid("created_by"),
        instant("created_at"),
    ),
    constraints=(
        References("conversations_booking", "booking_id", "bookings"),
        References("conversations_creator", "created_by", "users"),
        Unique("conversations_one_per_booking", ("booking_id",)),
        Unique("conversations_one_per_pair", ("pair",)),
        one_of("conversations_kind", "kind", ConversationKind),
        Check(
            "conversations_belong",
            "(kind = 'booking') = (booking_id is not null) and (kind = 'direct') = (pair is not null)",
            lambda row: (
                (row["kind"] == "booking") == (row["booking_id"] is not None)
                and (row["kind"] == "direct") == (row["pair"] is not None)
            ),
        ),
    ),
    indexes=(Index("conversations_by_creator", ("created_by",)),),
)

PARTICIPANTS = Table(
    "participants",
    (
        *identity(),
        uuid("conversation_id"),
        uuid("user_id"),
        instant("joined_at"),
        integer("read_sequence"),
    ),
    constraints=(
        References("participants_conversation", "conversation_id", "conversations"),
        References("participants_user", "user_id", "users"),
        Unique("participants_once", ("conversation_id", "user_id")),
        at_least("participants_read", "read_sequence", 0),
    ),
    indexes=(Index("participants_of_user", ("user_id", "conversation_id")),),
)

MESSAGES = Table(
    "messages",
    (
        *identity(),
        uuid("conversation_id"),
        uuid("participant_id"),
        uuid("sender_id"),
        integer("sequence", numbered=True),
        text("text"),
        json("attachments"),
        instant("sent_at"),
        instant("edited_at", nullable=True),
    ),
    constraints=(
        References("messages_conversation", "conversation_id", "conversations"),
        References("messages_participant", "participant_id", "participants"),
        References("messages_sender", "sender_id", "users"),
        Unique("messages_sequence", ("conversation_id", "sequence")),
        at_least("messages_first", "sequence", 1),
        Check(
            "messages_text",
            f"char_length(text) between 1 and {LONGEST_MESSAGE}",
            lambda row: 1 <= len(row["text"]) <= LONGEST_MESSAGE,
        ),
    ),
    indexes=(Index("messages_own", ("participant_id", "sequence")), Index("messages_by_sender", ("sender_id",))),
)

INBOX = View(
    "inbox",
    "participants",
    ("id", "conversation_id", "user_id", "joined_at", "read_sequence"),
    joins=(
        Join(
            "conversations",
            "conversation_id",
            "id",
            {"kind": "kind", "booking_id": "booking_id", "subject": "subject"},
        ),
        Latest(
            "messages",
            "conversation_id",
            "conversation_id",
            "sequence",
            {
                "last_sequence": "sequence",
                "last_sender_id": "sender_id",
                "last_text": "text",
                "last_sent_at": "sent_at",
            },
        ),
        Latest("messages", "id", "participant_id", "sequence", {"own_sequence": "sequence"}),
    ),
)
"""Every conversation from each participant's side: the last message, and the last of their own."""

CONVERSATION_PEOPLE = View(
    "conversation_people",
    "participants",
    ("id", "conversation_id", "user_id", "joined_at", "read_sequence"),
    joins=(Join("profiles", "user_id", "id", {"name": "name"}),),
)
"""Who takes part, by the name they show."""

TABLES = (CONVERSATIONS, PARTICIPANTS, MESSAGES)
VIEWS = (INBOX, CONVERSATION_PEOPLE)
