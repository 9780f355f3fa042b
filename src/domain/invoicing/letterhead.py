"""How an organization signs its papers."""

from dataclasses import dataclass
from datetime import date, datetime

from domain.shared.aggregate import Aggregate
from domain.shared.ids import OrganizationId
from domain.shared.text import text
from domain.shared.time import zone

LONGEST_DUE_DAYS = 365


@dataclass(frozen=True, slots=True, kw_only=True)
class Seller:
    """Who asks for the money, as the paper shows them; `payment` says how it may be paid other than by the link."""

    name: str
    address: str = ""
    tax_id: str = ""
    email: str = ""
    payment: str = ""
    footer: str = ""

    def __post_init__(self) -> None:
        for field, longest, least, lines in (
            ("name", 160, 1, False),
            ("address", 500, 0, True),
            ("tax_id", 60, 0, False),
            ("email", 254, 0, False),
            ("payment", 500, 0, True),
            ("footer", 300, 0, False),
        ):
            said = text(getattr(self, field), field=field, shortest=least, longest=longest, lines=lines)
            object.__setattr__(self, field, said)


@dataclass(eq=False, slots=True, kw_only=True)
class Letterhead(Aggregate):
    """An organization's own particulars; papers keep those of the day they were issued. Its id is the organization's.
    Dates on papers, and the year of their numbers, are those of its zone."""

    id: OrganizationId
    seller: Seller
    zone: str = "UTC"
    updated_at: datetime

    def __post_init__(self) -> None:
        zone(self.zone)

    @classmethod
    def plain(cls, *, id: OrganizationId, name: str, now: datetime) -> "Letterhead":
        """That of an organization which has said nothing of itself yet."""
        return cls(id=id, seller=Seller(name=name), updated_at=now)

    def word(self, *, seller: Seller, zone_name: str, now: datetime) -> None:
        """Sign papers like this from now on."""
        zone(zone_name)
        self.seller, self.zone, self.updated_at = seller, zone_name, now

    def today(self, now: datetime) -> date:
        """The date on this organization's calendar."""
        return now.astimezone(zone(self.zone)).date()
