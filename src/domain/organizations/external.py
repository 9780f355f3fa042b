"""An organization as an issuer tells of it: its name, its people, and which of ours it is."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from domain.organizations.permissions import MemberRole
from domain.shared.aggregate import Aggregate
from domain.shared.errors import Invalid
from domain.shared.ids import ExternalOrganizationId, OrganizationId
from domain.shared.text import text

LONGEST_SUBJECT = 255
NAMELESS = "Organization"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldMember:
    """What the issuer last said of one of its people: their role, or that they are `gone`. It is `done` when it is so
    here as well; what an owner stands against waits."""

    role: MemberRole
    gone: bool
    told_at: datetime
    done: bool = False


@dataclass(eq=False, slots=True, kw_only=True)
class ExternalOrganization(Aggregate):
    """An organization at an issuer. Its messages come in any order and any number of times: of each thing the latest
    counts, by when it was said. `organization_id` is empty until somebody has come who may own one here; once
    `ended_at`, nothing that is said of it changes anything any more."""

    id: ExternalOrganizationId
    issuer: str
    subject: str
    organization_id: OrganizationId | None = None
    name: str = ""
    founder: str | None = None
    members: dict[str, ToldMember] = field(default_factory=dict)
    created_at: datetime
    told_at: datetime | None = None
    ended_at: datetime | None = None

    def __post_init__(self) -> None:
        if not 0 < len(self.subject) <= LONGEST_SUBJECT or not self.subject.isprintable():
            raise Invalid("the subject of an organization is a short text", field="subject")

    @property
    def ended(self) -> bool:
        """Whether it is no more, where it comes from."""
        return self.ended_at is not None

    def tell(self, *, name: str, founder: str | None, at: datetime) -> bool:
        """What it is called, and who made it; whether it goes by another name now."""
        self.founder = self.founder or founder
        if self.told_at is not None and at < self.told_at:
            return False
        before, self.told_at = self.name, at
        self.name = _shown(name)
        return self.name != before

    def hear(self, person: str, role: MemberRole, *, gone: bool, at: datetime) -> None:
        """Somebody belongs to it with that role, or does no longer."""
        known, told = self.members.get(person), ToldMember(role=role, gone=gone, told_at=at)
        if known is None or (known.told_at, known.gone) < (told.told_at, told.gone):
            self.members = {**self.members, person: told}

    def candidates(self) -> list[str]:
        """Who may own it here, whoever comes first: who made it, then its owners in the order they came."""
        gone = {person for person, told in self.members.items() if told.gone}
        owners = sorted(
            (told.told_at, person)
            for person, told in self.members.items()
            if told.role is MemberRole.OWNER and not told.gone
        )
        first = [self.founder] if self.founder and self.founder not in gone else []
        return list(dict.fromkeys([*first, *(person for _, person in owners)]))

    def waiting(self) -> list[tuple[str, ToldMember]]:
        """What is not yet so here: who gains before who loses, so that an owner is there before another one goes."""
        open_ones = [(person, told) for person, told in self.members.items() if not told.done]
        return sorted(open_ones, key=lambda one: (one[1].gone, one[1].role is not MemberRole.OWNER, one[1].told_at))

    def done(self, person: str) -> None:
        """What was said of them is so here."""
        self.members = {**self.members, person: replace(self.members[person], done=True)}

    def become(self, organization_id: OrganizationId) -> None:
        """It is this one of ours."""
        self.organization_id = organization_id

    def end(self, *, now: datetime) -> None:
        """It is no more, where it comes from; told again, nothing changes."""
        self.ended_at = self.ended_at or now


def _shown(name: str) -> str:
    """The name as it can be shown."""
    try:
        return text(name[:120], field="name", longest=120)
    except Invalid:
        return NAMELESS
