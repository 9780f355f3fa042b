"""The shape of everything that changes: an identity, a version, and the events it has recorded."""

from dataclasses import dataclass, field
from typing import ClassVar
from uuid import UUID

from domain.shared.errors import Outdated


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened, under a stable `name` such as "booking.confirmed"; fields are ids and plain values."""

    name: ClassVar[str]


@dataclass(eq=False, slots=True, kw_only=True)
class Aggregate:
    """A thing with identity that is changed as a whole, by its verbs. `version` 0 means not stored yet."""

    id: UUID
    version: int = 0
    _events: list[Event] = field(default_factory=list, repr=False)

    def _record(self, event: Event) -> None:
        self._events.append(event)

    def must_be(self, expected_version: int | None) -> None:
        """Refuse with `Outdated` when the asker decided on another version than the present one (None: no matter)."""
        if expected_version is not None and expected_version != self.version:
            raise Outdated(expected_version, self.version)

    def take_events(self) -> list[Event]:
        """The events recorded since the last call, oldest first."""
        events = list(self._events)
        self._events.clear()
        return events
