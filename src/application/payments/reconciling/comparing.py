"""Comparing: what the gateway says of a payment, a refund, a share, a payee or a payout, beside what we say of it."""

from collections.abc import Iterable, Mapping

from domain.payments import (
    DiscrepancyKind,
    GatewayPayee,
    GatewayPayment,
    GatewayPayout,
    GatewayRefund,
    GatewayShare,
    LedgerEntry,
    Payee,
    Payment,
    PaymentState,
    Payout,
    PayoutState,
    Refund,
    RefundState,
    SourceKind,
    at_bank,
    on_account,
    source_of,
)
from domain.shared.money import Money

_OVER = (PaymentState.FAILED, PaymentState.CANCELLED)
_SETTLED = (RefundState.SUCCEEDED, RefundState.FAILED)
_SENT = (PayoutState.PAID, PayoutState.FAILED, PayoutState.CANCELLED)
_SHARED = (SourceKind.TRANSFER, SourceKind.FEE, SourceKind.TRANSFER_REVERSED, SourceKind.FEE_RETURNED)
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


def paid_out(ours: Payout, entries: Iterable[LedgerEntry]) -> Money:
    """What the ledger says of this payout to be at the organization's bank."""
    bank, nothing = at_bank(ours.organization_id).name, Money.zero(ours.amount.currency)
    return sum((entry.amount for entry in entries if entry.account == bank), start=nothing)


def payout_fits(ours: Payout | None, theirs: GatewayPayout, there: Money) -> bool:
    """Whether both say the same of a payout, and the ledger has it `there`, at the bank, as it stands."""
    if ours is None or not ours.knows(theirs):
        return False
    return (ours.state not in _SENT or ours.state is theirs.state) and there == ours.at_bank


Gains = Mapping[tuple[SourceKind, str], Money]
"""What an organization's account has more by each movement of a payment's share."""


def gained_there(theirs: GatewayShare) -> Gains:
    """As the gateway says."""
    moved = (each for each in theirs.moved if not each.amount.is_zero)
    return {(each.kind, source_of(theirs.gateway, each.ref)): each.gained for each in moved}


def gained_here(ours: Payment, entries: Iterable[LedgerEntry]) -> Gains:
    """As the ledger says."""
    account = on_account(ours.organization_id).name
    moved = (entry for entry in entries if entry.account == account and entry.source_kind in _SHARED)
    return {(entry.source_kind, entry.source_id): entry.amount for entry in moved}


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


def payout_difference(ours: Payout | None, theirs: GatewayPayout, there: Money) -> tuple[DiscrepancyKind, str]:
    """In what a payout differs, as a person is told."""
    told = f"the gateway says {theirs.state.value}, {theirs.amount}"
    if ours is None:
        return DiscrepancyKind.STRANGER, f"{told}; we know of no such payout"
    if there != ours.at_bank:
        return DiscrepancyKind.UNBOOKED, f"{told}; the ledger has {there} of it at the bank"
    return DiscrepancyKind.DISAGREES, f"{told}; we say {ours.state.value}, {ours.amount}"


def payee_difference(ours: Payee, theirs: GatewayPayee) -> str:
    """In what the standing of a payee differs, as a person is told."""
    there = _standing(takes_charges=theirs.takes_charges, pays_out=theirs.pays_out)
    here = _standing(takes_charges=ours.takes_charges, pays_out=ours.pays_out)
    return f"the gateway says {there}; we say {ours.state.value}, {here}"


def _standing(*, takes_charges: bool, pays_out: bool) -> str:
    return f"charges {'on' if takes_charges else 'off'}, payouts {'on' if pays_out else 'off'}"


def share_difference(theirs: GatewayShare, there: Gains, here: Gains) -> tuple[DiscrepancyKind, str]:
    """In what the share of a payment differs, as a person is told."""
    if not theirs.moved:
        return DiscrepancyKind.MISSING, "the gateway shows no transfer of this payment"
    lacking = [f"{kind.value} {source}" for kind, source in there.keys() - here.keys()]
    more = [f"{kind.value} {source}" for kind, source in here.keys() - there.keys()]
    unlike = [f"{place[0].value} {place[1]}" for place in there.keys() & here.keys() if there[place] != here[place]]
    said = (("lacks", lacking), ("has more", more), ("has another amount of", unlike))
    return DiscrepancyKind.UNBOOKED, "the ledger " + "; ".join(f"{w} {', '.join(sorted(e))}" for w, e in said if e)
