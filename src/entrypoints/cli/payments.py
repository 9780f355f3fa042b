"""`guildhall payment`: money asked for, captured and given back."""

from typing import TYPE_CHECKING

import typer

from application.payments import (
    CapturePayment,
    GetPayment,
    LedgerReport,
    ListBalances,
    ListLedger,
    ListPaymentMethods,
    ListPayments,
    ListRefunds,
    PaymentView,
    RefundPayment,
    RefundView,
    ReleasePayment,
    RemovePaymentMethod,
    VerifyLedger,
)
from domain.shared.actors import Actor
from entrypoints.cli import reconciling
from entrypoints.cli.commands import Group, said_by
from entrypoints.cli.desk import As, Json, desk_of

if TYPE_CHECKING:
    from entrypoints.container import OpenHouse

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
    "capture",
    CapturePayment,
    PaymentView,
    examples=("guildhall payment capture ID", "guildhall payment capture ID --amount-minor 3000"),
)
group.does("release", ReleasePayment, PaymentView)
group.does(
    "refund",
    RefundPayment,
    RefundView,
    examples=("guildhall payment refund ID", 'guildhall payment refund ID --amount-minor 1500 --reason "came late"'),
)
group.lists("refunds", ListRefunds, "id", "payment_id", "amount", "state", "reason", "created_at")
group.lists("cards", ListPaymentMethods, "id", "brand", "last4", "exp_month", "exp_year", "gateway", "created_at")
group.does("forget-card", RemovePaymentMethod)
group.lists(
    "ledger",
    ListLedger,
    "created_at",
    "books",
    "account",
    "amount",
    "source_kind",
    "transaction_id",
    helps={"payment_id": "Only those of this payment."},
)
reconciling.add_to(group)
group.lists(
    "balances",
    ListBalances,
    "books",
    "account",
    "amount",
    "position",
    "updated_at",
    examples=("guildhall payment balances --books platform", "guildhall payment balances --organization-id ID"),
)


@app.command("verify-books", help=f"{said_by(VerifyLedger)} Exits with 1 when it does not hold.")
def verify_books(ctx: typer.Context, as_: As = None, json_: Json = False) -> None:
    desk = desk_of(ctx, json=json_, acting_as=as_)

    async def verified(house: "OpenHouse", actor: Actor) -> LedgerReport:
        return await house.use(VerifyLedger)(actor)

    with desk.busy("Walking the chain"):
        report = desk.ask(verified)
    broken = report.first_break
    desk.show(
        {
            "holds": report.holds,
            "verified": report.verified.position,
            "head": report.verified.hash,
            "first_break": broken and {"position": broken.position, "fault": broken.fault},
            "wrong_balances": list(report.wrong_balances),
            "waiting_since": report.waiting_since,
        }
    )
    if not report.holds:
        raise typer.Exit(1)
