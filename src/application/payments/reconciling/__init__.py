"""Reconciling: our books held against the gateway's; what asking settles is settled, the rest is for a person."""

from application.payments.reconciling.discrepancies import (
    CloseDiscrepancy,
    Closing,
    DiscrepancyView,
    ListDiscrepancies,
    ListReconciliations,
    ReconciliationView,
)
from application.payments.reconciling.fetching import Fetched, FetchWebhooks
from application.payments.reconciling.walking import Reconcile, ReconcileDays

__all__ = [
    "CloseDiscrepancy",
    "Closing",
    "DiscrepancyView",
    "FetchWebhooks",
    "Fetched",
    "ListDiscrepancies",
    "ListReconciliations",
    "Reconcile",
    "ReconcileDays",
    "ReconciliationView",
]
