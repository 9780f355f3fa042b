"""Rules about work: jobs, hours, slots, bookings, and the time that passes over them."""

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, multiple

from tests.proof.model.houses import query
from tests.proof.model.machine import (
    MOST,
    NOWHERE,
    OFFER,
    RIGHT,
    SELDOM,
    WEEK,
    WHICH,
    ZONE,
    Town,
    bookings,
    doing,
    jobs,
    people,
    where,
    wired,
)
from tests.proof.model.society import Thing

offs = Bundle("offs")
DAYS = st.sampled_from((1, 1, 1, 2, 3, 6, 20, 70))
FEW_DAYS = st.integers(-3, 3)
VERSIONS = st.sampled_from((0, 0, 0, 1, None))
"""Ahead of the present one; None for none at all."""
HALF_HOURS = st.integers(0, 6)
OFFERS = st.fixed_dictionaries(
    {},
    optional={
        "title": st.sampled_from(("Piano lesson", "Guitar repair", "Wine tasting")),
        "category": st.sampled_from(("music", "food")),
        "duration": st.sampled_from((30, 60, 90)),
        "buffer_before": st.sampled_from((0, 15)),
        "buffer_after": st.sampled_from((0, 30)),
        "capacity": st.sampled_from((1, 2)),
        "notice": st.sampled_from((0, 1440)),
        "window_days": st.sampled_from((7, 60)),
        "price": st.sampled_from((0, 1001, 4500)),
        "terms": st.sampled_from(("prepaid", "free", "later")),
        "acceptance": st.sampled_from(("instant", "request")),
        "policy": st.sampled_from(("flexible", "moderate", "strict")),
    },
)
ANY_PART = st.sampled_from(("customer", "customer", "provider", "provider", "manager", "admin", "anyone"))
PROVIDERS = st.sampled_from(("provider", "provider", "manager", "owner", "customer", "admin", "anyone"))
READERS = st.sampled_from(("stranger", "anyone", "customer", "provider", "manager", "admin"))
CUSTOMERS = st.sampled_from(("customer", "customer", "customer", "provider", "admin", "anyone"))
"""Who tries; first who is most likely to succeed."""
WINDOWS = st.sampled_from((["09:00-12:00", "13:00-17:00"], ["10:00-15:00"], []))


class Trade(Town):
    """What is offered and what is booked."""

    # --- Jobs ---------------------------------------------------------------------------------------------------------

    @doing(target=jobs, part=RIGHT, me=people, said=OFFERS, org=st.booleans())
    def draft_job(self, part: bool, me: str, said: Thing, org: bool) -> Any:
        """By a provider or a customer; the terms may make no sense."""
        me = list(self.emails)[1 + len(said) % 2] if part else me
        mine = [each["org"] for each in self.model.members if each["user"] == me]
        told = self.drafts(me, OFFER | said, mine[-1] if org and mine else None)
        return told["id"] if told else multiple()

    @doing(
        part=PROVIDERS, me=people, job=jobs | st.just(NOWHERE), said=OFFERS, version=st.sampled_from((0, 0, 0, 1, None))
    )
    def revise_job(self, part: str, me: str, job: str, said: Thing, version: int | None) -> None:
        """By whoever may, or not, on the present version or another, or (None) on none."""
        me, present = self.part(part, job, me), self.model.jobs.get(job, {"version": 1})["version"]
        expected = None if version is None else present + version

        def verdict(_: Thing) -> Any:
            return {"precondition_required"} if version is None else self.model.revise(me, job, said, expected)

        self.does(me, "PATCH", f"/v1/jobs/{job}", verdict, wired(said), version=expected)

    @doing(part=PROVIDERS, me=people, job=jobs, to=st.sampled_from(("published", "published", "archived", "gone")))
    def move_job(self, part: str, me: str, job: str, to: str) -> None:
        """Published, archived or thrown away."""
        self.moves_job(self.part(part, job, me), job, to)

    @doing(me=people | st.none(), job=jobs | st.just(NOWHERE))
    def read_job(self, me: str | None, job: str) -> None:
        """By anybody, signed in or not."""

        def verdict(_: Thing) -> Any:
            found = self.model.jobs.get(job)
            if found is None or not self.model.shows_job(me, found):
                return {"not_found"}
            return {"id": job, "state": found["state"], "title": found["title"], "version": found["version"]}

        self.does(me, "GET", f"/v1/jobs/{job}", verdict)

    @doing(
        wanted=st.fixed_dictionaries(
            {},
            optional={
                "text": st.sampled_from(("gui", "les", "music", "guitar lesson")),
                "category": st.sampled_from(("music", "food")),
                "price_from": st.sampled_from((1, 2000)),
                "price_to": st.sampled_from((0, 4500)),
                "min_rating": st.sampled_from((1, 3)),
            },
        ),
        sort=st.sampled_from(("relevance", "newest", "price", "-price", "-rating")),
        limit=st.integers(1, 3),
    )
    def search_jobs(self, wanted: Thing, sort: str, limit: int) -> None:
        """Page by page to the end."""
        expected, cursor = self.model.search(wanted, sort), None
        while True:
            page, expected = expected[:limit], expected[limit:]
            shown = {"items": [{"id": id} for id in page], "has_more": bool(expected)}
            asked = query(**wanted, sort=sort, currency="EUR", limit=limit, cursor=cursor)
            told = self.does(None, "GET", f"/v1/jobs?{asked}", lambda _, shown=shown: shown)  # type: ignore[misc]
            if not expected or told is None:
                return
            cursor = told["next_cursor"]

    # --- Hours and slots ----------------------------------------------------------------------------------------------

    @doing(own=RIGHT, me=people, provider=people, which=WHICH, windows=WINDOWS, stale=SELDOM)
    def set_hours(self, own: bool, me: str, provider: str, which: int, windows: list[str], stale: bool) -> None:
        """The same every weekday, nothing on Sundays."""
        provider = self.worker(provider, which) if own else provider
        me = provider if own else me
        version = self.model.hours.get(provider, {"version": 0})["version"] + stale
        self.sets_hours(me, provider, {day: windows if day != "sunday" else [] for day in WEEK}, ZONE, version)

    @doing(own=RIGHT, me=people, provider=people, which=WHICH, days=st.integers(-3, 3), windows=WINDOWS | st.none())
    def except_a_day(self, own: bool, me: str, provider: str, which: int, days: int, windows: list[str] | None) -> None:
        """Hours of its own for a date, or its ordinary ones again."""
        provider = self.worker(provider, which) if own else provider
        me, day = provider if own else me, self.moment(days, 0).date()
        path = f"/v1/providers/{provider}/availability/days/{day}"
        method, body = ("DELETE", None) if windows is None else ("PUT", {"windows": windows})
        self.does(me, method, path, lambda _: self.model.except_day(me, provider, day, windows), body)

    @doing(
        target=offs,
        own=RIGHT,
        me=people,
        provider=people,
        which=WHICH,
        days=st.integers(-3, 3),
        length=st.integers(0, 2),
    )
    def take_time_off(self, own: bool, me: str, provider: str, which: int, days: int, length: int) -> Any:
        """Some dates."""
        provider = self.worker(provider, which) if own else provider
        me, first, last = provider if own else me, self.moment(days, 0).date(), self.moment(days + length, 0).date()
        body, path = {"first": str(first), "last": str(last)}, f"/v1/providers/{provider}/availability/time-off"
        told = self.does(me, "POST", path, lambda told: self.model.take_off(me, provider, first, last, told), body)
        return (provider, told["time_off"][-1]["id"]) if told else multiple()

    @doing(own=RIGHT, me=people, off=offs)
    def come_back_to_work(self, own: bool, me: str, off: tuple[str, str]) -> None:
        """Perhaps a second time."""
        provider, id = off
        me, path = provider if own else me, f"/v1/providers/{provider}/availability/time-off/{id}"
        self.does(me, "DELETE", path, lambda _: self.model.back_to_work(me, provider, id))

    def worker(self, otherwise: str, which: int) -> str:
        """Somebody who keeps hours."""
        found = list(self.model.hours)
        return found[which % len(found)] if which < MOST else otherwise

    @doing(me=people | st.none(), job=jobs, days=st.integers(0, 8), length=st.integers(0, 2), seats=st.integers(1, 2))
    def look_at_slots(self, me: str | None, job: str, days: int, length: int, seats: int) -> None:
        """Exactly those that can be booked."""
        first, last = self.moment(days, 0).date(), self.moment(days + length, 0).date()
        path = f"/v1/jobs/{job}/slots?{query(first=first, last=last, seats=seats)}"
        self.does(me, "GET", path, lambda _: self.model.slots(me, job, first, last, seats))

    # --- Bookings -----------------------------------------------------------------------------------------------------

    @doing(
        target=bookings,
        me=people,
        job=jobs,
        days=DAYS,
        half_hour=HALF_HOURS,
        seats=st.sampled_from((1, 1, 1, 1, 2, 3)),
    )
    def book(self, me: str, job: str, days: int, half_hour: int, seats: int) -> Any:
        """A slot that may be free."""
        start = self.moment(days, half_hour)
        return self.books(me, job, start, seats) or multiple()

    @doing(target=bookings, me=people, job=jobs, which=st.integers(0, 30))
    def book_a_free_slot(self, me: str, job: str, which: int) -> Any:
        """One of those the model knows to be free, if any is."""
        found = self.model.jobs.get(job)
        if found is None or found["state"] != "published":
            return multiple()
        first, last = self.moment(0, 0).date(), self.moment(8, 0).date()
        slots = self.model.slots(None, job, first, last, 1)
        free = [slot["starts_at"] for slot in slots["slots"]] if isinstance(slots, dict) else []
        if not free:
            return multiple()
        return self.books(me, job, free[which % len(free)]) or multiple()

    @where("held", "confirmed")
    @doing(target=bookings, me=people, booking=bookings, which=WHICH, shift=st.sampled_from((0, 30, -30)))
    def book_what_is_taken(self, me: str, booking: str, which: int, shift: int) -> Any:
        """The time somebody else has, or half of it."""
        taken = self.model.bookings[self.suited(booking, which, "held", "confirmed")]
        return self.books(me, taken["job"], taken["start"] + timedelta(minutes=shift)) or multiple()

    @doing(part=READERS, me=people | st.none(), booking=bookings | st.just(NOWHERE))
    def read_booking(self, part: str, me: str | None, booking: str) -> None:
        """By its parties, or by those to whom it does not exist."""
        me = me and self.part(part, booking, me)

        def verdict(_: Thing) -> Any:
            found = self.model.bookings.get(booking)
            if me is None:
                return {"unauthenticated"}
            return self.model.seen(found) if found and self.model.side(me, found) else {"not_found"}

        self.does(me, "GET", f"/v1/bookings/{booking}", verdict)

    @where("requested")
    @doing(part=PROVIDERS, me=people, booking=bookings, which=WHICH, yes=RIGHT)
    def answer_request(self, part: str, me: str, booking: str, which: int, yes: bool) -> None:
        """The provider says yes or no; others cannot."""
        booking = self.suited(booking, which, "requested")
        me = self.part(part, booking, me)
        path = f"/v1/bookings/{booking}/{'accept' if yes else 'decline'}"

        def verdict(told: Thing) -> Any:
            return self.model.accept(me, booking, told) if yes else self.model.decline(me, booking)

        self.does(me, "POST", path, verdict)

    @doing(part=ANY_PART, me=people, booking=bookings, days=DAYS, half_hour=HALF_HOURS, stale=SELDOM)
    def reschedule(self, part: str, me: str, booking: str, days: int, half_hour: int, stale: bool) -> None:
        """To another start, free or not."""
        me, start = self.part(part, booking, me), self.moment(days, half_hour)
        version = self.model.bookings[booking]["version"] + stale
        path, body = f"/v1/bookings/{booking}/reschedule", {"starts_at": start.isoformat()}
        self.does(me, "POST", path, lambda _: self.model.reschedule(me, booking, start, version), body, version=version)

    @where("requested", "held", "confirmed")
    @doing(part=ANY_PART, me=people, booking=bookings, which=WHICH, stale=SELDOM)
    def cancel(self, part: str, me: str, booking: str, which: int, stale: bool) -> None:
        """By either side."""
        booking = self.suited(booking, which, "requested", "held", "confirmed")
        me, version = self.part(part, booking, me), self.model.bookings[booking]["version"] + stale
        path, other = f"/v1/bookings/{booking}/cancel", {"reason": "It rains."}
        self.does(me, "POST", path, lambda _: self.model.cancel(me, booking, version), {}, version=version, other=other)

    @where("confirmed")
    @doing(
        part=PROVIDERS,
        me=people,
        booking=bookings,
        which=WHICH,
        came=st.sampled_from((True, True, False)),
        then=st.sampled_from((True, True, False)),
    )
    def finish(self, part: str, me: str, booking: str, which: int, came: bool, then: bool) -> None:
        """Done, or the customer did not come; `then` waits for the end first."""
        booking = self.suited(booking, which, "confirmed")
        found = self.model.bookings[booking]
        if then and found["state"] == "confirmed" and found["start"] > self.model.now:
            self.pass_time(found["start"] + found["length"] - self.model.now)
        me = self.part(part, booking, me)
        path, state = ("complete", "completed") if came else ("no-show", "no_show")
        self.does(me, "POST", f"/v1/bookings/{booking}/{path}", lambda _: self.model.finish(me, booking, state))


class Passing(Town):
    """Time."""

    @doing(
        minutes=st.sampled_from((1, 0.1, 14, 15, 16, 60, 180, 1440, 4320, 14400)),
        asleep=SELDOM,
        duties=SELDOM,
    )
    def time_passes(self, minutes: float, asleep: bool, duties: bool) -> None:
        """Holds lapse; the worker may sleep through the next step."""
        self.pass_time(timedelta(minutes=minutes))
        self.done()
        self.asleep = asleep
        if duties and not asleep:
            self.pair.work()
            self.model.worker()
            self.pair.duties()
