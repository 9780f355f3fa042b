"""Every event of the business by its stable name, so that a stored one can be read again."""

from types import ModuleType

import domain.billing
import domain.bookings
import domain.files
import domain.identity
import domain.invoicing
import domain.jobs
import domain.messaging
import domain.notifications
import domain.organizations
import domain.payments
import domain.profiles
import domain.reviews
import domain.scheduling
from domain.shared.aggregate import Event


def _events(module: ModuleType) -> list[type[Event]]:
    things = (thing for thing in vars(module).values() if isinstance(thing, type))
    return [thing for thing in things if issubclass(thing, Event) and hasattr(thing, "name")]


EVENTS: dict[str, type[Event]] = {
    event.name: event
    for module in (
        domain.identity,
        domain.profiles,
        domain.organizations,
        domain.billing,
        domain.jobs,
        domain.scheduling,
        domain.bookings,
        domain.invoicing,
        domain.payments,
        domain.reviews,
        domain.messaging,
        domain.notifications,
        domain.files,
    )
    for event in _events(module)
}
"""Name to class. A name, once published, is never given to another event."""
