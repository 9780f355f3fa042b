"""A provider's hours over the API, and the slots customers see in them."""

from tests.rest.world import World

WEEK = {"zone": "Europe/Lisbon", "sunday": ["00:30-04:00"], "monday": ["09:00-12:00"]}


async def test_hours_are_set_read_by_everybody_and_changed_on_a_version(world: World) -> None:
    vera = await world.person("Vera", "provider")
    hours = f"/v1/providers/{vera.user_id}/availability"
    assert (await world.anybody.get(hours)).status_code == 404
    opened = await vera.put(hours, json=WEEK, headers={"If-Match": '"0"'})
    assert opened.headers["etag"] == '"1"'
    assert opened.json()["weekly"]["monday"] == ["09:00-12:00"]
    assert (await world.anybody.get(hours)).json() == opened.json()
    late = await vera.put(hours, json={**WEEK, "monday": []}, headers={"If-Match": '"0"'})
    assert (late.status_code, late.json()["code"]) == (412, "outdated")


async def test_a_day_has_hours_of_its_own_until_it_is_cleared(world: World) -> None:
    vera = await world.provider()
    job, hours = await world.job(vera), f"/v1/providers/{vera.user_id}/availability"
    day = f"{hours}/days/2026-03-04"
    assert (await vera.put(day, json={"windows": ["10:00-11:00"]})).status_code == 200
    wanted = {"first": "2026-03-04", "last": "2026-03-04"}
    slots = (await world.anybody.get(f"/v1/jobs/{job}/slots", params=wanted)).json()["slots"]
    assert [slot["starts_at"] for slot in slots] == ["2026-03-04T10:00:00Z"]
    assert (await vera.delete(day)).status_code == 200
    assert (await vera.delete(day)).json()["code"] == "availability.no_such_override"
    assert len((await world.anybody.get(f"/v1/jobs/{job}/slots", params=wanted)).json()["slots"]) == 17


async def test_time_off_closes_days_and_is_taken_back(world: World) -> None:
    vera = await world.provider()
    job, hours = await world.job(vera), f"/v1/providers/{vera.user_id}/availability"
    taken = await vera.post(f"{hours}/time-off", json={"first": "2026-03-04", "last": "2026-03-05"})
    assert taken.status_code == 201
    wanted = {"first": "2026-03-04", "last": "2026-03-05"}
    assert (await world.anybody.get(f"/v1/jobs/{job}/slots", params=wanted)).json()["slots"] == []
    (time_off,) = taken.json()["time_off"]
    assert (await vera.delete(f"{hours}/time-off/{time_off['id']}")).status_code == 200
    assert (await world.anybody.get(f"/v1/jobs/{job}/slots", params=wanted)).json()["slots"] != []


async def test_slots_skip_the_hour_that_summer_takes(world: World) -> None:
    vera = await world.person("Vera", "provider")
    hours = f"/v1/providers/{vera.user_id}/availability"
    await vera.put(hours, json=WEEK, headers={"If-Match": "*"})
    job = await world.job(vera, duration=30)
    wanted = {"first": "2026-03-29", "last": "2026-03-29"}
    slots = (await world.anybody.get(f"/v1/jobs/{job}/slots", params=wanted)).json()
    assert [slot["shown_start"][11:] for slot in slots["slots"]] == [
        "00:30:00+00:00",
        "02:00:00+01:00",
        "02:30:00+01:00",
        "03:00:00+01:00",
        "03:30:00+01:00",
    ]
    elsewhere = await world.anybody.get(f"/v1/jobs/{job}/slots", params={**wanted, "zone": "Asia/Tokyo"})
    assert elsewhere.json()["slots"][0]["shown_start"] == "2026-03-29T09:30:00+09:00"


async def test_hours_that_are_none_are_refused(world: World) -> None:
    vera, rita = await world.provider("Vera"), await world.provider("Rita")
    hours = f"/v1/providers/{vera.user_id}/availability"
    any_version = {"If-Match": "*"}
    bad = await vera.put(hours, json={**WEEK, "monday": ["25:00-26:00"]}, headers=any_version)
    assert (bad.status_code, bad.json()["code"]) == (422, "availability.bad_window")
    assert (await vera.put(hours, json={**WEEK, "zone": "Mars/Olympus"}, headers=any_version)).status_code == 422
    assert (await rita.put(hours, json=WEEK, headers=any_version)).json()["code"] == "availability.not_yours"
    unknown = await vera.put(hours, json={**WEEK, "someday": []}, headers=any_version)
    assert unknown.json()["errors"][0]["pointer"] == "#/someday"
    job = await world.job(vera)
    long = {"first": "2026-03-04", "last": "2027-03-04"}
    assert (await world.anybody.get(f"/v1/jobs/{job}/slots", params=long)).json()["code"] == "scheduling.bad_dates"
