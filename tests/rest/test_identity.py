"""Signing up, in and out over the API, and what is told to nobody."""

import asyncio
from datetime import timedelta

import jwt
import pytest

from tests.rest.world import PASSWORD, World

FORM = {"email": "ana@example.org", "password": PASSWORD, "name": "Ana"}


async def test_somebody_signs_up_by_mail_and_sees_who_they_are(world: World) -> None:
    ana = await world.person("Ana")
    me = (await ana.get("/v1/me")).json()
    assert (me["email"], me["role"], me["email_verified"], me["name"]) == ("ana@example.org", "customer", True, "Ana")
    assert me["session_id"] == ana.tokens["session_id"]


async def test_signing_up_says_the_same_of_a_new_and_of_a_taken_address(world: World) -> None:
    first = await world.anybody.post("/v1/users", json=FORM)
    await world.deliver()
    await world.anybody.post("/v1/users/verify", json={"token": world.token(FORM["email"], "verify")})
    again = await world.anybody.post("/v1/users", json={**FORM, "name": "Eve"})
    await world.deliver()
    assert (first.status_code, first.json()) == (again.status_code, again.json()) == (202, again.json())
    assert world.letter(FORM["email"], "account_exists")


async def test_an_unconfirmed_address_does_not_sign_in_and_is_told_nothing_else(world: World) -> None:
    await world.anybody.post("/v1/users", json=FORM)
    credentials = {"email": FORM["email"], "password": PASSWORD}
    unconfirmed = await world.anybody.post("/v1/sessions", json=credentials)
    unknown = await world.anybody.post("/v1/sessions", json={**credentials, "email": "nobody@example.org"})
    wrong = await world.anybody.post("/v1/sessions", json={**credentials, "password": "something else"})
    told = [{**answer.json(), "request_id": None} for answer in (unconfirmed, unknown, wrong)]
    assert told[0] == told[1] == told[2]
    assert {answer.status_code for answer in (unconfirmed, unknown, wrong)} == {401}
    assert unconfirmed.json()["code"] == "identity.invalid_credentials"


async def test_a_link_confirms_once(world: World) -> None:
    await world.anybody.post("/v1/users", json=FORM)
    await world.deliver()
    link = {"token": world.token(FORM["email"], "verify")}
    assert (await world.anybody.post("/v1/users/verify", json=link)).json()["email_verified_at"] is not None
    spent = await world.anybody.post("/v1/users/verify", json=link)
    assert spent.json()["code"] == "identity.bad_link"


async def test_an_address_is_changed_by_a_link_to_the_new_one_and_the_old_one_hears_of_it(world: World) -> None:
    ana, new = await world.person("Ana"), "ana@elsewhere.example"
    change = {"email": new, "current_password": PASSWORD}
    wrong = await ana.put("/v1/me/email", json={**change, "current_password": "something else"})
    assert (wrong.status_code, wrong.json()["code"]) == (403, "identity.wrong_password")
    same = await ana.put("/v1/me/email", json={**change, "email": ana.email})
    assert (same.status_code, same.json()["code"]) == (422, "identity.same_address")
    assert (await world.anybody.put("/v1/me/email", json=change)).status_code == 401
    assert (await ana.put("/v1/me/email", json=change)).status_code == 202
    await world.deliver()
    assert (await ana.get("/v1/me")).json()["email"] == ana.email
    link = {"token": world.token(new, "address_change")}
    assert (await world.anybody.post("/v1/users/verify", json=link)).json()["email"] == new
    await world.deliver()
    assert world.letter(ana.email, "address_changed")
    me = (await ana.get("/v1/me")).json()
    assert (me["email"], me["email_verified"]) == (new, True)
    assert (await (await world.sign_in(new)).get("/v1/me")).json()["id"] == me["id"]


async def test_the_link_is_sent_again_on_request(world: World) -> None:
    await world.anybody.post("/v1/users", json=FORM)
    await world.deliver()
    answer = await world.anybody.post("/v1/users/verification", json={"email": FORM["email"]})
    await world.deliver()
    assert answer.status_code == 202
    assert len(world.mailer.to(FORM["email"])) == 3  # welcome, and two links


async def test_tokens_are_renewed_and_an_old_one_that_comes_back_ends_the_session(world: World) -> None:
    ana = await world.person("Ana")
    renewal = {"refresh_token": ana.tokens["refresh_token"]}
    renewed = (await world.anybody.post("/v1/sessions/refresh", json=renewal)).json()
    assert renewed["refresh_token"] != ana.tokens["refresh_token"]
    within_moments = await world.anybody.post("/v1/sessions/refresh", json=renewal)
    assert within_moments.json()["refresh_token"] == renewed["refresh_token"]
    world.clock.advance(timedelta(seconds=30))
    reused = await world.anybody.post("/v1/sessions/refresh", json=renewal)
    assert (reused.status_code, reused.json()["code"]) == (401, "identity.refresh_token_reused")
    over = await world.client(authorization=f"Bearer {renewed['access_token']}").get("/v1/me")
    assert (over.status_code, over.json()["code"]) == (401, "identity.session_over")


async def test_two_devices_that_refresh_at_once_end_up_with_one_and_the_same_token(world: World) -> None:
    ana = await world.person("Ana")
    renewal = {"refresh_token": ana.tokens["refresh_token"]}
    answers = await asyncio.gather(*(world.anybody.post("/v1/sessions/refresh", json=renewal) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1


async def test_signing_out_here_leaves_the_other_device_signed_in(world: World) -> None:
    telephone = await world.person("Ana")
    laptop = await world.sign_in(telephone.email)
    listed = (await laptop.get("/v1/sessions")).json()["items"]
    assert [each["current"] for each in listed] == [True, False]
    assert (await telephone.delete("/v1/sessions/current")).status_code == 204
    assert (await telephone.get("/v1/me")).status_code == 401
    assert (await laptop.get("/v1/me")).status_code == 200


async def test_signing_out_everywhere_ends_all_sessions(world: World) -> None:
    telephone = await world.person("Ana")
    laptop = await world.sign_in(telephone.email)
    assert (await laptop.delete("/v1/sessions")).status_code == 204
    assert (await telephone.get("/v1/me")).status_code == (await laptop.get("/v1/me")).status_code == 401


async def test_a_lost_device_is_signed_out_from_another_one_and_strangers_find_no_session(world: World) -> None:
    telephone, rui = await world.person("Ana"), await world.person("Rui")
    laptop = await world.sign_in(telephone.email)
    address = f"/v1/sessions/{telephone.tokens['session_id']}"
    assert (await rui.delete(address)).status_code == 404
    assert (await laptop.delete(address)).status_code == 204
    assert (await telephone.get("/v1/me")).json()["code"] == "identity.session_over"


async def test_a_magic_link_signs_in_once_and_confirms_the_address(world: World) -> None:
    await world.anybody.post("/v1/users", json=FORM)
    known = await world.anybody.post("/v1/magic-links", json={"email": FORM["email"]})
    unknown = await world.anybody.post("/v1/magic-links", json={"email": "nobody@example.org"})
    assert (known.status_code, known.json()) == (unknown.status_code, unknown.json())
    await world.deliver()
    link = {"token": world.token(FORM["email"], "magic_link")}
    tokens = (await world.anybody.post("/v1/magic-links/consume", json=link)).json()
    me = await world.client(authorization=f"Bearer {tokens['access_token']}").get("/v1/me")
    assert me.json()["email_verified"] is True
    assert (await world.anybody.post("/v1/magic-links/consume", json=link)).json()["code"] == "identity.bad_link"


async def test_a_forgotten_password_is_replaced_and_every_session_ends(world: World) -> None:
    ana = await world.person("Ana")
    assert (await world.anybody.post("/v1/passwords/forgot", json={"email": ana.email})).status_code == 202
    await world.deliver()
    new = {"token": world.token(ana.email, "reset_password"), "password": "seven strings to tune"}
    assert (await world.anybody.post("/v1/passwords/reset", json=new)).status_code == 204
    assert (await ana.get("/v1/me")).status_code == 401
    signed_in = await world.anybody.post("/v1/sessions", json={"email": ana.email, "password": new["password"]})
    assert signed_in.status_code == 201


async def test_a_changed_password_ends_the_other_sessions_only(world: World) -> None:
    telephone = await world.person("Ana")
    laptop = await world.sign_in(telephone.email)
    change = {"current_password": PASSWORD, "new_password": "seven strings to tune"}
    wrong = await laptop.put("/v1/me/password", json={**change, "current_password": "something else"})
    assert wrong.json()["code"] == "identity.wrong_password"
    assert (await laptop.put("/v1/me/password", json=change)).status_code == 204
    assert (await telephone.get("/v1/me")).status_code == 401
    assert (await laptop.get("/v1/me")).status_code == 200


async def test_an_expired_token_says_so_and_a_forged_one_is_no_token(world: World) -> None:
    ana = await world.person("Ana")
    header, payload, signature = ana.tokens["access_token"].split(".")
    forged = f"{header}.{payload}.{signature[::-1]}"
    answer = await world.client(authorization=f"Bearer {forged}").get("/v1/me")
    assert (answer.status_code, answer.json()["code"]) == (401, "identity.bad_token")
    unsigned = jwt.encode({"sub": ana.user_id}, None, algorithm="none")
    assert (await world.client(authorization=f"Bearer {unsigned}").get("/v1/jobs")).status_code == 401
    world.clock.advance(timedelta(minutes=11))
    expired = await ana.get("/v1/me")
    assert expired.json()["code"] == "identity.token_expired"
    assert expired.headers["www-authenticate"] == 'Bearer error="invalid_token"'


@pytest.mark.parametrize("authorization", ["Basic YTpi", "Bearer", "Bearer ", "Bearer x y"])
async def test_another_way_to_sign_in_is_refused_not_ignored(world: World, authorization: str) -> None:
    assert (await world.client(authorization=authorization).get("/v1/jobs")).status_code == 401


async def test_the_public_keys_verify_our_tokens(world: World) -> None:
    ana = await world.person("Ana")
    answer = await world.anybody.get("/.well-known/jwks.json")
    assert answer.headers["cache-control"] == "public, max-age=300"
    token = ana.tokens["access_token"]
    keys = jwt.PyJWKSet.from_dict(answer.json())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(
        token, key, algorithms=["ES256"], audience="guildhall", options={"verify_exp": False, "verify_iat": False}
    )
    assert claims["sub"] == ana.user_id


async def test_answers_with_tokens_are_kept_nowhere(world: World) -> None:
    await world.sign_up("Ana")
    answer = await world.anybody.post("/v1/sessions", json={"email": "ana@example.org", "password": PASSWORD})
    assert answer.headers["cache-control"] == "no-store"


async def test_what_cannot_be_signed_up_with_is_refused_by_name(world: World) -> None:
    for wrong, status, code in (
        ({"email": "no address"}, 422, "identity.bad_email"),
        ({"password": "short"}, 422, "identity.weak_password"),
        ({"role": "admin"}, 403, "identity.role_not_open"),
        ({"zone": "Mars/Olympus"}, 422, "invalid"),
    ):
        answer = await world.anybody.post("/v1/users", json={**FORM, **wrong})
        assert (answer.status_code, answer.json()["code"]) == (status, code)
