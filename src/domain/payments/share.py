"""Sharing: what the platform keeps of a payment that goes to an organization's own account, and what becomes of that
when the payment goes back."""

from dataclasses import dataclass
from enum import StrEnum

from domain.shared.errors import Invalid
from domain.shared.money import Money

WHOLE = 10_000
"""Basis points in all of it."""


class FeeBack(StrEnum):
    """What becomes of the platform's fee when a payment, or part of it, goes back to the customer: it goes back to the
    organization in the same proportion, all of it with the last of the payment; or it is kept."""

    IN_PROPORTION = "in_proportion"
    KEPT = "kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What was agreed on when a payment was asked for: to which account of the gateway's it goes, what of it is the
    platform's fee, and what becomes of that on a refund. It stays as it was when the rules change."""

    payee_ref: str
    fee: Money
    back: FeeBack

    def fee_returned(self, refunded: Money, of: Money) -> Money:
        """How much of the fee has gone back, once so much of the payment has: in proportion, rounded half up, so that
        whatever the parts, all of it goes back with the last one."""
        if self.back is FeeBack.KEPT:
            return Money.zero(self.fee.currency)
        whole = of.amount_minor
        part = (2 * self.fee.amount_minor * refunded.amount_minor + whole) // (2 * whole)
        return Money(part, self.fee.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeRule:
    """What the platform keeps: so many hundredths of a percent, rounded down to the minor unit, in the organization's
    favour."""

    basis_points: int = 0
    back: FeeBack = FeeBack.IN_PROPORTION

    def __post_init__(self) -> None:
        if not 0 <= self.basis_points <= WHOLE:
            raise Invalid("a fee is between nothing and all of it", field="basis_points")

    def share(self, amount: Money, payee_ref: str) -> Share:
        """The agreement on a payment of that amount."""
        fee = Money(amount.amount_minor * self.basis_points // WHOLE, amount.currency)
        return Share(payee_ref=payee_ref, fee=fee, back=self.back)
