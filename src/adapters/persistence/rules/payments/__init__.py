"""Rules of money."""

from adapters.persistence.rules.payments import books, disputes, figures, shares
from adapters.persistence.rules.payments.books import GatewayTotals, against_gateway

__all__ = ["LIVENESS", "RULES", "STEPS", "GatewayTotals", "against_gateway"]

RULES = (*books.RULES, *figures.RULES, *shares.RULES, *disputes.RULES)
STEPS = (*books.STEPS, *figures.STEPS, *disputes.STEPS)
LIVENESS = (*books.LIVENESS, *figures.LIVENESS)
