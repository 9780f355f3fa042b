"""Comparing: what the gateway says of a payment, a refund or a movement, beside what we say of it."""

from collections.abc import Iterable

from domain.payments import (
    DiscrepancyKind,
    GatewayPayment,
    GatewayRefund,
    LedgerEntry,
    Payment,
    PaymentState,
    Refund,
    RefundState,
    SourceKind,
)
from domain.shared.money import Money

_OVER = (PaymentState.FAILED, PaymentState.CANCELLED)
_SETTLED = (RefundState.SUCCEEDED, RefundState.FAILED)
_BOOKED = (SourceKind.CAPTURE, SourceKind.REFUND, SourceKind.REFUND_RETURNED)


def fits(ours: Payment | None, theirs: GatewayPayment) -> bool:
    """Whether both say the same of a payment, or what the gateway says is older than what we know. One that is none of
    ours matters only if it holds money."""
    if ours is None:
        return theirs.captured.is_zero
    if ours.is_captured and ours.gateway_ref == theirs.ref:
        return theirs.state is PaymentState.CAPTURED and theirs.captured == ours.captured
    return ours.knows(theirs)


def refund_fits(ours: Refund | None, theirs: GatewayRefund) -> bool:
    """Whether both say the same of a refund."""
    return ours is not None and ours.knows(theirs) and (ours.state not in _SETTLED or ours.state is theirs.state)


def expected_there(ours: Payment) -> bool:
    """Whether the gateway has to know this payment: it is open there, or holds money."""
    return ours.gateway_ref is not None and ours.state not in _OVER


def booked(entries: Iterable[LedgerEntry], gateway: str, currency: str) -> Money:
    """What the ledger says that the gateway holds by these entries."""
    there = (
        entry.amount
        for entry in entries
        if entry.account.startswith(f"gateway:{gateway}") and entry.source_kind in _BOOKED
    )
    return sum(there, start=Money.zero(currency))


def difference(ours: Payment | None, theirs: GatewayPayment) -> tuple[DiscrepancyKind, str]:
    """In what a payment differs, as a person is told."""
    if ours is None:
        return DiscrepancyKind.STRANGER, f"{theirs.captured} captured, for nothing of ours"
    told = f"the gateway says {theirs.state.value}, {theirs.captured} captured of {theirs.amount} as {theirs.ref}"
    return (
        DiscrepancyKind.DISAGREES,
        f"{told}; we say {ours.state.value}, {ours.captured} captured of {ours.amount} as {ours.gateway_ref}",
    )


def refund_difference(ours: Refund | None, theirs: GatewayRefund) -> tuple[DiscrepancyKind, str]:
    """In what a refund differs, as a person is told."""
    told = f"the gateway says {theirs.state.value}, {theirs.amount}"
    if ours is None:
        return DiscrepancyKind.STRANGER, f"{told}; we know of no such refund"
    return DiscrepancyKind.DISAGREES, f"{told}; we say {ours.state.value}, {ours.amount}"
