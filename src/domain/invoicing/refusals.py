"""Why a quote or an invoice stays as it is."""

from domain.shared.errors import Conflict, Forbidden, Invalid
from domain.shared.money import Money


class NotYourBooks(Forbidden):
    """Only owners and managers write an organization's quotes and invoices."""

    code = "invoicing.not_yours"

    def __init__(self) -> None:
        super().__init__("only an organization's owners and managers write its quotes and invoices")


class NothingToBill(Invalid):
    """A quote or invoice that leaves the house asks for more than nothing."""

    code = "invoicing.nothing_to_bill"

    def __init__(self) -> None:
        super().__init__("this comes to nothing; add a line with a price", field="lines")


class NobodyToWriteTo(Conflict):
    """There is no mail address to send it to."""

    code = "invoicing.nobody_to_write_to"

    def __init__(self) -> None:
        super().__init__("this names no mail address to send it to")


class QuoteStateRefused(Conflict):
    """The step is not possible from where the quote stands."""

    code = "quote.state"

    def __init__(self, step: str, state: str) -> None:
        super().__init__(f"a quote that is {state} cannot be {step}", state=state)


class InvoiceStateRefused(Conflict):
    """The step is not possible from where the invoice stands. What was issued is corrected by a credit note."""

    code = "invoice.state"

    def __init__(self, step: str, state: str) -> None:
        state_said = state.replace("_", " ")
        super().__init__(f"an invoice that is {state_said} cannot be {step}", state=state)


class MoreThanIsOwed(Conflict):
    """More would be paid than is left to pay."""

    code = "invoice.more_than_is_owed"

    def __init__(self, given: Money, left: Money) -> None:
        super().__init__(
            f"{left} is left to pay, not {given}",
            given=given.amount_minor,
            left=left.amount_minor,
            currency=left.currency,
        )


class NotReceivedByHand(Conflict):
    """More would be taken back than was recorded by hand."""

    code = "invoice.not_received_by_hand"

    def __init__(self, taken: Money, by_hand: Money) -> None:
        super().__init__(
            f"{by_hand} was recorded by hand, so {taken} cannot be taken back",
            taken=taken.amount_minor,
            by_hand=by_hand.amount_minor,
            currency=by_hand.currency,
        )


class MoreThanIsLeft(Conflict):
    """A credit note would take back more of a tax rate than is left of the invoice."""

    code = "invoice.more_than_is_left"

    def __init__(self, rate: int, asked: Money, left: Money) -> None:
        super().__init__(
            f"{left} is left to credit at {rate / 100:g} % tax, not {asked}",
            tax_basis_points=rate,
            asked=asked.amount_minor,
            left=left.amount_minor,
            currency=left.currency,
        )


class PaymentUnderWay(Conflict):
    """Somebody is paying this invoice just now, another amount; one payment at a time."""

    code = "invoice.payment_under_way"

    def __init__(self, amount: Money) -> None:
        super().__init__(f"a payment of {amount} is under way", amount=amount.amount_minor, currency=amount.currency)


class BookingNotBillable(Conflict):
    """Only a booking that is confirmed or completed is invoiced, and only one that costs something."""

    code = "invoice.booking_not_billable"

    def __init__(self, state: str) -> None:
        super().__init__("only a confirmed or completed booking with a price is invoiced", state=state)


class AlreadyInvoiced(Conflict):
    """That booking has an invoice; void its draft, or correct it by a credit note."""

    code = "invoice.already_invoiced"

    def __init__(self) -> None:
        super().__init__("this booking has an invoice already")
