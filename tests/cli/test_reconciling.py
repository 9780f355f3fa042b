"""An operator holds the books against the gateway's, and deals with what does not fit."""

import asyncio
from datetime import timedelta
from uuid import UUID

from application.ports.payments import OpenOrder
from domain.shared.ids import BookingId, PaymentId
from domain.shared.money import Money
from tests.cli.conftest import Office


def a_strangers_charge(town: Office, number: int) -> None:
    """Somebody uses our account for something else."""
    gateway = town.house.container.gateway()

    async def charge() -> None:
        ids = {"payment_id": PaymentId(UUID(int=number)), "booking_id": BookingId(UUID(int=2))}
        stray = await gateway.open(OpenOrder(**ids, attempt=1, amount=Money(777, "EUR")))
        await gateway.confirm(stray.ref, stray.client_secret, "ok")

    asyncio.run(charge())


def test_what_was_lost_is_put_right_and_a_second_look_finds_nothing(town: Office) -> None:
    a_strangers_charge(town, 1)
    town.settle()
    now = town.house.container.clock().now()
    stretch = ("--from", (now - timedelta(days=9)).isoformat(), "--until", now.isoformat())
    first = town("payment", "reconcile", *stretch, "--json")
    assert first.code == 1
    assert '"kind": "stranger"' in first.out
    town.settle()
    (left,) = town.json("payment", "discrepancies")["items"]
    assert (left["kind"], left["about"], left["closed_at"]) == ("stranger", "payment", None)
    closed = town.json("payment", "close-discrepancy", left["id"], "--reason", "refunded by hand")
    assert closed["reason"] == "refunded by hand"
    assert closed["closed_by"].startswith("operator:")
    again = town.json("payment", "reconcile", *stretch)
    assert (again["stage"], again["repaired"], again["filed"], again["left_for_a_person"]) == ("done", 0, 0, [])
    assert len(town.json("payment", "reconciliations")["items"]) == 2
    assert len(town.json("payment", "discrepancies", "--closed")["items"]) == 1
    shown = town("payment", "reconcile", *stretch)
    assert shown.code == 0
    assert "looked at" in shown.out


def test_messages_that_did_not_come_are_fetched_once(town: Office) -> None:
    a_strangers_charge(town, 3)
    assert town.json("webhooks", "fetch")["fetched"] > 0
    assert town.json("webhooks", "fetch")["fetched"] == 0


def test_a_stretch_is_said_in_dates_or_moments(town: Office) -> None:
    assert town("payment", "reconcile", "--until", "2026-03-01").code == 2
    assert town("payment", "reconcile", "--from", "yesterday").code == 2
    whole = town.json("payment", "reconcile", "--from", "2026-02-01", "--until", "2026-02-02")
    assert (whole["since"], whole["until"]) == ("2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z")
    assert (whole["repaired"], whole["filed"]) == (0, 0)
    refused = town("payment", "reconcile", "--from", "2026-02-01", "--until", "2036-02-02", "--json")
    assert (refused.code, refused.refusal["code"]) == (1, "invalid")
