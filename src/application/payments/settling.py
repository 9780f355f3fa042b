"""How a gateway's answers become ours: state, ledger and what to ask next, all in the block of whoever asked."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from application.ports.ids import Ids
from application.ports.payments import (
    Declined,
    GatewaySilent,
    GatewayUnavailable,
    OpenOrder,
    PaymentGateway,
    RefundOrder,
)
from application.ports.unit_of_work import Work
from domain.payments import (
    FeeBack,
    GatewayPayment,
    GatewayRefund,
    LedgerEntry,
    Payment,
    PaymentDoubted,
    PaymentState,
    Refund,
    RefundDoubted,
    RefundState,
    capture_entries,
    fail_refund,
    refund_entries,
    settle_refund,
)
from domain.shared.ids import PaymentId, RefundId

FIRST_DOUBT = timedelta(minutes=1)
MOST_DOUBLINGS = 8
PENDING_CHECK = timedelta(days=1)

Opening = GatewayPayment | Declined | GatewaySilent
Sending = GatewayRefund | Declined | GatewaySilent


def patience(tries: int) -> timedelta:
    """How long to wait before asking again: a minute, doubling up to about four hours."""
    return FIRST_DOUBT * (1 << min(tries, MOST_DOUBLINGS))


def reachable(gateway: PaymentGateway, name: str) -> None:
    """Refuse to ask one gateway about money that another holds."""
    if name != gateway.name:
        raise GatewayUnavailable(f"this money is at {name}, and we talk to {gateway.name}", gateway=name)


async def ask_to_open(gateway: PaymentGateway, payment: Payment) -> Opening:
    """Ask for this attempt to be opened. An earlier attempt is closed first, so that at most one can be paid; where
    its money already moves, that is the answer."""
    try:
        if payment.gateway_ref and payment.gateway == gateway.name:
            earlier = await gateway.cancel(payment.gateway_ref)
            if earlier.state in (PaymentState.PROCESSING, PaymentState.CAPTURED):
                return earlier
            if earlier.state is not PaymentState.CANCELLED:
                raise GatewayUnavailable("the earlier attempt is still open at the gateway")
        return await gateway.open(
            OpenOrder(
                payment_id=PaymentId(payment.id),
                booking_id=payment.booking_id,
                invoice_id=payment.invoice_id,
                attempt=payment.attempt,
                amount=payment.amount,
                share=payment.share,
                capture_later=payment.capture_later,
            )
        )
    except (Declined, GatewaySilent) as answer:
        return answer


async def ask_to_refund(gateway: PaymentGateway, refund: Refund, payment: Payment) -> Sending:
    """Ask for this refund to be sent, or how it stands where it has been."""
    reachable(gateway, refund.gateway)
    try:
        if refund.gateway_ref:
            return await gateway.find_refund(refund.gateway_ref)
        return await gateway.refund(
            RefundOrder(
                refund_id=RefundId(refund.id),
                payment_ref=payment.gateway_ref or "",
                amount=refund.amount,
                reason=refund.reason,
                shared=payment.share is not None,
                fee_back=payment.share is not None and payment.share.back is FeeBack.IN_PROPORTION,
            )
        )
    except (Declined, GatewaySilent) as answer:
        return answer


def follow(work: Work, payment: Payment, news: GatewayPayment, *, ids: Ids, now: datetime) -> None:
    """Settle a payment by news of it; what it captured goes into the ledger."""
    gained = payment.settle(news, now=now)
    post(work, capture_entries(payment, gained, new=ids.new, now=now))


def follow_refund(
    work: Work, refund: Refund, payment: Payment, news: GatewayRefund, *, ids: Ids, now: datetime
) -> None:
    """Settle a refund and its payment by news of it; what left goes into the ledger. A pending one is asked after."""
    was_pending = refund.state is RefundState.PENDING
    gone = settle_refund(refund, payment, news, now=now)
    post(work, refund_entries(payment, refund, gone, new=ids.new, now=now))
    if refund.state is RefundState.PENDING and not was_pending:
        work.schedule(RefundDoubted(refund_id=refund.id, tries=0), about=refund, at=now + PENDING_CHECK)


def take_opening(work: Work, payment: Payment, answer: Opening, *, ids: Ids, now: datetime, tries: int = 0) -> None:
    """What came of asking to open: news, a refusal, or a doubt that is asked after later."""
    match answer:
        case GatewayPayment():
            follow(work, payment, answer, ids=ids, now=now)
        case Declined():
            payment.decline(answer.reason)
        case GatewaySilent():
            if payment.doubt():
                doubt = PaymentDoubted(payment_id=payment.id, attempt=payment.attempt, tries=tries + 1)
                work.schedule(doubt, about=payment, at=now + patience(tries))


def take_sending(
    work: Work, refund: Refund, payment: Payment, answer: Sending, *, ids: Ids, now: datetime, tries: int = 0
) -> None:
    """What came of asking to refund: news, a refusal, or a doubt that is asked after later."""
    match answer:
        case GatewayRefund():
            follow_refund(work, refund, payment, answer, ids=ids, now=now)
        case Declined():
            fail_refund(refund, payment, answer.reason, now=now)
        case GatewaySilent():
            if refund.doubt():
                doubt = RefundDoubted(refund_id=refund.id, tries=tries + 1)
                work.schedule(doubt, about=refund, at=now + patience(tries))


def post(work: Work, entries: Iterable[LedgerEntry]) -> None:
    """Write into the ledger."""
    for entry in entries:
        work.ledger.add(entry)
