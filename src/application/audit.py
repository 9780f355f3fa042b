"""The audit trail: read by admins, sealed by the worker, verified by whoever doubts it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from application.ports.audit import AuditTrail
from application.ports.criteria import Between, Order, Position
from application.ports.readers import Page, Readers
from domain.audit import AlreadySealed, Break, Head, seal, verify
from domain.shared.actors import Actor
from domain.shared.errors import Forbidden, Refusal, Unauthenticated


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditView:
    """Who did what to which row; `details` are the numbers of the event; `position` and `hash` its
    place in the chain, once it is sealed."""

    source: ClassVar[str] = "audit"
    id: UUID
    at: datetime
    actor: str
    action: str
    subject_table: str
    subject_id: UUID
    subject_version: int
    details: dict[str, Any]
    position: int | None
    hash: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Which entries to show; what is not given does not matter."""

    actor: str | None = None
    """Such as "user:<id>", "system" or "operator:<name>"."""
    action: str | None = None
    """Such as "booking.confirmed"."""
    subject_table: str | None = None
    subject_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    """The first instant no longer shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListAudit:
    """Who did what, newest first; for admins."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, Forbidden)
    readers: Readers

    async def __call__(
        self, actor: Actor, filter: AuditFilter = AuditFilter(), *, after: Position | None = None, limit: int
    ) -> Page[AuditView]:
        actor.must_be_admin()
        given: dict[str, object] = {
            "actor": filter.actor,
            "action": filter.action,
            "subject_table": filter.subject_table,
            "subject_id": filter.subject_id,
        }
        where = {column: value for column, value in given.items() if value is not None}
        if filter.since or filter.until:
            where["at"] = Between(at_least=filter.since, below=filter.until)
        order = Order("at", descending=True)
        return await self.readers.page(actor, AuditView, where, order=order, after=after, limit=limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class SealAudit:
    """Chain what has been committed and not sealed yet. Of two sealers at once one is refused and finds less, or
    nothing, to do the next time."""

    trail: AuditTrail

    async def __call__(self, *, limit: int = 500) -> int:
        """How many entries were sealed now; 0 also when another sealer was faster."""
        head = await self.trail.head()
        entries = await self.trail.unsealed(limit=limit)
        if not entries:
            return 0
        try:
            await self.trail.seal(seal(entries, onto=head))
        except AlreadySealed:
            return 0
        return len(entries)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """How far the chain holds: its last verified link, the first break if any, and what waits to be sealed."""

    verified: Head
    first_break: Break | None
    waiting_since: datetime | None

    @property
    def holds(self) -> bool:
        """Whether everything sealed is as it was sealed."""
        return self.first_break is None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyAudit:
    """Walk the whole chain and recompute every hash. A trail that was changed, shortened in its middle or reordered
    shows where; one cut off at its end shows by a head that is not the one noted before."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, Forbidden)
    trail: AuditTrail

    async def __call__(self, actor: Actor, *, batch: int = 1000) -> AuditReport:
        actor.must_be_admin()
        verified, broken = Head(), None
        while broken is None and (links := await self.trail.chain(after=verified.position, limit=batch)):
            broken = verify(links, onto=verified)
            if broken is None:
                verified = Head(position=links[-1].position, hash=links[-1].hash)
        waiting = await self.trail.unsealed(limit=1)
        return AuditReport(verified=verified, first_break=broken, waiting_since=waiting[0].at if waiting else None)
