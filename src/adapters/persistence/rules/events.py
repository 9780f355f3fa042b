"""Rules of commands and events: one key, one effect (E1); what was done was told (E2, E4); what was told arrives, once
and in order (E3, E5)."""

from collections import Counter
from collections.abc import Hashable, Iterable
from datetime import timedelta

from adapters.persistence.rules.rule import (
    Change,
    Found,
    Group,
    Liveness,
    Rule,
    Step,
    alone,
    each,
    on_its_way,
    together,
)
from adapters.persistence.schema.tables import Row

_STUCK = "see that a worker runs; `guildhall events dead` tells what was given up and why"
_TRACE = "find the commit by its instant in the audit trail and in the logs"


def _reacted(row: Row) -> Iterable[Hashable]:
    """A reaction's receipt, by the event it was for; a client's receipt expires."""
    return (row["key"],) if row["principal"] == "system" and row["expires_at"] is None else ()


def _event(row: Row) -> Iterable[Hashable]:
    return (str(row["id"]),)


def _unscheduled(row: Row) -> Iterable[Hashable]:
    return () if row["scheduled"] else ((row["subject_id"], row["subject_version"]),)


def _in_line(row: Row) -> Iterable[Hashable]:
    return () if row["scheduled"] else ((row["subject_table"], row["subject_id"]),)


def _news(row: Row) -> Iterable[Hashable]:
    return ((row["about"], row["kind"]),) if row["about"] and row["kind"].startswith("booking.") else ()


def _turn(row: Row) -> Iterable[Hashable]:
    return ((row["subject_id"], row["action"]),) if row["subject_table"] == "bookings" else ()


def _told_again(group: Group) -> Found:
    # What only a timer brings (a review that is due) comes once, and has no row in the trail.
    turns, told = max(1, len(group["audit"])), group["notifications"]
    heard = Counter(row["user_id"] for row in told)
    return ((row["id"], "it was told before") for row in told if heard[row["user_id"]] > turns)


def _untold(group: Group) -> Found:
    told = {(row["subject_table"], row["action"]) for row in group["audit"]}
    for row in group["outbox"]:
        if (row["subject_table"], row["name"]) not in told:
            yield row["id"], f"no commit tells of {row['name']}"


def _eventless(group: Group) -> Found:
    return (
        (row["id"], f"{row['operation']} had an effect, and no event")
        for row in group["receipts"]
        if not group["outbox"]
    )


def _overtaking(group: Group) -> Found:
    waiting = [(row["subject_version"], row["position"]) for row in group["outbox"] if row["finished_at"] is None]
    if not waiting:
        return
    first = min(waiting)
    for row in group["outbox"]:
        if row["finished_at"] is not None and (row["subject_version"], row["position"]) > first:
            yield row["id"], f"{row['name']} was delivered before one that came before it"


RULES = (
    Rule(
        code="E1",
        name="one_receipt_per_key",
        says="A key of one principal and operation has one receipt: it was carried out once.",
        means="a command that was repeated was carried out twice, or a reaction had its effect twice",
        mend=_TRACE,
        by={"receipts": together("principal", "key", "operation")},
        broken=alone("receipts", "the same command has another receipt"),
        sql="""
            select unnest(array_agg(id))::text as subject, 'the same command has another receipt' as said
            from receipts group by principal, key, operation having count(*) > 1
        """,
    ),
    Rule(
        code="E2",
        name="processed_says_what_came_of_it",
        says="A webhook is marked as processed exactly when it says what came of it.",
        means="a message of the gateway is lost, or acted on for ever",
        mend="`guildhall webhooks replay` acts on it again, with one effect",
        by={"webhooks": "id"},
        broken=each(
            "webhooks",
            lambda row: (
                f"its outcome is {row['outcome']}, and its mark says otherwise"
                if (row["processed_at"] is None) != (row["outcome"] == "waiting")
                else None
            ),
        ),
        sql="""
            select id::text as subject, 'its outcome is ' || outcome || ', and its mark says otherwise' as said
            from webhooks where (processed_at is null) <> (outcome = 'waiting')
        """,
    ),
    on_its_way(
        "webhooks",
        "waiting",
        "webhook.received",
        "webhook_id",
        code="E3",
        column="outcome",
        says="A message in the inbox that was not acted on is going to be.",
        means="what the gateway told us is never acted on",
    ),
    on_its_way(
        "payments",
        "requested",
        "payment.requested",
        "payment_id",
        code="E3",
        says="A payment that was asked for is going to be opened at the gateway.",
        means="a customer waits for a payment page that never comes",
    ),
    on_its_way(
        "refunds",
        "requested",
        "refund.requested",
        "refund_id",
        code="E3",
        says="A refund that was asked for is going to be sent.",
        means="a customer waits for money that never comes",
    ),
    on_its_way(
        "mails",
        "queued",
        "mail.queued",
        "mail_id",
        code="E3",
        says="A mail that was written is going to be sent.",
        means="somebody is never told",
    ),
    Rule(
        code="E3",
        name="a_mail_is_written_once",
        says="One turn of events writes one mail of a kind to one address.",
        means="somebody is told twice",
        mend=_TRACE,
        by={"mails": together("template", "transition", "to")},
        broken=alone("mails", "the same mail was written again"),
        sql="""
            select unnest(array_agg(id))::text as subject, 'the same mail was written again' as said
            from mails group by template, transition, "to" having count(*) > 1
        """,
    ),
    Rule(
        code="E3",
        name="news_is_told_once",
        says="Of each turn a booking takes, each side is told once.",
        means="a reaction had its effect again: people are told twice, and other reactions may have paid twice",
        mend=_TRACE,
        by={"notifications": _news, "audit": _turn},
        broken=_told_again,
        sql="""
            select unnest(array_agg(n.id))::text as subject, 'it was told before' as said from notifications n
            where n.kind like 'booking.%' and n.about is not null
            group by n.user_id, n.about, n.kind
            having count(*) > greatest(1, (
              select count(*) from audit a
              where a.subject_table = 'bookings' and a.subject_id = n.about and a.action = n.kind))
        """,
    ),
    Rule(
        code="E4",
        name="no_event_without_its_commit",
        says="Every event tells of a change that was committed: the audit trail has it too.",
        means="the house acts on something that never happened",
        mend=_TRACE,
        by={"outbox": _unscheduled, "audit": together("subject_id", "subject_version")},
        broken=_untold,
        sql="""
            select o.id::text as subject, 'no commit tells of ' || o.name as said from outbox o
            where not o.scheduled and not exists (
              select from audit a where a.subject_id = o.subject_id and a.subject_version = o.subject_version
                and a.subject_table = o.subject_table and a.action = o.name)
        """,
    ),
    Rule(
        code="E4",
        name="no_reaction_without_its_event",
        says="Every effect of a reaction has the event it followed, for as long as the event is kept.",
        means="something followed from nothing",
        mend=_TRACE,
        by={"receipts": _reacted, "outbox": _event},
        broken=_eventless,
        sql="""
            select r.id::text as subject, r.operation || ' had an effect, and no event' as said from receipts r
            where r.principal = 'system' and r.expires_at is null
              and not exists (select from outbox o where o.id::text = r.key)
        """,
    ),
    Rule(
        code="E5",
        name="events_keep_their_order",
        says="No event of a subject is delivered before an earlier one of it.",
        means="what followed was undone by what came before",
        mend="see both with `guildhall events list`; put right by hand what came out of order",
        by={"outbox": _in_line},
        broken=_overtaking,
        sql="""
            with first as (
              select distinct on (subject_table, subject_id) subject_table, subject_id, subject_version, position
              from outbox where finished_at is null and not scheduled
              order by subject_table, subject_id, subject_version, position)
            select o.id::text as subject, o.name || ' was delivered before one that came before it' as said
            from outbox o join first on first.subject_table = o.subject_table and first.subject_id = o.subject_id
            where o.finished_at is not null and not o.scheduled
              and (o.subject_version, o.position) > (first.subject_version, first.position)
        """,
    ),
)


def _goes_on(change: Change) -> bool:
    if change.after is None:
        return change.before is None or change.before["finished_at"] is not None
    done = change.before is not None and change.before["finished_at"] is not None
    told = ("name", "subject_table", "subject_id", "subject_version", "position", "payload", "actor", "created_at")
    return change.keeps(*told, *(("finished_at",) if done else ()))


STEPS = (
    Step(
        code="E1",
        name="a_receipt_never_changes",
        says="A receipt stays as it was written, until its time is over.",
        means="a retried command gets another answer than the first",
        mend=_TRACE,
        table="receipts",
        holds=lambda change: change.moved is None,
        instead="tests/contracts/test_receipts.py",
    ),
    Step(
        code="E3",
        name="an_event_is_kept_until_it_is_delivered",
        says="An event stays what it was, is not forgotten before it was delivered, and is delivered once.",
        means="what follows from an event never happens, or happens again",
        mend=_TRACE,
        table="outbox",
        holds=_goes_on,
        instead="waiting_webhooks_are_on_their_way, and its like for payments, refunds and mails",
    ),
)

LIVENESS = (
    Liveness(
        code="E3",
        name="every_event_is_delivered",
        says="An event that is due is delivered.",
        means="what should follow does not: no mail, no refund, no rating",
        mend=_STUCK,
        table="outbox",
        grace=timedelta(minutes=5),
        since=lambda row: row["due_at"] if row["finished_at"] is None and row["dead_at"] is None else None,
        sql="""
            select id::text as subject, name || ' since ' || due_at as said from outbox
            where finished_at is null and dead_at is null and due_at < $1
        """,
    ),
    Liveness(
        code="E3",
        name="no_event_is_given_up",
        says="No event is left given up.",
        means="what should follow never will, and later events of the same subject wait behind it",
        mend="`guildhall events dead` tells why; mend the cause, then replay or skip each",
        table="outbox",
        grace=timedelta(0),
        since=lambda row: row["dead_at"] if row["finished_at"] is None else None,
        sql="""
            select id::text as subject, name || ' given up ' || dead_at as said from outbox
            where finished_at is null and dead_at < $1
        """,
    ),
    Liveness(
        code="E2",
        name="no_webhook_waits",
        says="What a sender told us is acted on.",
        means="a payment at the gateway does not show here",
        mend=_STUCK,
        table="webhooks",
        grace=timedelta(minutes=5),
        since=lambda row: row["received_at"] if row["processed_at"] is None else None,
        sql="""
            select id::text as subject, kind || ' since ' || received_at as said from webhooks
            where processed_at is null and received_at < $1
        """,
    ),
)
