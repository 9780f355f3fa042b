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
    """What happens when this card is shown, and whether a refund to it arrives."""

    state: PaymentState = PaymentState.CAPTURED
    failure: str = ""
    second_step: SecondStep = SecondStep.NONE
    refundable: bool = True


CARDS: dict[str, Card] = {
    "ok": Card(),
    "declined": Card(state=PaymentState.FAILED, failure="card_declined"),
    "insufficient_funds": Card(state=PaymentState.FAILED, failure="insufficient_funds"),
    "3ds": Card(state=PaymentState.REQUIRES_ACTION, second_step=SecondStep.APPROVES),
    "3ds_fail": Card(state=PaymentState.REQUIRES_ACTION, second_step=SecondStep.REFUSES),
    "refund_fails": Card(refundable=False),
}
