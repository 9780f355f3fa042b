"""When a provider works, and which starts a customer is offered: opening hours in a zone, and the slot engine."""

from domain.scheduling.availability import (
    Availability,
    AvailabilityChanged,
    Change,
    DayIsOver,
    NoSuchOverride,
    NoSuchTimeOff,
    NotAProvider,
    NotYourHours,
    TooManyExceptions,
)
from domain.scheduling.hours import BadTimeOff, BadWindow, Override, TimeOff, TooManyWindows, Weekly
from domain.scheduling.slots import (
    Busy,
    OfferedSlot,
    OpeningHours,
    SlotRules,
    bookable_dates,
    offers,
    reach,
    slots,
)
from domain.scheduling.walltime import told

__all__ = [
    "Availability",
    "AvailabilityChanged",
    "BadTimeOff",
    "BadWindow",
    "Busy",
    "Change",
    "DayIsOver",
    "NoSuchOverride",
    "NoSuchTimeOff",
    "NotAProvider",
    "NotYourHours",
    "OfferedSlot",
    "OpeningHours",
    "Override",
    "SlotRules",
    "TimeOff",
    "TooManyExceptions",
    "TooManyWindows",
    "Weekly",
    "bookable_dates",
    "offers",
    "reach",
    "slots",
    "told",
]
