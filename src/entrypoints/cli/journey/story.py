"""What the acts share: the instance on its stage, the people, and what has come to be so far."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from entrypoints.cli.journey.calendar import Week, spelled
from entrypoints.cli.journey.checking import Checks, Unmet
from entrypoints.cli.journey.instance import Instance
from entrypoints.cli.journey.mailbox import Mailbox
from entrypoints.cli.journey.pages import Page
from entrypoints.cli.journey.people import Person

PASSWORD = "seven strings to tune"  # noqa: S105 - of people who exist for a few seconds


@dataclass(slots=True)
class Story:
    """One playing of the journey. Jobs and bookings are kept by the name the acts call them."""

    instance: Instance
    http: httpx.AsyncClient
    week: Week
    visitor: Person
    vera: Person
    carla: Person
    ruben: Person
    ada: Person
    jobs: dict[str, Any] = field(default_factory=dict)
    bookings: dict[str, Any] = field(default_factory=dict)
    zoe: Person = field(init=False)
    house: str = field(init=False)
    """Where the API knows the business that Zoe bought."""

    @classmethod
    def on(cls, instance: Instance, http: httpx.AsyncClient) -> "Story":
        """A story that begins on the Thursday before the clocks change next, on an instance that is not open yet."""

        def person(name: str) -> Person:
            first, _, _ = name.lower().partition(" ")
            return Person(http=http, name=name, email=f"{first}@town.example", password=PASSWORD)

        week = Week.after(instance.clock.now())
        instance.clock.set(week.opening)
        return cls(
            instance=instance,
            http=http,
            week=week,
            visitor=Person(http=http, name="Somebody"),
            vera=person("Vera Lindt"),
            carla=person("Carla Nunes"),
            ruben=person("Ruben Okoye"),
            ada=person("Ada Holm"),
        )

    @property
    def mail(self) -> Mailbox:
        """All mail there is."""
        return Mailbox(self.instance.data / "mail")

    async def run(self, *words: str, typed: str = "") -> Any:
        """What a command of the operator answers."""
        code, answered, complained = await self.instance.run(*words, "--json", typed=typed)
        if code != 0:
            raise Unmet(f"`guildhall {' '.join(words)}` exited with {code}: {complained or answered}")
        return json.loads(answered)

    def move_clock(self, to: datetime) -> None:
        """Let it be that moment for everybody."""
        self.instance.clock.set(to)

    async def book(self, who: Person, job: str, starts_at: datetime, *, key: str, **more: Any) -> httpx.Response:
        """Ask for a slot."""
        wanted = {"job_id": self.jobs[job]["id"], "starts_at": spelled(starts_at), **more}
        return await who.post("/v1/bookings", wanted, key=key)

    def path(self, name: str) -> str:
        """Where the API knows a booking."""
        return f"/v1/bookings/{self.bookings[name]['id']}"

    async def booking(self, name: str, who: Person) -> Any:
        """How a booking stands now, as one of its parties sees it."""
        return (await who.get(self.path(name))).raise_for_status().json()

    async def becomes(self, name: str, who: Person, state: str, said: str, check: Checks) -> Any:
        """The booking comes to be in that state by itself."""
        self.bookings[name] = await check.soon(
            said, lambda: self.booking(name, who), lambda booking: booking["state"] == state
        )
        return self.bookings[name]

    async def payment(self, name: str, who: Person) -> Any:
        """How the payment of a booking stands now."""
        return (await who.get(f"/v1/payments/{self.bookings[name]['payment_id']}")).raise_for_status().json()

    async def free_starts(self, job: str, first: int, last: int, **more: Any) -> list[str]:
        """The starts on offer from one day of the week to another."""
        asked = {"first": str(self.week.day(first)), "last": str(self.week.day(last)), **more}
        found = (await self.visitor.get(f"/v1/jobs/{self.jobs[job]['id']}/slots", **asked)).raise_for_status().json()
        return [slot["starts_at"] for slot in found["slots"]]

    async def pay_page(self, name: str, who: Person, check: Checks) -> Page:
        """The page where a booking is paid, once the gateway is open for it."""
        link = (await who.get(f"{self.path(name)}/pay-link")).raise_for_status().json()["url"]
        return await check.soon(
            "the gateway opens the payment, and the pay page offers test cards",
            lambda: Page.opened(self.http, link),
            lambda page: any("card" in form.choices for form in page.forms),
        )

    async def letter(self, who: Person, template: str, check: Checks, *, nth: int = 1) -> Any:
        """Their nth letter of that kind, once it is in the folder."""

        async def look() -> list[Any]:
            return self.mail.of(who.email, template)

        said = f"{who.name.split()[0]} gets the letter {template!r}"
        return (await check.soon(said, look, lambda letters: len(letters) >= nth))[nth - 1]


Step = Callable[[Story, Checks], Awaitable[None]]
"""Something that is done, and what is checked about it; its docstring is what the report says."""


@dataclass(frozen=True, slots=True)
class Act:
    """Steps that belong together."""

    title: str
    steps: tuple[Step, ...]
