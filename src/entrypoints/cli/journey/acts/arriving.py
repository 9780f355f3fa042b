"""The house opens, and people come."""

import httpx

from entrypoints.cli.journey.calendar import ZONE
from entrypoints.cli.journey.checking import Checks
from entrypoints.cli.journey.pages import Page
from entrypoints.cli.journey.people import Person
from entrypoints.cli.journey.story import Act, Story


async def opens(story: Story, check: Checks) -> None:
    """A throw-away instance opens on a free port, with a database of its own and a movable clock"""
    await story.instance.open()
    alive = check.done("GET /healthz says it is alive", await story.http.get("/healthz"))
    check.same("without looking at anything else", alive, {"status": "alive"})
    ready = check.done("GET /readyz looks at the database", await story.http.get("/readyz"))
    check.that(
        "and finds database and schema in order", ready["status"] == "ready" and len(ready["checks"]) >= 2, ready
    )
    version = check.done("GET /version names the version", await story.http.get("/version"))
    check.same("of Guildhall", version["name"], "guildhall")
    api = check.done("GET /openapi.json describes the API", await story.http.get("/openapi.json"))
    check.that(
        "with its paths under /v1", sum(path.startswith("/v1/") for path in api["paths"]) > 50, len(api["paths"])
    )


async def vera_signs_up(story: Story, check: Checks) -> None:
    """Vera signs up as a provider; nobody learns from the answer whether an address is known"""
    first = await _sign_up(story, story.vera, role="provider")
    check.done("POST /v1/users takes the form", first, 202)
    again = await _sign_up(story, story.vera, role="provider")
    check.same("asked again it answers the same, word for word", (again.status_code, again.text), (202, first.text))
    answer = await story.vera.sign_in()
    check.refused("an address that is not confirmed does not sign in", answer, 401, "identity.invalid_credentials")
    answer = await story.http.post("/v1/users", json={"email": "no", "password": "x", "name": ""})
    check.refused("a form that makes no sense is refused", answer, 422, answer.json()["code"])


async def vera_confirms(story: Story, check: Checks) -> None:
    """She confirms by the mailed link: opening it shows a page and changes nothing, sending the page does"""
    letter = await story.letter(story.vera, "verify", check)
    link = letter.link("/verify")
    check.that("the link is in the text and in the HTML of the mail", link in letter.html.replace("&amp;", "&"), link)
    for _ in range(2):
        page = await Page.opened(story.http, link)
        check.that("opening the link shows a page with a form", page.answer.is_success and page.forms, page.words)
    still = await story.vera.sign_in()
    check.refused("and consumes nothing: she still cannot sign in", still, 401, "identity.invalid_credentials")
    confirmed = await page.send()
    check.that("sending the form confirms the address", "Confirmed" in confirmed.words, confirmed.words)
    check.done("now she signs in", await story.vera.sign_in(), 201)
    again = await page.send()
    check.same("the link works once", again.answer.status_code, 422)
    me = check.done("GET /v1/me knows her", await story.vera.get("/v1/me"))
    check.same("as a provider", (me["role"], me["email_verified"], me["name"]), ("provider", True, story.vera.name))
    await story.letter(story.vera, "welcome", check)


async def customers_sign_up(story: Story, check: Checks) -> None:
    """Carla and Ruben sign up as customers, and confirm as a front end would: the token goes to the API"""
    for person in (story.carla, story.ruben):
        check.done(f"{person.name} signs up", await _sign_up(story, person), 202)
        letter = await story.letter(person, "verify", check)
        token = letter.link("/verify").partition("token=")[2]
        check.done("POST /v1/users/verify takes the token", await person.post("/v1/users/verify", {"token": token}))
        check.done(f"{person.name} signs in", await person.sign_in(), 201)
    wrong = Person(http=story.http, name="A stranger", email=story.carla.email, password="not her password")  # noqa: S106
    check.refused("a wrong password does not", await wrong.sign_in(), 401, "identity.invalid_credentials")


async def first_admin(story: Story, check: Checks) -> None:
    """The operator makes Ada the first admin, at the command line"""
    words = ("user", "create-admin", "--email", story.ada.email, "--name", story.ada.name)
    made = await story.run(*words, typed=f"{story.ada.password}\n")
    check.same("`guildhall user create-admin` makes her one", (made["email"], made["role"]), (story.ada.email, "admin"))
    check.done("Ada signs in", await story.ada.sign_in(), 201)
    users = await story.ada.everything("/v1/admin/users")
    check.same("and sees all four users", len(users), 4)
    answer = await story.carla.get("/v1/admin/users")
    check.refused("a customer does not", answer, 403, "forbidden")
    answer = await story.visitor.get("/v1/admin/users")
    check.refused("nor does a visitor", answer, 401, "unauthenticated")


async def _sign_up(story: Story, person: Person, role: str = "customer") -> httpx.Response:
    form = {"email": person.email, "password": person.password, "name": person.name, "role": role, "zone": ZONE}
    return await story.http.post("/v1/users", json=form)


ARRIVING = Act(
    "The house opens, and people come", (opens, vera_signs_up, vera_confirms, customers_sign_up, first_admin)
)
