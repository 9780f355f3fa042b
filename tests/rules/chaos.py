"""Rows that no use case ever wrote: every column drawn from a few values, so that they meet and contradict."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from random import Random
from typing import Any
from uuid import UUID

from adapters.persistence.schema import TABLES
from adapters.persistence.schema.tables import Check, Column, Row, Type
from domain.shared.time import Span

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MOMENTS = (NOON - 3 * DAY, NOON - HOUR, NOON, NOON + HOUR, NOON + 3 * DAY)
SPANS = tuple(Span(NOON + shift, NOON + shift + HOUR) for shift in (0 * HOUR, HOUR / 2, HOUR, 2 * HOUR))
IDS = tuple(UUID(int=n) for n in range(1, 7))
EVENTS = """
    booking.requested booking.held booking.confirmed booking.rescheduled booking.cancelled booking.completed
    booking.no_show booking.unplaceable payment.requested payment.captured payment.doubted refund.requested
    refund.doubted refund.succeeded refund.failed
    webhook.received mail.queued review.posted review.hidden session.ended user.sessions_ended
    user.suspended user.password_changed one_time_tokens.changed identity.linked
    file.deleted quote.accepted invoice.overpaid
    file.deleted
    invitation.accepted purchase.provisioned
""".split()
WORDS: dict[str, tuple[str, ...]] = {
    "reference": ("R1", "R2", "R3"),
    "account": ("gateway:simulated", "organization:1:receivable", "organization:1:account", "organization:1:bank"),
    "refunds.reason": ("", "", "made at the gateway"),
    "source_id": ("simulated:1", "simulated:2"),
    "gateway_ref": ("1", "2", "3"),
    "outbox.name": tuple(EVENTS),
    "action": tuple(EVENTS),
    "subject_table": (
        *("bookings", "sessions", "users", "credentials", "one_time_tokens", "payments", "outbox"),
        "external_identities",
        "invitations",
        "purchases",
    ),
    "outbox.subject_table": ("bookings", "payments"),
    "principal": ("system", "user:1"),
    "key": tuple(map(str, IDS)),
    "operation": ("MoveRating", "BookSlot"),
    "answer_table": ("bookings", "sessions"),
    "email": ("a@example.org", "A@example.org", "b@example.org"),
    "token_hash": ("0" * 64, "f" * 64, "f" * 64 + "\n", "raw"),
    "password_hash": ("$argon2id$v=19$m", "$2b$12$x", "plain", " $argon2"),
    "content_type": ("image/png", "image/png", "application/pdf", "text/html"),
    "found_type": ("image/png", "image/png", "application/pdf"),
    "files.state": ("stored", "stored", "uploading", "deleted"),
    "pair": tuple(f"{one}:{two}" for one in IDS for two in IDS if one < two),
    "tallies.name": (
        *(f"{series}:{id}" for series in ("seats", "messages", "files") for id in IDS),
        "invoices:1",
        *(f"{kind}s:{IDS[0]}:1" for kind in ("invoice", "credit_note")),
    ),
    "amount_currency": ("EUR", "EUR", "EUR", "USD"),
    "refund_currency": ("EUR", "USD"),
    "total_currency": ("EUR",),
}
NUMBERS: dict[str, tuple[int, ...]] = {
    "capacity": (1, 1, 2, 3),
    "seats": (1, 1, 1, 2, 0),
    "buffer_before": (0, 0, 30),
    "buffer_after": (0, 0, 30),
    "refund_ceiling": (100, 100, 50),
    "refund_floor": (0, 0, 100),
    "price_minor": (50, 101, 0),
    "refund_minor": (0, 25, 50, 51, 101),
    "ledger.amount_minor": (50, -50, 100, -100),
    "settlements.amount_minor": (50, 50, -50, 100),
    "year": (1,),
    "average_hundredths": (0, 100, 200, 150),
    "stars": (1, 2, 5),
}


def chaos(table: str, seed: int) -> Row:
    """A row of that table; the same seed gives the same."""
    random = Random(f"{table} {seed}")
    row = {column.name: _value(table, column, random) for column in TABLES[table].columns}
    if table == "bookings":
        _tidied(row, random)
    return row


def _value(table: str, column: Column, random: Random) -> Any:
    if column.nullable and random.random() < 0.4:
        return None
    return _DRAW[column.type](table, column.name, random)


def _text(table: str, name: str, random: Random) -> str:
    return random.choice(WORDS.get(f"{table}.{name}") or WORDS.get(name) or _listed(table, name) or ("x",))


def _number(table: str, name: str, random: Random) -> int:
    known = NUMBERS.get(f"{table}.{name}") or NUMBERS.get(name)
    money = (0, 50, 50, 100) if name.endswith("_minor") else (0, 1, 1, 2, 3)
    return random.choice(known or money)


def _json(table: str, name: str, random: Random) -> Any:
    if name == "policy":
        tiers = [{"hours_before": hours, "refund_percent": 100 - hours} for hours in random.sample((1, 24, 48, 75), 2)]
        return {"tiers": tiers, "no_show_percent": random.choice((0, 50))}
    if name == "details":
        return {"origin": random.choice(("verified_email", "first_sight")), "email_verified": random.random() < 0.5}
    if name == "pictures":
        return [str(id) for id in random.sample(IDS, random.choice((0, 0, 1, 2)))]
    if name == "attachments":
        return [{"file_id": str(id)} for id in random.sample(IDS, random.choice((0, 0, 1)))]
    if name == "share":
        fee = {"amount_minor": random.choice((0, 5, 50)), "currency": "EUR"}
        return {"payee_ref": "x", "fee": fee, "back": random.choice(("in_proportion", "kept"))}
    if name in ("bill", "seller", "shares", "credited_shares"):
        return {"said": random.choice(("this", "this", "that"))}
    keys = (
        "booking_id",
        "invoice_id",
        "quote_id",
        "payment_id",
        "refund_id",
        "webhook_id",
        "mail_id",
        "job_id",
        "file_id",
    )
    return {key: str(random.choice(IDS)) for key in keys if random.random() < 0.6}


@lru_cache
def _listed(table: str, name: str) -> tuple[str, ...]:
    """The words the schema allows in this column."""
    for check in TABLES[table].constraints:
        if isinstance(check, Check) and (found := re.fullmatch(rf"{name} in \((.*)\)", check.sql)):
            return tuple(word.strip("' ") for word in found[1].split(","))
    return ()


def _tidied(row: Row, random: Random) -> None:
    """Often enough a booking is sound in itself, so that what is wrong with it is something else."""
    if random.random() < 0.7:
        row["active"] = row["state"] in ("held", "confirmed")
        before, after = timedelta(minutes=row["buffer_before"]), timedelta(minutes=row["buffer_after"])
        row["blocked"], row["starts_at"] = row["span"].padded(before, after), row["span"].starts_at
        row["price_currency"] = "EUR"
        if row["capacity"] == 1:
            row["occupancy"] = row["id"]


_DRAW: dict[Type, Callable[[str, str, Random], Any]] = {
    Type.UUID: lambda _, __, random: random.choice(IDS),
    Type.TEXT: _text,
    Type.BIGINT: _number,
    Type.BOOLEAN: lambda _, __, random: random.random() < 0.5,
    Type.INSTANT: lambda _, __, random: random.choice(MOMENTS),
    Type.DATE: lambda _, __, ___: date(2026, 6, 1),
    Type.JSON: _json,
    Type.SPAN: lambda _, __, random: random.choice(SPANS),
}
