"""`guildhall message`: what people say to one another. Whoever asks must take part: name them with --as."""

from application.messaging import (
    ConversationView,
    ListConversations,
    ListMessages,
    MessageView,
    SendMessage,
    StartConversation,
)
from entrypoints.cli.commands import Group

group = Group("Messages: what people say to one another. Whoever asks must take part: name them with --as.")
app = group.app

group.lists(
    "conversations",
    ListConversations,
    ("id", lambda inbox: inbox.conversation_id),
    "subject",
    "unread",
    "last_text",
    "last_sent_at",
    examples=("guildhall message conversations --as ana@town.example",),
)
group.lists(
    "list",
    ListMessages,
    "sequence",
    "sent_at",
    "sender_id",
    "text",
    helps={
        "since": "What came after this number, in the order it was said.",
        "before": "What came before this number.",
    },
    examples=("guildhall message list CONVERSATION_ID --as ana@town.example",),
)
group.does(
    "start",
    StartConversation,
    ConversationView,
    examples=("guildhall message start --job-id ID --as ana@town.example",),
)
group.does(
    "send",
    SendMessage,
    MessageView,
    examples=('guildhall message send CONVERSATION_ID --text "Is there a piano at your place?" --as ana@town.example',),
)
