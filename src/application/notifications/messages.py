"""News about messages."""

from dataclasses import dataclass

from application.notifications.writing import Desk, clipped, name_of
from application.ports.clock import Clock
from application.ports.criteria import Order
from application.ports.ids import Ids
from application.ports.unit_of_work import Begin, Work
from domain.messaging import MessageSent, Participant
from domain.notifications import Template
from domain.shared.actors import Actor

LONGEST_EXCERPT = 280


@dataclass(frozen=True, slots=True, kw_only=True)
class TellOfMessage:
    """The others in a conversation hear that somebody wrote: once, and again only after they have read."""

    begin: Begin
    clock: Clock
    ids: Ids

    async def __call__(self, actor: Actor, event: MessageSent) -> None:
        async with self.begin(actor) as work:
            message = await work.messages.get(event.message_id)
            conversation = await work.conversations.get(event.conversation_id)
            sender = await name_of(work, event.sender_id)
            excerpt = clipped(message.text, LONGEST_EXCERPT)
            desk = Desk(work=work, ids=self.ids, now=self.clock.now())
            for other in await work.participants.find(conversation_id=event.conversation_id):
                if other.user_id == event.sender_id or (read := await _read(work, other)) >= message.sequence:
                    continue
                unread = await work.notifications.first(
                    user_id=other.user_id, kind=event.name, about=conversation.id, read_at=None
                )
                if unread is None:
                    desk.notify(
                        other.user_id,
                        kind=event.name,
                        title=f"{sender} wrote to you",
                        body=excerpt,
                        about=conversation.id,
                    )
                await desk.mail(
                    other.user_id,
                    Template.NEW_MESSAGE,
                    transition=f"conversation:{conversation.id}:unread_since:{read}",
                    context={
                        "recipient": await name_of(work, other.user_id),
                        "sender": sender,
                        "about": conversation.subject,
                        "excerpt": excerpt,
                        "conversation_id": str(conversation.id),
                    },
                )


async def _read(work: Work, participant: Participant) -> int:
    """How far they have read; whoever answers has read what came before."""
    answer = await work.messages.first(
        conversation_id=participant.conversation_id,
        sender_id=participant.user_id,
        order=Order("sequence", descending=True),
    )
    return max(participant.read_sequence, answer.sequence if answer else 0)
