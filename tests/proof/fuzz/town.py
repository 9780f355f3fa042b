"""A small town behind the API: people of every role, and something of every kind in every state that matters."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from adapters.simulated_gateway.signature import HEADER, signed
from tests.rest.world import JOB, MONDAY, PASSWORD, Api, World, at, keyed

STARTED = MONDAY + timedelta(days=2)
"""The moment at which the fuzzing begins: what was booked for the first day is over."""


@dataclass(slots=True)
class Town:
    """Who lives there, and the secrets that their letters and tokens hold."""

    people: dict[str, Api]
    secrets: dict[str, list[str]] = field(default_factory=dict)
    webhook: tuple[bytes, dict[str, str]] = (b"", {})


async def built(world: World) -> Town:
    """The town, and the clock at the moment from which it is looked at."""
    vera, ana, rui, ada = await world.provider(), await world.person("Ana"), await world.person("Rui"), None
    stale = world.client(authorization=f"Bearer {ana.tokens['access_token']}")
    manager, member, sam = [await world.person(name, "provider") for name in ("Marta", "Tom", "Sam")]
    ada = await world.admin()
    house = (await vera.get("/v1/organizations/mine")).json()["items"][0]["organization_id"]
    for person, role in ((manager, "manager"), (member, "member")):
        done(await vera.post(f"/v1/organizations/{house}/members", json={"user_id": person.user_id, "role": role}))
    paid = await world.job(vera, capacity=3)
    free = await world.job(vera, terms="free", price={"amount_minor": 0, "currency": "EUR"}, acceptance="request")
    loose = await world.job(vera, title="Piano, when it suits", terms="later")
    done(await vera.post("/v1/jobs", json={**JOB, "title": "Only a thought"}))
    # The last of them is left confirmed: to be completed, or missed.
    over, unpraised, _ = [await world.booking(ana, loose, hour) for hour in (10, 12, 14)]
    charged = await world.booking(ana, paid, 16)
    await world.pay(ana, charged)

    world.clock.set(STARTED)
    people = {"provider": vera, "customer": ana, "other": rui, "manager": manager, "member": member, "admin": ada}
    people = {role: await world.sign_in(person.email) for role, person in people.items()}
    people["suspended"] = await world.sign_in(sam.email)
    vera, ana, ada = people["provider"], people["customer"], people["admin"]
    for booking in (over, unpraised):
        done(await vera.post(f"/v1/bookings/{booking['id']}/complete"))
    done(await vera.post(f"/v1/bookings/{charged['id']}/complete"))
    reviews = f"/v1/bookings/{over['id']}/reviews"
    done(await ana.post(reviews, json={"stars": 4, "text": "Patient."}))
    hidden = done(await vera.post(reviews, json={"stars": 2, "text": "Came late."}))
    done(await ada.post(f"/v1/reviews/{hidden['id']}/hide", json={"reason": "Rude."}))
    for hour in (9, 11):
        await world.booking(ana, free, hour, day=4)
        await world.booking(ana, loose, hour, day=5)
    declined = await world.booking(people["other"], paid, 9, day=7)
    await world.pay(people["other"], declined, card="declined")
    bought = await world.booking(people["other"], paid, 9, day=8)
    await world.pay(people["other"], bought)
    await world.booking(ana, paid, 15, day=8)
    talk = done(await ana.post("/v1/conversations", json={"job_id": loose}))["id"]
    for speaker, words in ((ana, "Hello"), (vera, "Hi"), (ana, "When?")):
        done(await speaker.post(f"/v1/conversations/{talk}/messages", json={"text": words}))
    hours = f"/v1/providers/{vera.user_id}/availability"
    away = {"starts_at": at(9, day=12), "ends_at": at(12, day=12)}
    done(await vera.post(f"{hours}/time-off", json=away, headers={"If-Match": "*"}))
    done(await vera.put(f"{hours}/days/2026-03-20", json={"windows": ["10:00-12:00"]}, headers={"If-Match": "*"}))
    sam_there = f"/v1/admin/users/{sam.user_id}"
    done(await ada.post(f"{sam_there}/suspend", json={"reason": "Spam."}, headers={"If-Match": "*"}))
    return await _with_secrets(world, Town({**people, "anonymous": world.anybody, "expired": stale}))


async def _with_secrets(world: World, town: Town) -> Town:
    """Tokens that wait to be used, a letter that could not be sent, and a webhook as the gateway would sign it."""
    newcomer = {"email": "new@example.org", "password": PASSWORD, "name": "Nova", "zone": "UTC"}
    done(await world.anybody.post("/v1/users", json=newcomer))
    ana, rui = town.people["customer"], town.people["other"]
    for address in ("magic-links", "passwords/forgot"):
        done(await world.anybody.post(f"/v1/{address}", json={"email": rui.email}))
    await world.deliver()
    letters = ((newcomer["email"], "verify"), (rui.email, "magic_link"), (rui.email, "reset_password"))
    town.secrets["token"] = [world.token(email, template) for email, template in letters]
    town.secrets["refresh_token"] = [each.tokens["refresh_token"] for each in (ana, rui)]
    world.mailer.away = True
    done(await world.anybody.post("/v1/magic-links", json={"email": ana.email}))
    await world.deliver()
    world.mailer.away = False
    told = {"id": "se_fuzz", "kind": "payment.captured", "occurred_at": int(STARTED.timestamp()), "payment": "sp_none"}
    raw = json.dumps(told).encode()
    town.webhook = raw, {HEADER: signed(raw, world.house.container.secret(), STARTED)}
    await ana.post("/v1/bookings", json={"job_id": str(ana.user_id), "starts_at": at(9, day=3)}, headers=keyed("used"))
    return town


def done(answer: Any) -> dict[str, Any]:
    """What was answered, which is a success: the town does not stand otherwise."""
    assert answer.is_success, f"{answer.request.method} {answer.request.url.path}: {answer.text}"
    said: dict[str, Any] = answer.json() if answer.content else {}
    return said
