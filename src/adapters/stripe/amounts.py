"""Stripe counts money almost as ISO 4217 does. Where it does not, this table says how.

Source: docs.stripe.com/currencies (zero-decimal, three-decimal and special-case currencies).
"""

from domain.shared.errors import Invalid
from domain.shared.money import EXPONENTS, Money

TWO_DECIMALS_THERE = frozenset({"ISK", "UGX"})
"""Without decimals by ISO 4217; Stripe keeps the old form with two, which are always zero."""

LAST_DIGIT_ZERO = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})
"""Three decimals, of which Stripe wants the last to be zero."""

NOT_TAKEN = frozenset({"IQD", "LYD"})
"""Currencies that Stripe takes no payments in."""


class AmountNotTaken(Invalid):
    """Stripe cannot move this amount in this currency."""

    code = "payment.amount_not_taken"


def to_stripe(amount: Money) -> int:
    """The integer that Stripe understands by this amount."""
    if amount.currency in NOT_TAKEN:
        raise AmountNotTaken(f"payments in {amount.currency} are not taken", currency=amount.currency)
    if amount.currency in LAST_DIGIT_ZERO and amount.amount_minor % 10:
        raise AmountNotTaken(f"{amount.currency} is paid in whole hundredths", amount_minor=amount.amount_minor)
    return amount.amount_minor * 100 if amount.currency in TWO_DECIMALS_THERE else amount.amount_minor


def from_stripe(amount: int, currency: str) -> Money:
    """The amount that Stripe means by this integer; refuses what cannot be in that currency."""
    currency = currency.upper()
    if currency not in EXPONENTS:
        raise AmountNotTaken(f"{currency!r} is not a currency we take", currency=currency)
    if currency not in TWO_DECIMALS_THERE:
        return Money(amount, currency)
    whole, rest = divmod(amount, 100)
    if rest:
        raise AmountNotTaken(f"{currency} has no decimals", amount=amount)
    return Money(whole, currency)
