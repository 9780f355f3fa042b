"""The watch: rules after every commit, what must be true when all is quiet, and what no log may hold."""

import sys
import traceback
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import structlog

from domain.shared.errors import Refusal
from entrypoints.container.simulating import Judge, Scene, late

QUIET_AFTER = 3600.0

_EXPECTED = frozenset({"reaction failed", "cannot work now", "lease lost", "security event not kept"})
"""Warnings that faults bring about; with an exception nobody expected, they are failures all the same."""


class Watch:
    """Judges the rows of one scene."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._judge = Judge({name: table.rows for name, table in scene.memory.tables.items()})
        self._judge.judge()

    def after(self, changes: Any) -> list[tuple[str, str]]:
        """What this commit broke."""
        for table, before, after in changes:
            self._judge.note(table, before, after)
        return [(f"rule {each.code}", f"{each.name}: {each.subject}: {each.said}") for each in self._judge.judge()]

    def when_quiet(self) -> Iterator[tuple[str, str]]:
        """What still waits, and where our books differ from the gateway's, once nothing fails any more."""
        scene = self._scene
        tables = {name: table.rows for name, table in scene.memory.tables.items()}
        for broken in late(tables, now=scene.clock.now(), grace=scene.grace):
            yield f"liveness {broken.code}", f"{broken.name}: {broken.subject}: {broken.said}"
        for event in scene.rows("outbox"):
            if event["dead_at"] is not None and event["finished_at"] is None:
                yield "liveness dead letter", f"{event['name']} was given up: {event['last_error']}"
            elif event["finished_at"] is None and event["due_at"] <= scene.clock.now():
                yield "liveness outbox", f"{event['name']} waits since {event['due_at']}: {event['last_error']}"
        yield from _books(scene)
        yield from _invoices(scene)
        yield from _plans(scene)
        yield from _shares(scene)
        yield from _accounts(scene)
        if torn := scene.broken_ledger():
            yield "M2 ledger", torn


def _books(scene: Scene) -> Iterator[tuple[str, str]]:
    """M5: after things settle the ledger equals the gateway."""
    ours = {row["gateway_ref"]: row for row in scene.rows("payments") if row["gateway_ref"] is not None}
    known = {str(row["id"]) for row in scene.rows("payments")}
    disputed, charged = Counter[str](), Counter[str]()
    for each in scene.gateway_disputes():
        disputed[each["payment_ref"]] += each["taken"] - each["returned"]
        charged[each["payment_ref"]] += each["fee"]
    for theirs in scene.gateway_payments():
        row = ours.get(theirs["ref"])
        if row is None:
            if theirs["captured"] - theirs["refunded"] and theirs["payment_id"] in known:
                yield "M5 books", f"the gateway holds {theirs['captured']} under {theirs['ref']}, which we do not know"
            continue
        mine = (row["captured_minor"], row["refunded_minor"], row["disputed_minor"])
        there = (theirs["captured"], theirs["refunded"], disputed[theirs["ref"]])
        if mine != there:
            said = f"payment {row['id']} {row['state']}: captured, refunded, disputed are {mine} here"
            yield "M5 books", f"{said} and {there} at the gateway"
        balance = sum(
            entry["amount_minor"]
            for entry in scene.rows("ledger")
            if entry["payment_id"] == row["id"]
            and entry["account"] == scene.cash_account
            and entry["source_kind"].startswith(("capture", "refund", "dispute"))
        )
        held = theirs["captured"] - theirs["refunded"] - disputed[theirs["ref"]] - charged[theirs["ref"]]
        if balance != held:
            yield "M5 ledger", f"payment {row['id']}: the ledger holds {balance}, the gateway {held}"


def _invoices(scene: Scene) -> Iterator[tuple[str, str]]:
    """I3: what an invoice says it was paid by the gateway or by hand is what the ledger has under its name."""
    there: Counter[Any] = Counter()
    for entry in scene.rows("ledger"):
        disputed = entry["source_kind"].startswith("dispute")  # what a bank takes leaves the invoice paid
        if entry["invoice_id"] and entry["account"].endswith(":receivable") and not disputed:
            there[entry["invoice_id"]] -= entry["amount_minor"]
    of_bookings: Counter[Any] = Counter()
    for settlement in scene.rows("settlements"):
        if settlement["kind"] == "booking":
            of_bookings[settlement["invoice_id"]] += settlement["amount_minor"]
    for invoice in scene.rows("invoices"):
        booked = there[invoice["id"]] + of_bookings[invoice["id"]]
        if invoice["paid_minor"] != booked:
            yield "I3 ledger", f"invoice {invoice['id']} says {invoice['paid_minor']} paid, the ledger {booked}"


def _plans(scene: Scene) -> Iterator[tuple[str, str]]:
    """What was subscribed to stands here as it does at the gateway; a paid purchase made one business."""
    mirrors = {row["gateway_ref"]: row for row in scene.rows("subscriptions")}
    owners: Counter[Any] = Counter()
    purchases = {str(row["id"]): row for row in scene.rows("purchases")}
    for checkout in scene.gateway_plans("checkouts"):
        if not checkout["paid"]:
            continue
        purchase = purchases.get(checkout["purchase_id"])
        if purchase is None or purchase["state"] != "provisioned" or purchase["organization_id"] is None:
            yield "P1 purchase", f"{checkout['ref']} is paid, and its purchase is {purchase and purchase['state']}"
            continue
        owners[purchase["organization_id"]] += 1
    yield from (
        ("P1 purchase", f"organization {id} was bought {many} times") for id, many in owners.items() if many > 1
    )
    for theirs in scene.gateway_plans("subscriptions"):
        ours = mirrors.get(theirs["ref"])
        if ours is None:
            continue  # not paid for (yet)
        mine = (ours["state"], ours["price_ref"], ours["ends_with_period"])
        if mine != (theirs["state"], theirs["price_ref"], bool(theirs["ends_with_period"])):
            yield "P2 mirror", f"subscription {theirs['ref']} is {mine} here and {theirs['state']} at the gateway"


def _shares(scene: Scene) -> Iterator[tuple[str, str]]:
    """M5 of shared payments: every movement the gateway tells of is in our books, and no other."""
    ours: defaultdict[tuple[str, str], int] = defaultdict(int)
    there: defaultdict[tuple[str, str], int] = defaultdict(int)
    known = {row["gateway_ref"] for row in scene.rows("payments")}
    for entry in scene.rows("ledger"):
        if entry["account"].endswith(":account") and entry["source_kind"] not in ("payout", "payout_returned"):
            ours[entry["source_kind"], entry["source_id"].partition(":")[2]] += abs(entry["amount_minor"])
    for row in scene.books.read("select * from moved"):
        if row["payment_ref"] in known:
            there[row["kind"], row["ref"]] += row["amount"]
    for what in sorted({*ours, *there}):
        if ours[what] != there[what]:
            yield "M5 shares", f"{' '.join(what)} is {ours[what]} here and {there[what]} at the gateway"


def _accounts(scene: Scene) -> Iterator[tuple[str, str]]:
    """M5 of organizations' own accounts and their payouts: they stand here as they stand there."""
    states = {row["gateway_ref"]: row["state"] for row in scene.rows("payouts")}
    for row in scene.books.read("select * from payouts"):
        if states.get(row["ref"]) != row["state"]:
            said = f"payout {row['ref']} is {states.get(row['ref'])} here"
            yield "M5 payouts", f"{said} and {row['state']} at the gateway"
    known = {row["gateway_ref"]: (row["takes_charges"], row["pays_out"]) for row in scene.rows("payees")}
    for row in scene.books.read("select * from payees"):
        if (mine := known.get(row["ref"])) and mine != (bool(row["takes_charges"]), bool(row["pays_out"])):
            yield "M5 payees", f"account {row['ref']} takes charges and pays out {mine} here"


@contextmanager
def listening(hear: Any) -> Iterator[None]:
    """While the block lasts, warnings and errors that are logged are told to `hear(level, said)` instead."""
    before = structlog.get_config()

    def heard(_: Any, level: str, said: Mapping[str, Any]) -> Any:
        hear(level, said)
        raise structlog.DropEvent

    structlog.configure(
        processors=[heard],
        wrapper_class=structlog.make_filtering_bound_logger(30),
        context_class=dict,
        cache_logger_on_first_use=False,
    )
    try:
        yield
    finally:
        structlog.configure(**before)


def unexpected(level: str, said: Mapping[str, Any]) -> str | None:
    """What a log line tells that must never happen, if it does."""
    if wrong := said.get("exc_info"):
        error = wrong if isinstance(wrong, BaseException) else sys.exc_info()[1]
        return f"{said.get('event')}: {_whole(error)} {said.get('duty', said.get('event_name', ''))}".strip()
    if level in ("error", "critical") and said.get("event") not in _EXPECTED:
        return f"{said.get('event')}: {said.get('error', '')} {said.get('event_name', '')}".strip()
    return None


def _whole(error: BaseException | None) -> str:
    """The error, and where it came from."""
    if error is None:
        return ""
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    places = " > ".join(f"{frame.filename.rpartition('/src/')[2]}:{frame.lineno}" for frame in frames)
    numbers = dict(error.details) if isinstance(error, Refusal) else ""
    return f"{type(error).__name__}: {error} {numbers} ({places})"
