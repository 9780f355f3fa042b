"""Drafting, publishing and finding jobs over the API; versions, cursors and what is hidden."""

from tests.rest.world import JOB, World, keyed


async def test_a_job_is_drafted_published_and_found(world: World) -> None:
    vera = await world.provider()
    drafted = await vera.post("/v1/jobs", json=JOB)
    assert (drafted.status_code, drafted.json()["state"], drafted.headers["etag"]) == (201, "draft", '"1"')
    job = f"/v1/jobs/{drafted.json()['id']}"
    assert (await world.anybody.get(job)).status_code == 404
    published = await vera.post(f"{job}/publish")
    assert (published.json()["state"], published.headers["etag"]) == ("published", '"2"')
    found = (await world.anybody.get("/v1/jobs", params={"text": "guit beginn"})).json()["items"]
    assert [each["id"] for each in found] == [drafted.json()["id"]]
    assert (await world.anybody.get("/v1/jobs", params={"text": "piano"})).json()["items"] == []


async def test_who_changes_a_job_says_which_version_they_saw(world: World) -> None:
    vera = await world.provider()
    job = f"/v1/jobs/{await world.job(vera)}"
    seen = (await vera.get(job)).headers["etag"]
    blindly = await vera.patch(job, json={"title": "Guitar for all"})
    assert (blindly.status_code, blindly.json()["code"]) == (428, "precondition_required")
    changed = await vera.patch(job, json={"title": "Guitar for all"}, headers={"If-Match": seen})
    assert (changed.status_code, changed.json()["title"]) == (200, "Guitar for all")
    late = await vera.patch(job, json={"title": "Guitar for some"}, headers={"If-Match": seen})
    assert (late.status_code, late.json()["code"], late.json()["present"]) == (412, "outdated", 3)
    anyhow = await vera.patch(job, json={"place": "Porto"}, headers={"If-Match": "*"})
    assert anyhow.headers["etag"] == '"4"'
    odd = await vera.patch(job, json={"place": "Porto"}, headers={"If-Match": "W/three"})
    assert odd.status_code == 400


async def test_a_version_in_the_body_is_refused_because_it_would_not_count(world: World) -> None:
    vera = await world.provider()
    job = f"/v1/jobs/{await world.job(vera)}"
    answer = await vera.patch(job, json={"title": "Guitar", "expected_version": 1}, headers={"If-Match": "*"})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "#/expected_version")


async def test_what_the_asker_has_already_is_not_sent_again(world: World) -> None:
    vera = await world.provider()
    job = f"/v1/jobs/{await world.job(vera)}"
    seen = (await world.anybody.get(job)).headers["etag"]
    for named in (seen, f'"0", {seen}', f"W/{seen}", "*"):
        unchanged = await world.anybody.get(job, headers={"If-None-Match": named})
        assert (unchanged.status_code, unchanged.content, unchanged.headers["etag"]) == (304, b"", seen)
    assert (await world.anybody.get(job, headers={"If-None-Match": '"1"'})).status_code == 200


async def test_a_listing_goes_on_where_it_ended_and_only_there(world: World) -> None:
    vera = await world.provider()
    made = [await world.job(vera, title=f"Lesson number {number}") for number in range(5)]
    query = {"sort": "newest", "limit": 2}
    first = await world.anybody.get("/v1/jobs", params=query)
    assert first.json()["has_more"]
    assert first.headers["link"].endswith('; rel="next"')
    onward = first.headers["link"].split(">")[0].removeprefix("<")
    second = await world.anybody.get(onward)
    third = await world.anybody.get("/v1/jobs", params={**query, "cursor": second.json()["next_cursor"]})
    assert "link" not in third.headers
    pages = [page.json()["items"] for page in (first, second, third)]
    assert [item["id"] for page in pages for item in page] == made[::-1]
    elsewhere = await world.anybody.get("/v1/jobs", params={**query, "sort": "-price", "currency": "EUR",
                                                            "cursor": first.json()["next_cursor"]})  # fmt: skip
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (400, "bad_request")
    tampered = first.json()["next_cursor"][:-2] + "AA"
    assert (await world.anybody.get("/v1/jobs", params={**query, "cursor": tampered})).status_code == 400


async def test_a_retry_under_the_same_key_finds_the_first_answer(world: World) -> None:
    vera = await world.provider()
    key = keyed("one and the same")
    first = await vera.post("/v1/jobs", json=JOB, headers=key)
    again = await vera.post("/v1/jobs", json=JOB, headers={"Idempotency-Key": "one and the same"})
    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    other = await vera.post("/v1/jobs", json={**JOB, "title": "Another one"}, headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency.key_reused")
    assert len((await vera.get("/v1/jobs/mine")).json()["items"]) == 1


async def test_a_key_belongs_to_who_uses_it(world: World) -> None:
    vera, rita = await world.provider("Vera"), await world.provider("Rita")
    key = keyed("1")
    hers = await vera.post("/v1/jobs", json=JOB, headers=key)
    other = await rita.post("/v1/jobs", json=JOB, headers=key)
    assert other.json()["id"] != hers.json()["id"]


async def test_what_others_offer_cannot_be_changed_and_their_drafts_do_not_exist(world: World) -> None:
    vera, rita = await world.provider("Vera"), await world.provider("Rita")
    draft = (await vera.post("/v1/jobs", json=JOB)).json()["id"]
    published = await world.job(vera)
    any_version = {"If-Match": "*"}
    assert (await rita.patch(f"/v1/jobs/{draft}", json={"title": "Mine"}, headers=any_version)).status_code == 404
    forbidden = await rita.patch(f"/v1/jobs/{published}", json={"title": "Mine"}, headers=any_version)
    assert (forbidden.status_code, forbidden.json()["code"]) == (403, "job.not_yours")
    assert (await world.anybody.post("/v1/jobs", json=JOB)).status_code == 401
    ana = await world.person("Ana")
    assert (await ana.post("/v1/jobs", json=JOB)).status_code == 403


async def test_a_draft_is_thrown_away_and_a_published_job_archived(world: World) -> None:
    vera = await world.provider()
    draft = (await vera.post("/v1/jobs", json=JOB)).json()["id"]
    assert (await vera.delete(f"/v1/jobs/{draft}")).status_code == 204
    assert (await vera.get(f"/v1/jobs/{draft}")).status_code == 404
    published = await world.job(vera)
    assert (await vera.delete(f"/v1/jobs/{published}")).status_code == 409
    assert (await vera.post(f"/v1/jobs/{published}/archive")).json()["state"] == "archived"
    assert (await world.anybody.get("/v1/jobs")).json()["items"] == []


async def test_filters_narrow_and_prices_need_a_currency(world: World) -> None:
    vera = await world.provider()
    cheap = await world.job(vera, price={"amount_minor": 1000, "currency": "EUR"})
    await world.job(vera, price={"amount_minor": 9000, "currency": "EUR"})
    found = await world.anybody.get("/v1/jobs", params={"price_to": 5000, "currency": "EUR", "sort": "price"})
    assert [each["id"] for each in found.json()["items"]] == [cheap]
    nameless = await world.anybody.get("/v1/jobs", params={"price_to": 5000})
    assert (nameless.status_code, nameless.json()["field"]) == (422, "currency")
    misspelt = await world.anybody.get("/v1/jobs", params={"catgory": "music"})
    assert (misspelt.status_code, misspelt.json()["parameters"]) == (400, ["catgory"])
