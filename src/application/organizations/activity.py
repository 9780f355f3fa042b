"""What the members of an organization did there, as the audit trail tells it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from application.parties import theirs
from application.ports.criteria import Between, Order, Position
from application.ports.readers import Page, Readers
from application.ports.unit_of_work import Begin
from domain.organizations import MayNotManage, Permission
from domain.shared.actors import Actor
from domain.shared.errors import NotFound, Refusal, Unauthenticated
from domain.shared.ids import OrganizationId, UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityView:
    """One thing somebody did to something of the organization's."""

    source: ClassVar[str] = "audit"
    id: UUID
    at: datetime
    actor: str
    action: str
    subject_table: str
    subject_id: UUID
    details: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityFilter:
    """Which activity."""

    user_id: UserId | None = None
    """Only what this member did."""
    since: datetime | None = None
    until: datetime | None = None
    """The first instant no longer shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListActivity:
    """What was done to the jobs, bookings, people and money of an organization, by all or by one of its members, the
    latest first, for those who manage it. What members do elsewhere is nobody's business here."""

    begin: Begin
    readers: Readers
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, MayNotManage, NotFound)

    async def __call__(
        self,
        actor: Actor,
        organization_id: OrganizationId,
        wanted: ActivityFilter = ActivityFilter(),
        *,
        after: Position | None = None,
        limit: int = 50,
    ) -> Page[ActivityView]:
        async with self.begin(actor) as work:
            _, standing = await theirs(work, actor, organization_id)
            standing.must(Permission.SEE_ACTIVITY)
        where: dict[str, object] = {"organization_id": organization_id}
        if wanted.user_id is not None:
            where["actor"] = f"user:{wanted.user_id}"
        if wanted.since or wanted.until:
            where["at"] = Between(at_least=wanted.since, below=wanted.until)
        order = Order("at", descending=True)
        return await self.readers.page(actor, ActivityView, where, order=order, after=after, limit=limit)
