"""Profiles, organizations, and looking after users, over the API."""

from tests.rest.world import JOB, World, keyed


async def test_a_profile_is_public_but_for_telephone_and_language(world: World) -> None:
    ana = await world.person("Ana")
    own = await ana.get("/v1/me/profile")
    change = {"headline": "Plays by ear", "phone": "+351 912 345 678"}
    assert (await ana.patch("/v1/me/profile", json=change)).status_code == 428
    changed = await ana.patch("/v1/me/profile", json=change, headers={"If-Match": own.headers["etag"]})
    assert changed.json()["phone"] == "+351912345678"
    public = await world.anybody.get(f"/v1/profiles/{ana.user_id}")
    assert public.json()["headline"] == "Plays by ear"
    assert "phone" not in public.json()
    assert (await ana.patch("/v1/me/profile", json=change, headers={"If-Match": '"1"'})).status_code == 412


async def test_a_provider_has_an_organization_without_noticing(world: World) -> None:
    vera = await world.provider()
    (mine,) = (await vera.get("/v1/organizations/mine")).json()["items"]
    assert (mine["role"], mine["solo"]) == ("owner", True)
    assert (await world.anybody.get(f"/v1/organizations/{mine['organization_id']}")).json()["name"] == "Vera"


async def test_an_organization_is_founded_renamed_and_joined(world: World) -> None:
    vera, rita, ana = await world.provider("Vera"), await world.provider("Rita"), await world.person("Ana")
    founded = await vera.post("/v1/organizations", json={"name": "Strings"})
    house = f"/v1/organizations/{founded.json()['id']}"
    assert (await ana.post("/v1/organizations", json={"name": "Mine"})).status_code == 403
    renamed = await vera.patch(house, json={"name": "Six Strings"}, headers={"If-Match": founded.headers["etag"]})
    assert renamed.json()["name"] == "Six Strings"
    joined = await vera.post(f"{house}/members", json={"email": rita.email, "role": "manager"})
    assert joined.status_code == 201
    twice = await vera.post(f"{house}/members", json={"email": rita.email})
    assert (twice.status_code, twice.json()["code"]) == (409, "organization.already_member")
    assert {each["name"] for each in (await rita.get(f"{house}/members")).json()["items"]} == {"Vera", "Rita"}
    member = f"{house}/members/{rita.user_id}"
    assert (await rita.patch(member, json={"role": "owner"}, headers={"If-Match": "*"})).status_code == 403
    assert (await vera.patch(member, json={"role": "member"}, headers={"If-Match": '"1"'})).json()["role"] == "member"
    assert (await rita.delete(member)).status_code == 204
    last = await vera.delete(f"{house}/members/{vera.user_id}")
    assert (last.status_code, last.json()["code"]) == (409, "organization.last_owner")


async def test_only_admins_look_after_users(world: World) -> None:
    ana, admin = await world.person("Ana"), await world.admin()
    assert (await ana.get("/v1/admin/users")).status_code == 403
    assert (await world.anybody.get("/v1/admin/users")).status_code == 401
    (found,) = (await admin.get("/v1/admin/users", params={"email": "ANA@example.org"})).json()["items"]
    shown = await admin.get(f"/v1/admin/users/{found['id']}")
    assert shown.json()["role"] == "customer"
    version = {"If-Match": shown.headers["etag"]}
    promoted = await admin.put(f"/v1/admin/users/{found['id']}/role", json={"role": "provider"}, headers=version)
    assert promoted.json()["role"] == "provider"
    assert (await ana.post("/v1/jobs", json=JOB)).status_code == 201


async def test_a_suspended_user_is_out_at_once_and_comes_back_by_signing_in(world: World) -> None:
    ana, admin = await world.person("Ana"), await world.admin()
    user = f"/v1/admin/users/{ana.user_id}"
    assert (await admin.post(f"{user}/suspend", json={"reason": "Spam."})).json()["suspended_at"] is not None
    refused = await ana.get("/v1/me")
    assert (refused.status_code, refused.json()["code"]) == (403, "identity.suspended")
    assert (await admin.post(f"{user}/suspend", json={"reason": "Spam."})).status_code == 409
    assert (await admin.post(f"{user}/restore")).json()["suspended_at"] is None
    assert (await (await world.sign_in(ana.email)).get("/v1/me")).status_code == 200
    own = await admin.post(f"/v1/admin/users/{admin.user_id}/suspend", json={"reason": "Me."})
    assert own.json()["code"] == "identity.own_account"


async def test_a_deleted_user_is_nobody_and_their_address_is_free(world: World) -> None:
    ana, vera, admin = await world.person("Ana"), await world.provider(), await world.admin()
    booking = await world.booking(ana, await world.job(vera))
    user = f"/v1/admin/users/{ana.user_id}"
    expected = await admin.delete(user)
    assert (expected.status_code, expected.json()["code"]) == (409, "identity.still_expected")
    await ana.post(f"/v1/bookings/{booking['id']}/cancel", json={"reason": "I move away."})
    assert (await ana.delete(user)).status_code == 403
    assert (await admin.delete(user)).status_code == 204
    assert (await ana.get("/v1/me")).status_code == 403
    shown = (await admin.get(user)).json()
    assert (shown["email"], shown["suspended_at"] is None) == (None, False)
    assert (await admin.get(f"/v1/profiles/{ana.user_id}")).json()["name"] == "Somebody"
    again = await world.person("Ana")
    assert again.user_id != ana.user_id


async def test_an_admin_makes_an_account_once_per_key(world: World) -> None:
    admin, key = await world.admin(), keyed()
    new = {"email": "new@example.org", "name": "New", "password": "correct horse battery", "role": "provider"}
    first = await admin.post("/v1/admin/users", json=new, headers=key)
    assert first.status_code == 201
    assert (await admin.post("/v1/admin/users", json=new, headers=key)).json() == first.json()
    assert (await admin.post("/v1/admin/users", json=new)).json()["code"] == "identity.email_taken"


async def test_the_trail_the_books_and_the_traffic_are_there_for_admins(world: World) -> None:
    vera, ana, admin = await world.provider(), await world.person("Ana"), await world.admin()
    booking = await world.booking(ana, await world.job(vera))
    await world.pay(ana, booking)
    trail = (await admin.get("/v1/admin/audit", params={"subject_id": booking["id"]})).json()["items"]
    assert {each["action"] for each in trail} >= {"booking.held", "booking.confirmed"}
    assert trail[-1]["actor"] == f"user:{ana.user_id}"
    ledger = (await admin.get("/v1/admin/ledger", params={"payment_id": booking["payment_id"]})).json()["items"]
    assert sum(each["amount"]["amount_minor"] for each in ledger) == 0
    (webhook,) = (await admin.get("/v1/admin/webhooks", params={"outcome": "settled"})).json()["items"]
    assert (await admin.post(f"/v1/admin/webhooks/{webhook['id']}/replay")).json()["outcome"] == "waiting"
    mails = (await admin.get("/v1/admin/mails", params={"state": "sent"})).json()["items"]
    assert {each["to"] for each in mails} >= {ana.email, vera.email}
    resent = await admin.post(f"/v1/admin/mails/{mails[0]['id']}/resend")
    assert (resent.status_code, resent.json()["code"]) == (409, "mail.not_failed")
    for listing in ("audit", "ledger", "webhooks", "mails"):
        assert (await vera.get(f"/v1/admin/{listing}")).status_code == 403


async def test_a_mail_that_was_turned_away_is_sent_again_when_its_cause_is_mended(world: World) -> None:
    ana, admin = await world.person("Ana"), await world.admin()
    world.mailer.refused.add(ana.email)
    await world.anybody.post("/v1/magic-links", json={"email": ana.email})
    await world.deliver()
    (failed,) = (await admin.get("/v1/admin/mails", params={"state": "failed"})).json()["items"]
    world.mailer.refused.clear()
    assert (await admin.post(f"/v1/admin/mails/{failed['id']}/resend")).json()["state"] == "queued"
    await world.deliver()
    assert world.letter(ana.email, "magic_link")
