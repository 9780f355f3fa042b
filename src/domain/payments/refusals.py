"""What payments, refunds and disputes say no with.

NothingToPay      (invalid)   a payment of nothing
AlreadyPaid       (conflict)  the money is here
PaymentCalledOff  (conflict)  what it was for is over
NotPayable        (conflict)  it is not open, or its money moves
NotAuthorised     (conflict)  nothing is set aside that could be taken or let go
CaptureTooLarge   (conflict)  more would be taken than is set aside
CaptureUnderWay   (conflict)  another amount is being taken already
RefundTooLarge    (conflict)  more would go back than is left
PaymentDisputed   (conflict)  the customer's bank decides about this money now
GatewayDisagrees  (conflict)  the gateway tells of other money than ours
DisputeOver       (conflict)  nobody waits for evidence any more
EvidenceTooLate   (conflict)  the deadline has passed
NothingToSay      (invalid)   evidence without a word
WarningHeeded     (conflict)  the money went back after this warning
"""

from datetime import datetime

from domain.shared.errors import Conflict, Invalid
from domain.shared.money import Money


class NothingToPay(Invalid):
    """A payment is of more than nothing."""

    code = "payment.nothing_to_pay"


class AlreadyPaid(Conflict):
    """The money is here; nobody pays twice."""

    code = "payment.already_paid"


class PaymentCalledOff(Conflict):
    """The payment was called off with its booking; book again."""

    code = "payment.called_off"


class RefundTooLarge(Conflict):
    """More would be given back than is left of what was captured."""

    code = "payment.refund_too_large"

    def __init__(self, asked: Money, left: Money) -> None:
        super().__init__(
            f"{left} is left to refund, not {asked}",
            asked=asked.amount_minor,
            left=left.amount_minor,
            currency=left.currency,
        )


class GatewayDisagrees(Conflict):
    """The gateway tells of other money than we asked it to move: a person must look."""

    code = "payment.gateway_disagrees"

    def __init__(self, what: str, ours: Money, theirs: Money) -> None:
        super().__init__(f"the gateway's {what} is {theirs}, ours {ours}", ours=str(ours), theirs=str(theirs))


class NotPayable(Conflict):
    """It is not open at the gateway yet, or just being paid; look again in a moment."""

    code = "payment.not_payable"

    def __init__(self, state: str) -> None:
        super().__init__(f"a payment that is {state} cannot be paid now", state=state)


class NotAuthorised(Conflict):
    """Only what is set aside on the customer's card can be taken or let go."""

    code = "payment.not_authorised"

    def __init__(self, state: str) -> None:
        super().__init__(f"a payment that is {state} has nothing set aside", state=state)


class CaptureTooLarge(Conflict):
    """More would be taken than the customer agreed to have set aside, or nothing at all."""

    code = "payment.capture_too_large"

    def __init__(self, asked: Money, most: Money) -> None:
        super().__init__(
            f"up to {most} is set aside, not {asked}",
            asked=asked.amount_minor,
            most=most.amount_minor,
            currency=most.currency,
        )


class CaptureUnderWay(Conflict):
    """What is set aside is taken once; what was decided first stands."""

    code = "payment.capture_under_way"

    def __init__(self, taking: Money) -> None:
        super().__init__(f"{taking} is being taken already", taking=taking.amount_minor, currency=taking.currency)


class PaymentDisputed(Conflict):
    """The customer's bank decides about this money now; what we gave back would be lost twice."""

    code = "payment.disputed"

    def __init__(self) -> None:
        super().__init__("this payment is disputed; nothing is given back until that is decided")


class DisputeOver(Conflict):
    """Evidence is given once, and before anything is decided."""

    code = "dispute.over"

    def __init__(self, state: str) -> None:
        super().__init__(f"nobody waits for evidence in a dispute that is {state}", state=state)


class EvidenceTooLate(Conflict):
    """The deadline for evidence has passed."""

    code = "dispute.too_late"

    def __init__(self, due_at: datetime) -> None:
        super().__init__(f"evidence was due by {due_at.isoformat()}", due_at=due_at.isoformat())


class NothingToSay(Invalid):
    """Evidence says something, or has a document."""

    code = "dispute.nothing_to_say"


class WarningHeeded(Conflict):
    """The money went back after this warning; once is enough."""

    code = "warning.heeded"
