"""What is there afterwards: the rows of the database, and the books of the gateway, which are another system's."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.proof.crashes.fleet import Fleet

Rows = Sequence[Mapping[str, Any]]

_QUERIES = {
    "bookings": """select id::text, reference, customer_id::text, job_id::text, lower(span) as starts_at, seats,
        price_minor, note, state, terms, payment_id::text, paid, refund_minor, confirmed_at is not null as confirmed,
        created_at from bookings""",
    "messages": """select id::text, conversation_id::text, sender_id::text, sequence, text from messages
        order by conversation_id, sequence""",
    "payments": """select id::text, booking_id::text, amount_minor, captured_minor, refunding_minor, refunded_minor,
        state, gateway_ref from payments""",
    "refunds": "select id::text, payment_id::text, booking_id::text, amount_minor, state, reason from refunds",
    "ledger": "select transaction_id::text, account, amount_minor, payment_id::text from ledger",
    "talks": "select id::text, kind, booking_id::text, created_by::text from conversations",
    "news": "select about::text, kind, count(*) as many from notifications where about is not null group by 1, 2",
    "mails": "select state, count(*) as many from mails group by 1",
    "dead": "select id::text, name, last_error from outbox where dead_at is not null and finished_at is null",
    "overdue": """select name, count(*) as many from outbox
        where finished_at is null and dead_at is null and due_at <= $1 group by 1""",
    "unaudited": """
        with changed as (select 'bookings' as subject_table, id, version from bookings
          union all select 'payments', id, version from payments union all select 'refunds', id, version from refunds)
        select c.id::text from changed c where not exists (select from audit a where a.subject_id = c.id
          and a.subject_table = c.subject_table and a.subject_version = c.version)""",
    "waits": """select
        percentile_cont(0.5) within group (order by extract(epoch from finished_at - due_at)) as p50,
        percentile_cont(0.95) within group (order by extract(epoch from finished_at - due_at)) as p95,
        max(extract(epoch from finished_at - due_at)) as most, count(*) as events,
        count(*) filter (where attempts > 1) as again from outbox where finished_at is not null""",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """Everything the judgement looks at besides the history."""

    bookings: Rows = ()
    messages: Rows = ()
    payments: Rows = ()
    refunds: Rows = ()
    ledger: Rows = ()
    talks: Rows = ()
    news: Rows = ()
    mails: Rows = ()
    dead: Rows = ()
    overdue: Rows = ()
    unaudited: Rows = ()
    waits: Rows = ()
    gateway_payments: Rows = ()
    gateway_refunds: Rows = ()
    undelivered: Rows = ()


async def seen(fleet: Fleet) -> Books:
    """The books as they stand now."""
    now = fleet.clock.now()
    rows = {name: await fleet.rows(sql, *([now] if "$1" in sql else [])) for name, sql in _QUERIES.items()}
    return Books(**{name: [dict(row) for row in some] for name, some in rows.items()}, **gateway(fleet.data))


def gateway(data: Path) -> dict[str, Rows]:
    """The gateway's own books."""
    file = data / "simulated-gateway.sqlite3"
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=30)) as connection:
        connection.row_factory = sqlite3.Row

        def rows(sql: str) -> Rows:
            return [dict(row) for row in connection.execute(sql).fetchall()]

        return {
            "gateway_payments": rows(
                "select ref, payment_id, attempt, state, amount, captured, refunded from payments"
            ),
            "gateway_refunds": rows("select ref, refund_id, state, amount from refunds"),
            "undelivered": rows("select id, tries, last_error from deliveries where delivered_at is null"),
        }


async def waiting(fleet: Fleet) -> tuple[int, int]:
    """Events that are due and not settled, and messages of the gateway not delivered."""
    due = await fleet.rows(
        "select count(*) from outbox where finished_at is null and dead_at is null and due_at <= $1", fleet.clock.now()
    )
    return int(due[0][0]), len(gateway(fleet.data)["undelivered"])
