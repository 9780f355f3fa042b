"""Test cards, by name: what each does when it is shown."""

from dataclasses import dataclass
from enum import StrEnum

from domain.payments import PaymentState


class SecondStep(StrEnum):
    """Whether a card asks its holder to approve, and what comes of an approval."""

    NONE = "none"
    APPROVES = "approves"
    REFUSES = "refuses"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What happens when this card is shown, whether a refund to it arrives, what its bank does once it has paid, and
    what is printed on it."""

    state: PaymentState = PaymentState.CAPTURED
    failure: str = ""
    second_step: SecondStep = SecondStep.NONE
    refundable: bool = True
    disputed: bool = False
    warned: bool = False
    last4: str = "4242"


CARDS: dict[str, Card] = {
    "ok": Card(),
    "declined": Card(state=PaymentState.FAILED, failure="card_declined", last4="0002"),
    "insufficient_funds": Card(state=PaymentState.FAILED, failure="insufficient_funds", last4="9995"),
    "3ds": Card(state=PaymentState.REQUIRES_ACTION, second_step=SecondStep.APPROVES, last4="3155"),
    "3ds_fail": Card(state=PaymentState.REQUIRES_ACTION, second_step=SecondStep.REFUSES, last4="3178"),
    "refund_fails": Card(refundable=False, last4="5126"),
    "disputed": Card(disputed=True, last4="0259"),
    "warned": Card(warned=True, last4="5423"),
}
