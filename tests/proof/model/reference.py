"""The reference model, last part: bookings, their money and their reviews, as anybody would expect them of a house that
sells bookable work."""

from datetime import datetime, timedelta
from typing import Any

from tests.proof.model.offers import Offers, wish_for
from tests.proof.model.society import HOUR, Thing, Verdict

POLICIES = {"flexible": [(24, 100)], "moderate": [(120, 100), (24, 50)], "strict": [(336, 100), (168, 50)]}
HOLD = timedelta(minutes=15)
RANK = {"requested": 0, "open": 1, "failed": 4, "cancelled": 5, "captured": 6}
CARDS = {"ok": "captured", "refund_fails": "captured", "declined": "failed"}


class Reference(Offers):
    """The whole business."""

    def __init__(self, now: datetime) -> None:
        super().__init__(now)
        self.payments: dict[str, Thing] = {}
        self.refunds: list[Thing] = []

    def worker(self) -> None:
        """All that follows by itself: lapsed holds end, and what was put off is done, whatever that brings about."""
        for booking in sorted(self.bookings.values(), key=lambda each: each["expires"] or self.now):
            if self.lapsed(booking):
                self.expire(booking)
        while self.later:
            self.later.pop(0)()

    # --- Bookings -----------------------------------------------------------------------------------------------------

    def side(self, me: str, booking: Thing | None) -> str:
        """On which side of it somebody stands; on none, it does not exist for them."""
        if booking is None:
            return ""
        if booking["customer"] == me:
            return "customer"
        return "provider" if booking["provider"] == me or self.manages(booking["org"], me) else ""

    def book(self, me: str, job_id: str, start: datetime, seats: int, told: Thing) -> Verdict:
        job = self.jobs.get(job_id)
        if job is None or job["state"] == "draft":
            return {"not_found"}
        booking = wish_for(job_id, job, seats) | {"start": start, "customer": me, "provider": job["provider"]}
        booking |= {"session": (job_id, start) if job["capacity"] > 1 else None, "state": "wanted", "expires": None}
        no = {"booking.own_job"} if job["provider"] == me else set()
        if not 1 <= seats <= job["capacity"]:
            no.add("booking.too_many_seats")
        if no := no | self.gate(booking):
            return no
        kept = {"org": job["org"], "price": job["price"] * seats, "policy": POLICIES[job["policy"]], "paid": False}
        booking |= kept | {"floor": 0, "ceiling": 100, "sequence": 0, "refund": None, "by": None, "payment": None}
        booking |= {"terms": job["terms"], "version": 1, "unplaced": None, "completed": None, "id": told.get("id")}
        if job["acceptance"] == "request":
            booking |= {"state": "requested", "expires": start}
        else:
            self._seat(booking, told)
        self.bookings[told.get("id", "")] = booking
        self.later.append(lambda: self._conversation(booking))
        return self.seen(booking)

    def _seat(self, booking: Thing, told: Thing) -> None:
        """It takes its time from now on, paid or not; lapsed holds in its way end."""
        if booking["terms"] != "prepaid":
            booking |= {"state": "confirmed", "expires": None}
        else:
            booking |= {"state": "held", "expires": self.now + HOLD, "payment": told.get("payment_id")}
            payment = {"booking": booking, "amount": booking["price"], "captured": 0, "refunded": 0, "attempt": 1}
            payment |= {"state": "requested", "gate": "requested", "card": "", "id": booking["payment"]}
            self.payments[booking["payment"] or ""] = payment
            self.later.append(lambda: payment.update(state="open", gate="open"))
        self._displace(booking)

    def _displace(self, booking: Thing) -> None:
        for other in self.bookings.values():
            same = other["provider"] == booking["provider"] and other["state"] == "held" and other is not booking
            if same and self.lapsed(other) and _overlap(booking, other):
                self.expire(other)

    def _conversation(self, booking: Thing) -> None:
        if not self.talk(booking=booking["id"]):
            self.open_talk(booking["customer"], booking["provider"], booking=booking["id"])

    def seen(self, booking: Thing) -> Thing:
        """What its parties see of it."""
        refund = booking["refund"]
        shown = {name: booking[name] for name in ("id", "state", "seats", "paid", "sequence", "version")}
        shown |= {"span": {"starts_at": booking["start"], "ends_at": booking["start"] + booking["length"]}}
        shown |= {"payment_id": booking["payment"], "expires_at": booking["expires"], "cancelled_by": booking["by"]}
        shown["refund"] = None if refund is None else {"amount_minor": refund, "currency": "EUR"}
        return shown | {"price": {"amount_minor": booking["price"], "currency": "EUR"}}

    def _go(self, booking: Thing, **changes: Any) -> Thing:
        booking |= changes | {"version": booking["version"] + 1}
        return self.seen(booking)

    def expire(self, booking: Thing) -> None:
        self._go(booking, state="expired")
        if payment := self.payments.get(booking["payment"] or ""):
            self.later.append(lambda: self._abandon(payment))

    def accept(self, me: str, booking_id: str, told: Thing) -> Verdict:
        booking = self.bookings.get(booking_id)
        if booking is None or not (side := self.side(me, booking)):
            return {"not_found"}
        no = {"booking.wrong_side"} if side == "customer" else set()
        if booking["state"] != "requested":
            no.add("booking.wrong_state")
        if self.lapsed(booking):
            no.add("booking.hold_lapsed")
        if no := no or self._fits(booking, booking["start"]):
            return no
        self._seat(booking, told)
        return self._go(booking)

    def _fits(self, booking: Thing, start: datetime) -> set[str]:
        """Why it cannot take place then, as the job is now; where it can, it does."""
        capacity = self.jobs[booking["job"]]["capacity"]
        if booking["seats"] > capacity:
            return {"booking.too_many_seats"}
        moved = booking | {"start": start, "session": (booking["job"], start) if capacity > 1 else None}
        now, booking["state"] = booking["state"], "moving"
        no = self.gate(moved)
        booking["state"] = now
        if not no:
            booking |= {"start": start, "session": moved["session"]}
        return no

    def decline(self, me: str, booking_id: str) -> Verdict:
        booking = self.bookings.get(booking_id)
        if booking is None or not (side := self.side(me, booking)):
            return {"not_found"}
        no = {"booking.wrong_side"} if side == "customer" else set()
        if booking["state"] != "requested":
            no.add("booking.wrong_state")
        return no or self._go(booking, state="cancelled", by="provider", expires=None)

    def reschedule(self, me: str, booking_id: str, start: datetime, expected: int | None) -> Verdict:
        booking = self.bookings.get(booking_id)
        if booking is None or not (side := self.side(me, booking)):
            return {"not_found"}
        reasons = {
            "outdated": expected not in (None, booking["version"]),
            "booking.wrong_state": booking["state"] not in ("requested", "held", "confirmed"),
            "booking.wrong_side": booking["state"] == "requested" and side == "provider",
            "booking.hold_lapsed": self.lapsed(booking),
            "booking.already_started": self.now >= booking["start"],
            "booking.unmoved": start == booking["start"],
        }
        no = {code for code, holds in reasons.items() if holds}
        share = self._percent(booking)
        if no := no or self._fits(booking, start):
            return no
        if booking["state"] == "requested":
            booking["expires"] = start
        elif booking["state"] == "confirmed":
            # Nobody wins by moving: a customer keeps at most what they had, the provider's move gives it all back.
            booking["ceiling"] = share if side == "customer" else booking["ceiling"]
            booking["floor"] = 0 if side == "customer" else 100
        if booking["state"] != "requested":
            self._displace(booking)
        return self._go(booking, sequence=booking["sequence"] + 1)

    def _percent(self, booking: Thing) -> int:
        notice = booking["start"] - self.now
        kept = next((percent for hours, percent in booking["policy"] if notice >= hours * HOUR), 0)
        return int(max(booking["floor"], min(booking["ceiling"], kept)))

    def cancel(self, me: str, booking_id: str, expected: int | None) -> Verdict:
        booking = self.bookings.get(booking_id)
        if booking is None or not (side := self.side(me, booking)):
            return {"not_found"}
        no = {"outdated"} if expected not in (None, booking["version"]) else set()
        if booking["state"] not in ("requested", "held", "confirmed"):
            no.add("booking.wrong_state")
        if side == "customer" and booking["state"] == "confirmed" and self.now >= booking["start"]:
            no.add("booking.already_started")
        if no:
            return no
        percent = 100 if side == "provider" else self._percent(booking)
        return self._end(booking, "cancelled", percent, by=side, expires=None)

    def _end(self, booking: Thing, state: str, percent: int, **changes: Any) -> Thing:
        """It is over; what it gives back of what was paid is on its way."""
        refund = _share(booking["price"], percent) if booking["paid"] else 0
        if payment := self.payments.get(booking["payment"] or ""):
            self.later.append(lambda: self._back(payment, refund))
        return self._go(booking, state=state, refund=refund, **changes)

    def finish(self, me: str, booking_id: str, state: str) -> Verdict:
        """Done, or the customer did not come: for the provider's side to say, from the start on."""
        booking = self.bookings.get(booking_id)
        if booking is None or not (side := self.side(me, booking)):
            return {"not_found"}
        no = {"booking.wrong_side"} if side == "customer" else set()
        if booking["state"] != "confirmed":
            no.add("booking.wrong_state")
        if self.now < booking["start"]:
            no.add("booking.not_started")
        if no:
            return no
        return self._end(booking, state, 0) if state == "no_show" else self._go(booking, state=state)

    # --- Money --------------------------------------------------------------------------------------------------------

    def follow(self, payment: Thing) -> None:
        """The house hears how a payment stands at the gateway; it only ever gets further."""
        if RANK[payment["gate"]] <= RANK[payment["state"]] or payment["state"] == "captured":
            return
        payment["state"] = payment["gate"]
        if payment["gate"] == "captured":
            payment["captured"] = payment["amount"]
            self.later.append(lambda: self._settle(payment))

    def _settle(self, payment: Thing) -> None:
        """The money is here: the hold stands, or is had again if it can be; else all of it goes back."""
        booking = payment["booking"]
        if booking["paid"] or booking["unplaced"]:
            return
        if booking["state"] == "expired" and not self._fits(booking, booking["start"]):
            self._displace(booking)
        elif booking["state"] != "held":
            self._go(booking, unplaced=payment["id"])
            self.later.append(lambda: self._give(payment, payment["captured"]))
            return
        self._go(booking, state="confirmed", paid=True, expires=None)

    def _abandon(self, payment: Thing) -> None:
        """Nobody will pay this any more: it is closed at the gateway, unless the money is there already."""
        payment["gate"] = "captured" if payment["gate"] == "captured" else "cancelled"
        self.follow(payment)

    def _back(self, payment: Thing, amount: int) -> None:
        if payment["state"] == "captured":
            self._give(payment, amount)
        else:
            self._abandon(payment)

    def _give(self, payment: Thing, amount: int) -> None:
        amount = min(amount, payment["captured"] - payment["refunded"])
        if amount > 0:
            arrives = payment["card"] != "refund_fails"
            payment["refunded"] += amount if arrives else 0
            state = "succeeded" if arrives else "failed"
            self.refunds.append({"payment": payment, "amount": amount, "state": state})

    def pay(self, payment_id: str, card: str) -> str:
        """What the gateway makes of a card, whatever the house knows."""
        payment = self.payments[payment_id]
        if payment["gate"] not in ("open", "failed"):
            return "refused"
        payment |= {"gate": CARDS[card], "card": card}
        return CARDS[card]

    def hear_all(self) -> None:
        """Every webhook that is owed arrives."""
        for payment in self.payments.values():
            self.later.append(lambda payment=payment: self.follow(payment))  # type: ignore[misc]

    def own_payment(self, me: str, payment_id: str) -> Thing | None:
        payment = self.payments.get(payment_id)
        return payment if payment and (payment["booking"]["customer"] == me or self.admin(me)) else None

    def start_payment(self, me: str, booking_id: str) -> Verdict:
        booking = self.bookings.get(booking_id)
        payment = self.own_payment(me, booking["payment"] or "") if booking else None
        if booking is None or payment is None:
            return {"not_found"}
        if payment["state"] == "captured":
            return {"payment.already_paid"}
        if booking["state"] != "held":
            return {"payment.called_off"}
        if payment["state"] == "failed":
            payment |= {"state": "requested", "attempt": payment["attempt"] + 1}
            self.later.append(lambda: self._reopen(payment))
        return {"state": payment["state"], "attempt": payment["attempt"]}

    def _reopen(self, payment: Thing) -> None:
        payment["gate"] = "captured" if payment["gate"] == "captured" else "open"
        self.follow(payment)

    def refresh_payment(self, me: str, payment_id: str) -> Verdict:
        if (payment := self.own_payment(me, payment_id)) is None:
            return {"not_found"}
        self.follow(payment)
        return {"state": payment["state"], "captured": {"amount_minor": payment["captured"], "currency": "EUR"}}

    def give_back(self, me: str, payment_id: str, amount: int | None) -> Verdict:
        payment = self.payments.get(payment_id)
        if payment is None or not (self.side(me, payment["booking"])):
            return {"not_found"}
        if not self.manages(payment["booking"]["org"], me):
            return {"payment.not_yours_to_refund"}
        left = payment["captured"] - payment["refunded"]
        amount = left if amount is None else amount
        if not 0 < amount <= left:
            return {"payment.refund_too_large"}
        self._give(payment, amount)
        return {"amount": {"amount_minor": amount, "currency": "EUR"}, "state": "requested", "payment_id": payment_id}

    # --- Reviews ------------------------------------------------------------------------------------------------------

    def review(self, me: str, booking_id: str, stars: int, told: Thing) -> Verdict:
        booking = self.bookings.get(booking_id)
        if booking is None or me not in (booking["customer"], booking["provider"]):
            return {"not_found"}
        side = "customer" if me == booking["customer"] else "provider"
        if booking["state"] != "completed":
            return {"review.not_completed"}
        if any(each["booking"] == booking_id and each["side"] == side for each in self.reviews.values()):
            return {"review.already_reviewed"}
        about = booking["provider"] if side == "customer" else booking["customer"]
        review = {"booking": booking_id, "author": me, "about": about, "side": side, "stars": stars, "hidden": False}
        self.reviews[told.get("id", "")] = review | {"answer": None}
        return {"side": side, "stars": stars, "author_id": me, "state": "published", "response": None}

    def respond(self, me: str, review_id: str, text: str) -> Verdict:
        review = self.reviews.get(review_id)
        if review is None or (review["hidden"] and me not in (review["author"], review["about"])):
            return {"not_found"}
        if me != review["about"]:
            return {"review.not_the_reviewed"}
        if review["hidden"] or review["answer"] is not None:
            return {"review.hidden"} if review["hidden"] else {"review.already_answered"}
        review["answer"] = text
        return {"response": text}

    def moderate(self, me: str, review_id: str, hide: bool) -> Verdict:
        if not self.admin(me):
            return {"forbidden"}
        if (review := self.reviews.get(review_id)) is None:
            return {"not_found"}
        if review["hidden"] is hide:
            return {"review.hidden" if hide else "review.not_hidden"}
        review["hidden"] = hide
        return {"state": "hidden" if hide else "published"}


def _overlap(one: Thing, other: Thing) -> bool:
    return bool(
        one["start"] - one["before"] < other["start"] + other["length"] + other["after"]
        and other["start"] - other["before"] < one["start"] + one["length"] + one["after"]
    )


def _share(amount: int, percent: int) -> int:
    """A percentage in whole cents, half a cent to the even one."""
    return round(amount * percent / 100)
