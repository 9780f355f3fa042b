"""Rules of quotes and invoices."""

from adapters.persistence.rules.invoicing import papers, sums

__all__ = ["RULES", "STEPS"]

RULES = (*papers.RULES, *sums.RULES)
STEPS = (*papers.STEPS, *sums.STEPS)
