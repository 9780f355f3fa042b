"""Ways of talking in which words get lost, or reach others; see `Stage`."""

from dataclasses import replace

from adapters.memory.store import MemoryStore
from adapters.persistence.store import Changes, Insert, Numbers
from application.messaging import MarkRead, Reading, SendMessage, Words
from application.ports.criteria import Order
from domain.messaging import Message, Participant
from domain.shared.actors import Actor
from domain.shared.errors import NotFound
from domain.shared.ids import ConversationId, MessageId, ParticipantId


class CountsBeforehand(SendMessage):
    """Draws the next number, then writes the message under it: whoever is refused or dies in between leaves a gap."""

    async def __call__(self, actor: Actor, conversation_id: ConversationId, words: Words) -> Message:
        async with self.begin(actor) as work:
            last = await work.messages.first(conversation_id=conversation_id, order=Order("sequence", descending=True))
        number = last.sequence + 1 if last else 1
        async with self.begin(actor) as work:
            sender = await work.participants.first(conversation_id=conversation_id, user_id=actor.signed_in())
            if sender is None:
                raise NotFound.of("conversation", conversation_id)
            message = Message.write(id=MessageId(self.ids.new()), sender=sender, text=words.text, now=self.clock.now())
            message.sequence = number
            work.messages.add(message)
            work.tally(f"messages:{conversation_id}", 1)
            return work.answer(message)


class CountsByLooking(MemoryStore):
    """The next number is the highest there is when the message is written, plus one; two may look at once."""

    async def commit(self, changes: Changes) -> Numbers:
        numbers: Numbers = {}
        writes = list(changes.writes)
        for place, write in enumerate(writes):
            if isinstance(write, Insert) and write.table == "messages":
                series = f"messages:{write.row['conversation_id']}"
                there = await self.load("messages", {"conversation_id": write.row["conversation_id"]})
                numbers[series] = max((row["sequence"] for row in there), default=0) + 1
                writes[place] = Insert("messages", {**write.row, "sequence": numbers[series]})
            elif isinstance(write, Insert) and write.numbers:
                writes[place] = replace(write, numbers={})
        await super().commit(replace(changes, writes=tuple(writes)))
        return numbers


class MarksGoBack(MarkRead):
    """Remembers the last number it was told."""

    async def __call__(self, actor: Actor, conversation_id: ConversationId, reading: Reading) -> Participant:
        async with self.begin(actor) as work:
            place = await work.participants.first(conversation_id=conversation_id, user_id=actor.signed_in())
            if place is None:
                raise NotFound.of("conversation", conversation_id)
            last = await work.messages.first(conversation_id=conversation_id, order=Order("sequence", descending=True))
            place.read_sequence = min(reading.sequence, last.sequence if last else 0)
            return work.answer(place)


class AnybodyWrites(SendMessage):
    """Whoever knows a conversation's address may write to it."""

    async def __call__(self, actor: Actor, conversation_id: ConversationId, words: Words) -> Message:
        now = self.clock.now()
        async with self.begin(actor) as work:
            conversation = await work.conversations.get(conversation_id)
            sender = Participant.join(
                id=ParticipantId(self.ids.new()),
                conversation_id=ConversationId(conversation.id),
                user_id=actor.signed_in(),
                now=now,
            )
            message = Message.write(id=MessageId(self.ids.new()), sender=sender, text=words.text, now=now)
            work.messages.add(message)
            work.number(message, "sequence", series=f"messages:{conversation_id}")
            return work.answer(message)
