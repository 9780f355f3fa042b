"""Stripe counts money almost as ISO 4217 does. Where it does not, and how little or much it moves, this table says.

Source: docs.stripe.com/currencies (zero-decimal, three-decimal and special-case currencies; minimum and maximum charge
amounts).
"""

from dataclasses import dataclass

from domain.shared.errors import Invalid
from domain.shared.money import EXPONENTS, Money

MOST_DIGITS = 8
"""How many digits an amount has at most, where nothing else is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How Stripe takes a currency. Its integer is ours times `factor`; ours is a multiple of `step`, in payouts of
    `payout_step`; a charge is at least `least` of our minor units, and its integer has at most `digits` digits."""

    factor: int = 1
    step: int = 1
    payout_step: int = 1
    least: int = 1
    digits: int = MOST_DIGITS
    taken: bool = True


_HUNDRED_FOLD = Terms(factor=100)
"""Without decimals by ISO 4217; Stripe keeps the old form with two, which are always zero."""
_IN_TENS = Terms(step=10, payout_step=10)
"""Three decimals, of which Stripe wants the last to be zero."""
_NOT_TAKEN = Terms(taken=False)

STRIPE: dict[str, Terms] = {
    **dict.fromkeys(("ISK", "UGX"), _HUNDRED_FOLD),
    **dict.fromkeys(("BHD", "JOD", "KWD", "OMR", "TND"), _IN_TENS),
    **dict.fromkeys(("IQD", "LYD"), _NOT_TAKEN),
    **dict.fromkeys(("USD", "AUD", "BRL", "CAD", "CHF", "EUR", "INR", "NZD", "SGD"), Terms(least=50)),
    **dict.fromkeys(("AED", "MYR", "PLN", "RON"), Terms(least=200)),
    **dict.fromkeys(("MXN", "THB"), Terms(least=1000)),
    **dict.fromkeys(("NOK", "SEK"), Terms(least=300)),
    "BGN": Terms(least=100),
    "CZK": Terms(least=1500),
    "DKK": Terms(least=250),
    "GBP": Terms(least=30),
    "HKD": Terms(least=400),
    "HUF": Terms(least=17_500, payout_step=100),
    "IDR": Terms(digits=12),
    "JPY": Terms(least=50),
    "TWD": Terms(payout_step=100),
}
"""What is said of a currency; the others are taken as ISO 4217 counts them. HUF and TWD are paid out in whole units."""


class AmountNotTaken(Invalid):
    """Stripe cannot move this amount in this currency."""

    code = "payment.amount_not_taken"


def step_of(currency: str) -> int:
    """Of what amounts in this currency are multiples, in our minor units."""
    return STRIPE.get(currency, Terms()).step


def to_stripe(amount: Money) -> int:
    """The integer that Stripe understands by this amount."""
    terms = _terms(amount.currency)
    if amount.amount_minor % terms.step:
        raise AmountNotTaken(f"{amount.currency} is moved in steps of {_step(amount, terms.step)}", step=terms.step)
    return _counted(amount, terms)


def charged(amount: Money) -> int:
    """The same for what a customer is to pay, which is neither too little nor too much for Stripe."""
    terms = _terms(amount.currency)
    if amount.amount_minor < terms.least:
        least = Money(terms.least, amount.currency)
        raise AmountNotTaken(f"a payment is of at least {least}", least=terms.least, currency=amount.currency)
    return to_stripe(amount)


def paid_out(amount: Money) -> int:
    """The same for what is paid out to a bank account: whole units of HUF and TWD."""
    terms = _terms(amount.currency)
    if amount.amount_minor % terms.payout_step:
        step = _step(amount, terms.payout_step)
        raise AmountNotTaken(f"{amount.currency} is paid out in steps of {step}", step=terms.payout_step)
    return _counted(amount, terms)


def from_stripe(amount: int, currency: str) -> Money:
    """The amount that Stripe means by this integer; refuses what cannot be in that currency."""
    currency = currency.upper()
    if currency not in EXPONENTS:
        raise AmountNotTaken(f"{currency!r} is not a currency we take", currency=currency)
    whole, rest = divmod(amount, STRIPE.get(currency, Terms()).factor)
    if rest:
        raise AmountNotTaken(f"{currency} has no decimals", amount=amount)
    return Money(whole, currency)


def _terms(currency: str) -> Terms:
    terms = STRIPE.get(currency, Terms())
    if not terms.taken:
        raise AmountNotTaken(f"payments in {currency} are not taken", currency=currency)
    return terms


def _counted(amount: Money, terms: Terms) -> int:
    counted = amount.amount_minor * terms.factor
    if abs(counted) >= 10**terms.digits:
        raise AmountNotTaken(f"{amount} is more than Stripe moves at once", digits=terms.digits)
    return counted


def _step(amount: Money, step: int) -> Money:
    return Money(step, amount.currency)
