"""Somebody who books by the API and pays in the browser."""

from dataclasses import dataclass
from typing import Any

from entrypoints.cli.journey.people import Person, fresh_key


@dataclass(slots=True)
class Customer:
    """A customer of the demo town."""

    person: Person

    async def holds_a_lesson(self) -> dict[str, Any]:
        """A booking of theirs that waits to be paid."""
        found = (await self.person.get("/v1/jobs", text="piano lesson")).json()["items"][0]
        slots = (await self.person.get(f"/v1/jobs/{found['id']}/slots")).json()["slots"]
        wanted = {"job_id": found["id"], "starts_at": slots[-1]["starts_at"]}
        answer = await self.person.post("/v1/bookings", wanted, key=fresh_key())
        assert answer.status_code == 201, answer.text
        booking: dict[str, Any] = answer.json()
        return booking

    async def pay_link(self, booking: dict[str, Any]) -> str:
        """Where it is paid."""
        link: str = (await self.person.get(f"/v1/bookings/{booking['id']}/pay-link")).raise_for_status().json()["url"]
        return link

    async def sees(self, booking: dict[str, Any]) -> dict[str, Any]:
        """How it stands now."""
        now: dict[str, Any] = (await self.person.get(f"/v1/bookings/{booking['id']}")).raise_for_status().json()
        return now
