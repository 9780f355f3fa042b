"""What the people of a world may expect from what they were shown: reckoned by them, held against the answers at once
and against the gateway's books at the end. The rules see rows; this sees what was promised."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from entrypoints.simulation.world import World

Shown = Mapping[str, Any]


class Expectations:
    """Remembers which bookings were called off, and which payments somebody gave back by hand."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._called_off: dict[str, Shown] = {}
        self._by_hand: set[str] = set()
        self._behind: Counter[str] = Counter()

    def called_off(self, booking: Shown) -> None:
        """Somebody was answered that this booking is cancelled: what goes back is what the shown policy gives."""
        self._called_off[booking["id"]] = booking
        share = share_of(booking)
        given = booking["refund"]
        if share is None or (given is None and not booking["paid"]):
            return
        if given is None or given["amount_minor"] != share or given["currency"] != booking["price"]["currency"]:
            self._world.fail(
                "B7 on the wire", f"{booking['reference']} gives back {given}, what was shown says {share}"
            )

    def by_hand(self, *names: str) -> None:
        """Somebody asked for money of this payment (by its id, or by the gateway's reference) of their own accord."""
        self._by_hand.update(names)

    def behind_our_back(self, ref: str, amount: int) -> None:
        """Somebody at the gateway gave that much of its payment back."""
        self._by_hand.add(ref)
        self._behind[ref] += amount

    def charged(self, booking: Shown, checkout: Shown) -> None:
        """Somebody is asked to pay: the price that was shown."""
        if checkout["amount"] != booking["price"]:
            said = f"{booking['reference']} was shown at {booking['price']}, and {checkout['amount']} is asked"
            self._world.fail("B9 on the wire", said)

    def judge(self) -> None:
        """Compare with what the gateway took and gave, now that all is quiet."""
        self._judge_refunds()
        self._judge_cancellations()

    def _judge_refunds(self) -> None:
        """Every refund that was asked for, by us or at the gateway, went back once."""
        scene = self._world.scene
        told = (row for row in scene.rows("audit") if row["action"] == "refund.requested")
        asked = {row["subject_id"] for row in told if row["subject_table"] == "refunds"}
        ours: Counter[object] = Counter()
        for row in scene.rows("refunds"):
            if row["id"] in asked and row["state"] == "succeeded":
                ours[row["payment_id"]] += row["amount_minor"]
        refs = {row["gateway_ref"]: row["id"] for row in scene.rows("payments")}
        for theirs in scene.gateway_payments():
            due = ours[refs.get(theirs["ref"])] + self._behind[theirs["ref"]]
            if theirs["refunded"] != due and theirs["card"] != "refund_fails":
                said = f"of {theirs['ref']} {due} was asked back, and {theirs['refunded']} went back"
                self._world.fail("M4 on the card", said)

    def _judge_cancellations(self) -> None:
        rows = {str(row["id"]): row for row in self._world.scene.rows("payments")}
        disputed = {str(row["payment_id"]) for row in self._world.scene.rows("disputes")}
        failed = {str(row["payment_id"]) for row in self._world.scene.rows("refunds") if row["state"] == "failed"}
        books = {each["ref"]: each for each in self._world.scene.gateway_payments()}
        for booking in self._called_off.values():
            payment = rows.get(booking["payment_id"] or "")
            theirs = books.get(payment["gateway_ref"]) if payment else None
            if payment is None or theirs is None or not booking["paid"] or str(payment["id"]) in failed:
                continue
            if str(payment["id"]) in disputed:
                continue  # what goes back of it waited for a bank, which may have taken it
            if self._by_hand & {str(payment["id"]), theirs["ref"]}:
                continue
            owed = min(booking["refund"]["amount_minor"] if booking["refund"] else 0, theirs["captured"])
            if theirs["refunded"] != owed:
                said = f"{booking['reference']} was to give back {owed}, and {theirs['refunded']} went back"
                self._world.fail("B7 on the card", said)


def share_of(booking: Shown) -> int | None:
    """What the shown policy gives back of a cancelled booking, in minor units; None where what was shown does not
    say: of one that was moved, in which the terms of both times play a part."""
    if booking["sequence"] or booking["cancelled_at"] is None:
        return None
    if not booking["paid"]:
        return 0
    percent = 100
    if booking["cancelled_by"] == "customer":
        notice = _moment(booking["span"]["starts_at"]) - _moment(booking["cancelled_at"])
        percent = max(_kept(booking["policy"]["tiers"], notice), default=0)
    # Half a unit goes to the even side, as banks do it.
    twice = 2 * booking["price"]["amount_minor"] * percent
    whole, rest = divmod(twice, 200)
    return int(whole + (rest > 100 or (rest == 100 and whole % 2 == 1)))


def _kept(tiers: Iterable[Shown], notice: timedelta) -> list[int]:
    return [tier["refund_percent"] for tier in tiers if notice >= timedelta(hours=tier["hours_before"])]


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
