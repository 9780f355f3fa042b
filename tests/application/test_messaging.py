"""Talking: who may, in which order it is kept, and what each participant finds in their inbox."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from application.bookings import BookSlot, Reservation
from application.commands import Command
from application.jobs import ArchiveJob
from application.messaging import (
    EditMessage,
    GetBookingConversation,
    GetConversation,
    ListConversations,
    ListMessages,
    MarkRead,
    OpenBookingConversation,
    Opening,
    Reading,
    Rewording,
    SendMessage,
    StartConversation,
    Words,
)
from domain.bookings import Booking, BookingConfirmed, BookingHeld
from domain.messaging import (
    AlreadyTalking,
    Conversation,
    ConversationKind,
    EditWindowClosed,
    Message,
    NotTheSender,
    WithYourself,
)
from domain.shared.actors import ANONYMOUS, SYSTEM, Actor, Role
from domain.shared.errors import Invalid, NotFound, Outdated, Unauthenticated
from domain.shared.ids import ConversationId, UserId
from domain.shared.terms import PaymentTerms
from tests.application.marketplace import NOW, Marketplace

TUESDAY = NOW + timedelta(days=1, hours=3)


class Story(Marketplace):
    """Vera gives guitar lessons, Carl takes them, Dora does not, and Root looks after the house."""

    vera: Actor
    carl: Actor
    dora: Actor
    root: Actor

    async def begins(self) -> "Story":
        self.vera, self.carl, self.dora = await self.provider(), await self.person("carl"), await self.person("dora")
        self.root = await self.person("root", Role.ADMIN)
        return self

    async def book(self, **said: Any) -> Booking:
        job = await self.job(self.vera, **{"terms": PaymentTerms.LATER, **said})
        return await self.use(BookSlot)(self.carl, Reservation(job_id=job.id, starts_at=TUESDAY))

    async def lesson(self) -> ConversationId:
        """The conversation of a lesson that Carl has booked."""
        booking = await self.book()
        await self.deliver(BookingConfirmed).all()
        return (await self.use(GetBookingConversation)(self.carl, booking.id)).conversation.id

    async def start(self, by: Actor, **whom: Any) -> Conversation:
        return await self.use(StartConversation)(by, Opening(**whom))

    async def say(self, by: Actor, conversation_id: ConversationId, text: str) -> Message:
        self.clock.advance(timedelta(seconds=1))
        return await self.use(SendMessage)(by, conversation_id, Words(text=text))

    async def inbox(self, of: Actor, **page: Any):
        return await self.use(ListConversations)(of, **{"limit": 10, **page})

    async def unread(self, of: Actor) -> list[int]:
        return [each.unread for each in (await self.inbox(of)).items]

    async def texts(self, by: Actor, conversation_id: ConversationId, **which: Any) -> list[str]:
        page = await self.use(ListMessages)(by, conversation_id, **{"limit": 50, **which})
        return [message.text for message in page.items]


@pytest.fixture
async def story() -> Story:
    return await Story().begins()


# Opening


async def test_a_booking_gives_its_two_parties_a_conversation(story):
    booking = await story.book()
    await story.deliver(BookingConfirmed).all()
    found = await story.use(GetBookingConversation)(story.vera, booking.id)
    assert found.conversation.kind is ConversationKind.BOOKING
    assert found.conversation.booking_id == booking.id
    assert found.conversation.subject == f"Guitar lesson · {booking.reference}"
    assert found.conversation.created_by == story.carl.user_id
    assert {(person.user_id, person.name, person.read_sequence) for person in found.people} == {
        (story.carl.user_id, "carl", 0),
        (story.vera.user_id, "vera", 0),
    }


async def test_held_then_confirmed_is_one_booking_and_one_conversation(story):
    booking = await story.book(terms=PaymentTerms.PREPAID)
    held = story.told(BookingHeld)[0]
    for _ in range(2):
        await story.use(OpenBookingConversation)(SYSTEM, held)
    assert [row["booking_id"] for row in story.rows("conversations")] == [booking.id]
    assert len(story.rows("participants")) == 2


async def test_of_two_workers_that_open_a_conversation_one_finds_it_open(story):
    await story.book()
    event = story.told(BookingConfirmed)[0]
    story.meanwhile = lambda: story.use(OpenBookingConversation)(SYSTEM, event)
    with pytest.raises(AlreadyTalking):
        await story.use(OpenBookingConversation)(SYSTEM, event)
    await story.use(OpenBookingConversation)(SYSTEM, event)
    assert len(story.rows("conversations")) == 1


async def test_anybody_may_write_to_the_provider_of_a_published_job(story):
    job = await story.job(story.vera)
    talk = await story.start(story.dora, job_id=job.id)
    assert (talk.kind, talk.subject, talk.created_by) == (
        ConversationKind.DIRECT,
        "Guitar lesson",
        story.dora.user_id,
    )
    people = {row["user_id"] for row in story.rows("participants")}
    assert people == {story.dora.user_id, story.vera.user_id}


async def test_two_people_have_one_direct_conversation_whatever_it_began_with(story):
    await story.book()
    guitar, piano = await story.job(story.vera), await story.job(story.vera, title="Piano lesson")
    first = await story.start(story.carl, job_id=guitar.id)
    again = await story.start(story.carl, job_id=piano.id)
    back = await story.start(story.vera, recipient_id=story.carl.user_id)
    assert first.id == again.id == back.id
    assert len(story.rows("conversations")) == 1


async def test_two_who_write_to_each_other_at_once_meet_in_one_conversation(story):
    await story.book()
    opening = Opening(recipient_id=story.vera.user_id)
    story.meanwhile = lambda: story.start(story.vera, recipient_id=story.carl.user_id)
    command = Command(principal=story.carl.principal, operation="start", key="k", fingerprint="f")
    outcome = await story.perform(command, lambda: story.use(StartConversation)(story.carl, opening))
    assert [row["id"] for row in story.rows("conversations")] == [outcome.answer.id]
    assert outcome.answer.created_by == story.vera.user_id


async def test_those_who_share_a_booking_may_write_to_each_other(story):
    await story.book()
    talk = await story.start(story.vera, recipient_id=story.carl.user_id)
    assert talk.subject == "Guitar lesson"


async def test_to_others_a_person_is_nobody_to_write_to(story):
    for recipient in (story.carl.user_id, UserId(uuid4())):
        with pytest.raises(NotFound):
            await story.start(story.dora, recipient_id=recipient)
    assert story.rows("conversations") == []


async def test_an_admin_may_write_to_any_user(story):
    talk = await story.start(story.root, recipient_id=story.dora.user_id)
    assert (talk.subject, talk.created_by) == ("From the house", story.root.user_id)
    with pytest.raises(NotFound):
        await story.start(story.root, recipient_id=UserId(uuid4()))


async def test_a_job_that_is_not_published_is_nothing_to_talk_about(story):
    draft = await story.job(story.vera, publish=False)
    shelved = await story.job(story.vera)
    await story.use(ArchiveJob)(story.vera, shelved.id)
    for job_id in (draft.id, shelved.id, uuid4()):
        with pytest.raises(NotFound):
            await story.start(story.dora, job_id=job_id)


async def test_nobody_starts_talking_to_themselves(story):
    job = await story.job(story.vera)
    with pytest.raises(WithYourself):
        await story.start(story.vera, job_id=job.id)
    for themselves in (story.vera, story.root):
        with pytest.raises(WithYourself):
            await story.start(themselves, recipient_id=themselves.user_id)


async def test_an_opening_says_either_a_job_or_a_person(story):
    job = await story.job(story.vera)
    for opening in ({}, {"job_id": job.id, "recipient_id": story.vera.user_id}):
        with pytest.raises(Invalid):
            await story.start(story.carl, **opening)


async def test_who_is_not_signed_in_talks_to_nobody(story):
    job, lesson = await story.job(story.vera), await story.lesson()
    message = await story.say(story.carl, lesson, "Hello")
    for call in (
        story.start(ANONYMOUS, job_id=job.id),
        story.say(ANONYMOUS, lesson, "Hello"),
        story.use(EditMessage)(ANONYMOUS, message.id, Rewording(text="Bye")),
        story.use(MarkRead)(ANONYMOUS, lesson, Reading(sequence=1)),
        story.inbox(ANONYMOUS),
        story.texts(ANONYMOUS, lesson),
        story.use(GetConversation)(ANONYMOUS, lesson),
        story.use(GetBookingConversation)(ANONYMOUS, uuid4()),
    ):
        with pytest.raises(Unauthenticated):
            await call


# Saying


async def test_messages_are_numbered_in_the_order_they_were_committed(story):
    lesson = await story.lesson()
    said = [await story.say(who, lesson, f"{n}") for n, who in enumerate((story.carl, story.vera, story.carl))]
    assert [message.sequence for message in said] == [1, 2, 3]
    assert [message.sender_id for message in said] == [story.carl.user_id, story.vera.user_id, story.carl.user_id]
    assert await story.texts(story.vera, lesson) == ["2", "1", "0"]


async def test_each_conversation_counts_for_itself(story):
    lesson = await story.lesson()
    direct = await story.start(story.carl, recipient_id=story.vera.user_id)
    assert (await story.say(story.carl, lesson, "a")).sequence == 1
    assert (await story.say(story.carl, direct.id, "b")).sequence == 1
    assert (await story.say(story.vera, lesson, "c")).sequence == 2


async def test_everybody_talking_at_once_leaves_no_gap_and_no_double(story):
    lesson = await story.lesson()
    said = await asyncio.gather(*(story.say(story.carl if n % 2 else story.vera, lesson, f"{n}") for n in range(50)))
    assert sorted(message.sequence for message in said) == list(range(1, 51))


async def test_a_refused_message_leaves_no_gap(story):
    lesson = await story.lesson()
    for text in ("", "x" * 5001):
        with pytest.raises(Invalid):
            await story.say(story.carl, lesson, text)
    assert (await story.say(story.carl, lesson, "Hello")).sequence == 1


async def test_a_message_sent_again_under_its_key_is_one_message_with_one_number(story):
    lesson = await story.lesson()
    command = Command(principal=story.carl.principal, operation="send", key="k", fingerprint="f")
    first, again = [
        await story.perform(command, lambda: story.use(SendMessage)(story.carl, lesson, Words(text="Hello")))
        for _ in range(2)
    ]
    assert (first.replayed, again.replayed) == (False, True)
    assert first.answer.id == again.answer.id
    assert first.answer.sequence == again.answer.sequence == 1


async def test_a_conversation_does_not_exist_for_those_outside_it(story):
    lesson = await story.lesson()
    message = await story.say(story.carl, lesson, "Between us")
    for outsider in (story.dora, story.root):
        for call in (
            story.say(outsider, lesson, "Hello"),
            story.use(EditMessage)(outsider, message.id, Rewording(text="x")),
            story.use(MarkRead)(outsider, lesson, Reading(sequence=1)),
            story.texts(outsider, lesson),
            story.use(GetConversation)(outsider, lesson),
        ):
            with pytest.raises(NotFound):
                await call
        assert (await story.inbox(outsider)).items == []
    booking_id = story.rows("bookings")[0]["id"]
    with pytest.raises(NotFound):
        await story.use(GetBookingConversation)(story.dora, booking_id)
    with pytest.raises(NotFound):
        await story.say(story.carl, ConversationId(uuid4()), "Hello?")


# Rewording


async def test_a_sender_rewords_a_message(story):
    lesson = await story.lesson()
    message = await story.say(story.carl, lesson, "Tenn o'clock")
    reworded = await story.use(EditMessage)(story.carl, message.id, Rewording(text="Ten o'clock"))
    assert (reworded.text, reworded.sequence, reworded.edited_at) == ("Ten o'clock", 1, story.clock.now())
    assert await story.texts(story.vera, lesson) == ["Ten o'clock"]


async def test_who_decided_on_another_wording_is_told(story):
    lesson = await story.lesson()
    message = await story.say(story.carl, lesson, "Tenn")
    await story.use(EditMessage)(story.carl, message.id, Rewording(text="Ten", expected_version=1))
    with pytest.raises(Outdated) as refusal:
        await story.use(EditMessage)(story.carl, message.id, Rewording(text="Eleven", expected_version=1))
    assert refusal.value.details == {"expected": 1, "present": 2}
    assert await story.texts(story.carl, lesson) == ["Ten"]


async def test_nobody_rewords_for_another_and_nobody_late(story):
    lesson = await story.lesson()
    message = await story.say(story.carl, lesson, "Ten")
    with pytest.raises(NotTheSender):
        await story.use(EditMessage)(story.vera, message.id, Rewording(text="Eleven"))
    story.clock.advance(timedelta(minutes=15))
    with pytest.raises(EditWindowClosed):
        await story.use(EditMessage)(story.carl, message.id, Rewording(text="Eleven"))
    with pytest.raises(NotFound):
        await story.use(EditMessage)(story.carl, uuid4(), Rewording(text="Eleven"))
    assert await story.texts(story.carl, lesson) == ["Ten"]


# Reading


async def test_what_is_unread_is_what_others_said_since(story):
    lesson = await story.lesson()
    await story.say(story.carl, lesson, "Hello")
    await story.say(story.carl, lesson, "Is ten fine?")
    assert (await story.unread(story.vera), await story.unread(story.carl)) == ([2], [0])
    await story.use(MarkRead)(story.vera, lesson, Reading(sequence=1))
    assert await story.unread(story.vera) == [1]
    await story.say(story.vera, lesson, "Ten is fine")
    assert (await story.unread(story.vera), await story.unread(story.carl)) == ([0], [1])


async def test_a_read_mark_goes_forward_only_and_not_past_the_end(story):
    lesson = await story.lesson()
    mark = story.use(MarkRead)
    assert (await mark(story.vera, lesson, Reading(sequence=5))).read_sequence == 0
    for n in range(3):
        await story.say(story.carl, lesson, f"{n}")
    marks = [(await mark(story.vera, lesson, Reading(sequence=n))).read_sequence for n in (2, 1, 10**30)]
    assert marks == [2, 2, 3]
    with pytest.raises(Invalid):
        await mark(story.vera, lesson, Reading(sequence=-1))


async def test_an_inbox_shows_the_liveliest_conversation_first_with_its_last_message(story):
    lesson = await story.lesson()
    direct = (await story.start(story.carl, recipient_id=story.vera.user_id)).id
    await story.say(story.carl, direct, "Hello")
    await story.say(story.carl, lesson, "About Tuesday")
    first, second = (await story.inbox(story.vera)).items
    assert (first.conversation_id, first.kind, first.last_text) == (lesson, ConversationKind.BOOKING, "About Tuesday")
    assert (first.last_sender_id, first.last_sent_at) == (story.carl.user_id, story.clock.now())
    assert (second.conversation_id, second.kind, second.subject) == (direct, ConversationKind.DIRECT, "Guitar lesson")
    await story.say(story.vera, direct, "Hello yourself")
    assert [each.conversation_id for each in (await story.inbox(story.vera)).items] == [direct, lesson]


async def test_a_conversation_in_which_nothing_was_said_is_in_nobodys_inbox(story):
    lesson = await story.lesson()
    assert (await story.inbox(story.carl)).items == []
    assert (await story.use(GetConversation)(story.carl, lesson)).conversation.id == lesson


async def test_an_inbox_is_read_in_pages(story):
    lesson = await story.lesson()
    direct = (await story.start(story.carl, recipient_id=story.vera.user_id)).id
    await story.say(story.carl, lesson, "a")
    await story.say(story.carl, direct, "b")
    page = await story.inbox(story.vera, limit=1)
    rest = await story.inbox(story.vera, limit=1, after=page.next)
    assert [page.items[0].conversation_id, rest.items[0].conversation_id] == [direct, lesson]
    assert rest.next is None


async def test_messages_are_read_backwards_in_pages(story):
    lesson = await story.lesson()
    for n in range(5):
        await story.say(story.carl, lesson, f"{n}")
    page = await story.use(ListMessages)(story.vera, lesson, limit=2)
    assert [message.sequence for message in page.items] == [5, 4]
    page = await story.use(ListMessages)(story.vera, lesson, limit=2, after=page.next)
    assert [message.sequence for message in page.items] == [3, 2]
    assert await story.texts(story.vera, lesson, before=3) == ["1", "0"]


async def test_who_was_away_reads_on_from_the_number_they_had(story):
    lesson = await story.lesson()
    for n in range(1, 6):
        await story.say(story.carl, lesson, f"{n}")
    assert await story.texts(story.vera, lesson, since=3) == ["4", "5"]
    assert await story.texts(story.vera, lesson, since=0) == ["1", "2", "3", "4", "5"]
    assert await story.texts(story.vera, lesson, since=1, before=4) == ["2", "3"]
    assert await story.texts(story.vera, lesson, since=5) == []


@pytest.mark.parametrize("wanted", [{"since": -1}, {"before": -1}, {"since": 10**30}, {"before": 10**30}])
async def test_numbers_no_message_can_have_are_refused(story, wanted):
    lesson = await story.lesson()
    with pytest.raises(Invalid) as refusal:
        await story.texts(story.carl, lesson, **wanted)
    assert refusal.value.details["field"] == "sequence"
