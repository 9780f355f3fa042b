"""Conversations between the people of a booking or a job."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from application.messaging import (
    EditMessage,
    GetBookingConversation,
    GetConversation,
    ListConversations,
    ListMessages,
    MarkRead,
    Opening,
    Reading,
    Rewording,
    SendMessage,
    StartConversation,
    Words,
)
from domain.messaging import ConversationKind
from domain.shared.ids import BookingId, ConversationId, FileId, MessageId, UserId
from entrypoints.rest.asking import Somebody
from entrypoints.rest.cursors import Asked, Paged
from entrypoints.rest.limits import MESSAGES, limited
from entrypoints.rest.once import Commanded
from entrypoints.rest.out import Out
from entrypoints.rest.routing import api_router
from entrypoints.rest.speaks import speaks
from entrypoints.rest.versions import BY_HEADER, ExpectedVersion
from entrypoints.use_cases import UseCases


class ConversationOut(Out):
    """What a conversation is about."""

    id: ConversationId
    kind: ConversationKind
    booking_id: BookingId | None
    subject: str
    created_by: UserId
    created_at: datetime


class PersonOut(Out):
    """Somebody who takes part, and how far they have read."""

    user_id: UserId
    name: str | None
    joined_at: datetime
    read_sequence: int


class DetailOut(Out):
    """A conversation and its people."""

    conversation: ConversationOut
    people: list[PersonOut]


class InboxOut(Out):
    """A conversation as one of its participants finds it, with its last message."""

    conversation_id: ConversationId
    kind: ConversationKind
    booking_id: BookingId | None
    subject: str
    unread: int
    last_sequence: int | None
    last_sender_id: UserId | None
    last_text: str | None
    last_sent_at: datetime | None


class AttachmentOut(Out):
    """A file that came with a message; those who take part in the conversation get a link to it at `/v1/files`."""

    file_id: FileId
    name: str
    content_type: str
    size: int


class MessageOut(Out):
    """A message; `sequence` counts from one without gaps in its conversation."""

    id: MessageId
    version: int
    conversation_id: ConversationId
    sender_id: UserId
    sequence: int
    text: str
    attachments: tuple[AttachmentOut, ...]
    sent_at: datetime
    edited_at: datetime | None


class PlaceOut(Out):
    """One's own place in a conversation."""

    conversation_id: ConversationId
    user_id: UserId
    read_sequence: int


def messaging(use: UseCases) -> APIRouter:
    """Routes under /v1/conversations and /v1/messages, and a booking's conversation."""
    router = api_router(tag="messaging")
    list_conversations, start_conversation = use(ListConversations), use(StartConversation)
    get_conversation, of_booking = use(GetConversation), use(GetBookingConversation)
    list_messages, send_message, edit_message, mark_read = (
        use(ListMessages),
        use(SendMessage),
        use(EditMessage),
        use(MarkRead),
    )
    chatter = Depends(limited("messages", MESSAGES))

    @router.get("/conversations", **speaks(ListConversations))
    async def inbox(actor: Somebody, page: Asked) -> Paged[InboxOut]:
        return page.project(await list_conversations(actor, after=page.after, limit=page.limit), InboxOut)

    @router.post("/conversations", dependencies=[chatter], **speaks(StartConversation))
    async def start(actor: Somebody, opening: Opening, once: Commanded) -> ConversationOut:
        return ConversationOut.of(await once(lambda: start_conversation(actor, opening)))

    @router.get("/conversations/{conversation_id}", **speaks(GetConversation))
    async def read(actor: Somebody, conversation_id: ConversationId) -> DetailOut:
        return DetailOut.of(await get_conversation(actor, conversation_id))

    @router.get("/bookings/{booking_id}/conversation", **speaks(GetBookingConversation))
    async def read_of_booking(actor: Somebody, booking_id: BookingId) -> DetailOut:
        return DetailOut.of(await of_booking(actor, booking_id))

    @router.get("/conversations/{conversation_id}/messages", **speaks(ListMessages))
    async def messages(
        actor: Somebody,
        conversation_id: ConversationId,
        page: Asked,
        since: Annotated[int | None, Query(description="Only what came after this number, in the order said")] = None,
        before: Annotated[int | None, Query(description="Only what came before this number")] = None,
    ) -> Paged[MessageOut]:
        found = await list_messages(
            actor, conversation_id, since=since, before=before, after=page.after, limit=page.limit
        )
        return page.project(found, MessageOut)

    @router.post(
        "/conversations/{conversation_id}/messages", status_code=201, dependencies=[chatter], **speaks(SendMessage)
    )
    async def send(actor: Somebody, conversation_id: ConversationId, words: Words, once: Commanded) -> MessageOut:
        return MessageOut.of(await once(lambda: send_message(actor, conversation_id, words)))

    @router.patch("/messages/{message_id}", dependencies=[chatter], **speaks(EditMessage))
    async def edit(
        actor: Somebody,
        message_id: MessageId,
        rewording: Annotated[Rewording, BY_HEADER],
        expected: ExpectedVersion,
        once: Commanded,
    ) -> MessageOut:
        rewording = replace(rewording, expected_version=expected)
        return MessageOut.of(await once(lambda: edit_message(actor, message_id, rewording)))

    @router.put("/conversations/{conversation_id}/read", **speaks(MarkRead))
    async def mark(actor: Somebody, conversation_id: ConversationId, reading: Reading, once: Commanded) -> PlaceOut:
        return PlaceOut.of(await once(lambda: mark_read(actor, conversation_id, reading)))

    return router
