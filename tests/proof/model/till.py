"""Rules about money and what comes after: paying, webhooks, refunds, reviews, and requests sent again."""

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, multiple, precondition

from tests.proof.model.machine import NOWHERE, RIGHT, WHICH, Town, bookings, doing, people, where
from tests.proof.model.pair import Divergence
from tests.proof.model.society import Thing
from tests.proof.model.trade import ANY_PART, CUSTOMERS, PROVIDERS

reviews = Bundle("reviews")
AMOUNTS = st.sampled_from((None, 500, 500, 4500, 10**6, 0))


class Till(Town):
    """What is paid, given back, and said of it."""

    # --- Money --------------------------------------------------------------------------------------------------------

    @where("held")
    @doing(
        booking=bookings,
        which=WHICH,
        card=st.sampled_from(("ok", "ok", "ok", "refund_fails", "declined")),
        told=st.sampled_from((True, True, False)),
    )
    def pay(self, booking: str, which: int, card: str, told: bool) -> None:
        """A card is shown at the gateway, by whoever saw where; the house may hear of it later."""
        booking = self.suited(booking, which, "held")
        self.doing = ""
        self.pair.figures.reached["pay"] += self.pays(booking, card)
        self.webhooks, self.owed = told, not told

    @precondition(lambda self: self.owed)
    @doing()
    def webhooks_arrive(self) -> None:
        """All that are owed."""
        self.done()
        self.webhooks = True

    @precondition(lambda self: self.pair.heard() > 0)
    @doing(which=st.integers(0, 1000))
    def webhook_again(self, which: int) -> None:
        """One that came before; it changes nothing."""
        answer = self.pair.hear_again(which % self.pair.heard())
        self.pair.figures.reached["webhook_again"] += self.pair.agree("a webhook again", answer, {})

    @doing(part=CUSTOMERS, me=people, booking=bookings, which=WHICH)
    def start_payment(self, part: str, me: str, booking: str, which: int) -> None:
        """To pay, or to try again."""
        booking = self.suited(booking, which, "held")
        me = self.part(part, booking, me)
        path = f"/v1/bookings/{booking}/payment"
        self.does(me, "POST", path, lambda _: self.model.start_payment(me, booking), other={})

    @doing(part=CUSTOMERS, me=people, booking=bookings, which=WHICH)
    def refresh_payment(self, part: str, me: str, booking: str, which: int) -> None:
        """The gateway is asked without waiting for its webhook."""
        booking = self.suited(booking, which, "held", "confirmed")
        me, payment = self.part(part, booking, me), self.model.bookings[booking]["payment"] or NOWHERE
        path = f"/v1/payments/{payment}/refresh"
        self.does(me, "POST", path, lambda _: self.model.refresh_payment(me, payment))

    @where("confirmed", "completed", "cancelled", paid=True)
    @doing(
        part=PROVIDERS,
        me=people,
        booking=bookings,
        which=WHICH,
        amount=st.sampled_from((None, 500, 500, 4500, 10**6, 0)),
    )
    def give_back(self, part: str, me: str, booking: str, which: int, amount: int | None) -> None:
        """Part of it, all of it, or too much, by whoever may or not."""
        booking = self.suited(booking, which, "completed", "confirmed", "cancelled", paid=True)
        me, payment = self.part(part, booking, me), self.model.bookings[booking]["payment"] or NOWHERE
        body = {} if amount is None else {"amount_minor": amount}
        path, other = f"/v1/payments/{payment}/refunds", {**body, "reason": "With our apologies."}
        self.does(me, "POST", path, lambda _: self.model.give_back(me, payment, amount), body, other=other)

    # --- Reviews ------------------------------------------------------------------------------------------------------

    @where("completed")
    @doing(target=reviews, part=ANY_PART, me=people, booking=bookings, which=WHICH, stars=st.integers(1, 5))
    def review(self, part: str, me: str, booking: str, which: int, stars: int) -> Any:
        """By a party of what was completed, once."""
        booking = self.suited(booking, which, "completed")
        me, path = self.part(part, booking, me), f"/v1/bookings/{booking}/reviews"
        body, other = {"stars": stars}, {"stars": stars, "text": "Splendid."}
        told = self.does(me, "POST", path, lambda told: self.model.review(me, booking, stars, told), body, other=other)
        return told["id"] if told else multiple()

    @doing(right=RIGHT, me=people, review=reviews | st.just(NOWHERE))
    def respond(self, right: bool, me: str, review: str) -> None:
        """By whom it is about, once."""
        me = self.model.reviews[review]["about"] if right and review in self.model.reviews else me
        body, path = {"text": "Thank you."}, f"/v1/reviews/{review}/response"
        self.does(me, "POST", path, lambda _: self.model.respond(me, review, "Thank you."), body)

    @doing(admin=RIGHT, me=people, review=reviews, hide=RIGHT)
    def moderate(self, admin: bool, me: str, review: str, hide: bool) -> None:
        """By an admin, or somebody who would like to be one."""
        me = next(iter(self.emails)) if admin else me
        path = f"/v1/reviews/{review}/{'hide' if hide else 'restore'}"
        self.does(me, "POST", path, lambda _: self.model.moderate(me, review, hide), {"reason": "Reported."})

    # --- Once more ----------------------------------------------------------------------------------------------------

    @precondition(lambda self: bool(self.commands))
    @doing(which=st.integers(0, 1000), same=RIGHT)
    def send_again(self, which: int, same: bool) -> None:
        """A request that was carried out comes again: it finds its answer. With other words under its key, it is
        refused."""
        kept: Thing = self.commands[-1 - which % min(len(self.commands), 8)]
        if self.model.now >= kept["at"] + timedelta(hours=24) or not (same or kept["other"]):
            return
        session = self.device(kept["me"])
        headers = {**self.tokens[session], "idempotency-key": kept["key"]}
        if kept["version"] is not None:
            headers["if-match"] = str(kept["version"])
        answer = self.pair.ask(kept["method"], kept["path"], kept["body"] if same else kept["other"], headers)
        if barred := self.model.barred(session):
            self.pair.agree("once more", answer, {barred})
        elif not same:
            self.pair.agree("once more, in other words", answer, {"idempotency.key_reused"})
        elif (answer.status, answer.body) != (kept["answer"].status, kept["answer"].body):
            raise Divergence(f"once more {kept}: {answer}")
        elif answer.headers.get("idempotent-replayed") != "true":
            raise Divergence(f"once more {kept}: done anew")
        self.pair.figures.reached["send_again"] += answer.status < 300
