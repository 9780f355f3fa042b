"""The kill campaign in small, and its judge on trial: histories that break one promise each must be condemned."""

import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.proof.crashes.books import Books
from tests.proof.crashes.campaign import Campaign
from tests.proof.crashes.checking import judged
from tests.proof.crashes.fleet import Fleet
from tests.proof.crashes.history import Chronicle, Deed, read
from tests.proof.crashes.killer import Killer, Part

START = "2026-03-30T09:00:00+00:00"
HELD = {"id": "B1", "reference": "AAAA-BBBB", "payment_id": "P1"}


async def test_what_a_killed_installation_acknowledged_is_there_once() -> None:
    """An API and the worker at once, then the database: three kills under load, and everything is judged."""
    orders = [(Part.API, Part.WORKER), (Part.POSTMASTER,)]
    few: dict[str, Any] = {"apis": 1, "talkers": 3, "bookers": 5, "whole": False, "quiet": True}
    campaign = Campaign(kills=3, seed=11, minutes=1, orders=orders, **few)
    report = await campaign.run()
    # How long a start takes, and what happens to be under way, is the campaign's to judge; here others share the CPU.
    by_the_clock = ("to recover (limit", "kills hit work in flight")
    assert [each for each in report.failures if not any(words in each for words in by_the_clock)] == []
    assert report.figures["kills_total"] == 3
    assert report.figures["acknowledged"]["book"] > 0
    assert report.figures["acknowledged"]["message"] > 0


def told(file: Path) -> list[Deed]:
    """A small history in which all went well: booked, paid, given back in part, cancelled, and talked about."""
    chronicle = Chronicle(file)
    book = chronicle.intends("book", "carla", job="J", start=START, seats=1)
    lost = chronicle.asks(book, 0, 1.0)
    chronicle.waits_in_vain(book, lost, "IncompleteReadError")
    chronicle.hears(book, chronicle.asks(book, 1, 1.5), 201, HELD, 1.6)
    pay = chronicle.intends("pay", "carla", payment="P1", booking="B1")
    chronicle.hears(pay, chronicle.asks(pay, 0, 2.0), 303, {}, 2.1)
    refund = chronicle.intends("refund", "vera", payment="P1", amount=500, booking="B1")
    chronicle.hears(refund, chronicle.asks(refund, 0, 3.0), 201, {"id": "R1"}, 3.1)
    cancel = chronicle.intends("cancel", "carla", booking="B1")
    chronicle.hears(cancel, chronicle.asks(cancel, 0, 4.0), 200, {"id": "B1", "state": "cancelled"}, 4.1)
    for n in (1, 2):
        message = chronicle.intends("message", "carla", place="/")
        chronicle.hears(message, chronicle.asks(message, 0, 4.0 + n), 201, {"id": f"M{n}", "sequence": n}, 4.5 + n)
    refused = chronicle.intends("book", "ruben", job="J", start=START, seats=1)
    chronicle.hears(refused, chronicle.asks(refused, 0, 7.0), 409, {"code": "booking.slot_taken"}, 7.1)
    unknown = chronicle.intends("message", "carla", place="/")
    chronicle.waits_in_vain(unknown, chronicle.asks(unknown, 0, 8.0), "ConnectionResetError")
    chronicle.asks(unknown, 1, 8.1)
    chronicle.takes_back(unknown)
    chronicle.close()
    return read(file)


def sound() -> Books:
    """The books that fit it."""
    return Books(
        bookings=[
            {
                "id": "B1",
                "reference": "AAAA-BBBB",
                "customer_id": "carla",
                "job_id": "J",
                "starts_at": START,
                "seats": 1,
                "note": "d000001",
                "state": "cancelled",
                "terms": "prepaid",
                "paid": True,
                "refund_minor": 4500,
                "confirmed": True,
            }
        ],
        messages=[message(1, "d000005"), message(2, "d000006")],
        payments=[
            {
                "id": "P1",
                "booking_id": "B1",
                "amount_minor": 4500,
                "captured_minor": 4500,
                "refunding_minor": 0,
                "refunded_minor": 4500,
                "state": "captured",
                "gateway_ref": "sp_1",
            }
        ],
        refunds=[refund_of("R1", 500, "d000003"), refund_of("R2", 4000, "the booking was cancelled")],
        ledger=[
            entry("t1", "gateway:simulated", 4500),
            entry("t1", "organization:o:receivable", -4500),
            entry("t2", "gateway:simulated", -500),
            entry("t2", "organization:o:receivable", 500),
            entry("t3", "gateway:simulated", -4000),
            entry("t3", "organization:o:receivable", 4000),
        ],
        talks=[{"id": "C1", "kind": "booking", "booking_id": "B1", "created_by": "carla"}],
        news=[
            {"about": "B1", "kind": "booking.held", "many": 2},
            {"about": "B1", "kind": "booking.confirmed", "many": 2},
            {"about": "B1", "kind": "booking.cancelled", "many": 2},
            {"about": "B1", "kind": "payment.captured", "many": 1},
            {"about": "B1", "kind": "refund.succeeded", "many": 2},
        ],
        mails=[{"state": "sent", "many": 5}],
        gateway_payments=[
            {"ref": "sp_1", "payment_id": "P1", "attempt": 1, "state": "captured", "captured": 4500, "refunded": 4500}
        ],
        gateway_refunds=[
            {"ref": "sr_1", "refund_id": "R1", "payment_ref": "sp_1", "state": "succeeded", "amount": 500},
            {"ref": "sr_2", "refund_id": "R2", "payment_ref": "sp_1", "state": "succeeded", "amount": 4000},
        ],
    )


def message(number: int, text: str, id: str | None = None) -> dict[str, Any]:
    """A message of Carla's."""
    return {
        "id": id or f"M{number}",
        "conversation_id": "C1",
        "sender_id": "carla",
        "sequence": number,
        "text": text,
    }


def refund_of(id: str, amount: int, reason: str) -> dict[str, Any]:
    """A refund that arrived."""
    return {"id": id, "booking_id": "B1", "amount_minor": amount, "state": "succeeded", "reason": reason}


def entry(transaction: str, account: str, amount: int) -> dict[str, Any]:
    """One side of a movement."""
    return {"transaction_id": transaction, "account": account, "amount_minor": amount, "payment_id": "P1"}


def changed(table: str, n: int = 0, **change: Any) -> Callable[[Books], Books]:
    """The books with one row different."""

    def change_it(books: Books) -> Books:
        rows = [dict(row) for row in getattr(books, table)]
        rows[n] |= change
        return replace(books, **{table: rows})

    return change_it


def without(table: str, n: int = 0) -> Callable[[Books], Books]:
    """The books with one row missing."""

    def leave_out(books: Books) -> Books:
        rows = list(getattr(books, table))
        del rows[n]
        return replace(books, **{table: rows})

    return leave_out


def more(table: str, row: dict[str, Any] | None = None, **change: Any) -> Callable[[Books], Books]:
    """The books with one more row: this one, or the first once more with something changed."""

    def add(books: Books) -> Books:
        rows = list(getattr(books, table))
        return replace(books, **{table: [*rows, row if row is not None else {**rows[0], **change}]})

    return add


def test_a_history_that_fits_its_books_is_acquitted(tmp_path: Path) -> None:
    assert judged(told(tmp_path / "history"), sound()) == []


def test_what_nobody_knows_may_be_there_or_not(tmp_path: Path) -> None:
    books = more("messages", message(3, "d000008"))(sound())
    assert judged(told(tmp_path / "history"), books) == []


GUILTY = {
    "a lost booking": (without("bookings"), "book d000001 was acknowledged and is lost"),
    "a doubled booking": (more("bookings", id="B2", reference="C"), "book d000001 is there 2 times"),
    "a booking under another id": (changed("bookings", id="B9"), "was acknowledged as"),
    "a booking under another reference": (changed("bookings", reference="X"), "was acknowledged as"),
    "a reference given twice": (more("bookings", id="B2", note="x"), "share the reference AAAA-BBBB"),
    "a booking nobody asked for": (more("bookings", id="B2", reference="C", note="x"), "nobody asked for it"),
    "a refused booking that is there": (
        more("bookings", id="B2", reference="C", note="d000007"),
        "was refused with booking.slot_taken and is there all the same",
    ),
    "a cancellation forgotten": (changed("bookings", state="confirmed"), "was told that it is cancelled"),
    "a lost message": (without("messages", 1), "message d000006 was acknowledged and is lost"),
    "a doubled message": (more("messages", message(3, "d000005", "M3")), "message d000005 is there 2 times"),
    "an unknown message doubled": (
        lambda books: more("messages", message(4, "d000008", "M4"))(more("messages", message(3, "d000008"))(books)),
        "message d000008 is there 2 times",
    ),
    "a gap between messages": (changed("messages", 1, sequence=3), "numbered up to 3"),
    "a message under another number": (changed("messages", 0, sequence=2), "was acknowledged as"),
    "messages in another order": (
        lambda books: changed("messages", 0, sequence=2)(changed("messages", 1, sequence=1)(books)),
        "was sent after number",
    ),
    "a card charged twice": (more("gateway_payments", ref="sp_2"), "was captured 2 times"),
    "a card never charged": (changed("gateway_payments", state="open", captured=0), "has no capture"),
    "a capture we never heard of": (changed("payments", state="open", captured_minor=0), "captured at the gateway"),
    "a capture only we know": (without("gateway_payments"), "captured here and not at the gateway"),
    "a booking not paid by its capture": (
        lambda books: changed("payments", refunded_minor=0)(changed("bookings", paid=False)(books)),
        "is not paid, its payment P1 is captured",
    ),
    "a refund lost": (without("refunds"), "refund d000003 was acknowledged and is lost"),
    "a refund sent twice": (
        more("gateway_refunds", {"refund_id": "R1", "amount": 500, "ref": "sr_3", "payment_ref": "sp_1"}),
        "refund R1 was sent 2 times",
    ),
    "a refund never sent": (without("gateway_refunds"), "refund R1 is 500 here and [] there"),
    "a refund of another amount": (changed("refunds", amount_minor=600), "was to be 500 and is 600"),
    "a refund still under way": (changed("refunds", state="requested"), "after everything settled"),
    "a refund of nobody's": (more("gateway_refunds", refund_id="R9"), "sent refund R9, which we do not know"),
    "too little given back": (changed("payments", refunded_minor=500), "500 went back"),
    "a ledger off balance": (changed("ledger", amount_minor=4400), "ledger transaction t1 sums to -100"),
    "a ledger that says otherwise": (
        lambda books: without("ledger", 2)(without("ledger", 2)(books)),
        "the ledger says 500",
    ),
    "no conversation": (without("talks"), "has 0 conversations"),
    "news never told": (without("news", 1), "booking.confirmed of booking B1 (cancelled) was told 0 times"),
    "news told twice": (changed("news", 3, many=2), "payment.captured of booking B1 (cancelled) was told 2 times"),
    "an event given up": (
        lambda books: replace(books, dead=[{"id": "E", "name": "x", "last_error": "y"}]),
        "event x E was given up",
    ),
    "an event left waiting": (lambda books: replace(books, overdue=[{"name": "x", "many": 2}]), "2 events x are due"),
    "a webhook undelivered": (
        lambda books: replace(books, undelivered=[{"id": "W", "last_error": "answered 500"}]),
        "could not deliver W",
    ),
    "a mail unsent": (changed("mails", state="queued"), "5 mails are queued"),
    "a change nobody audited": (lambda books: replace(books, unaudited=[{"id": "B1"}]), "has no audit row"),
}


@pytest.mark.parametrize("crime", GUILTY)
def test_books_that_break_a_promise_are_condemned(crime: str, tmp_path: Path) -> None:
    spoil, words = GUILTY[crime]
    verdict = judged(told(tmp_path / "history"), spoil(sound()))
    assert any(words in each for each in verdict), verdict


@pytest.mark.parametrize(
    ("status", "answer", "words"),
    [
        (201, {"id": "B2", "reference": "AAAA-BBBB"}, "was acknowledged as 2 different things"),
        (409, {"code": "booking.slot_taken"}, "was acknowledged, then refused"),
        (500, {"code": "internal"}, "was answered 500"),
    ],
)
def test_answers_that_contradict_one_another_are_condemned(
    status: int, answer: dict[str, str], words: str, tmp_path: Path
) -> None:
    told(tmp_path / "history")
    with (tmp_path / "history").open("a") as file:
        for line in (
            {"asks": "d000001", "n": 3, "api": 0, "t": 9.0},
            {"hears": "d000001", "n": 3, "status": status, "told": answer, "t": 9.1},
        ):
            file.write(json.dumps(line) + "\n")
    verdict = judged(read(tmp_path / "history"), sound())
    assert any(words in each for each in verdict), verdict


def test_kills_are_dealt_out_as_they_should_be(tmp_path: Path) -> None:
    async def look() -> None:
        """Nothing to see."""

    plan = Killer(Fleet(tmp_path), random.Random(1), look).plan(200)
    parts = [part for some in plan for part in some]
    assert [parts.count(part) for part in Part] == [90, 60, 50]
    assert {len(some) for some in plan} == {1, 2}
    assert all(len(set(some)) == len(some) for some in plan)
