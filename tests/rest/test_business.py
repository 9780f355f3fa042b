"""Growing an organization, setting it up, and buying a plan for it, over the API and in a browser."""

import asyncio
from typing import Any

from tests.rest.world import PASSWORD, Api, World, keyed


async def organization_of(person: Api) -> str:
    """The path of the first organization they belong to."""
    (mine,) = (await person.get("/v1/organizations/mine")).json()["items"]
    return f"/v1/organizations/{mine['organization_id']}"


async def test_an_invitation_is_looked_at_accepted_and_over(world: World) -> None:
    vera, rita, eve = await world.provider("Vera"), await world.person("Rita"), await world.person("Eve")
    house = await organization_of(vera)
    sent = await vera.post(f"{house}/invitations", json={"email": rita.email, "role": "manager"})
    assert (sent.status_code, sent.json()["state"]) == (201, "pending")
    assert (await vera.post(f"{house}/invitations", json={"email": rita.email})).json()["code"] == (
        "invitation.already_invited"
    )
    await world.deliver()
    link = {"token": world.token(rita.email, "invitation")}
    looked = await world.anybody.post("/v1/invitations/look", json=link)
    assert (looked.json()["organization_name"], looked.json()["has_account"]) == ("Vera", True)
    refused = await eve.post("/v1/invitations/accept", json=link)
    assert (refused.status_code, refused.json()["code"]) == (403, "invitation.somebody_else")
    assert (await world.anybody.post("/v1/invitations/accept", json=link)).status_code == 401
    assert (await rita.post("/v1/invitations/accept", json=link)).json()["role"] == "manager"
    over = await rita.post("/v1/invitations/accept", json=link)
    assert (over.status_code, over.json()["code"]) == (422, "invitation.bad_link")
    listed = await rita.get(f"{house}/invitations", params={"state": "accepted"})
    assert [each["email"] for each in listed.json()["items"]] == [rita.email]
    done = (await rita.get(f"{house}/activity", params={"user_id": vera.user_id})).json()["items"]
    assert "invitation.sent" in [each["action"] for each in done]
    assert (await eve.get(f"{house}/activity")).status_code == 404


async def test_opening_the_page_of_an_invitation_changes_nothing_and_a_button_joins(world: World) -> None:
    vera = await world.provider("Vera")
    house = await organization_of(vera)
    for email in ("new@example.org", "no@example.org", "late@example.org"):
        await vera.post(f"{house}/invitations", json={"email": email})
    await world.deliver()
    tokens = {who: world.token(f"{who}@example.org", "invitation") for who in ("new", "no", "late")}
    for _ in range(2):
        shown = await world.anybody.get("/invitations", params={"token": tokens["new"]})
        assert "would like to have new@example.org as a member" in shown.text
        assert "Sign up and accept" in shown.text
    short = {"token": tokens["new"], "name": "New", "password": "short"}
    assert (await world.anybody.post("/invitations/accept", data=short)).status_code == 422
    joined = await world.anybody.post("/invitations/accept", data={**short, "password": PASSWORD})
    assert "You belong to the organization now." in joined.text
    assert (await world.sign_in("new@example.org")).user_id
    declined = await world.anybody.post("/invitations/decline", data={"token": tokens["no"]})
    assert declined.status_code == 200
    pending = (await vera.get(f"{house}/invitations", params={"state": "pending"})).json()["items"]
    revoke = f"{house}/invitations/{pending[0]['id']}/revoke"
    assert (await vera.post(revoke)).json()["state"] == "revoked"
    for token in (*tokens.values(), "made-up"):
        gone = await world.anybody.get("/invitations", params={"token": token})
        assert (gone.status_code, "not valid" in gone.text) == (422, True)
    assert len((await vera.get(f"{house}/members")).json()["items"]) == 2


async def test_a_profession_is_chosen_and_taken_up(world: World) -> None:
    professions = (await world.anybody.get("/v1/professions")).json()
    tutor = next(each for each in professions if each["word"] == "tutor")
    assert (tutor["wording"]["customer"], tutor["hours"]["sunday"]) == ("student", [])
    vera = await world.provider("Vera")
    house = await organization_of(vera)
    equipped = await vera.post(f"{house}/profession", json={"profession": "tutor"})
    assert equipped.json()["profession"] == "tutor"
    again = await vera.post(f"{house}/profession", json={"profession": "tutor"})
    assert (again.status_code, again.json()["code"]) == (409, "organization.already_equipped")
    unknown = await vera.post(f"{house}/profession", json={"profession": "astronaut"})
    assert unknown.status_code in (409, 422)


async def test_onboarding_is_saved_by_version_and_completed_once(world: World) -> None:
    vera = await world.provider("Vera")
    path = f"{await organization_of(vera)}/onboarding"
    begun = await vera.get(path)
    assert begun.json()["missing"] == ["business", "profession", "place", "hours"]
    answers = {
        "business": {"name": "Six Strings"},
        "profession": {"profession": "music_teacher", "currency": "EUR"},
        "place": {"zone": "Europe/Lisbon"},
        "hours": {"usual": True},
    }
    assert (await vera.patch(path, json=answers)).status_code == 428
    saved = await vera.patch(path, json=answers, headers={"If-Match": "*"})
    assert saved.json()["missing"] == []
    assert (await vera.patch(path, json=answers, headers={"If-Match": '"9"'})).status_code == 412
    wrong = await vera.patch(path, json={"place": {"zone": "Lisbon"}}, headers={"If-Match": "*"})
    assert wrong.status_code == 422
    assert (await vera.post(f"{path}/complete")).json()["completed_at"]
    over = await vera.post(f"{path}/complete")
    assert (over.status_code, over.json()["code"]) == (409, "onboarding.over")


async def test_a_plan_is_bought_and_a_business_is_there(world: World) -> None:
    admin = await world.admin()
    assert (await world.anybody.get("/v1/stripe/products")).json()["items"] == []
    assert (await admin.post("/v1/stripe/refresh")).json() == {"products": 3, "prices": 5}
    wanted = {"active": "true", "type": "recurring", "currency": "EUR", "product": "solo"}
    prices = (await world.anybody.get("/v1/stripe/prices", params=wanted)).json()["items"]
    assert {price["gateway_ref"] for price in prices} == {"solo_month_eur", "solo_year_eur"}
    page = (await world.anybody.get("/v1/stripe/prices", params={"limit": 2})).json()
    assert page["has_more"]
    new = {"price": "solo_month_eur", "email": "zoe@example.org", "organization_name": "Zoe & Co."}
    key = keyed()
    purchase = await world.anybody.post("/v1/stripe/checkout", json=new, headers=key)
    again = await world.anybody.post("/v1/stripe/checkout", json=new, headers=key)
    assert purchase.status_code == 201
    assert (again.json()["id"], again.json()["url"]) == (purchase.json()["id"], purchase.json()["url"])
    till = purchase.json()["url"].removeprefix("http://guildhall.test")
    assert "Test card" in (await world.anybody.get(till)).text
    assert (await world.anybody.post(till, data={"card": "declined"})).status_code == 409
    back = await world.anybody.post(till, data={"card": "ok"})
    assert (back.status_code, back.headers["location"]) == (303, f"/purchases/{purchase.json()['id']}")
    assert "is being set up" in (await world.anybody.get(back.headers["location"])).text
    await world.deliver()
    assert "Your business is ready" in (await world.anybody.get(back.headers["location"])).text
    tokens = await world.anybody.post(
        "/v1/magic-links/consume", json={"token": world.token("zoe@example.org", "business_ready")}
    )
    zoe = world.client(authorization=f"Bearer {tokens.json()['access_token']}")
    house = await organization_of(zoe)
    assert (await zoe.get(f"{house}/entitlements")).json()["features"] == ["bookings", "payments"]
    (subscription,) = (await zoe.get(f"{house}/subscriptions")).json()["items"]
    assert subscription["state"] == "active"
    assert (await zoe.get(f"{house}/onboarding")).json()["business"]["name"] == "Zoe & Co."
    assert (await zoe.post("/v1/stripe/portal")).json()["url"].startswith("http")
    unknown = await world.anybody.post("/v1/stripe/checkout", json={**new, "price": "made up"})
    assert unknown.status_code == 404


async def test_many_who_ask_at_once_are_one_customer(world: World) -> None:
    ana = await world.person("Ana")
    asked: list[Any] = await asyncio.gather(*(ana.post("/v1/stripe/customer") for _ in range(8)))
    assert {answer.status_code for answer in asked} == {200}
    assert len({answer.json()["gateway_ref"] for answer in asked}) == 1
    assert asked[0].json()["gateway_ref"]
    assert (await world.anybody.post("/v1/stripe/customer")).status_code == 401
