"""The reference model, second part: jobs, hours, and which starts are free."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.proof.model.society import Society, Thing, Verdict

WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MINUTE = timedelta(minutes=1)


class Offers(Society):
    """What is on offer, and when."""

    def __init__(self, now: datetime) -> None:
        super().__init__(now)
        self.jobs: dict[str, Thing] = {}
        self.hours: dict[str, Thing] = {}
        self.bookings: dict[str, Thing] = {}
        self.reviews: dict[str, Thing] = {}

    # --- Jobs ---------------------------------------------------------------------------------------------------------

    def shows_job(self, me: str | None, job: Thing | None) -> bool:
        """Published ones to everybody, others to the organization's members and admins."""
        public = job is not None and job["state"] == "published"
        return public or (job is not None and (self.admin(me) or self.member(job["org"], me) is not None))

    def own_job(self, me: str, job_id: str) -> Verdict:
        """Why they may not change it; nothing when they may."""
        job = self.jobs.get(job_id)
        if job is None:
            return {"not_found"}
        if job["provider"] == me or self.manages(job["org"], me):
            return set()
        return {"job.not_yours" if job["state"] == "published" else "not_found"}

    def draft(self, me: str, offer: Thing, org: str | None, told: Thing) -> Verdict:
        if self.person(me)["role"] == "customer":
            return {"job.not_a_provider"}
        mine = [member["org"] for member in self.members if member["user"] == me]
        if org is not None and org not in mine:
            return {"job.not_a_provider"}
        if _nonsense(offer):
            return {"invalid"}
        if not mine:
            self.found(me, told.get("organization_id", ""), self.person(me)["name"], solo=True)
        job = {**offer, "org": org or (mine or [told.get("organization_id")])[0], "provider": me, "state": "draft"}
        self.jobs[told.get("id", "")] = job | {"version": 1, "updated": self.now, "published": None}
        return {**_shown(offer), "state": "draft", "organization_id": job["org"], "provider_id": me, "version": 1}

    def revise(self, me: str, job_id: str, said: Thing, expected: int | None) -> Verdict:
        if no := self.own_job(me, job_id):
            return no
        job = self.jobs[job_id]
        if expected not in (None, job["version"]):
            return {"outdated"}
        no = {"invalid"} if _nonsense(job | said) else set()
        if job["state"] == "archived":
            no |= {"job.wrong_state"}
        if no:
            return no
        job["version"] += {**job, **said} != job or job["updated"] != self.now
        job |= said | {"updated": self.now}
        return {**_shown(said), "version": job["version"]}

    def move_job(self, me: str, job_id: str, to: str) -> Verdict:
        """Published, archived, or (a draft that was nobody's yet) gone."""
        if no := self.own_job(me, job_id):
            return no
        job = self.jobs[job_id]
        if job["state"] not in {"published": ("draft", "archived"), "archived": ("published",), "gone": ("draft",)}[to]:
            return {"job.wrong_state"}
        if to == "gone":
            del self.jobs[job_id]
            return {}
        job |= {"state": to, "version": job["version"] + 1, "updated": self.now}
        job["published"] = self.now if to == "published" else job["published"]
        return {"state": to, "version": job["version"]}

    def retire(self, user: str, org: str | None) -> None:
        for job in self.jobs.values():
            if job["provider"] == user and job["state"] == "published" and org in (None, job["org"]):
                job |= {"state": "archived", "version": job["version"] + 1, "updated": self.now}

    def rating(self, job_id: str) -> tuple[int, int]:
        """How many customers rated it, and their average in hundredths of a star."""
        rated = [each for each in self.reviews.values() if each["side"] == "customer" and not each["hidden"]]
        stars = [each["stars"] for each in rated if self.bookings[each["booking"]]["job"] == job_id]
        return len(stars), (200 * sum(stars) + len(stars)) // (2 * len(stars)) if stars else 0

    def search(self, wanted: Thing, sort: str) -> list[str]:
        """The published jobs that match, in order."""
        begins = [word.lower() for word in wanted.get("text", "").split()]

        def hits(text: str) -> int:
            return sum(any(word.startswith(start) for word in text.lower().split()) for start in begins)

        found = [
            (id, job)
            for id, job in self.jobs.items()
            if job["state"] == "published"
            and hits(f"{job['title']} {job['category']}") == len(begins)
            and wanted.get("category") in (None, job["category"])
            and wanted.get("price_from", 0) <= job["price"] <= wanted.get("price_to", 10**9)
            and self.rating(id)[1] >= 100 * wanted.get("min_rating", 0)
        ]
        found.sort(key=lambda each: each[0], reverse=True)
        if sort in ("newest", "relevance"):
            found.sort(key=lambda each: each[1]["published"], reverse=True)
        by = {
            "relevance": lambda each: -hits(each[1]["title"]),
            "price": lambda each: each[1]["price"],
            "-price": lambda each: -each[1]["price"],
            "-rating": lambda each: -self.rating(each[0])[1],
        }.get(sort)
        return [id for id, _ in (sorted(found, key=by) if by else found)]

    # --- Hours and slots ----------------------------------------------------------------------------------------------

    def keeps(self, me: str, provider: str, expected: int | None) -> Verdict:
        """Why somebody may not set these hours; nothing when they may."""
        version = self.hours[provider]["version"] if provider in self.hours else 0
        no = {"outdated"} if expected not in (None, version) else set()
        if me != provider and not self.admin(me):
            no.add("availability.not_yours")
        elif self.person(me)["role"] == "customer":
            no.add("availability.not_a_provider")
        return no

    def set_hours(self, me: str, provider: str, week: dict[str, list[str]], zone: str, expected: int | None) -> Verdict:
        if no := self.keeps(me, provider, expected):
            return no
        kept = self.hours.setdefault(provider, {"week": None, "zone": zone, "days": {}, "off": {}, "version": 0})
        kept["version"] += (kept["week"], kept["zone"]) != (week, zone)
        kept |= {"week": week, "zone": zone}
        return {"zone": zone, "weekly": week, "version": kept["version"]}

    def except_day(self, me: str, provider: str, day: date, windows: list[str] | None) -> Verdict:
        """That date has hours of its own, or (None) its ordinary ones again."""
        if provider not in self.hours:
            return {"not_found"}
        kept = self.hours[provider]
        no = self.keeps(me, provider, None)
        if not no and windows is None and day not in kept["days"]:
            return {"availability.no_such_override"}
        if not no and windows is not None and day < self.today(provider) - timedelta(days=1):
            return {"availability.day_is_over"}
        if no:
            return no
        kept["version"] += kept["days"].get(day) != windows
        kept["days"] = {
            **{d: w for d, w in kept["days"].items() if d != day},
            **({} if windows is None else {day: windows}),
        }
        return {"version": kept["version"]}

    def take_off(self, me: str, provider: str, first: date, last: date, told: Thing) -> Verdict:
        if provider not in self.hours:
            return {"not_found"}
        if no := self.keeps(me, provider, None):
            return no
        if last < self.today(provider) - timedelta(days=1):
            return {"availability.day_is_over"}
        kept = self.hours[provider]
        kept["version"] += 1
        kept["off"][told["time_off"][-1]["id"] if told else ""] = (first, last)
        return {"version": kept["version"]}

    def back_to_work(self, me: str, provider: str, off: str) -> Verdict:
        if provider not in self.hours:
            return {"not_found"}
        if no := self.keeps(me, provider, None):
            return no
        if off not in self.hours[provider]["off"]:
            return {"availability.no_such_time_off"}
        self.hours[provider]["version"] += 1
        del self.hours[provider]["off"][off]
        return {"version": self.hours[provider]["version"]}

    def today(self, provider: str) -> date:
        return self.now.astimezone(ZoneInfo(self.hours[provider]["zone"])).date()

    def starts(self, job: Thing, wish: Thing, day: date, rivals: list[Thing]) -> dict[datetime, int]:
        """Every start of that day at which `wish` (its length, buffers and seats) fits, and the seats left there."""
        kept = self.hours.get(job["provider"])
        if kept is None or wish["seats"] > job["capacity"]:
            return {}
        today = self.today(job["provider"])
        away = any(first <= day <= last for first, last in kept["off"].values())
        if away or not today <= day <= today + timedelta(days=job["window_days"]):
            return {}
        whole = self.now.replace(second=0, microsecond=0)
        soonest = whole + MINUTE * ((self.now > whole) + job["notice"])
        found = {}
        for window in kept["days"].get(day, kept["week"][WEEK[day.weekday()]]):
            start, closes = (_moment(day, clock, kept["zone"]) for clock in window.split("-"))
            while start + wish["length"] <= closes:
                left = self._left(job, wish, start, rivals)
                if start >= soonest and left >= wish["seats"]:
                    found[start] = left
                start += MINUTE * job["slot_interval"]
        return found

    def _left(self, job: Thing, wish: Thing, start: datetime, rivals: list[Thing]) -> int:
        """How many seats are left at that start; none when somebody else has the time."""
        left: int = job["capacity"]
        for rival in rivals:
            begins, ends = rival["start"] - rival["before"], rival["start"] + rival["length"] + rival["after"]
            if job["capacity"] > 1 and rival["session"] == (wish["job"], start):
                left -= rival["seats"]
            elif begins < start + wish["length"] + wish["after"] and start - wish["before"] < ends:
                return 0
        return left

    def rivals(self, provider: str, but: Thing | None = None) -> list[Thing]:
        """Who has some of that provider's time now."""
        busy = [each for each in self.bookings.values() if each["provider"] == provider and each is not but]
        return [each for each in busy if each["state"] in ("held", "confirmed") and not self.lapsed(each)]

    def slots(self, me: str | None, job_id: str, first: date, last: date, seats: int) -> Verdict:
        job = self.jobs.get(job_id)
        if job is None or not self.shows_job(me, job):
            return {"not_found"}
        wish = wish_for(job_id, job, seats)
        found: dict[datetime, int] = {}
        if job["state"] == "published" and job["provider"] in self.hours:
            for day in (first + timedelta(days=n) for n in range((last - first).days + 1)):
                found |= self.starts(job, wish, day, self.rivals(job["provider"]))
        return {"slots": [{"starts_at": start, "seats_left": left} for start, left in sorted(found.items())]}

    def gate(self, booking: Thing) -> set[str]:
        """Why a booking cannot have the time it wants; nothing when it can."""
        job = self.jobs[booking["job"]]
        if job["state"] != "published":
            return {"booking.job_not_bookable"}
        if booking["provider"] not in self.hours:
            return {"booking.not_offered"}
        day = booking["start"].astimezone(ZoneInfo(self.hours[booking["provider"]]["zone"])).date()
        rivals = self.rivals(booking["provider"], booking)
        others = [each for each in rivals if each["session"] != booking["session"]] if booking["session"] else rivals

        def offered(against: list[Thing]) -> bool:
            return booking["start"] in self.starts(job, booking, day, against)

        if not offered([]):
            return {"booking.not_offered"}
        if offered(rivals):
            return set()
        return {"booking.sold_out" if booking["session"] and offered(others) else "booking.slot_taken"}

    def lapsed(self, booking: Thing) -> bool:
        waiting = booking["state"] in ("held", "requested")
        return bool(waiting and booking["expires"] is not None and booking["expires"] <= self.now)


def _moment(day: date, clock: str, zone: str) -> datetime:
    hour, minute = map(int, clock.split(":"))
    local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZoneInfo(zone))
    return local.astimezone(ZoneInfo("UTC"))


def wish_for(job_id: str, job: Thing, seats: int) -> Thing:
    wish = {"job": job_id, "length": MINUTE * job["duration"], "seats": seats}
    return wish | {"before": MINUTE * job["buffer_before"], "after": MINUTE * job["buffer_after"]}


def _nonsense(offer: Thing) -> bool:
    """What is free costs nothing, and what is paid in advance costs something."""
    terms, price = offer["terms"], offer["price"]
    return bool((terms == "free" and price != 0) or (terms == "prepaid" and price == 0))


def _shown(offer: Thing) -> Thing:
    shown: dict[str, Any] = {name: value for name, value in offer.items() if name not in ("price", "policy")}
    return shown | ({"price": {"amount_minor": offer["price"], "currency": "EUR"}} if "price" in offer else {})
