"""Rules of conversations: who takes part and writes (C1), numbers without gaps (C2), and read marks (C4)."""

from adapters.persistence.rules.rule import Change, Found, Group, Rule, Step, series

_LEAK = "see the conversation's history with `guildhall audit list`; somebody may have read what was not for them"
_NUMBERS = "clients resume by these numbers: restore the missing message from a backup, or set the tally right"


def _unseated(group: Group) -> Found:
    seats = {(row["conversation_id"], row["user_id"]) for row in group["participants"]}
    for row in group["messages"]:
        if (row["conversation_id"], row["sender_id"]) not in seats:
            yield row["id"], "its sender has no such place in the conversation"


def _mismatched(group: Group) -> Found:
    users = [str(row["user_id"]) for row in group["participants"]]
    for row in group["conversations"]:
        pair = ":".join(sorted(users))
        wanted = row["pair"] == pair if row["kind"] == "direct" else str(row["created_by"]) in users
        if len(users) != 2 or users[0] == users[1] or not wanted:
            yield row["id"], f"{len(users)} take part, or not those it belongs to"


def _strange_parties(group: Group) -> Found:
    customers = {row["customer_id"] for row in group["bookings"]}
    for row in group["conversations"]:
        if row["created_by"] not in customers:
            yield row["id"], "it is about a booking of somebody else"


def _gaps(group: Group) -> Found:
    numbers = {row["sequence"] for row in group["messages"]}
    count, counted = len(group["messages"]), sum(row["value"] for row in group["tallies"])
    whole = len(numbers) == count and (count == 0 or (min(numbers) == 1 and max(numbers) == count))
    if not whole or count != counted:
        yield group.key, f"{count} messages are numbered up to {max(numbers, default=0)}, {counted} are counted"


def _ahead(group: Group) -> Found:
    latest = max((row["sequence"] for row in group["messages"]), default=0)
    for row in group["participants"]:
        if not 0 <= row["read_sequence"] <= latest:
            yield row["id"], f"it has read up to {row['read_sequence']}, the last message is {latest}"


RULES = (
    Rule(
        code="C1",
        name="only_participants_write",
        says="A message is by somebody with a place in its conversation.",
        means="a stranger wrote into somebody's conversation",
        mend=_LEAK,
        by={"messages": "participant_id", "participants": "id"},
        broken=_unseated,
        sql="""
            select m.id::text as subject, 'its sender has no such place in the conversation' as said
            from messages m left join participants p on p.id = m.participant_id
              and p.conversation_id = m.conversation_id and p.user_id = m.sender_id
            where p.id is null
        """,
    ),
    Rule(
        code="C1",
        name="a_conversation_is_between_its_two",
        says="A conversation has exactly the two places of those it belongs to.",
        means="somebody reads along, or is left out",
        mend=_LEAK,
        by={"conversations": "id", "participants": "conversation_id"},
        broken=_mismatched,
        sql="""
            select c.id::text as subject, coalesce(p.users, 0) || ' take part, or not those it belongs to' as said
            from conversations c left join (
              select conversation_id, count(*) as users, count(distinct user_id) as people,
                string_agg(user_id::text, ':' order by user_id::text collate "C") as pair, array_agg(user_id) as who
              from participants group by conversation_id) as p on p.conversation_id = c.id
            where p.users is distinct from 2 or p.people <> 2 or not case when c.kind = 'direct'
              then coalesce(c.pair = p.pair, false) else c.created_by = any (p.who) end
        """,
    ),
    Rule(
        code="C1",
        name="a_bookings_conversation_is_its_customers",
        says="A booking's conversation begins with the booking's customer.",
        means="strangers talk about somebody's booking",
        mend=_LEAK,
        by={"conversations": "booking_id", "bookings": "id"},
        broken=_strange_parties,
        sql="""
            select c.id::text as subject, 'it is about a booking of somebody else' as said
            from conversations c left join bookings b on b.id = c.booking_id and b.customer_id = c.created_by
            where c.booking_id is not null and b.id is null
        """,
    ),
    Rule(
        code="C2",
        name="messages_are_numbered_without_gaps",
        says="The messages of a conversation are numbered from one without gaps, as many as were counted.",
        means="a client that resumes misses a message, or waits for one that never comes",
        mend=_NUMBERS,
        by={"messages": "conversation_id", "tallies": series("messages:")},
        broken=_gaps,
        sql="""
            select coalesce(m.conversation, t.conversation) as subject, coalesce(m.count, 0)
              || ' messages are numbered up to ' || coalesce(m.latest, 0) || ', ' || coalesce(t.value, 0)
              || ' are counted' as said
            from (select conversation_id::text as conversation, count(*) as count, max(sequence) as latest,
                    count(distinct sequence) = count(*) and min(sequence) = 1 and max(sequence) = count(*) as whole
                  from messages group by conversation_id) as m
            full join (select substr(name, 10) as conversation, value from tallies where name like 'messages:%') as t
              on t.conversation = m.conversation
            where not coalesce(m.whole, true) or coalesce(m.count, 0) <> coalesce(t.value, 0)
        """,
    ),
    Rule(
        code="C4",
        name="nobody_has_read_what_was_not_written",
        says="A read mark is never ahead of the last message.",
        means="new messages do not show as unread",
        mend="set the mark back to the last message",
        by={"participants": "conversation_id", "messages": "conversation_id"},
        broken=_ahead,
        sql="""
            select p.id::text as subject,
              'it has read up to ' || p.read_sequence || ', the last message is ' || coalesce(m.latest, 0) as said
            from participants p left join (
              select conversation_id, max(sequence) as latest from messages group by conversation_id
            ) as m on m.conversation_id = p.conversation_id
            where p.read_sequence not between 0 and coalesce(m.latest, 0)
        """,
    ),
)


def _goes_forward(change: Change) -> bool:
    forward = change.moved is None or change.moved[0]["read_sequence"] <= change.moved[1]["read_sequence"]
    return forward and change.keeps("conversation_id", "user_id")


STEPS = (
    Step(
        code="C2",
        name="a_message_keeps_its_place",
        says="A message is never removed, and keeps its number, its conversation and its sender.",
        means="two people have seen two conversations",
        mend=_NUMBERS,
        table="messages",
        holds=lambda change: change.keeps("conversation_id", "participant_id", "sender_id", "sequence", "sent_at"),
        instead="messages_are_numbered_without_gaps",
    ),
    Step(
        code="C4",
        name="read_marks_go_forward",
        says="A read mark never goes back.",
        means="what was read shows as new",
        mend="nothing is lost; find who moved it with `guildhall audit list`",
        table="participants",
        holds=_goes_forward,
        instead="tests/domain/test_messaging.py (the trail does not say how far a mark was moved)",
    ),
)
