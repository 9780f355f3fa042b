"""Money as integer minor units of an ISO 4217 currency."""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from domain.shared.errors import Invalid

EXPONENTS: dict[str, int] = {
    **dict.fromkeys(
        "AED ARS AUD BDT BGN BRL CAD CHF CNY COP CZK DKK EGP EUR GBP GEL GHS HKD HUF IDR ILS INR KES KZT LKR MAD "
        "MXN MYR NGN NOK NZD PEN PHP PKR PLN QAR RON RSD SAR SEK SGD THB TRY TWD TZS UAH USD UYU ZAR".split(),
        2,
    ),
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
}
"""Decimal places of each currency we take, from ISO 4217 list one."""

LARGEST_MINOR = 10**15
"""More than any one payment; small enough that sums of a business's whole life fit a 64-bit integer."""


class CurrencyMismatch(Invalid):
    """Two amounts of different currencies cannot be added or compared."""

    code = "money.currency_mismatch"

    def __init__(self, one: str, other: str) -> None:
        super().__init__(f"{one} and {other} are different currencies", one=one, other=other)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of money: `amount_minor` counts the smallest unit of `currency` (cents, yen, fils). May be negative."""

    amount_minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.amount_minor) is not int:
            raise Invalid("money is counted in whole minor units", field="amount_minor")
        if abs(self.amount_minor) > LARGEST_MINOR:
            raise Invalid("that is more money than there is", field="amount_minor", largest=LARGEST_MINOR)
        if self.currency not in EXPONENTS:
            raise Invalid(f"{self.currency!r} is not a currency we take", field="currency")

    def __add__(self, other: "Money") -> "Money":
        return Money(self.amount_minor + self._same(other).amount_minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.amount_minor - self._same(other).amount_minor, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.amount_minor, self.currency)

    def __le__(self, other: "Money") -> bool:
        return self.amount_minor <= self._same(other).amount_minor

    def __lt__(self, other: "Money") -> bool:
        return self.amount_minor < self._same(other).amount_minor

    def __str__(self) -> str:
        return f"{self.decimal():,} {self.currency}"

    @property
    def is_zero(self) -> bool:
        """Whether there is nothing to pay."""
        return self.amount_minor == 0

    def times(self, count: int) -> "Money":
        """This amount for `count` seats or items."""
        return Money(self.amount_minor * count, self.currency)

    def percent(self, percent: int) -> "Money":
        """A whole percentage of this amount, rounded half to even on the minor unit."""
        share = Decimal(self.amount_minor * percent) / 100
        return Money(int(share.quantize(Decimal(1), rounding=ROUND_HALF_EVEN)), self.currency)

    def decimal(self) -> Decimal:
        """The amount in major units, with the currency's own decimal places."""
        return Decimal(self.amount_minor).scaleb(-EXPONENTS[self.currency])

    @classmethod
    def zero(cls, currency: str) -> "Money":
        """Nothing, in that currency."""
        return cls(0, currency)

    def _same(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise CurrencyMismatch(self.currency, other.currency)
        return other
