"""Our books held against the gateway's: when, and what it left for a person."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query

from application.payments import CloseDiscrepancy, Closing, ListDiscrepancies, ListReconciliations
from domain.payments import DiscrepancyKind, Stage
from domain.shared.ids import DiscrepancyId, PaymentId, ReconciliationId
from entrypoints.rest.asking import Somebody
from entrypoints.rest.cursors import Asked, Paged
from entrypoints.rest.once import Commanded
from entrypoints.rest.out import Out
from entrypoints.rest.routing import api_router
from entrypoints.rest.speaks import speaks
from entrypoints.use_cases import UseCases

SETTLED: Any = {
    "refunded": {
        "summary": "Dealt with at the gateway",
        "value": {"reason": "Somebody else's charge on our account; refunded by hand."},
    },
}


class ReconciliationOut(Out):
    """One reconciliation of `[since, until)`, and what came of it."""

    id: ReconciliationId
    gateway: str
    since: datetime
    until: datetime
    stage: Stage
    """What is being gone through; `done` at the end."""
    looked_at: int
    fetched: int
    """Messages that the gateway had not got through to us, and that were new."""
    repaired: int
    """What was put right by asking the gateway."""
    filed: int
    """What was left for a person, and had not been before."""
    begun_at: datetime
    finished_at: datetime | None


class DiscrepancyOut(Out):
    """Something that does not fit between our books and the gateway's."""

    id: DiscrepancyId
    gateway: str
    kind: DiscrepancyKind
    about: str
    """What the reference is of: a payment, a refund, or a payment's part of the ledger."""
    gateway_ref: str
    payment_id: PaymentId | None
    said: str
    """What each side says."""
    found_at: datetime
    closed_at: datetime | None
    closed_by: str
    reason: str


def reconciling(use: UseCases) -> APIRouter:
    """Routes under /v1/admin/reconciliations and /v1/admin/discrepancies."""
    router = api_router("/admin", tag="admin")
    list_reconciliations, list_discrepancies = use(ListReconciliations), use(ListDiscrepancies)
    close_discrepancy = use(CloseDiscrepancy)

    @router.get("/reconciliations", **speaks(ListReconciliations))
    async def reconciliations(actor: Somebody, page: Asked) -> Paged[ReconciliationOut]:
        return page.project(await list_reconciliations(actor, after=page.after, limit=page.limit), ReconciliationOut)

    @router.get("/discrepancies", **speaks(ListDiscrepancies))
    async def discrepancies(
        actor: Somebody,
        page: Asked,
        kind: Annotated[DiscrepancyKind | None, Query(description="Only those of this kind")] = None,
        closed: Annotated[bool, Query(description="Those a person has dealt with, instead of the open ones")] = False,
    ) -> Paged[DiscrepancyOut]:
        found = await list_discrepancies(actor, kind=kind, closed=closed, after=page.after, limit=page.limit)
        return page.project(found, DiscrepancyOut)

    @router.post("/discrepancies/{discrepancy_id}/close", **speaks(CloseDiscrepancy))
    async def close(
        actor: Somebody,
        discrepancy_id: DiscrepancyId,
        closing: Annotated[Closing, Body(openapi_examples=SETTLED)],
        once: Commanded,
    ) -> DiscrepancyOut:
        return DiscrepancyOut.of(await once(lambda: close_discrepancy(actor, discrepancy_id, closing)))

    return router
