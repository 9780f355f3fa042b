"""The hours providers keep, and the free slots in them."""

from dataclasses import replace
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Response
from pydantic import ConfigDict

from application.scheduling import (
    Absence,
    CancelTimeOff,
    ClearDay,
    DayHours,
    GetAvailability,
    Hours,
    ListFreeSlots,
    OverrideDay,
    SetAvailability,
    SlotSearch,
    TakeTimeOff,
)
from domain.scheduling import Override, TimeOff, Weekly
from domain.shared.ids import JobId, UserId
from entrypoints.rest.asking import Anybody, Somebody
from entrypoints.rest.once import Commanded
from entrypoints.rest.out import Out
from entrypoints.rest.queries import asked
from entrypoints.rest.routing import api_router
from entrypoints.rest.speaks import speaks
from entrypoints.rest.versions import BY_HEADER, ExpectedVersion, WelcomeVersion, tagged
from entrypoints.use_cases import UseCases

_MORNINGS = ["09:00-12:30", "14:00-18:00"]
WEEK: Any = {
    "weekdays": {
        "summary": "Weekdays with a lunch break, and late on Fridays",
        "value": {
            "zone": "Europe/Lisbon",
            **dict.fromkeys(("monday", "tuesday", "wednesday", "thursday"), _MORNINGS),
            "friday": ["14:00-22:00"],
        },
    }
}


class AvailabilityOut(Out):
    """A provider's hours: the week, the dates that differ, and time off, all on the clocks of `zone`."""

    id: UserId
    version: int
    zone: str
    weekly: Weekly
    overrides: tuple[Override, ...]
    time_off: tuple[TimeOff, ...]
    created_at: datetime
    updated_at: datetime


class SlotOut(Out):
    """A start that can be booked now; the `shown` ones are the same moments on the clocks asked for."""

    starts_at: datetime
    ends_at: datetime
    shown_start: str
    shown_end: str
    seats_left: int

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "starts_at": "2026-03-30T08:00:00Z",
                    "ends_at": "2026-03-30T09:00:00Z",
                    "shown_start": "2026-03-30T09:00:00+01:00",
                    "shown_end": "2026-03-30T10:00:00+01:00",
                    "seats_left": 1,
                }
            ]
        }
    )


class SlotsOut(Out):
    """The free slots of a job from `first` to `last`, dates on the provider's calendar in `zone`."""

    job_id: JobId
    provider_id: UserId
    zone: str
    shown_in: str
    first: date
    last: date
    slots: list[SlotOut]


def scheduling(use: UseCases) -> APIRouter:
    """Routes under /v1/providers/{provider_id}/availability, and the slots of a job."""
    router = api_router(tag="scheduling")
    get_availability, set_availability, list_slots = use(GetAvailability), use(SetAvailability), use(ListFreeSlots)
    override, clear, take, cancel = use(OverrideDay), use(ClearDay), use(TakeTimeOff), use(CancelTimeOff)
    hours_of = "/providers/{provider_id}/availability"

    @router.get(hours_of, **speaks(GetAvailability, signed_in=False))
    async def read(actor: Anybody, provider_id: UserId, response: Response) -> AvailabilityOut:
        availability = await get_availability(actor, provider_id)
        tagged(response, availability)
        return AvailabilityOut.of(availability)

    @router.put(hours_of, **speaks(SetAvailability))
    async def set_hours(
        actor: Somebody,
        provider_id: UserId,
        hours: Annotated[Hours, BY_HEADER, Body(openapi_examples=WEEK)],
        expected: ExpectedVersion,
        once: Commanded,
    ) -> AvailabilityOut:
        hours = replace(hours, expected_version=expected)
        return AvailabilityOut.of(await once(lambda: set_availability(actor, provider_id, hours)))

    @router.put(f"{hours_of}/days/{{day}}", **speaks(OverrideDay))
    async def set_day(
        actor: Somebody,
        provider_id: UserId,
        day: date,
        hours: Annotated[DayHours, BY_HEADER],
        expected: WelcomeVersion,
        once: Commanded,
    ) -> AvailabilityOut:
        hours = replace(hours, expected_version=expected)
        return AvailabilityOut.of(await once(lambda: override(actor, provider_id, day, hours)))

    @router.delete(f"{hours_of}/days/{{day}}", **speaks(ClearDay))
    async def clear_day(
        actor: Somebody, provider_id: UserId, day: date, expected: WelcomeVersion, once: Commanded
    ) -> AvailabilityOut:
        return AvailabilityOut.of(await once(lambda: clear(actor, provider_id, day, expected)))

    @router.post(f"{hours_of}/time-off", status_code=201, **speaks(TakeTimeOff))
    async def take_time_off(
        actor: Somebody,
        provider_id: UserId,
        absence: Annotated[Absence, BY_HEADER],
        expected: WelcomeVersion,
        once: Commanded,
    ) -> AvailabilityOut:
        absence = replace(absence, expected_version=expected)
        return AvailabilityOut.of(await once(lambda: take(actor, provider_id, absence)))

    @router.delete(f"{hours_of}/time-off/{{time_off_id}}", **speaks(CancelTimeOff))
    async def cancel_time_off(
        actor: Somebody, provider_id: UserId, time_off_id: UUID, expected: WelcomeVersion, once: Commanded
    ) -> AvailabilityOut:
        return AvailabilityOut.of(await once(lambda: cancel(actor, provider_id, time_off_id, expected)))

    @router.get("/jobs/{job_id}/slots", **speaks(ListFreeSlots, signed_in=False))
    async def slots(
        actor: Anybody, job_id: JobId, search: Annotated[SlotSearch, Depends(asked(SlotSearch))]
    ) -> SlotsOut:
        return SlotsOut.of(await list_slots(actor, job_id, search))

    return router
