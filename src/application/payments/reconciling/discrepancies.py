"""What reconciling left for a person, and which reconciliations there were."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from application.inputs import submitted
from application.payments.reading import given
from application.ports.clock import Clock
from application.ports.criteria import Order, Position, Present
from application.ports.readers import Page, Readers
from application.ports.unit_of_work import Begin
from domain.payments import Discrepancy, DiscrepancyClosed, DiscrepancyKind, Stage
from domain.shared.actors import Actor
from domain.shared.errors import Forbidden, Invalid, NotFound, Refusal, Unauthenticated
from domain.shared.ids import DiscrepancyId, PaymentId, ReconciliationId


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscrepancyView:
    """Something that does not fit between our books and the gateway's."""

    source: ClassVar[str] = "discrepancies"
    id: DiscrepancyId
    gateway: str
    kind: DiscrepancyKind
    about: str
    gateway_ref: str
    payment_id: PaymentId | None
    said: str
    found_at: datetime
    closed_at: datetime | None
    closed_by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconciliationView:
    """A reconciliation, and what came of it."""

    source: ClassVar[str] = "reconciliations"
    id: ReconciliationId
    gateway: str
    since: datetime
    until: datetime
    stage: Stage
    looked_at: int
    fetched: int
    repaired: int
    filed: int
    begun_at: datetime
    finished_at: datetime | None


@submitted
class Closing:
    """How a discrepancy was settled."""

    reason: str
    """What was found and done, for whoever reads the books later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListDiscrepancies:
    """What does not fit between our books and the gateway's, the latest first: what is open, or (`closed`) what a
    person has dealt with; admins only."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, Forbidden)
    readers: Readers

    async def __call__(
        self,
        actor: Actor,
        *,
        kind: DiscrepancyKind | None = None,
        closed: bool = False,
        after: Position | None = None,
        limit: int,
    ) -> Page[DiscrepancyView]:
        actor.must_be_admin()
        where = given(kind=kind) | {"closed_at": Present() if closed else None}
        order = Order("found_at", descending=True)
        return await self.readers.page(actor, DiscrepancyView, where, order=order, after=after, limit=limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListReconciliations:
    """When our books were held against the gateway's, and what came of it, the latest first; admins only."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, Forbidden)
    readers: Readers

    async def __call__(self, actor: Actor, *, after: Position | None = None, limit: int) -> Page[ReconciliationView]:
        actor.must_be_admin()
        order = Order("begun_at", descending=True)
        return await self.readers.page(actor, ReconciliationView, {}, order=order, after=after, limit=limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseDiscrepancy:
    """Say that a discrepancy was looked at, and how it was settled. It is filed again only if what is said changes."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, Forbidden, NotFound, DiscrepancyClosed, Invalid)
    begin: Begin
    clock: Clock

    async def __call__(self, actor: Actor, discrepancy_id: DiscrepancyId, closing: Closing) -> Discrepancy:
        actor.must_be_admin()
        async with self.begin(actor) as work:
            discrepancy = await work.discrepancies.get(discrepancy_id)
            discrepancy.close(by=actor.principal, reason=closing.reason, now=self.clock.now())
            return work.answer(discrepancy)
