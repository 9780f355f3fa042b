"""What happened: the audit trail and the books."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from application.audit import AuditFilter, ListAudit
from application.payments import BalanceFilter, ListBalances, ListLedger
from domain.payments import Books, SourceKind
from domain.shared.ids import BookingId, InvoiceId, LedgerEntryId, PaymentId
from domain.shared.money import Money
from entrypoints.rest.asking import Somebody
from entrypoints.rest.cursors import Asked, Paged
from entrypoints.rest.out import Out
from entrypoints.rest.payees import BalanceOut
from entrypoints.rest.queries import asked
from entrypoints.rest.routing import api_router
from entrypoints.rest.speaks import speaks
from entrypoints.use_cases import UseCases


class AuditOut(Out):
    """Who did what to which row; `position` and `hash` are its place in the chain, once it is sealed."""

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


class LedgerEntryOut(Out):
    """One side of one movement of money; the sides of a transaction sum to zero."""

    id: LedgerEntryId
    transaction_id: UUID
    books: Books
    account: str
    amount: Money
    source_kind: SourceKind
    source_id: str
    payment_id: PaymentId | None
    booking_id: BookingId | None
    invoice_id: InvoiceId | None
    created_at: datetime
    position: int | None
    """Its place in the chain of the ledger, once it is sealed."""


def trail(use: UseCases) -> APIRouter:
    """Routes under /v1/admin for what happened."""
    router = api_router("/admin", tag="admin")
    list_audit, list_ledger, list_balances = use(ListAudit), use(ListLedger), use(ListBalances)

    @router.get("/audit", **speaks(ListAudit))
    async def audit(
        actor: Somebody, filter: Annotated[AuditFilter, Depends(asked(AuditFilter))], page: Asked
    ) -> Paged[AuditOut]:
        return page.project(await list_audit(actor, filter, after=page.after, limit=page.limit), AuditOut)

    @router.get("/ledger", **speaks(ListLedger))
    async def ledger(
        actor: Somebody,
        page: Asked,
        payment_id: Annotated[PaymentId | None, Query(description="Only what moved for this payment")] = None,
    ) -> Paged[LedgerEntryOut]:
        found = await list_ledger(actor, payment_id=payment_id, after=page.after, limit=page.limit)
        return page.project(found, LedgerEntryOut)

    @router.get("/balances", **speaks(ListBalances))
    async def balances(
        actor: Somebody, filter: Annotated[BalanceFilter, Depends(asked(BalanceFilter))], page: Asked
    ) -> Paged[BalanceOut]:
        return page.project(await list_balances(actor, filter, after=page.after, limit=page.limit), BalanceOut)

    return router
