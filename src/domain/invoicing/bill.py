"""What a quote offers and an invoice asks for: lines, discounts and taxes, to the last minor unit.

Amounts are rounded half to even: a line on its own, and the tax once per rate, on the sum of that rate's lines. So the
lines add up to the shares of the rates, and those to the total, with nothing left over."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from domain.shared.errors import Invalid
from domain.shared.ids import UserId
from domain.shared.money import EXPONENTS, Money
from domain.shared.text import text

WHOLE = 10_000
"""A hundred per cent, in basis points."""
ONE = 1_000
"""One piece, in thousandths."""
MOST_LINES = 200
LARGEST_QUANTITY = 10**9
HIGHEST_PRICE = 10**12
LONGEST_DESCRIPTION = 500
LONGEST_NAME = 160
LONGEST_ADDRESS = 500
LONGEST_NOTE = 2000
_MAILBOX = re.compile(r"[^\s<>(),;:\"\[\]\\@]+@[^\s<>(),;:\"\[\]\\@]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyer:
    """Who is to pay: as the paper shows them, and the user they are, if any. `email` may be empty; then it is handed
    over some other way."""

    name: str
    email: str = ""
    address: str = ""
    tax_id: str = ""
    user_id: UserId | None = None

    def __post_init__(self) -> None:
        email = text(self.email, field="buyer.email", shortest=0, longest=254).lower()
        if email and not _MAILBOX.fullmatch(email):
            raise Invalid("that is not a mail address", field="buyer.email")
        _set(self, "email", email)
        _set(self, "name", text(self.name, field="buyer.name", longest=LONGEST_NAME))
        _set(self, "tax_id", text(self.tax_id, field="buyer.tax_id", shortest=0, longest=60))
        address = text(self.address, field="buyer.address", shortest=0, longest=LONGEST_ADDRESS, lines=True)
        _set(self, "address", address)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing on a bill. The quantity is counted in thousandths (1500 is one and a half), the price of one in minor
    units; the discount by rate is taken off first, then the one by amount. Rates are basis points (1900 is 19 %)."""

    description: str
    quantity_thousandths: int = ONE
    unit: str = ""
    unit_price_minor: int
    discount_basis_points: int = 0
    discount_minor: int = 0
    tax_basis_points: int = 0

    def __post_init__(self) -> None:
        said = text(self.description, field="lines.description", longest=LONGEST_DESCRIPTION, lines=True)
        _set(self, "description", said)
        _set(self, "unit", text(self.unit, field="lines.unit", shortest=0, longest=20))
        _within(self.quantity_thousandths, 1, LARGEST_QUANTITY, field="lines.quantity_thousandths")
        _within(self.unit_price_minor, 0, HIGHEST_PRICE, field="lines.unit_price_minor")
        _within(self.discount_basis_points, 0, WHOLE, field="lines.discount_basis_points")
        _within(self.tax_basis_points, 0, WHOLE, field="lines.tax_basis_points")
        _within(self.discount_minor, 0, self._discounted_by_rate, field="lines.discount_minor")

    @property
    def before_discount(self) -> int:
        """Quantity times price."""
        return half_even(self.unit_price_minor * self.quantity_thousandths, ONE)

    @property
    def amount_minor(self) -> int:
        """What the line comes to, discounts taken off; never below nothing."""
        return self._discounted_by_rate - self.discount_minor

    @property
    def discount(self) -> int:
        """What both discounts take off together."""
        return self.before_discount - self.amount_minor

    @property
    def _discounted_by_rate(self) -> int:
        return self.before_discount - half_even(self.before_discount * self.discount_basis_points, WHOLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxShare:
    """What the lines of one tax rate come to: their `amount` as written on them, and what of it is net and tax."""

    tax_basis_points: int
    amount_minor: int
    net_minor: int
    tax_minor: int

    @classmethod
    def of(cls, rate: int, amount: int, *, included: bool) -> "TaxShare":
        """The share of these lines, whose amounts have the tax in them or get it on top."""
        if included:
            net = half_even(amount * WHOLE, WHOLE + rate)
            return cls(tax_basis_points=rate, amount_minor=amount, net_minor=net, tax_minor=amount - net)
        tax = half_even(amount * rate, WHOLE)
        return cls(tax_basis_points=rate, amount_minor=amount, net_minor=amount, tax_minor=tax)

    def __sub__(self, other: "TaxShare") -> "TaxShare":
        return TaxShare(
            tax_basis_points=self.tax_basis_points,
            amount_minor=self.amount_minor - other.amount_minor,
            net_minor=self.net_minor - other.net_minor,
            tax_minor=self.tax_minor - other.tax_minor,
        )


Shares: TypeAlias = tuple[TaxShare, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What is offered or asked for, and of whom; the same on a quote, its invoice, and the paper that leaves the house.
    With `tax_included` the prices have the tax in them, else it comes on top."""

    buyer: Buyer
    currency: str
    lines: tuple[Line, ...] = ()
    tax_included: bool = False
    note: str = ""

    def __post_init__(self) -> None:
        if self.currency not in EXPONENTS:
            raise Invalid(f"{self.currency!r} is not a currency we take", field="currency")
        if len(self.lines) > MOST_LINES:
            raise Invalid(f"a bill has at most {MOST_LINES} lines", field="lines", most=MOST_LINES)
        note = text(self.note, field="note", shortest=0, longest=LONGEST_NOTE, lines=True)
        _set(self, "note", note)
        _ = self.total  # refuses more money than there is

    @property
    def shares(self) -> Shares:
        """What each tax rate comes to, the lowest first."""
        return shares_of(self.lines, included=self.tax_included)

    @property
    def total(self) -> Money:
        """What is to be paid, taxes and all."""
        return total_of(self.shares, self.currency)


def half_even(numerator: int, denominator: int) -> int:
    """The quotient of two whole numbers, rounded half to even."""
    quotient, rest = divmod(numerator, denominator)
    if 2 * rest > denominator or (2 * rest == denominator and quotient % 2):
        return quotient + 1
    return quotient


def shares_of(lines: Iterable[Line], *, included: bool) -> Shares:
    """What these lines come to, by tax rate."""
    amounts: dict[int, int] = {}
    for line in lines:
        amounts[line.tax_basis_points] = amounts.get(line.tax_basis_points, 0) + line.amount_minor
    return tuple(TaxShare.of(rate, amount, included=included) for rate, amount in sorted(amounts.items()))


def total_of(shares: Iterable[TaxShare], currency: str) -> Money:
    """Net and tax of all rates together."""
    return Money(sum(share.net_minor + share.tax_minor for share in shares), currency)


def _within(value: int, least: int, most: int, *, field: str) -> None:
    if type(value) is not int or not least <= value <= most:
        raise Invalid(f"{field} is a whole number from {least} to {most}", field=field, least=least, most=most)


def _set(thing: object, name: str, value: object) -> None:
    object.__setattr__(thing, name, value)
