"""The rule book: the rules of all contexts, and where those are proven that no row can show."""

from adapters.persistence.rules import (
    audit,
    bookings,
    business,
    events,
    files,
    identity,
    invoicing,
    messaging,
    payments,
    reviews,
)
from adapters.persistence.rules.rule import Liveness, Rule, Step

RULES: tuple[Rule, ...] = (
    *bookings.RULES,
    *payments.RULES,
    *invoicing.RULES,
    *events.RULES,
    *reviews.RULES,
    *messaging.RULES,
    *files.RULES,
    *identity.RULES,
    *business.RULES,
    *audit.RULES,
)
"""What holds in every state."""

STEPS: tuple[Step, ...] = (
    *bookings.STEPS,
    *payments.STEPS,
    *invoicing.STEPS,
    *events.STEPS,
    *reviews.STEPS,
    *messaging.STEPS,
    *identity.STEPS,
    *business.STEPS,
    *audit.STEPS,
)
"""What holds in every change of a row."""

LIVENESS: tuple[Liveness, ...] = (
    *bookings.LIVENESS,
    *payments.LIVENESS,
    *events.LIVENESS,
    *files.LIVENESS,
    *audit.LIVENESS,
)
"""What comes to pass once nothing fails any more."""

ELSEWHERE = {
    "M5": "no row has the gateway's books: `against_gateway` takes them, tests/races/test_money.py compares",
    "C3": "no row says what a client has: C2 has the numbers, tests/application/test_messaging.py the asking",
    "A7": "it binds at a request, and requests leave no rows: tests/application/test_identity_administration.py",
    "T1": "it is about readers, not rows: tests/visibility/test_matrix.py asks for every one",
}
"""The codes no rule or step carries, and what proves them instead."""
