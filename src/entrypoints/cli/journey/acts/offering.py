"""Vera offers work."""

from typing import Any

from entrypoints.cli.journey.calendar import ZONE
from entrypoints.cli.journey.checking import Checks
from entrypoints.cli.journey.story import Act, Story

DAY = ("09:00-12:00", "14:00-17:00")
NIGHT = ("01:00-05:00",)
SHORT = ("10:00-12:00",)
"""The hours of an ordinary day, of a Sunday, and of the one Tuesday that differs."""

JOBS: dict[str, dict[str, Any]] = {
    "lesson": {
        "title": "Guitar lesson for beginners",
        "description": "One to one, from the first chord to the first song.",
        "category": "music",
        "price": {"amount_minor": 4500, "currency": "EUR"},
        "duration": 60,
        "buffer_after": 15,
        "slot_interval": 60,
        "place": "Torstrasse 12, Berlin",
        "policy": "moderate",
    },
    "circle": {
        "title": "Ukulele circle",
        "description": "Three people, four strings each, and an hour of songs.",
        "category": "music",
        "price": {"amount_minor": 1500, "currency": "EUR"},
        "duration": 60,
        "slot_interval": 60,
        "capacity": 3,
        "place": "Torstrasse 12, Berlin",
        "terms": "later",
    },
    "concert": {
        "title": "Living room concert",
        "description": "Two hours of music where you live, if the stairs allow.",
        "category": "concerts",
        "price": {"amount_minor": 30000, "currency": "EUR"},
        "duration": 120,
        "slot_interval": 60,
        "place": "Berlin, at your home",
        "acceptance": "request",
    },
    "call": {
        "title": "First call, free of charge",
        "description": "What you would like to play, and how to begin with music.",
        "category": "music",
        "price": {"amount_minor": 0, "currency": "EUR"},
        "duration": 30,
        "slot_interval": 30,
        "remote": True,
        "terms": "free",
    },
}


async def keeps_hours(story: Story, check: Checks) -> None:
    """Vera keeps hours in Berlin's time across the night its clocks change, with a short day and a day off"""
    hours = f"/v1/providers/{story.vera.id}/availability"
    week: dict[str, Any] = dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday", "saturday"), DAY)
    answer = await story.vera.put(hours, {"zone": ZONE, **week, "sunday": NIGHT})
    check.refused("a change must say which version it is decided on", answer, 428, "precondition_required")
    answer = await story.vera.put(hours, {"zone": "Europe/Atlantis", **week}, match="*")
    check.refused("a zone that does not exist is refused", answer, 422, answer.json()["code"])
    answer = await story.vera.put(hours, {"zone": ZONE, **week, "sunday": NIGHT}, match="*")
    check.done("PUT sets the hours of the week", answer)
    answer = await story.vera.put(f"{hours}/days/{story.week.day(2)}", {"windows": SHORT})
    check.done(f"{story.week.day(2)} gets hours of its own", answer)
    answer = await story.vera.post(f"{hours}/time-off", {"first": str(story.week.day(3))})
    check.done(f"{story.week.day(3)} is taken off", answer, 201)
    seen = check.done("everybody may read the hours", await story.visitor.get(hours))
    kept = (seen["zone"], len(seen["overrides"]), len(seen["time_off"]))
    check.same("with the zone, the short day and the day off", kept, (ZONE, 1, 1))
    answer = await story.carla.put(hours, {"zone": ZONE}, match="*")
    check.refused("a customer cannot change them", answer, 403, "availability.not_yours")


async def drafts_jobs(story: Story, check: Checks) -> None:
    """She drafts four jobs: paid in advance, shared by three, on request, and free"""
    for name, draft in JOBS.items():
        said = f"POST /v1/jobs drafts {draft['title']!r}"
        story.jobs[name] = check.done(said, await story.vera.post("/v1/jobs", draft), 201)
    lesson = f"/v1/jobs/{story.jobs['lesson']['id']}"
    check.refused("nobody else sees a draft", await story.visitor.get(lesson), 404, "not_found")
    answer = await story.vera.post("/v1/jobs", {**JOBS["lesson"], "prize": 1})
    check.refused("a field that does not exist is refused", answer, 422, "invalid")
    answer = await story.carla.post("/v1/jobs", JOBS["lesson"])
    check.refused("a customer offers no jobs", answer, 403, "job.not_a_provider")
    organizations = {job["organization_id"] for job in story.jobs.values()}
    check.same("all belong to one organization that she got without noticing", len(organizations), 1)


async def publishes_jobs(story: Story, check: Checks) -> None:
    """She polishes one, publishes all, and a change decided on an old version is refused"""
    lesson = f"/v1/jobs/{story.jobs['lesson']['id']}"
    seen = await story.vera.get(lesson)
    tag = seen.headers["etag"]
    text = {"description": "One to one, from the first chord to the first song. Guitars are here."}
    check.done("PATCH with If-Match changes it", await story.vera.patch(lesson, text, match=tag))
    answer = await story.vera.patch(lesson, text, match=tag)
    check.refused("the same ETag again is out of date", answer, 412, "outdated")
    for name, job in story.jobs.items():
        answer = await story.vera.post(f"/v1/jobs/{job['id']}/publish")
        story.jobs[name] = check.done(f"{job['title']!r} is published", answer)
    check.done("now everybody sees them", await story.visitor.get(lesson))


OFFERING = Act("Vera offers work", (keeps_hours, drafts_jobs, publishes_jobs))
