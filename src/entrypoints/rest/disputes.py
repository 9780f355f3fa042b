"""What customers' banks ask: disputes with their deadlines and our evidence, and warnings of fraud."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Response
from pydantic import ConfigDict

from application.payments import (
    DisputeFilter,
    EvidenceDraft,
    FraudWarningFilter,
    GetDispute,
    HeedWarning,
    ListDisputes,
    ListFraudWarnings,
    PrepareEvidence,
    SubmitEvidence,
)
from domain.payments import DisputeState, Evidence
from domain.shared.ids import (
    BookingId,
    DisputeId,
    FileId,
    FraudWarningId,
    InvoiceId,
    OrganizationId,
    PaymentId,
    RefundId,
    UserId,
)
from domain.shared.money import Money
from entrypoints.rest.asking import Somebody
from entrypoints.rest.cursors import Asked, Paged
from entrypoints.rest.once import Commanded, CommandedByKey
from entrypoints.rest.out import Out
from entrypoints.rest.payments import RefundOut
from entrypoints.rest.queries import asked
from entrypoints.rest.routing import api_router
from entrypoints.rest.speaks import speaks
from entrypoints.rest.versions import BY_HEADER, WelcomeVersion, tagged
from entrypoints.use_cases import UseCases

SAID: Any = {
    "attended": {
        "summary": "The lesson took place",
        "value": {
            "explanation": "The customer booked, came, and thanked us by message afterwards.",
            "service": "A guitar lesson of one hour, given on 30 March 2026.",
            "service_date": "2026-03-30",
            "customer_name": "Ada Kay",
        },
    }
}


class DisputeOut(Out):
    """A dispute as those who answer it see it: what is disputed, what the bank has `taken` and `returned`, what that
    cost, until when evidence is waited for, and what we have to say."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "019ceb29-8d00-7d03-bb6e-7a9f0c1e2d35",
                    "version": 2,
                    "payment_id": "019ceb29-8d00-7d03-bb6e-7a9f0c1e2d34",
                    "booking_id": "019ceb29-8d00-7d03-bb6e-7a9f0c1e2d33",
                    "invoice_id": None,
                    "provider_id": "019ceb29-8d00-7d03-bb6e-7a9f0c1e2d32",
                    "organization_id": "019ceb29-8d00-7d03-bb6e-7a9f0c1e2d31",
                    "amount": {"amount_minor": 4500, "currency": "EUR"},
                    "taken": {"amount_minor": 4500, "currency": "EUR"},
                    "returned": {"amount_minor": 0, "currency": "EUR"},
                    "fee": {"amount_minor": 1500, "currency": "EUR"},
                    "fee_returned": {"amount_minor": 0, "currency": "EUR"},
                    "state": "needs_response",
                    "reason": "fraudulent",
                    "due_at": "2026-04-13T23:59:59Z",
                    "evidence": {
                        "explanation": "",
                        "service": "",
                        "service_date": "",
                        "customer_name": "",
                        "customer_email": "",
                        "cancellation_policy": "",
                    },
                    "evidence_file_id": None,
                    "submitting": False,
                    "submitted_at": None,
                    "failure": "",
                    "opened_at": "2026-03-31T08:12:00Z",
                    "closed_at": None,
                    "created_at": "2026-03-31T08:12:04Z",
                }
            ]
        }
    )

    id: DisputeId
    version: int
    payment_id: PaymentId
    booking_id: BookingId | None
    invoice_id: InvoiceId | None
    provider_id: UserId | None
    organization_id: OrganizationId
    amount: Money
    taken: Money
    returned: Money
    fee: Money
    fee_returned: Money
    state: DisputeState
    reason: str
    """Why, as a stable word of the gateway's."""
    due_at: datetime | None
    evidence: Evidence
    evidence_file_id: FileId | None
    submitting: bool
    """Whether the gateway is being given the evidence just now."""
    submitted_at: datetime | None
    failure: str
    """Why the gateway did not take it, as a stable word of its own."""
    opened_at: datetime
    closed_at: datetime | None
    created_at: datetime


class FraudWarningOut(Out):
    """A bank's warning that a card may be stolen. While it is `actionable`, giving the money back avoids a dispute."""

    id: FraudWarningId
    version: int
    payment_id: PaymentId
    booking_id: BookingId | None
    invoice_id: InvoiceId | None
    organization_id: OrganizationId
    reason: str
    actionable: bool
    refund_id: RefundId | None
    """The refund by which it was heeded."""
    warned_at: datetime
    created_at: datetime


def disputes(use: UseCases) -> APIRouter:
    """Routes under /v1/disputes and /v1/fraud-warnings."""
    router = api_router(tag="disputes")
    get_dispute, list_disputes = use(GetDispute), use(ListDisputes)
    prepare_evidence, submit_evidence = use(PrepareEvidence), use(SubmitEvidence)

    @router.get("/disputes", **speaks(ListDisputes))
    async def search(
        actor: Somebody, filter: Annotated[DisputeFilter, Depends(asked(DisputeFilter))], page: Asked
    ) -> Paged[DisputeOut]:
        return page.project(await list_disputes(actor, filter, after=page.after, limit=page.limit), DisputeOut)

    @router.get("/disputes/{dispute_id}", **speaks(GetDispute))
    async def read(actor: Somebody, dispute_id: DisputeId, response: Response) -> DisputeOut:
        dispute = await get_dispute(actor, dispute_id)
        tagged(response, dispute)
        return DisputeOut.of(dispute)

    @router.put("/disputes/{dispute_id}/evidence", **speaks(PrepareEvidence))
    async def prepare(
        actor: Somebody,
        dispute_id: DisputeId,
        draft: Annotated[EvidenceDraft, BY_HEADER, Body(openapi_examples=SAID)],
        expected: WelcomeVersion,
        once: Commanded,
    ) -> DisputeOut:
        wanted = replace(draft, expected_version=expected)
        return DisputeOut.of(await once(lambda: prepare_evidence(actor, dispute_id, wanted)))

    @router.post("/disputes/{dispute_id}/submission", **speaks(SubmitEvidence))
    async def submit(actor: Somebody, dispute_id: DisputeId, once: CommandedByKey) -> DisputeOut:
        return DisputeOut.of(await once(lambda: submit_evidence(actor, dispute_id)))

    _warnings(router, use)
    return router


def _warnings(router: APIRouter, use: UseCases) -> None:
    list_warnings, heed_warning = use(ListFraudWarnings), use(HeedWarning)

    @router.get("/fraud-warnings", **speaks(ListFraudWarnings))
    async def warnings(
        actor: Somebody, filter: Annotated[FraudWarningFilter, Depends(asked(FraudWarningFilter))], page: Asked
    ) -> Paged[FraudWarningOut]:
        return page.project(await list_warnings(actor, filter, after=page.after, limit=page.limit), FraudWarningOut)

    @router.post("/fraud-warnings/{warning_id}/refund", status_code=201, **speaks(HeedWarning))
    async def heed(actor: Somebody, warning_id: FraudWarningId, once: CommandedByKey) -> RefundOut:
        return RefundOut.of(await once(lambda: heed_warning(actor, warning_id)))
