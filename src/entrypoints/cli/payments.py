"""`guildhall payment`: money asked for, captured and given back."""

from application.payments import (
    GetPayment,
    ListLedger,
    ListPayments,
    ListRefunds,
    RefundPayment,
    RefundView,
)
from entrypoints.cli import reconciling
from entrypoints.cli.commands import Group

group = Group("Payments: money asked for, captured and given back.")
app = group.app

group.lists(
    "list",
    ListPayments,
    "id",
    "booking_id",
    "amount",
    "captured",
    "refunded",
    "state",
    "gateway",
    "created_at",
    examples=("guildhall payment list --state captured",),
)
group.asks("show", GetPayment)
group.does(
    "refund",
    RefundPayment,
    RefundView,
    examples=("guildhall payment refund ID", 'guildhall payment refund ID --amount-minor 1500 --reason "came late"'),
)
group.lists("refunds", ListRefunds, "id", "payment_id", "amount", "state", "reason", "created_at")
group.lists(
    "ledger",
    ListLedger,
    "created_at",
    "account",
    "amount",
    "source_kind",
    "transaction_id",
    helps={"payment_id": "Only those of this payment."},
)
reconciling.add_to(group)
