"""The machine's ground: a small town in both houses, how a rule asks, and what must hold after each."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, precondition, rule

from tests.proof.model.houses import query
from tests.proof.model.pair import Divergence, Pair
from tests.proof.model.reference import Reference
from tests.proof.model.society import Thing, Verdict

PASSWORD = "correct horse battery"
ZONE = "Europe/Lisbon"
NOWHERE = "01990000-0000-7000-8000-000000000000"
ADA = "ada@example.org"
MOST = 8
WHICH = st.integers(0, MOST)
"""Which of those that suit; the highest, whatever else was drawn."""
RIGHT = st.sampled_from((True, True, False))
"""Whether it is somebody who may. Simple examples, of which there are many, are such that things get done."""
SELDOM = st.sampled_from((False, False, False, False, False, True))
OFFER: Thing = {
    "title": "Guitar lesson",
    "category": "music",
    "price": 4500,
    "duration": 60,
    "buffer_before": 0,
    "buffer_after": 0,
    "capacity": 1,
    "slot_interval": 30,
    "notice": 0,
    "window_days": 60,
    "terms": "prepaid",
    "acceptance": "instant",
    "policy": "moderate",
}
WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

people, jobs, bookings, devices, secrets = (
    Bundle("people"),
    Bundle("jobs"),
    Bundle("bookings"),
    Bundle("devices"),
    Bundle("secrets"),
)
"""Ids by what they are of; `devices` are sessions, `secrets` refresh tokens, whatever became of either."""


def doing(**given: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A rule that is counted: how often it was tried, and how often what it asked for was done."""

    def counted(does: Callable[..., Any]) -> Callable[..., Any]:
        def act(self: "Town", **drawn: Any) -> Any:
            self.doing = does.__name__
            self.pair.figures.tried[self.doing] += 1
            self.pair.story.append(f"{self.doing}({', '.join(f'{name}={value!r}' for name, value in drawn.items())})")
            return does(self, **drawn)

        # All of them go by one name: Hypothesis leaves out half of what has a name of its own, a different half in each
        # example, and hardly anything is ever paid for where nobody books.
        found: Callable[..., Any] = rule(**given)(act)  # type: ignore[no-untyped-call]
        return found

    return counted


def where(*states: str, paid: bool = False) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A rule for bookings in one of these states; now and then it is tried without one."""

    def there_is(town: Any) -> bool:
        suit = [each for each in town.model.bookings.values() if each["state"] in states and each["paid"] >= paid]
        return bool(suit) or town.count % 8 == 0

    found: Callable[[Callable[..., Any]], Callable[..., Any]] = precondition(there_is)
    return found


class Town(RuleBasedStateMachine):
    """Two houses and a model of them, and a handful of people to begin with."""

    pair: ClassVar[Pair]
    seed: ClassVar[int] = 1
    looks: ClassVar[int] = 2
    """Listings looked at after each step."""

    def __init__(self) -> None:
        super().__init__()
        self.pair.renew(self.seed)
        self.model = Reference(self.pair.now)
        self.tokens: dict[str, dict[str, str]] = {}
        self.current: dict[str, str] = {}
        self.emails: dict[str, str] = {}
        self.asleep = self.webhooks = self.owed = False
        self.keys, self.count, self.letters = 0, 0, 0
        self.commands: list[Thing] = []
        self.doing = ""
        self.pair.figures.examples += 1

    # --- Asking -------------------------------------------------------------------------------------------------------

    def does(
        self,
        me: str | None,
        method: str,
        path: str,
        verdict: Callable[[Thing], Verdict],
        body: Thing | None = None,
        *,
        version: int | str | None = None,
        session: str | None = None,
        other: Thing | None = None,
    ) -> Thing | None:
        """Ask both houses and the model; the body when it was done. With `other`, under a key: the words of another
        request that is not this one."""
        if me is not None and session is None:
            session = self.device(me)
        headers = dict(self.tokens[session]) if session else {}
        if version is not None:
            headers["if-match"] = str(version)
        if other is not None:
            self.keys += 1
            headers["idempotency-key"] = f"key-{self.keys}"
        answer = self.pair.ask(method, path, body, headers)
        done: Thing = (answer.body or {}) if answer.status < 300 else {}
        barred = self.model.barred(session) if session else ""
        what = f"{method} {path} {body} by {me}"
        if not self.pair.agree(what, answer, {barred} if barred else verdict(done)):
            return None
        self.done()
        if other is not None:
            kept = {"me": me, "method": method, "path": path, "body": body, "other": other, "at": self.model.now}
            self.commands.append(kept | {"version": version, "key": f"key-{self.keys}", "answer": answer})
        return done

    def done(self) -> None:
        """What this step set out to do was done; whatever else it asks is not counted."""
        self.pair.figures.reached[self.doing] += 1
        self.doing = ""

    def device(self, me: str) -> str:
        """A session of theirs that may ask, kept alive or begun where the model says it can be."""
        doing, self.doing = self.doing, ""
        session = self.current.get(me, "")
        barred = self.model.barred(session) if session else "none"
        if barred == "identity.token_expired":
            self.refreshed(self.model.sessions[session]["tokens"][-1]["secret"], session)
            barred = self.model.barred(session)
        if barred and not self.model.person(me)["suspended"]:
            self.signed_in(self.emails[me], PASSWORD)
        self.doing = doing
        return self.current[me]

    def signed_in(self, email: str, password: str) -> Thing | None:
        """Somebody signs in, or is told why not."""
        body = {"email": email, "password": password}
        told = self.does(None, "POST", "/v1/sessions", lambda told: self.model.sign_in(email, password, told), body)
        if told:
            self.current[told["user_id"]] = told["session_id"]
            self.tokens[told["session_id"]] = told["access_token"]
        return told

    def refreshed(self, secret: str, session: str | None = None) -> Thing | None:
        """A refresh token is exchanged, or is told why not."""
        body = {"refresh_token": secret}
        told = self.does(None, "POST", "/v1/sessions/refresh", lambda told: self.model.refresh(secret, told), body)
        if told:
            self.tokens[told["session_id"]] = told["access_token"]
        return told

    def read_letters(self) -> None:
        """The links that were mailed, for whoever uses them."""
        letters = self.pair.letters()
        fresh, self.letters = letters[self.letters :], len(letters)
        for letter in fresh:
            if letter.template.value == "verify" and (found := re.search(r"token=([\w-]+)", letter.text)):
                self.model.letter(letter.to, found[1])

    def verified(self, token: str) -> str | None:
        """A link is used; the id of whose it is. A provider finds an organization of their own."""
        told = self.does(
            None, "POST", "/v1/users/verify", lambda told: self.model.verify(token, told), {"token": token}
        )
        if not told:
            return None
        me: str = told["id"]
        if me not in self.emails:
            self.emails[me] = told["email"]
            self.signed_in(told["email"], PASSWORD)
            if told["role"] == "provider":
                self.does(me, "GET", "/v1/organizations/mine", lambda told: self._own_organization(me, told))
        return me

    def _own_organization(self, me: str, told: Thing) -> Verdict:
        items = told.get("items") or [{}]
        shown = self.model.found(me, items[0].get("organization_id", ""), self.model.person(me)["name"], solo=True)
        assert isinstance(shown, dict)
        return {"items": [{"solo": True, "role": "owner", "organization_name": shown["name"], "user_id": me}]}

    # --- The beginning ------------------------------------------------------------------------------------------------

    @initialize(target=people)
    def some_people(self) -> Any:
        """An admin, two providers with hours, two customers."""
        self.pair.admin(ADA, PASSWORD)
        self.model.sign_up(ADA, PASSWORD, "Ada", "admin")
        self.model.people[ADA]["verified"] = True
        told = self.pair.ask("POST", "/v1/sessions", {"email": ADA, "password": PASSWORD}).body
        ada = self.model.people[ADA]["id"] = told["user_id"]
        self.model.sign_in(ADA, PASSWORD, told)
        self.current[ada], self.tokens[told["session_id"]] = told["session_id"], told["access_token"]
        self.emails[ada] = ADA
        found = [ada]
        for name, role in (("Vera", "provider"), ("Rui", "provider"), ("Carla", "customer"), ("Dan", "customer")):
            self.signs_up(f"{name.lower()}@example.org", name, role)
        self.pair.work()
        self.model.worker()
        self.read_letters()
        found += [self.verified(token) or "" for token in list(self.model.links)]
        for provider in found[1:3]:
            week = {day: ["09:00-12:00", "13:00-17:00"] for day in WEEK}
            self.sets_hours(provider, provider, week, ZONE, "*")
        return multiple(*found)

    @initialize(target=jobs, someone=people)
    def some_jobs(self, someone: str) -> Any:
        """One paid in advance, one for several at once, one on request."""
        vera, rui = list(self.emails)[1:3]
        found = []
        for provider, offer in (
            (vera, OFFER),
            (vera, OFFER | {"title": "Choir", "capacity": 3, "price": 0, "terms": "free", "policy": "flexible"}),
            (rui, OFFER | {"title": "House call", "category": "repairs", "acceptance": "request", "buffer_after": 15}),
        ):
            told = self.drafts(provider, offer, None)
            found.append(told["id"] if told else "")
            self.moves_job(provider, found[-1], "published")
        return multiple(*found)

    @initialize(target=bookings, first=jobs)
    def some_bookings(self, first: str) -> Any:
        """One that is done, one that is paid, one that is held and one that is wished for."""
        lesson, choir, call = list(self.model.jobs)[:3]
        carla, dan = list(self.emails)[3:5]
        done = self.books(carla, choir, self.moment(1, 0))
        self.moves_on(timedelta(days=1, hours=3))
        vera = self.model.jobs[choir]["provider"]
        path = f"/v1/bookings/{done}/complete"
        self.does(vera, "POST", path, lambda _: self.model.finish(vera, done or "", "completed"))
        paid = self.books(carla, lesson, self.moment(4, 0))
        self.moves_on(timedelta())
        self.pays(paid or "", "ok")
        self.webhooks = True
        held, wished = self.books(dan, lesson, self.moment(1, 2)), self.books(dan, call, self.moment(2, 0))
        return multiple(done, paid, held, wished)

    # --- What several rules do ----------------------------------------------------------------------------------------

    def signs_up(self, email: str, name: str, role: str) -> None:
        """Somebody asks for an account."""
        form = {"email": email, "password": PASSWORD, "name": name, "role": role, "zone": ZONE}
        self.does(None, "POST", "/v1/users", lambda _: self.model.sign_up(email, PASSWORD, name, role), form)

    def sets_hours(self, me: str, provider: str, week: dict[str, list[str]], zone: str, version: int | str) -> None:
        expected = version if isinstance(version, int) else None

        def verdict(_: Thing) -> Verdict:
            return self.model.set_hours(me, provider, week, zone, expected)

        path = f"/v1/providers/{provider}/availability"
        self.does(me, "PUT", path, verdict, {"zone": zone, **week}, version=version)

    def drafts(self, me: str, offer: Thing, org: str | None) -> Thing | None:
        body = wired(offer) | {"place": "Lisboa", **({"organization_id": org} if org else {})}
        other = {**body, "title": "Something else"}
        return self.does(me, "POST", "/v1/jobs", lambda told: self.model.draft(me, offer, org, told), body, other=other)

    def books(self, me: str, job: str, start: datetime, seats: int = 1) -> str | None:
        """Somebody asks for that slot; the booking's id if it could be had."""
        body = {"job_id": job, "starts_at": start.isoformat(), "seats": seats}
        told = self.does(
            me,
            "POST",
            "/v1/bookings",
            lambda told: self.model.book(me, job, start, seats, told),
            body,
            other={**body, "note": "Please ring twice."},
        )
        return told["id"] if told else None

    def pays(self, booking: str, card: str) -> bool:
        """A card is shown at the gateway, by whoever has seen where; whether it was taken."""
        me, payment = self.model.bookings[booking]["customer"], self.model.bookings[booking]["payment"]
        if payment is None:
            return False
        where = self.does(me, "GET", f"/v1/payments/{payment}/checkout", lambda _: {"payment_id": payment})
        if where is not None and where["gateway_ref"]:
            self.model.payments[payment]["where"] = (where["gateway_ref"], where["client_secret"])
        if "where" not in self.model.payments[payment]:
            return False
        ref, secret = self.model.payments[payment]["where"]
        made, expected = self.pair.pay(ref, secret, card), self.model.pay(payment, card)
        if made != expected:
            raise Divergence(f"paying with {card}: {made}, the model says {expected}")
        return made == "captured"

    def moves_on(self, by: timedelta) -> None:
        """Later, in both houses and in the model, and the workers have worked."""
        self.pass_time(by)
        self.pair.work()
        self.model.worker()

    def pass_time(self, by: timedelta) -> None:
        """Later, in both houses and in the model."""
        self.pair.advance(by)
        self.model.now += by

    def moves_job(self, me: str, job: str, to: str) -> None:
        method, verb = ("DELETE", "") if to == "gone" else ("POST", "/publish" if to == "published" else "/archive")
        self.does(me, method, f"/v1/jobs/{job}{verb}", lambda _: self.model.move_job(me, job, to))

    def part(self, part: str, thing: str, anyone: str) -> str:
        """Who has that part in a booking or job; anyone where there is no such thing."""
        found = self.model.bookings.get(thing) or self.model.jobs.get(thing)
        if found is None or part == "anyone":
            return anyone
        if part == "stranger" and thing in self.model.bookings:
            strangers = [id for id in reversed(self.emails) if not self.model.side(id, found)]
            return strangers[0] if strangers else anyone
        if part == "owner":
            return self.owner(found["org"], anyone)
        if part == "admin":
            return next(iter(self.emails))
        if part == "manager":
            managers = [each["user"] for each in self.model.members if each["org"] == found["org"]]
            return str(managers[-1]) if managers else anyone
        return str(found.get(part, anyone))

    def owner(self, org: str, otherwise: str) -> str:
        """An owner of the organization, if there is such an organization."""
        owners = [each["user"] for each in self.model.members if each["org"] == org and each["role"] == "owner"]
        return str(owners[0]) if owners else otherwise

    def suited(self, booking: str, which: int, *states: str, paid: bool = False) -> str:
        """A booking in one of these states, the latest first, if there is any; or, seldom, just that one."""
        suit = [(id, each) for id, each in self.model.bookings.items() if each["paid"] >= paid]
        found = [id for id, each in suit if each["state"] in states]
        return found[-1 - which % len(found)] if found and which < MOST else booking

    # --- After each step ----------------------------------------------------------------------------------------------

    @invariant()
    def what_follows_has_followed(self) -> None:
        """The worker has done its work, unless it sleeps through this step."""
        self.pair.figures.steps += 1
        self.count += 1
        if not self.asleep:
            if self.webhooks:
                self.model.hear_all()
                self.owed = False
            self.pair.work(webhooks=self.webhooks)
            self.model.worker()
            self.read_letters()
        self.asleep = self.webhooks = False
        self.look_around()

    def look_around(self) -> None:
        """Some listings, as a random person finds them, are what the model says."""
        self.doing = ""
        chance = Random(self.count)
        me = chance.choice(list(self.emails))
        for look in chance.sample(sorted(LISTINGS), self.looks):
            path = LISTINGS[look](self.model, me)[0]
            asked = f"{path}{'&' if '?' in path else '?'}limit=100"
            self.does(me, "GET", asked, lambda _, look=look: LISTINGS[look](self.model, me)[1])  # type: ignore[misc]

    def teardown(self) -> None:
        """All that is left behind is the same."""
        self.pair.compare()
        super().teardown()

    def moment(self, days: int, half_hour: int) -> datetime:
        """That half hour of the working day (from nine), so many days from today, in Lisbon."""
        today: date = self.model.now.astimezone(ZoneInfo(ZONE)).date() + timedelta(days=days)
        local = datetime(today.year, today.month, today.day, 9, tzinfo=ZoneInfo(ZONE))
        return local.astimezone(UTC) + timedelta(minutes=30 * half_hour)


def wired(offer: Thing) -> Thing:
    """An offer as it is sent."""
    priced = {"price": {"amount_minor": offer["price"], "currency": "EUR"}} if "price" in offer else {}
    return {**offer, **priced}


def _mine(model: Reference, me: str, column: str) -> Verdict:
    """Their bookings on one side, newest first."""
    found = [booking for booking in reversed(model.bookings.values()) if booking[column] == me]
    return {"items": [model.seen(booking) for booking in found]}


def _my_jobs(model: Reference, me: str) -> Verdict:
    found = [id for id in reversed(model.jobs) if model.jobs[id]["provider"] == me]
    shown = [id for id in found if model.shows_job(me, model.jobs[id])]
    return {"items": [{"id": id, **{k: model.jobs[id][k] for k in ("title", "state", "version")}} for id in shown]}


def _sees_money(model: Reference, me: str, booking: Thing) -> bool:
    return bool(booking["customer"] == me or model.manages(booking["org"], me))


def _payments(model: Reference, me: str) -> Verdict:
    found = [each for each in reversed(model.payments.values()) if _sees_money(model, me, each["booking"])]
    return {"items": [_payment(each) for each in found]}


def _payment(payment: Thing) -> Thing:
    amounts = {name: {"amount_minor": payment[name]} for name in ("amount", "captured", "refunded")}
    return {**amounts, "id": payment["id"], "state": payment["state"], "refunding": {"amount_minor": 0}}


def _refunds(model: Reference, me: str) -> Verdict:
    found = [each for each in reversed(model.refunds) if _sees_money(model, me, each["payment"]["booking"])]
    return {"items": [{"amount": {"amount_minor": r["amount"]}, "state": r["state"]} for r in found]}


def _reviews(model: Reference, me: str, column: str) -> Verdict:
    found = [id for id in reversed(model.reviews) if model.reviews[id][column] == me]
    return {"items": [{"id": id, "stars": model.reviews[id]["stars"]} for id in found]}


def _members(model: Reference, me: str) -> tuple[str, Verdict]:
    """Of the last organization there is."""
    org = list(model.orgs)[-1]
    seen = [each for each in model.members if each["org"] == org]
    if not (model.admin(me) or model.member(org, me)):
        seen = []
    return f"/v1/organizations/{org}/members", {"items": [_columns(each, "role", "version") for each in seen]}


def _columns(thing: Thing, *names: str) -> Thing:
    return {name: thing[name] for name in names}


def _sessions(model: Reference, me: str) -> Verdict:
    found = [id for id in reversed(model.sessions) if model.sessions[id]["user"] == me]
    return {"items": [{"id": id} for id in found if not model.sessions[id]["over"]]}


def _jobs_found(model: Reference, _: str) -> Verdict:
    found = [(id, model.rating(id)) for id in model.search({}, "newest")]
    return {"items": [{"id": id, "rating_count": many, "rating_average": stars} for id, (many, stars) in found]}


LISTINGS: dict[str, Callable[[Reference, str], tuple[str, Verdict]]] = {
    "booked": lambda model, me: ("/v1/bookings?side=customer", _mine(model, me, "customer")),
    "performed": lambda model, me: ("/v1/bookings?side=provider", _mine(model, me, "provider")),
    "offered": lambda model, me: ("/v1/jobs/mine", _my_jobs(model, me)),
    "payments": lambda model, me: ("/v1/payments", _payments(model, me)),
    "refunds": lambda model, me: ("/v1/refunds", _refunds(model, me)),
    "written": lambda model, me: ("/v1/reviews/mine", _reviews(model, me, "author")),
    "received": lambda model, me: ("/v1/reviews/mine?received=true", _reviews(model, me, "about")),
    "members": _members,
    "inbox": lambda model, me: ("/v1/conversations", {"items": model.inbox(me)}),
    "devices": lambda model, me: ("/v1/sessions", _sessions(model, me)),
    "found": lambda model, me: (f"/v1/jobs?{query(sort='newest')}", _jobs_found(model, me)),
    "news": lambda model, me: ("/v1/notifications", {}),
}
"""Where to look, and what must be found there."""

__all__ = ["ADA", "NOWHERE", "OFFER", "PASSWORD", "Divergence", "Town"]
