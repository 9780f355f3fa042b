"""Rules of bookings."""

from adapters.persistence.rules.bookings import history, time
from adapters.persistence.rules.bookings.history import PATHS
from adapters.persistence.rules.bookings.time import LIVENESS

__all__ = ["LIVENESS", "PATHS", "RULES", "STEPS"]

RULES = (*time.RULES, *history.RULES)
STEPS = (*time.STEPS, *history.STEPS)
