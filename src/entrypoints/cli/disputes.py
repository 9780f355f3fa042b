"""`guildhall dispute`: what customers' banks ask, and what we answer."""

from application.payments import (
    DisputeView,
    GetDispute,
    HeedWarning,
    ListDisputes,
    ListFraudWarnings,
    PrepareEvidence,
    RefundView,
    SubmitEvidence,
)
from entrypoints.cli.commands import Group

group = Group("Disputes: what customers' banks ask, and what we answer.")
app = group.app

group.lists(
    "list",
    ListDisputes,
    "id",
    "payment_id",
    "amount",
    "state",
    "reason",
    "due_at",
    "submitted_at",
    examples=("guildhall dispute list --state needs_response",),
)
group.asks("show", GetDispute)
group.does(
    "prepare",
    PrepareEvidence,
    DisputeView,
    examples=('guildhall dispute prepare ID --explanation "They came." --service "A lesson of one hour"',),
)
group.does("submit", SubmitEvidence, DisputeView, examples=("guildhall dispute submit ID",))
group.lists("warnings", ListFraudWarnings, "id", "payment_id", "reason", "actionable", "refund_id", "warned_at")
group.does("heed", HeedWarning, RefundView, examples=("guildhall dispute heed WARNING_ID",))
