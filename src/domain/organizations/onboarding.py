"""Onboarding: what a new organization says of itself, step by step, until it is set up."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from domain.organizations.organization import LONGEST_NAME
from domain.organizations.permissions import Permission, Standing
from domain.shared.aggregate import Aggregate, Event
from domain.shared.errors import Conflict, Invalid
from domain.shared.ids import OrganizationId
from domain.shared.money import Money
from domain.shared.text import text
from domain.shared.time import zone


class Step(StrEnum):
    """The steps, in the order they are usually taken."""

    BUSINESS = "business"
    PROFESSION = "profession"
    PLACE = "place"
    HOURS = "hours"


class OnboardingUnfinished(Conflict):
    """Some steps have not been saved yet; a suggestion nobody looked at is not an answer."""

    code = "onboarding.unfinished"

    def __init__(self, missing: list[str]) -> None:
        super().__init__(f"some steps are missing: {', '.join(missing)}", missing=missing)


class OnboardingOver(Conflict):
    """An organization is set up once; what it said then is changed where it lives now."""

    code = "onboarding.over"

    def __init__(self) -> None:
        super().__init__("this organization is set up already")


@dataclass(frozen=True, slots=True, kw_only=True)
class BusinessAnswer:
    """Who it is: the name it goes by, and how it is reached."""

    name: str
    phone: str = ""
    website: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", text(self.name, field="business.name", longest=LONGEST_NAME))
        object.__setattr__(self, "phone", text(self.phone, field="business.phone", shortest=0, longest=40))
        object.__setattr__(self, "website", text(self.website, field="business.website", shortest=0, longest=300))
        if self.website and not self.website.startswith(("https://", "http://")):
            raise Invalid("a website starts with https:// or http://", field="business.website")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfessionAnswer:
    """What it does, by the word of a profession, and the currency it is paid in."""

    profession: str
    currency: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "profession", text(self.profession, field="profession.profession", longest=60))
        Money.zero(self.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceAnswer:
    """Where it works, and on whose clocks. Without a place, where its profession usually does."""

    zone: str
    place: str = ""
    remote: bool = False

    def __post_init__(self) -> None:
        zone(self.zone)
        object.__setattr__(self, "place", text(self.place, field="place.place", shortest=0, longest=200))


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursAnswer:
    """When its first provider works in an ordinary week; `usual` takes the hours of the profession instead."""

    usual: bool = True
    monday: tuple[str, ...] = ()
    tuesday: tuple[str, ...] = ()
    wednesday: tuple[str, ...] = ()
    thursday: tuple[str, ...] = ()
    friday: tuple[str, ...] = ()
    saturday: tuple[str, ...] = ()
    sunday: tuple[str, ...] = ()


Answer = BusinessAnswer | ProfessionAnswer | PlaceAnswer | HoursAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class OnboardingCompleted(Event):
    """An organization is set up."""

    name: ClassVar[str] = "onboarding.completed"
    organization_id: OrganizationId


@dataclass(eq=False, slots=True, kw_only=True)
class Onboarding(Aggregate):
    """How far an organization is with setting itself up; its id is the organization's. What is known beforehand is
    suggested; a step counts once somebody has `saved` it."""

    id: OrganizationId
    business: BusinessAnswer | None = None
    profession: ProfessionAnswer | None = None
    place: PlaceAnswer | None = None
    hours: HoursAnswer | None = None
    saved: tuple[Step, ...] = ()
    completed_at: datetime | None = None
    created_at: datetime

    @classmethod
    def begin(
        cls,
        *,
        id: OrganizationId,
        business: BusinessAnswer | None = None,
        profession: ProfessionAnswer | None = None,
        place: PlaceAnswer | None = None,
        now: datetime,
    ) -> "Onboarding":
        """Nothing is saved yet; what is known is suggested."""
        return cls(id=id, business=business, profession=profession, place=place, created_at=now)

    @property
    def organization_id(self) -> OrganizationId:
        """Whose affair it is."""
        return self.id

    @property
    def missing(self) -> tuple[Step, ...]:
        """The steps still to be saved."""
        return tuple(step for step in Step if step not in self.saved)

    def save(self, answer: Answer, *, by: Standing) -> None:
        """Take one step, or take it again; the last word counts."""
        by.must(Permission.ONBOARD)
        self._must_go_on()
        match answer:
            case BusinessAnswer():
                step, self.business = Step.BUSINESS, answer
            case ProfessionAnswer():
                step, self.profession = Step.PROFESSION, answer
            case PlaceAnswer():
                step, self.place = Step.PLACE, answer
            case HoursAnswer():
                step, self.hours = Step.HOURS, answer
        self.saved = tuple(each for each in Step if each in self.saved or each is step)

    def complete(self, *, by: Standing, now: datetime) -> None:
        """Every step is saved, and the organization is set up; once."""
        by.must(Permission.ONBOARD)
        self._must_go_on()
        if self.missing:
            raise OnboardingUnfinished([step.value for step in self.missing])
        self.completed_at = now
        self._record(OnboardingCompleted(organization_id=self.id))

    def _must_go_on(self) -> None:
        if self.completed_at is not None:
            raise OnboardingOver
