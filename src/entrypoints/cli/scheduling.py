"""`guildhall availability`: the hours providers keep, and the free slots in them."""

from application.scheduling import (
    AvailabilityView,
    CancelTimeOff,
    ClearDay,
    FreeSlots,
    GetAvailability,
    ListFreeSlots,
    OverrideDay,
    SetAvailability,
    TakeTimeOff,
)
from entrypoints.cli.commands import Group
from entrypoints.cli.desk import Desk
from entrypoints.cli.showing import show_rows

group = Group("Availability: the hours providers keep, and the free slots in them.")
app = group.app


def _show_slots(desk: Desk, free: FreeSlots) -> None:
    if desk.json:
        desk.show(free)
        return
    show_rows(
        free.slots, (("starts", lambda slot: slot.shown_start), ("ends", lambda slot: slot.shown_end), "seats_left")
    )
    desk.note(f"{free.first} to {free.last}, on the clocks of {free.shown_in}")


_VERSION = {"expected_version": "The availability's version this was decided on."}

group.asks("show", GetAvailability, examples=("guildhall availability show rosa@town.example",))
group.does(
    "set",
    SetAvailability,
    AvailabilityView,
    examples=(
        "guildhall availability set rosa@town.example --zone Europe/Lisbon --monday 09:00-12:30,14:00-18:00"
        " --tuesday 09:00-12:30",
    ),
)
group.does(
    "day",
    OverrideDay,
    AvailabilityView,
    helps={"day": "The local date."},
    examples=(
        "guildhall availability day rosa@town.example 2026-12-24 --windows 09:00-12:00",
        "guildhall availability day rosa@town.example 2026-12-25",
    ),
)
group.does("clear-day", ClearDay, AvailabilityView, helps={"day": "The local date.", **_VERSION})
group.does(
    "time-off",
    TakeTimeOff,
    AvailabilityView,
    examples=("guildhall availability time-off rosa@town.example --first 2026-08-01 --last 2026-08-15",),
)
group.does("cancel-time-off", CancelTimeOff, AvailabilityView, helps={"time_off_id": "As `show` lists it.", **_VERSION})
group.asks(
    "slots",
    ListFreeSlots,
    show=_show_slots,
    examples=("guildhall availability slots JOB_ID --first 2026-03-01 --last 2026-03-07 --zone Europe/Lisbon",),
)
