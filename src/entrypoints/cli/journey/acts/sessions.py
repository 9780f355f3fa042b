"""Sessions: rotated, stolen, ended."""

from dataclasses import replace

from entrypoints.cli.journey.checking import Checks
from entrypoints.cli.journey.pages import Page
from entrypoints.cli.journey.people import Person
from entrypoints.cli.journey.story import Act, Story


async def rotates(story: Story, check: Checks) -> None:
    """Refresh tokens rotate; one that comes back late was stolen, and takes its whole family with it"""
    carla = story.carla
    assert carla.tokens is not None
    stolen = replace(carla, tokens=dict(carla.tokens))
    old = carla.tokens["refresh_token"]
    renewed = check.done("Carla exchanges her refresh token", await carla.renew())
    check.that("for another one", renewed["refresh_token"] != old)
    again = check.done("the same token at once, as if the answer was lost", await stolen.renew())
    check.same("gives the same next one", again["refresh_token"], renewed["refresh_token"])
    check.done("her session goes on", await carla.get("/v1/me"))
    thief = replace(stolen, tokens={**renewed, "refresh_token": old})
    story.move_clock(story.week.at(2, "12:10"))
    check.refused("five minutes later it is theft", await thief.renew(), 401, "identity.refresh_token_reused")
    answer = await carla.get("/v1/me")
    check.refused("the access token is dead", answer, 401, "identity.session_over")
    check.refused("and so is the newest refresh token", await carla.renew(), 401, "identity.bad_refresh_token")


async def comes_back(story: Story, check: Checks) -> None:
    """Carla comes back by a magic link, which works once"""
    story.carla.tokens = None
    answer = await story.carla.post("/v1/magic-links", {"email": story.carla.email})
    sent = check.done("she asks for a link", answer, 202)
    nobody = await story.visitor.post("/v1/magic-links", {"email": "nobody@town.example"})
    check.same("an unknown address is answered the same", (nobody.status_code, nobody.json()), (202, sent))
    link = (await story.letter(story.carla, "magic_link", check)).link("/magic")
    page = await Page.opened(story.http, link)
    check.that(
        "opening it shows a page and signs nobody in", page.forms and "token" in page.forms[0].fields, page.words
    )
    token = {"token": link.partition("token=")[2]}
    story.carla.tokens = check.done(
        "sending it signs her in", await story.visitor.post("/v1/magic-links/consume", token)
    )
    check.done("here she is", await story.carla.get("/v1/me"))
    answer = await story.visitor.post("/v1/magic-links/consume", token)
    check.refused("the link is spent", answer, 422, "identity.bad_link")


async def signs_out_everywhere(story: Story, check: Checks) -> None:
    """Ruben signs out everywhere: every device, from the next request on"""
    ruben = story.ruben
    phone = Person(http=story.http, name=ruben.name, email=ruben.email, password=ruben.password)
    check.done("he signs in on his telephone too", await phone.sign_in(), 201)
    sessions = await ruben.everything("/v1/sessions")
    check.same("two sessions, one of them the one that asks", [it["current"] for it in sessions], [False, True])
    check.done("DELETE /v1/sessions", await ruben.delete("/v1/sessions"), 204)
    for device in (ruben, phone):
        answer = await device.get("/v1/me")
        check.refused("a device is signed out", answer, 401, "identity.session_over")
        check.refused("for good", await device.renew(), 401, "identity.bad_refresh_token")
    check.done("he can come back", await ruben.sign_in(), 201)


SESSIONS = Act("Sessions", (rotates, comes_back, signs_out_everywhere))
