"""Zoe buys a plan and has a business: set up, booked, paid, invoiced, refunded; its books agree with the gateway."""

from datetime import timedelta
from typing import Any

from entrypoints.cli.journey.calendar import ZONE
from entrypoints.cli.journey.checking import Checks
from entrypoints.cli.journey.pages import Page
from entrypoints.cli.journey.people import Person, fresh_key
from entrypoints.cli.journey.story import Act, Story

ZOE = "zoe@town.example"
PLAN = "team_month_eur"
ANSWERS: dict[str, Any] = {
    "profession": {"profession": "tutor", "currency": "EUR"},
    "place": {"zone": ZONE, "place": "Torstrasse 14, Berlin"},
    "hours": {"usual": True},
}
LETTERHEAD = {"name": "Zoe & Co.", "address": "Torstrasse 14, Berlin", "zone": ZONE}


async def buys_plan(story: Story, check: Checks) -> None:
    """Zoe, whom nobody knows, buys a plan at the till; the paid purchase makes a business"""
    sold = await check.soon(
        "the worker mirrors what the gateway sells",
        lambda: story.visitor.everything("/v1/stripe/prices", active="true", type="recurring", currency="EUR"),
        lambda prices: any(price["gateway_ref"] == PLAN for price in prices),
    )
    price = next(price for price in sold if price["gateway_ref"] == PLAN)
    check.same("the plan costs 49 euros a month", (price["amount_minor"], price["interval"]), (4900, "month"))
    wanted, key = {"price": PLAN, "email": ZOE, "organization_name": "Zoe & Co."}, fresh_key()
    answer = await story.visitor.post("/v1/stripe/checkout", wanted, key=key)
    purchase = check.done("POST /v1/stripe/checkout opens a till", answer, 201)
    again = await story.visitor.post("/v1/stripe/checkout", wanted, key=key)
    check.same("asked again with the same key it is the same", again.json()["url"], purchase["url"])
    till = await Page.opened(story.http, purchase["url"])
    check.that("the till offers test cards", any("card" in form.choices for form in till.forms), till.words)
    done = await till.send(card="ok")
    address = str(done.answer.url)
    check.that("which leads to the purchase's own page", purchase["id"] in address, address)

    async def shown() -> str:
        return (await Page.opened(story.http, address)).words

    await check.soon("the gateway's webhook makes the business", shown, lambda words: "Your business is ready" in words)


async def is_welcomed(story: Story, check: Checks) -> None:
    """The letter of welcome signs her in, once; she owns what she bought"""
    zoe = Person(http=story.http, name="Zoe", email=ZOE)
    letter = await story.letter(zoe, "business_ready", check)
    link = {"token": letter.link("/magic").partition("token=")[2]}
    zoe.tokens = check.done("its link signs her in", await story.visitor.post("/v1/magic-links/consume", link))
    spent = await story.visitor.post("/v1/magic-links/consume", link)
    check.refused("once", spent, 422, "identity.bad_link")
    (mine,) = await zoe.everything("/v1/organizations/mine")
    check.same("she is the owner", mine["role"], "owner")
    house = f"/v1/organizations/{mine['organization_id']}"
    (subscription,) = await zoe.everything(f"{house}/subscriptions")
    check.same("of a business with the plan she paid for", subscription["state"], "active")
    granted = check.done("the plan says what it entitles to", await zoe.get(f"{house}/entitlements"))
    check.that("people and reports", {"team", "reports"} <= set(granted["features"]), granted)
    story.zoe, story.house = zoe, house


async def sets_up(story: Story, check: Checks) -> None:
    """Onboarding knows what the purchase told; completed, it has made jobs and hours, and she publishes one"""
    path = f"{story.house}/onboarding"
    begun = check.done("onboarding has begun", await story.zoe.get(path))
    check.same("with the name she gave at the till", begun["business"]["name"], "Zoe & Co.")
    answers = {"business": begun["business"], **ANSWERS}
    saved = check.done("she answers the rest", await story.zoe.patch(path, answers, match=f'"{begun["version"]}"'))
    check.same("nothing is missing", saved["missing"], [])
    check.done("and completes it", await story.zoe.post(f"{path}/complete"))
    again = await story.zoe.post(f"{path}/complete")
    check.refused("once", again, 409, "onboarding.over")
    drafts = await story.zoe.everything("/v1/jobs/mine", state="draft")
    check.that("there are jobs now, as drafts", drafts, drafts)
    job = next(draft for draft in drafts if draft["terms"] == "prepaid" and draft["acceptance"] == "instant")
    published = await story.zoe.post(f"/v1/jobs/{job['id']}/publish")
    story.jobs["zoe's job"] = check.done("she publishes one", published)


async def first_booking(story: Story, check: Checks) -> None:
    """Ruben is her first customer: he books a free slot and pays"""
    offered = await story.free_starts("zoe's job", 3, 9)
    check.that("her usual hours are on offer", offered, offered)
    wanted = {"job_id": story.jobs["zoe's job"]["id"], "starts_at": offered[-1]}
    answer = await story.ruben.post("/v1/bookings", wanted, key=fresh_key())
    story.bookings["zoe's booking"] = check.done("he holds one", answer, 201)
    page = await story.pay_page("zoe's booking", story.ruben, check)
    await page.send(card="ok")
    booking = await story.becomes("zoe's booking", story.ruben, "confirmed", "paid, it is confirmed", check)
    check.same("at the suggested price", booking["price"], story.jobs["zoe's job"]["price"])


async def invoices_it(story: Story, check: Checks) -> None:
    """She invoices it: numbered without gaps, paid already, and a real PDF"""
    signed = await story.zoe.put(f"{story.house}/letterhead", LETTERHEAD, match="*")
    check.done("the letterhead says who asks", signed)
    drafted = await story.zoe.post(story.path("zoe's booking") + "/invoice", {}, key=fresh_key())
    invoice = check.done("the booking becomes an invoice", drafted, 201)
    address = f"/v1/invoices/{invoice['id']}"
    paper = check.done("issued", await story.zoe.post(f"{address}/issue", key=fresh_key()), 201)
    check.that("it is the first of the year", paper["number"].endswith("-0001"), paper["number"])
    stands = await check.soon(
        "the booking's payment has paid it",
        lambda: _json(story.zoe, address),
        lambda seen: seen["state"] == "paid",
    )
    check.same("to the cent", stands["left"]["amount_minor"], 0)
    pdf = await story.zoe.get(f"/v1/papers/{paper['id']}/pdf")
    check.same("it is printed", (pdf.status_code, pdf.headers["content-type"]), (200, "application/pdf"))
    check.that("as a PDF of a page or more", pdf.content.startswith(b"%PDF-") and len(pdf.content) > 5_000)


async def gives_some_back(story: Story, check: Checks) -> None:
    """She gives ten euros back, and Ruben is told"""
    payment_id = story.bookings["zoe's booking"]["payment_id"]
    wanted = {"amount_minor": 1000, "reason": "You were my first."}
    answer = await story.zoe.post(f"/v1/payments/{payment_id}/refunds", wanted, key=fresh_key())
    check.done("the refund is asked for", answer, 201)
    payment = await check.soon(
        "the gateway sends it",
        lambda: story.payment("zoe's booking", story.ruben),
        lambda payment: payment["refunded"]["amount_minor"] == 1000,
    )
    check.same("nothing is under way any more", payment["refunding"]["amount_minor"], 0)
    letter = await story.letter(story.ruben, "refund", check, nth=3)
    check.that("the mail says how much", "10.00 EUR" in letter.text, letter.text)


async def books_agree(story: Story, check: Checks) -> None:
    """The operator holds the books against the gateway's, and finds nothing"""
    now = story.instance.clock.now()
    stretch = ("--from", (now - timedelta(days=60)).isoformat(), "--until", now.isoformat())
    report = await story.run("payment", "reconcile", *stretch)
    check.same("it goes through to the end", report["stage"], "done")
    check.that("and looks at every payment, refund and movement", report["looked_at"] >= 16, report)
    found = [report[name] for name in ("repaired", "filed", "left_for_a_person")]
    check.same("nothing had to be put right, nothing is left", found, [0, 0, []])
    check.same("no message was lost on the way", report["fetched"], 0)
    again = await story.run("payment", "reconcile", *stretch)
    check.same("nor is there a second time", (again["repaired"], again["filed"]), (0, 0))


async def _json(who: Person, path: str) -> Any:
    return (await who.get(path)).raise_for_status().json()


FOUNDING = Act(
    "From a purchase to a running business",
    (buys_plan, is_welcomed, sets_up, first_booking, invoices_it, gives_some_back, books_agree),
)
