"""What stands on a sheet, as text: amounts, quantities, rates and dates."""

from datetime import date
from decimal import Decimal

from application.notifications.wording import day
from application.ports.invoicing import Sheet, SheetKind
from domain.invoicing import Line
from domain.shared.money import Money

TITLES = {SheetKind.QUOTE: "Quote", SheetKind.INVOICE: "Invoice", SheetKind.CREDIT_NOTE: "Credit note"}
_UNTIL = {SheetKind.QUOTE: "Good until", SheetKind.INVOICE: "Due"}
_TOTALS = {SheetKind.QUOTE: "Total", SheetKind.INVOICE: "To pay", SheetKind.CREDIT_NOTE: "Credited"}


def facts(sheet: Sheet) -> list[tuple[str, str]]:
    """Number and dates, beside the buyer's address."""
    told = [("Number", sheet.number), ("Date", _day(sheet.issued_on))]
    if sheet.until is not None:
        told.append((_UNTIL.get(sheet.kind, "Until"), _day(sheet.until)))
    if sheet.corrects:
        told.append(("Corrects", sheet.corrects))
    return told


def row(line: Line, currency: str, *, taxed: bool) -> tuple[str, list[str], str]:
    """A line of the table: what it is, its figures, and what was taken off, if anything."""
    quantity = _plain(Decimal(line.quantity_thousandths).scaleb(-3))
    figures = [
        f"{quantity} {line.unit}".strip(),
        amount(line.unit_price_minor, currency),
        *([percent(line.tax_basis_points)] if taxed else []),
        amount(line.amount_minor, currency),
    ]
    return line.description, figures, _discount(line, currency)


def totals(sheet: Sheet) -> tuple[list[tuple[str, str]], tuple[str, str]]:
    """What the tax rates come to, and what all of it comes to."""
    currency, rows = sheet.bill.currency, []
    for share in sheet.shares:
        if share.tax_basis_points:
            rate = percent(share.tax_basis_points)
            rows.append((f"Net at {rate}", amount(share.net_minor, currency)))
            rows.append((f"Tax {rate}", amount(share.tax_minor, currency)))
        elif len(sheet.shares) > 1:
            rows.append(("Without tax", amount(share.net_minor, currency)))
    return rows, (f"{_TOTALS[sheet.kind]} ({currency})", amount(sheet.total.amount_minor, currency))


def amount(minor: int, currency: str) -> str:
    """With the currency's own decimal places: "1,250.00"."""
    return f"{Money(minor, currency).decimal():,}"


def percent(basis_points: int) -> str:
    """A rate: "19 %", "5.5 %"."""
    return f"{_plain(Decimal(basis_points).scaleb(-2))} %"


def _discount(line: Line, currency: str) -> str:
    if not line.discount:
        return ""
    rate = f"{percent(line.discount_basis_points)}, " if line.discount_basis_points else ""
    before = amount(line.before_discount, currency)
    return f"{before} less {rate}{amount(line.discount, currency)} discount"


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _day(on: date) -> str:
    return day(on)
