"""What a conversation, a place in it and a message promise."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.messaging import (
    AlreadyTalking,
    Conversation,
    ConversationKind,
    ConversationOpened,
    EditWindowClosed,
    Message,
    MessageEdited,
    MessageSent,
    NotTheSender,
    Participant,
    WithYourself,
    pair_of,
)
from domain.shared.errors import Forbidden, Invalid, StaleVersion
from domain.shared.ids import BookingId, ConversationId, MessageId, ParticipantId, UserId

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ADA, BEN = UserId(UUID(int=1)), UserId(UUID(int=2))
TALK, WORK = ConversationId(UUID(int=10)), BookingId(UUID(int=20))


def a_place(user: UserId = ADA) -> Participant:
    return Participant.join(id=ParticipantId(UUID(int=30)), conversation_id=TALK, user_id=user, now=NOW)


def a_message(text: str = "Shall I bring a ladder?") -> Message:
    message = Message.write(id=MessageId(UUID(int=40)), sender=a_place(), text=text, now=NOW)
    message.take_events()
    return message


def test_a_bookings_conversation_is_between_its_customer_and_its_provider() -> None:
    talk = Conversation.about_booking(
        id=TALK, booking_id=WORK, subject=" Deep clean · K7QM-3XTR ", customer_id=ADA, provider_id=BEN, now=NOW
    )
    assert (talk.kind, talk.booking_id, talk.pair) == (ConversationKind.BOOKING, WORK, None)
    assert (talk.subject, talk.created_by, talk.created_at) == ("Deep clean · K7QM-3XTR", ADA, NOW)
    assert talk.take_events() == [
        ConversationOpened(
            conversation_id=TALK, kind=ConversationKind.BOOKING, booking_id=WORK, participants=(ADA, BEN)
        )
    ]


def test_two_people_have_one_direct_conversation_whoever_begins() -> None:
    talk = Conversation.between(id=TALK, starter=BEN, recipient=ADA, subject="Deep clean", now=NOW)
    assert (talk.kind, talk.booking_id, talk.created_by) == (ConversationKind.DIRECT, None, BEN)
    assert talk.pair == pair_of(ADA, BEN) == pair_of(BEN, ADA) == f"{ADA}:{BEN}"
    assert talk.take_events() == [
        ConversationOpened(conversation_id=TALK, kind=ConversationKind.DIRECT, booking_id=None, participants=(BEN, ADA))
    ]


def test_nobody_talks_to_themselves() -> None:
    with pytest.raises(WithYourself) as refusal:
        Conversation.between(id=TALK, starter=ADA, recipient=ADA, subject="Deep clean", now=NOW)
    assert refusal.value.details == {"field": "recipient_id"}


@pytest.mark.parametrize(
    ("kind", "booking_id", "pair"),
    [
        (ConversationKind.BOOKING, None, None),
        (ConversationKind.BOOKING, None, "a:b"),
        (ConversationKind.DIRECT, None, None),
        (ConversationKind.DIRECT, WORK, None),
        (ConversationKind.DIRECT, WORK, "a:b"),
        (ConversationKind.BOOKING, WORK, "a:b"),
    ],
)
def test_a_conversation_belongs_to_one_booking_or_to_two_people(
    kind: ConversationKind, booking_id: BookingId | None, pair: str | None
) -> None:
    with pytest.raises(Invalid) as refusal:
        Conversation(id=TALK, kind=kind, booking_id=booking_id, pair=pair, subject="x", created_by=ADA, created_at=NOW)
    assert refusal.value.details == {"field": "kind"}


@pytest.mark.parametrize("subject", ["", "  ", "x" * 201, "two\nlines"])
def test_a_subject_is_one_line_of_at_most_200_characters(subject: str) -> None:
    with pytest.raises(Invalid) as refusal:
        Conversation.between(id=TALK, starter=ADA, recipient=BEN, subject=subject, now=NOW)
    assert refusal.value.details["field"] == "subject"
    with pytest.raises(Invalid) as refusal:
        Conversation.about_booking(id=TALK, booking_id=WORK, subject=subject, customer_id=ADA, provider_id=BEN, now=NOW)
    assert refusal.value.details["field"] == "subject"


def test_a_subject_may_have_200_characters() -> None:
    talk = Conversation.between(id=TALK, starter=ADA, recipient=BEN, subject="x" * 200, now=NOW)
    assert len(talk.subject) == 200


def test_a_new_participant_has_everything_still_to_read() -> None:
    place = a_place()
    assert (place.conversation_id, place.user_id, place.joined_at) == (TALK, ADA, NOW)
    assert place.read_sequence == 0


def test_a_read_mark_never_goes_back() -> None:
    place = a_place()
    place.read_up_to(5, latest=9)
    assert place.read_sequence == 5
    place.read_up_to(3, latest=9)
    assert place.read_sequence == 5
    place.read_up_to(9, latest=9)
    assert place.read_sequence == 9


def test_nobody_has_read_what_is_not_written_yet() -> None:
    place = a_place()
    place.read_up_to(1_000_000, latest=2)
    assert place.read_sequence == 2


def test_a_read_mark_is_a_count_of_messages() -> None:
    place = a_place()
    place.read_up_to(0, latest=4)
    assert place.read_sequence == 0
    with pytest.raises(Invalid) as refusal:
        place.read_up_to(-1, latest=4)
    assert refusal.value.details == {"field": "sequence"}


def test_what_a_participant_writes_goes_into_their_conversation() -> None:
    message = Message.write(id=MessageId(UUID(int=40)), sender=a_place(BEN), text=" One.\r\nTwo. ", now=NOW)
    assert (message.conversation_id, message.sender_id, message.participant_id) == (TALK, BEN, UUID(int=30))
    assert (message.text, message.sent_at, message.edited_at) == ("One.\nTwo.", NOW, None)
    assert message.take_events() == [MessageSent(message_id=message.id, conversation_id=TALK, sender_id=BEN)]


def test_the_commit_gives_a_message_its_number() -> None:
    assert a_message().sequence == 0


@pytest.mark.parametrize("text", ["", " \n ", "x" * 5001, "nul\0"])
def test_a_message_has_1_to_5000_characters_of_text(text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        a_message(text)
    assert refusal.value.details["field"] == "text"
    message = a_message("x" * 5000)
    with pytest.raises(Invalid):
        message.edit(text, by=ADA, now=NOW)
    assert message.text == "x" * 5000


def test_a_sender_rewords_a_message_within_the_window() -> None:
    message = a_message()
    late = NOW + timedelta(minutes=14, seconds=59)
    message.edit(" Shall I bring\nthe ladder? ", by=ADA, now=late)
    assert (message.text, message.edited_at, message.sent_at) == ("Shall I bring\nthe ladder?", late, NOW)
    assert message.take_events() == [MessageEdited(message_id=message.id, conversation_id=TALK, sender_id=ADA)]


def test_after_fifteen_minutes_a_message_stands() -> None:
    message = a_message()
    with pytest.raises(EditWindowClosed) as refusal:
        message.edit("No.", by=ADA, now=NOW + timedelta(minutes=15))
    assert refusal.value.details == {"until": "2026-03-02T09:15:00+00:00"}
    assert "02 Mar 09:15 UTC" in refusal.value.message
    assert (message.text, message.take_events()) == ("Shall I bring a ladder?", [])


def test_nobody_rewords_what_another_wrote() -> None:
    message = a_message()
    with pytest.raises(NotTheSender):
        message.edit("I take it back.", by=BEN, now=NOW)
    assert issubclass(NotTheSender, Forbidden)
    assert (message.text, message.edited_at) == ("Shall I bring a ladder?", None)


def test_losing_the_race_to_open_a_conversation_is_a_reason_to_look_again() -> None:
    assert issubclass(AlreadyTalking, StaleVersion)
    assert AlreadyTalking().message == "this conversation has just been opened by somebody else"


def test_refusals_speak_to_people() -> None:
    assert NotTheSender().message == "only its sender may edit a message"
    assert WithYourself().message == "a conversation takes somebody else"
    assert EditWindowClosed(NOW).message == "this message could be edited until 02 Mar 09:00 UTC"


def test_kinds_are_stored_under_words_that_outlive_the_code() -> None:
    assert [kind.value for kind in ConversationKind] == ["booking", "direct"]


def test_refusals_and_events_have_names_that_outlive_the_code() -> None:
    assert {refusal.code for refusal in (AlreadyTalking, EditWindowClosed, NotTheSender, WithYourself)} == {
        "conversation.already_open",
        "message.edit_window_closed",
        "message.not_the_sender",
        "conversation.with_yourself",
    }
    assert {event.name for event in (ConversationOpened, MessageSent, MessageEdited)} == {
        "conversation.opened",
        "message.sent",
        "message.edited",
    }
