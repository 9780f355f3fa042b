"""The judgement: a history and the books, held against each other. Pure, so that it can be judged itself."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from tests.proof.crashes.books import Books, Rows
from tests.proof.crashes.history import Deed

_MADE = {"book": ("bookings", "note"), "message": ("messages", "text"), "refund": ("refunds", "reason")}
"""Where each kind of deed leaves its token."""


def judged(deeds: Sequence[Deed], books: Books) -> list[str]:
    """Everything that is wrong, each in a sentence; an empty list is an acquittal."""
    return [
        *_effects(deeds, books),
        *_answers(deeds),
        *_bookings(deeds, books),
        *_messages(deeds, books),
        *_captures(deeds, books),
        *_cancellations(deeds, books),
        *_refunds(deeds, books),
        *_ledger(books),
        *_follow_up(books),
        *_quiet(books),
    ]


def _effects(deeds: Sequence[Deed], books: Books) -> Iterator[str]:
    """What was acknowledged is there once, what was refused is not there, what nobody knows is there at most once, and
    nothing is there that nobody asked for."""
    for kind, (table, column) in _MADE.items():
        wanted = {deed.token: deed for deed in deeds if deed.kind == kind}
        found = Counter(row[column] for row in getattr(books, table))
        for token, deed in wanted.items():
            many = found.pop(token, 0)
            if deed.acknowledged and many == 0:
                yield f"{kind} {token} was acknowledged and is lost ({_told(deed)})"
            elif deed.refusal and many:
                yield f"{kind} {token} was refused with {deed.refusal.told.get('code')} and is there all the same"
            elif many > 1:
                yield f"{kind} {token} is there {many} times"
        ours = (token for token in found if kind != "refund" or token.startswith("d0"))
        yield from (f"{kind} {token!r} is there and nobody asked for it" for token in ours)


def _answers(deeds: Iterable[Deed]) -> Iterator[str]:
    """However often one thing was asked for, it was acknowledged as the same one; and nothing broke on the way."""
    for deed in deeds:
        ids = {each.told["id"] for each in deed.attempts if each.status in (200, 201) and "id" in each.told}
        if len(ids) > 1:
            yield f"{deed.kind} {deed.token} was acknowledged as {len(ids)} different things: {sorted(ids)}"
        odd = [each for each in deed.attempts if each.status is not None and each.status >= 500 and each.status != 503]
        yield from (f"{deed.kind} {deed.token} was answered {each.status}: {each.told}" for each in odd)
        told = next((n for n, each in enumerate(deed.attempts) if each.status is not None and each.status < 400), None)
        if told is not None and deed.kind in _MADE:
            late = [each for each in deed.attempts[told:] if each.status is not None and 400 <= each.status < 500]
            yield from (f"{deed.kind} {deed.token} was acknowledged, then refused: {each.told}" for each in late)


def _bookings(deeds: Iterable[Deed], books: Books) -> Iterator[str]:
    """An acknowledged booking is the one that was asked for, under the id and reference that were told."""
    rows = {row["note"]: row for row in books.bookings}
    for deed in deeds:
        row = rows.get(deed.token)
        if deed.kind != "book" or not deed.acknowledged or row is None:
            continue
        about, told = deed.about, deed.told
        wanted = (told["id"], told["reference"], deed.who, about["job"], about["start"], about["seats"])
        start = row["starts_at"]
        spelled = start.isoformat() if isinstance(start, datetime) else start
        there = (row["id"], row["reference"], row["customer_id"], row["job_id"], spelled, row["seats"])
        if there != wanted:
            yield f"booking {deed.token} was acknowledged as {wanted} and is {there}"
    for name in ("id", "reference"):
        yield from (f"two bookings share the {name} {one}" for one in _twice(row[name] for row in books.bookings))


def _messages(deeds: Iterable[Deed], books: Books) -> Iterator[str]:
    """Sequences have no gap; each acknowledged message has the number that was told; what a sender knew to be sent
    comes before what they sent later."""
    talks: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in books.messages:
        talks[row["conversation_id"]].append(row)
    for id, rows in talks.items():
        numbers = sorted(row["sequence"] for row in rows)
        if numbers != list(range(1, len(numbers) + 1)):
            yield f"conversation {id} has {len(numbers)} messages numbered up to {numbers[-1]}"
    by_text = {row["text"]: row for row in books.messages}
    heard: dict[tuple[str, str], tuple[float, int]] = {}
    for deed in sorted((one for one in deeds if one.kind == "message" and one.answer), key=_answered_at):
        answer = deed.answer
        if deed.token not in by_text or answer is None:
            continue
        row = by_text[deed.token]
        if (row["id"], row["sequence"], row["sender_id"]) != (answer.told["id"], answer.told["sequence"], deed.who):
            yield f"message {deed.token} was acknowledged as {answer.told} and is {dict(row)}"
        before = heard.get((row["conversation_id"], deed.who))
        if before and deed.attempts[0].asked > before[0] and row["sequence"] < before[1]:
            yield f"message {deed.token} was sent after number {before[1]} was acknowledged and is {row['sequence']}"
        heard[row["conversation_id"], deed.who] = (answer.at, row["sequence"])


def _captures(deeds: Iterable[Deed], books: Books) -> Iterator[str]:
    """A card that was taken paid once; at the gateway, in the payment, and for the booking."""
    at_gateway: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in books.gateway_payments:
        if row["state"] == "captured":
            at_gateway[row["payment_id"]].append(row)
    ours = {row["id"]: row for row in books.payments}
    paid = {row["id"]: row["paid"] for row in books.bookings}
    for payment_id, taken in at_gateway.items():
        if len(taken) > 1:
            yield f"payment {payment_id} was captured {len(taken)} times at the gateway"
        if payment_id not in ours:
            yield f"the gateway captured {payment_id}, which we do not know"
        else:
            yield from _capture(ours[payment_id], taken[0]["captured"], paid)
    only_here = (row["id"] for row in books.payments if row["captured_minor"] and row["id"] not in at_gateway)
    yield from (f"payment {id} is captured here and not at the gateway" for id in only_here)
    for deed in deeds:
        if deed.kind == "pay" and deed.acknowledged and deed.about["payment"] not in at_gateway:
            yield f"the card was taken for {deed.about['payment']} ({deed.token}), and the gateway has no capture"


def _capture(payment: Mapping[str, Any], captured: int, paid: Mapping[str, bool]) -> Iterator[str]:
    if payment["captured_minor"] != captured or payment["state"] != "captured":
        yield f"payment {payment['id']} is {payment['state']} here and captured at the gateway"
    elif not paid.get(payment["booking_id"]) and payment["refunded_minor"] != captured:
        # Who calls off before the card's news has come gets all of it back.
        yield f"booking {payment['booking_id']} is not paid, its payment {payment['id']} is captured"


def _cancellations(deeds: Iterable[Deed], books: Books) -> Iterator[str]:
    """A cancelled booking stays cancelled, and gives back exactly what its policy decided, less what was given."""
    bookings = {row["id"]: row for row in books.bookings}
    payments = {row["booking_id"]: row for row in books.payments}
    for deed in deeds:
        booking = bookings.get(deed.about.get("booking", ""))
        if deed.kind == "cancel" and deed.acknowledged and booking is not None and booking["state"] != "cancelled":
            yield f"booking {booking['id']} is {booking['state']}; {deed.token} was told that it is cancelled"
    for booking in books.bookings:
        payment = payments.get(booking["id"])
        if booking["state"] != "cancelled" or payment is None or not payment["captured_minor"]:
            continue
        by_hand = sum(row["amount_minor"] for row in _of(books.refunds, booking["id"]) if row["reason"][:2] == "d0")
        wanted = max(booking["refund_minor"] or 0, by_hand)
        if payment["refunded_minor"] != wanted and payment["refunded_minor"] != payment["captured_minor"]:
            yield (
                f"booking {booking['id']} was cancelled with {booking['refund_minor']} to give back, "
                f"{by_hand} given by hand, and {payment['refunded_minor']} went back"
            )


def _refunds(deeds: Iterable[Deed], books: Books) -> Iterator[str]:
    """Each refund was sent once, by both books, and no more than was captured."""
    sent: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in books.gateway_refunds:
        sent[row["refund_id"]].append(row)
    ours = {row["id"]: row for row in books.refunds}
    for id, rows in sent.items():
        if len(rows) > 1:
            yield f"refund {id} was sent {len(rows)} times"
        if id not in ours:
            yield f"the gateway sent refund {id}, which we do not know"
    for refund in books.refunds:
        there = sent.get(refund["id"], [])
        if refund["state"] != "succeeded":
            yield f"refund {refund['id']} ({refund['reason']}) is {refund['state']} after everything settled"
        elif sum(row["amount"] for row in there) != refund["amount_minor"]:
            yield f"refund {refund['id']} is {refund['amount_minor']} here and {[row['amount'] for row in there]} there"
    for deed in deeds:
        mine = ours.get(deed.told.get("id", ""))
        if deed.kind == "refund" and mine is not None and mine["amount_minor"] != deed.about["amount"]:
            yield f"refund {deed.token} was to be {deed.about['amount']} and is {mine['amount_minor']}"


def _ledger(books: Books) -> Iterator[str]:
    """The ledger sums to zero, and says of each payment what the gateway says."""
    sums: Counter[str] = Counter()
    net: Counter[str] = Counter()
    for row in books.ledger:
        sums[row["transaction_id"]] += row["amount_minor"]
        net[row["payment_id"]] += row["amount_minor"] if row["account"].startswith("gateway:") else 0
    yield from (f"ledger transaction {id} sums to {off}" for id, off in sums.items() if off)
    there: Counter[str] = Counter()
    for row in books.gateway_payments:
        there[row["payment_id"]] += row["captured"] - row["refunded"]
    for id in sorted(net.keys() | there.keys()):
        if net[id] != there[id]:
            yield f"the gateway holds {there[id]} of payment {id}, the ledger says {net[id]}"


def _follow_up(books: Books) -> Iterator[str]:
    """What follows from an event followed, once: conversations and news of bookings, payments and refunds."""
    talked_of = Counter(row["booking_id"] for row in books.talks if row["booking_id"])
    news = {(row["about"], row["kind"]): row["many"] for row in books.news}
    captured = {row["booking_id"] for row in books.payments if row["captured_minor"]}
    refunded = Counter(row["booking_id"] for row in books.refunds if row["state"] == "succeeded")
    for row in books.bookings:
        id, state = row["id"], row["state"]
        if talked_of[id] != 1:
            yield f"booking {id} ({state}) has {talked_of[id]} conversations"
        expected = {
            "booking.held": 2 if row["terms"] == "prepaid" else 0,
            "booking.confirmed": 2 if row["confirmed"] else 0,
            "booking.cancelled": 2 if state == "cancelled" else 0,
            "booking.expired": 2 if state == "expired" else 0,
            "payment.captured": 1 if id in captured else 0,
            "refund.succeeded": refunded[id],
        }
        for kind, many in expected.items():
            if news.get((id, kind), 0) != many:
                yield f"{kind} of booking {id} ({state}) was told {news.get((id, kind), 0)} times, not {many}"


def _quiet(books: Books) -> Iterator[str]:
    """Everything came to rest: no event waits or was given up, no hold is left, every change has its audit row."""
    yield from (f"event {row['name']} {row['id']} was given up: {row['last_error']}" for row in books.dead)
    yield from (f"{row['many']} events {row['name']} are due and not settled" for row in books.overdue)
    yield from (f"the gateway could not deliver {row['id']}: {row['last_error']}" for row in books.undelivered)
    yield from (f"{row['many']} mails are {row['state']}" for row in books.mails if row["state"] != "sent")
    yield from (f"the last change of {row['id']} has no audit row" for row in books.unaudited)
    yield from (f"booking {row['id']} is still held" for row in books.bookings if row["state"] == "held")
    open_ones = [row for row in books.payments if row["state"] in ("requested", "open", "unknown", "processing")]
    yield from (f"payment {row['id']} is still {row['state']}" for row in open_ones)


def _of(rows: Rows, booking_id: str) -> Rows:
    return [row for row in rows if row["booking_id"] == booking_id]


def _twice(values: Iterable[str]) -> list[str]:
    return [value for value, many in Counter(values).items() if many > 1]


def _answered_at(deed: Deed) -> float:
    return deed.answer.at if deed.answer else 0.0


def _told(deed: Deed) -> str:
    return f"{deed.answer.status} {deed.told}" if deed.answer else ""
