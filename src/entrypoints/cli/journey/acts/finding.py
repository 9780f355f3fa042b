"""Carla looks around."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from entrypoints.cli.journey.acts.offering import DAY, NIGHT, SHORT
from entrypoints.cli.journey.calendar import ZONE, moments
from entrypoints.cli.journey.checking import Checks
from entrypoints.cli.journey.story import Act, Story


async def searches(story: Story, check: Checks) -> None:
    """A visitor finds the lesson in full text, and narrows the search with filters"""
    said = {"text": "guit begin", "category": "music", "currency": "EUR", "price_to": 5000, "place": "torstr"}
    check.same("beginnings of words find it, with every filter", await _titles(story, **said), ["lesson"])
    check.same("'music' is in all four", len(await _titles(story, text="music")), 4)
    titles = await _titles(story, text="first", sort="newest")
    check.same("words of the description count too", sorted(titles), ["call", "lesson"])
    titles = await _titles(story, category="music", currency="EUR", sort="price")
    check.same("a category sorts by price", titles, ["call", "circle", "lesson"])
    check.same("what happens remotely", await _titles(story, remote=True), ["call"])
    check.same("what costs 100 EUR or more", await _titles(story, currency="EUR", price_from=10000), ["concert"])
    check.same("nobody has been rated yet", await _titles(story, min_rating=1), [])
    check.same("what nobody offers is not found", await _titles(story, text="bassoon"), [])
    answer = await story.visitor.get("/v1/jobs", price_to=5000)
    check.refused("a price is in some currency", answer, 422, answer.json()["code"])


async def pages(story: Story, check: Checks) -> None:
    """Pages go on where they ended, and their cursors fit no other search"""
    asked = {"category": "music", "currency": "EUR", "sort": "-price", "limit": 1}
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = (await story.visitor.get("/v1/jobs", **asked, **({"cursor": cursor} if cursor else {}))).json()
        found += [item["title"] for item in page["items"]]
        if not page["has_more"]:
            break
        last, cursor = cursor, page["next_cursor"]
        check.that("each page has another cursor", cursor != last, cursor)
    expected = [story.jobs[name]["title"] for name in ("lesson", "circle", "call")]
    check.same("three pages show three jobs, dearest first, none twice", found, expected)
    answer = await story.visitor.get("/v1/jobs", **{**asked, "category": "concerts"}, cursor=cursor)
    check.refused("a cursor of another search is refused", answer, 400, "bad_request")


async def sees_slots(story: Story, check: Checks) -> None:
    """The slots are right across the night the clocks change"""
    week = story.week
    seen = moments(await story.free_starts("lesson", -2, 4))
    expected = [start for day in (-2, -1, 1, 4) for start in week.starts(day, *DAY)]
    expected += week.starts(0, *NIGHT) + week.starts(2, *SHORT)
    check.same("seven days offer exactly the starts that zoneinfo reckons", seen, sorted(expected))
    before, after = week.at(-1, "09:00"), week.at(1, "09:00")
    check.that("nine o'clock is offered before and after", before in seen and after in seen, seen)
    gap = (after - before).total_seconds() / 3600
    hours = 48 - week.shift.total_seconds() / 3600
    check.same(f"and the two are {hours:.0f} hours apart, {before:%H:%M} and {after:%H:%M} in UTC", gap, hours)
    night = week.starts(0, *NIGHT)
    check.same(f"the Sunday's four hours by the clock are {len(night)} real ones", _on(week.day(0), seen), night)
    check.same("the short day has its own hours", _on(week.day(2), seen), week.starts(2, *SHORT))
    check.same("the day off has none", _on(week.day(3), seen), [])


async def sees_them_elsewhere(story: Story, check: Checks) -> None:
    """Shown on the clocks of Tokyo the slots are the same moments"""
    here = await story.free_starts("lesson", -2, 4)
    there = await story.free_starts("lesson", -2, 4, zone="Asia/Tokyo")
    check.same("the customer's zone changes how they are shown, never which", there, here)
    asked = {"first": str(story.week.day(1)), "last": str(story.week.day(1)), "zone": "Asia/Tokyo"}
    found = (await story.visitor.get(f"/v1/jobs/{story.jobs['lesson']['id']}/slots", **asked)).json()
    first = found["slots"][0]
    check.that("with Tokyo's offset", first["shown_start"].endswith("+09:00"), first)
    same = datetime.fromisoformat(first["shown_start"]) == datetime.fromisoformat(first["starts_at"])
    check.that("and both spellings are one moment", same, first)


async def _titles(story: Story, **asked: object) -> list[str]:
    """The names of the jobs found, in their order."""
    names = {job["id"]: name for name, job in story.jobs.items()}
    return [names[item["id"]] for item in await story.visitor.everything("/v1/jobs", **asked)]


def _on(day: date, seen: list[datetime]) -> list[datetime]:
    return [start for start in seen if start.astimezone(ZoneInfo(ZONE)).date() == day]


FINDING = Act("Carla looks around", (searches, pages, sees_slots, sees_them_elsewhere))
