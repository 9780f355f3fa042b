"""Talking: one conversation per booking, one between any two people who have reason to talk."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from application.belongings import show_in
from application.inputs import submitted
from application.ports.clock import Clock
from application.ports.criteria import Between, Order, Position, Present
from application.ports.ids import Ids
from application.ports.readers import Page, Readers
from application.ports.unit_of_work import Begin, Work
from domain.bookings import BookingConfirmed, BookingHeld, BookingRequested
from domain.files import Bucket, FileInUse, FileNotStored
from domain.messaging import (
    AlreadyTalking,
    Attachment,
    Conversation,
    ConversationKind,
    EditWindowClosed,
    Message,
    NotTheSender,
    Participant,
    WithYourself,
    pair_of,
)
from domain.shared.actors import Actor
from domain.shared.errors import Invalid, NotFound, Outdated, Refusal, Unauthenticated
from domain.shared.ids import BookingId, ConversationId, FileId, JobId, MessageId, ParticipantId, UserId

MOST_PEOPLE = 100
"""More than any conversation has; one page of them is all of them."""

HIGHEST_SEQUENCE = 10**15
"""More messages than anybody writes; small enough for every store to compare with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxView:
    """A conversation as one of its participants finds it. Who writes has read what came before."""

    source: ClassVar[str] = "inbox"
    conversation_id: ConversationId
    kind: ConversationKind
    booking_id: BookingId | None
    subject: str
    joined_at: datetime
    read_sequence: int
    own_sequence: int | None
    last_sequence: int | None
    last_sender_id: UserId | None
    last_text: str | None
    last_sent_at: datetime | None

    @property
    def unread(self) -> int:
        """How many messages are newer than the read mark and the participant's own last word."""
        return max(0, (self.last_sequence or 0) - max(self.read_sequence, self.own_sequence or 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationView:
    """What a conversation is about."""

    source: ClassVar[str] = "conversations"
    id: ConversationId
    kind: ConversationKind
    booking_id: BookingId | None
    subject: str
    created_by: UserId
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonView:
    """Somebody who takes part: the name they show, and how far they have read."""

    source: ClassVar[str] = "conversation_people"
    user_id: UserId
    name: str | None
    joined_at: datetime
    read_sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageView:
    """A message as its readers see it; `sequence` counts from one without gaps."""

    source: ClassVar[str] = "messages"
    id: MessageId
    version: int
    conversation_id: ConversationId
    sender_id: UserId
    sequence: int
    text: str
    attachments: tuple[Attachment, ...]
    sent_at: datetime
    edited_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationDetail:
    """A conversation and its people."""

    conversation: ConversationView
    people: list[PersonView]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenBookingConversation:
    """A booking gives its customer and its provider a place to talk, once."""

    begin: Begin
    clock: Clock
    ids: Ids

    async def __call__(self, actor: Actor, event: BookingHeld | BookingRequested | BookingConfirmed) -> None:
        async with self.begin(actor) as work:
            if await work.conversations.first(booking_id=event.booking_id):
                return
            booking = await work.bookings.get(event.booking_id)
            conversation = Conversation.about_booking(
                id=ConversationId(self.ids.new()),
                booking_id=booking.id,
                subject=f"{booking.job_title} · {booking.reference}",
                customer_id=booking.customer_id,
                provider_id=booking.provider_id,
                now=self.clock.now(),
            )
            work.conversations.add(conversation)
            _seat(work, self.ids, conversation, booking.customer_id, booking.provider_id)


@submitted
class Opening:
    """Whom to talk to: give one of the two."""

    job_id: JobId | None = None
    """A published job: the conversation is with its provider."""
    recipient_id: UserId | None = None
    """Somebody you have, or had, a booking with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartConversation:
    """Talk to the provider of a published job, or to somebody you share a booking with. Two people have one direct
    conversation: asking again finds it. The other side sees it with the first message."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, NotFound, Invalid, WithYourself, AlreadyTalking)
    begin: Begin
    clock: Clock
    ids: Ids

    async def __call__(self, actor: Actor, opening: Opening) -> Conversation:
        starter = actor.signed_in()
        async with self.begin(actor) as work:
            recipient, subject = await _reason_to_talk(work, actor, opening)
            if found := await work.conversations.first(pair=pair_of(starter, recipient)):
                return work.answer(found)
            conversation = Conversation.between(
                id=ConversationId(self.ids.new()),
                starter=starter,
                recipient=recipient,
                subject=subject,
                now=self.clock.now(),
            )
            work.conversations.add(conversation)
            _seat(work, self.ids, conversation, starter, recipient)
            return work.answer(conversation)


@submitted
class Words:
    """What to say."""

    text: str
    """1 to 5000 characters; lines are kept."""
    attachments: tuple[FileId, ...] = ()
    """Up to ten files you have uploaded to `attachments`; only those who take part in the conversation read them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendMessage:
    """Say something in a conversation you take part in; it gets the conversation's next number. Files of yours can go
    with it."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, NotFound, FileNotStored, FileInUse, Invalid)
    begin: Begin
    clock: Clock
    ids: Ids

    async def __call__(self, actor: Actor, conversation_id: ConversationId, words: Words) -> Message:
        async with self.begin(actor) as work:
            sender = await _place_of(work, actor, conversation_id)
            message = Message.write(
                id=MessageId(self.ids.new()),
                sender=sender,
                text=words.text,
                attachments=await _attached(work, sender, words.attachments),
                now=self.clock.now(),
            )
            work.messages.add(message)
            work.number(message, "sequence", series=f"messages:{conversation_id}")
            return work.answer(message)


@submitted
class Rewording:
    """What to say instead."""

    text: str
    """1 to 5000 characters; lines are kept."""
    expected_version: int | None = None
    """The version you read, if it must not have changed since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EditMessage:
    """Reword a message of your own, within fifteen minutes of sending it."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        Unauthenticated,
        NotFound,
        NotTheSender,
        EditWindowClosed,
        Invalid,
        Outdated,
    )
    begin: Begin
    clock: Clock

    async def __call__(self, actor: Actor, message_id: MessageId, rewording: Rewording) -> Message:
        by = actor.signed_in()
        async with self.begin(actor) as work:
            message = await work.messages.get(message_id)
            await _place_of(work, actor, message.conversation_id)
            message.must_be(rewording.expected_version)
            message.edit(rewording.text, by=by, now=self.clock.now())
            return work.answer(message)


@submitted
class Reading:
    """How far you have read."""

    sequence: int
    """The number of the last message you have seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkRead:
    """Remember how far you have read. The mark never goes back, and never ahead of what was written."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, NotFound, Invalid)
    begin: Begin

    async def __call__(self, actor: Actor, conversation_id: ConversationId, reading: Reading) -> Participant:
        async with self.begin(actor) as work:
            participant = await _place_of(work, actor, conversation_id)
            last = await work.messages.first(conversation_id=conversation_id, order=Order("sequence", descending=True))
            participant.read_up_to(reading.sequence, latest=last.sequence if last else 0)
            return work.answer(participant)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListConversations:
    """Your conversations in which something was said, the liveliest first, each with its last message and how much of
    it you have not read."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated,)
    readers: Readers

    async def __call__(self, actor: Actor, *, after: Position | None = None, limit: int) -> Page[InboxView]:
        return await self.readers.page(
            actor,
            InboxView,
            {"user_id": actor.signed_in(), "last_sent_at": Present()},
            order=Order("last_sent_at", descending=True),
            after=after,
            limit=limit,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class GetConversation:
    """A conversation you take part in, and who else does."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, NotFound)
    readers: Readers

    async def __call__(self, actor: Actor, conversation_id: ConversationId) -> ConversationDetail:
        actor.signed_in()
        conversation = await self.readers.one(actor, ConversationView, conversation_id)
        return await _detailed(self.readers, actor, conversation)


@dataclass(frozen=True, slots=True, kw_only=True)
class GetBookingConversation:
    """The conversation of a booking of yours, also while nobody has said anything."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, NotFound)
    readers: Readers

    async def __call__(self, actor: Actor, booking_id: BookingId) -> ConversationDetail:
        actor.signed_in()
        found = await self.readers.page(actor, ConversationView, {"booking_id": booking_id}, order=Order(), limit=1)
        if not found.items:
            raise NotFound.of("conversation", booking_id)
        return await _detailed(self.readers, actor, found.items[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class ListMessages:
    """The messages of a conversation you take part in: newest first, going back; or, `since` a number you have, what
    came after it in the order it was said."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, NotFound, Invalid)
    readers: Readers

    async def __call__(
        self,
        actor: Actor,
        conversation_id: ConversationId,
        *,
        since: int | None = None,
        before: int | None = None,
        after: Position | None = None,
        limit: int,
    ) -> Page[MessageView]:
        actor.signed_in()
        wanted = _between(since, before)
        await self.readers.one(actor, ConversationView, conversation_id)
        return await self.readers.page(
            actor,
            MessageView,
            {"conversation_id": conversation_id, "sequence": wanted},
            order=Order("sequence", descending=since is None),
            after=after,
            limit=limit,
        )


def _between(since: int | None, before: int | None) -> Between:
    """The messages after one number and before another; either may be open."""
    for number in (since, before):
        if number is not None and not 0 <= number <= HIGHEST_SEQUENCE:
            raise Invalid("messages are counted from one", field="sequence", highest=HIGHEST_SEQUENCE)
    return Between(at_least=None if since is None else since + 1, below=before)


async def _place_of(work: Work, actor: Actor, conversation_id: ConversationId) -> Participant:
    """The actor's place; to everybody without one the conversation does not exist."""
    participant = await work.participants.first(conversation_id=conversation_id, user_id=actor.signed_in())
    if participant is None:
        raise NotFound.of("conversation", conversation_id)
    return participant


async def _attached(work: Work, sender: Participant, wanted: tuple[FileId, ...]) -> tuple[Attachment, ...]:
    """The sender's files, from now on the conversation's to read."""
    by, thing = sender.user_id, sender.conversation_id
    found = await show_in(work, thing, wanted, bucket=Bucket.ATTACHMENTS, by=by)
    if strange := [file for file in found if file.owner_id != by]:
        raise NotFound.of("file", strange[0].id)
    return tuple(
        Attachment(file_id=file.id, name=file.name, content_type=file.content_type, size=file.size or 0)
        for file in found
    )


async def _reason_to_talk(work: Work, actor: Actor, opening: Opening) -> tuple[UserId, str]:
    """Whom a direct conversation is with, and what about."""
    match opening:
        case Opening(job_id=job_id, recipient_id=None) if job_id is not None:
            job = await work.jobs.get(job_id)
            if not job.bookable:
                raise NotFound.of("job", job_id)
            return job.provider_id, job.title
        case Opening(job_id=None, recipient_id=recipient_id) if recipient_id is not None:
            return recipient_id, await _shared_work(work, actor, recipient_id)
        case _:
            raise Invalid("say either which job it is about, or whom to talk to", field="recipient_id")


async def _shared_work(work: Work, actor: Actor, recipient_id: UserId) -> str:
    """The title of the latest booking the two share; admins may write to any user. Others learn of no user here."""
    me, latest = actor.signed_in(), Order("created_at", descending=True)
    if recipient_id == me:
        raise WithYourself
    for customer_id, provider_id in ((me, recipient_id), (recipient_id, me)):
        if booking := await work.bookings.first(customer_id=customer_id, provider_id=provider_id, order=latest):
            return booking.job_title
    if not actor.is_admin:
        raise NotFound.of("user", recipient_id)
    await work.users.get(recipient_id)
    return "From the house"


def _seat(work: Work, ids: Ids, conversation: Conversation, *users: UserId) -> None:
    for user_id in dict.fromkeys(users):
        work.participants.add(
            Participant.join(
                id=ParticipantId(ids.new()),
                conversation_id=conversation.id,
                user_id=user_id,
                now=conversation.created_at,
            )
        )


async def _detailed(readers: Readers, actor: Actor, conversation: ConversationView) -> ConversationDetail:
    people = await readers.page(
        actor, PersonView, {"conversation_id": conversation.id}, order=Order("joined_at"), limit=MOST_PEOPLE
    )
    return ConversationDetail(conversation=conversation, people=people.items)
