"""Paying, giving back, and how the money stands."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Response
from pydantic import ConfigDict

from application.bookings import GetBooking
from application.payments import (
    Capture,
    CapturePayment,
    GetCheckout,
    GetPayLink,
    GetPayment,
    ListPayments,
    ListRefunds,
    PaymentFilter,
    PayWithSaved,
    RefreshPayment,
    RefundFilter,
    RefundPayment,
    ReleasePayment,
    Repayment,
    SavedCard,
    StartPayment,
)
from domain.payments import Payment, PaymentState, RefundState
from domain.shared.actors import Actor
from domain.shared.errors import NotFound
from domain.shared.ids import BookingId, InvoiceId, OrganizationId, PaymentId, RefundId, UserId
from domain.shared.money import Money
from entrypoints.rest.asking import Somebody
from entrypoints.rest.cursors import Asked, Paged
from entrypoints.rest.once import Commanded, CommandedByKey
from entrypoints.rest.out import Out
from entrypoints.rest.queries import asked
from entrypoints.rest.routing import api_router
from entrypoints.rest.speaks import speaks
from entrypoints.rest.versions import tagged
from entrypoints.use_cases import UseCases

PART: Any = {
    "half": {
        "summary": "Part of it",
        "value": {"amount_minor": 2250, "reason": "We had to stop half way."},
    },
    "all": {"summary": "All that is left", "value": {"reason": "With our apologies."}},
}


PART_OF_IT: Any = {
    "all": {"summary": "All that is set aside", "value": {}},
    "part": {"summary": "Less, because it took less", "value": {"amount_minor": 3000}},
}


class PaymentOut(Out):
    """What one booking costs one customer, or a payment of one invoice: asked for (`amount`), arrived, on its way back,
    given back, and taken back by banks. One with `capture_later` is set aside first, until `authorised_until`, and
    `capturing` is what is being taken of it."""

    id: PaymentId
    version: int
    booking_id: BookingId | None
    invoice_id: InvoiceId | None
    customer_id: UserId | None
    organization_id: OrganizationId
    amount: Money
    captured: Money
    refunding: Money
    refunded: Money
    disputed: Money
    open_disputes: int
    """How many disputes of it banks are deciding about; meanwhile nothing is given back."""
    state: PaymentState
    capture_later: bool
    capturing: Money | None
    authorised_until: datetime | None
    attempt: int
    """How often the customer began anew."""
    gateway: str
    failure: str
    """Why the last attempt failed, as a stable word of the gateway's."""
    created_at: datetime
    captured_at: datetime | None


class CheckoutOut(Out):
    """What a customer's browser needs to pay; the secret is theirs alone, and empty until the gateway is open."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "payment_id": "019ceb29-8d00-7d03-bb6e-7a9f0c1e2d34",
                    "amount": {"amount_minor": 4500, "currency": "EUR"},
                    "state": "open",
                    "failure": "",
                    "gateway": "simulated",
                    "gateway_ref": "sp_019ceb298d007d03bb6e7a9f0c1e2d34",
                    "client_secret": "sp_019c..._secret_5f0c...",
                }
            ]
        }
    )

    payment_id: PaymentId
    amount: Money
    state: PaymentState
    failure: str
    gateway: str
    gateway_ref: str | None
    client_secret: str | None


class PayLinkOut(Out):
    """Where a booking is paid in a browser, without signing in."""

    url: str


class RefundOut(Out):
    """Money on its way back, or back."""

    id: RefundId
    version: int
    payment_id: PaymentId
    booking_id: BookingId | None
    invoice_id: InvoiceId | None
    amount: Money
    state: RefundState
    reason: str
    failure: str
    created_at: datetime
    settled_at: datetime | None


def payments(use: UseCases) -> APIRouter:
    """Routes under /v1/payments and /v1/refunds, and a booking's payment."""
    router = api_router(tag="payments")
    get_payment, list_payments = use(GetPayment), use(ListPayments)
    get_checkout, refresh_payment = use(GetCheckout), use(RefreshPayment)
    start_payment, get_booking, get_pay_link = use(StartPayment), use(GetBooking), use(GetPayLink)

    async def start_for(actor: Actor, booking_id: BookingId) -> Payment:
        booking = await get_booking(actor, booking_id)
        if booking.payment_id is None:
            raise NotFound.of("payment", booking_id)
        return await start_payment(actor, booking.payment_id)

    @router.post("/bookings/{booking_id}/payment", **speaks(StartPayment))
    async def start(actor: Somebody, booking_id: BookingId, once: CommandedByKey) -> PaymentOut:
        return PaymentOut.of(await once(lambda: start_for(actor, booking_id)))

    @router.get("/bookings/{booking_id}/pay-link", **speaks(GetPayLink))
    async def pay_link(actor: Somebody, booking_id: BookingId) -> PayLinkOut:
        return PayLinkOut(url=await get_pay_link(actor, booking_id))

    @router.get("/payments", **speaks(ListPayments))
    async def search(
        actor: Somebody, filter: Annotated[PaymentFilter, Depends(asked(PaymentFilter))], page: Asked
    ) -> Paged[PaymentOut]:
        return page.project(await list_payments(actor, filter, after=page.after, limit=page.limit), PaymentOut)

    @router.get("/payments/{payment_id}", **speaks(GetPayment))
    async def read(actor: Somebody, payment_id: PaymentId, response: Response) -> PaymentOut:
        payment = await get_payment(actor, payment_id)
        tagged(response, payment)
        return PaymentOut.of(payment)

    @router.get("/payments/{payment_id}/checkout", **speaks(GetCheckout))
    async def checkout(actor: Somebody, payment_id: PaymentId) -> CheckoutOut:
        return CheckoutOut.of(await get_checkout(actor, payment_id))

    @router.post("/payments/{payment_id}/refresh", **speaks(RefreshPayment))
    async def refresh(actor: Somebody, payment_id: PaymentId, once: Commanded) -> PaymentOut:
        return PaymentOut.of(await once(lambda: refresh_payment(actor, payment_id)))

    _capturing(router, use)
    _refunds(router, use)
    return router


def _capturing(router: APIRouter, use: UseCases) -> None:
    capture_payment, release_payment, pay_with_saved = use(CapturePayment), use(ReleasePayment), use(PayWithSaved)

    @router.post("/payments/{payment_id}/capture", **speaks(CapturePayment))
    async def capture(
        actor: Somebody,
        payment_id: PaymentId,
        once: CommandedByKey,
        wanted: Annotated[Capture, Body(openapi_examples=PART_OF_IT)] = Capture(),
    ) -> PaymentOut:
        return PaymentOut.of(await once(lambda: capture_payment(actor, payment_id, wanted)))

    @router.post("/payments/{payment_id}/release", **speaks(ReleasePayment))
    async def release(actor: Somebody, payment_id: PaymentId, once: Commanded) -> PaymentOut:
        return PaymentOut.of(await once(lambda: release_payment(actor, payment_id)))

    @router.post("/payments/{payment_id}/charge", **speaks(PayWithSaved))
    async def charge(
        actor: Somebody, payment_id: PaymentId, once: CommandedByKey, saved_card: SavedCard = SavedCard()
    ) -> PaymentOut:
        return PaymentOut.of(await once(lambda: pay_with_saved(actor, payment_id, saved_card)))


def _refunds(router: APIRouter, use: UseCases) -> None:
    refund_payment, list_refunds = use(RefundPayment), use(ListRefunds)

    @router.post("/payments/{payment_id}/refunds", status_code=201, **speaks(RefundPayment))
    async def refund(
        actor: Somebody,
        payment_id: PaymentId,
        once: CommandedByKey,
        repayment: Annotated[Repayment, Body(openapi_examples=PART)] = Repayment(),
    ) -> RefundOut:
        return RefundOut.of(await once(lambda: refund_payment(actor, payment_id, repayment)))

    @router.get("/refunds", **speaks(ListRefunds))
    async def refunds(
        actor: Somebody, filter: Annotated[RefundFilter, Depends(asked(RefundFilter))], page: Asked
    ) -> Paged[RefundOut]:
        return page.project(await list_refunds(actor, filter, after=page.after, limit=page.limit), RefundOut)
