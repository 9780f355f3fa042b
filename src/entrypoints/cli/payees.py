"""`guildhall payee`: organizations with accounts of their own at the gateway."""

from application.payments import BecomePayee, GetPayee, LinkPayee, ListPayees, ListPayouts, MeetPayee, PayeeView
from entrypoints.cli.commands import Group

group = Group("Payees: organizations with accounts of their own at the gateway.")
app = group.app

group.lists(
    "list",
    ListPayees,
    "organization_id",
    "gateway_ref",
    "state",
    "takes_charges",
    "pays_out",
    "wanted",
    helps={"state": "Only those that stand like this."},
    examples=("guildhall payee list --state restricted",),
)
group.asks("show", GetPayee, examples=("guildhall payee show ORGANIZATION",))
group.does("open", BecomePayee, PayeeView, examples=("guildhall payee open ORGANIZATION",))
group.does("refresh", MeetPayee, PayeeView, examples=("guildhall payee refresh ORGANIZATION",))
group.asks("link", LinkPayee, examples=("guildhall payee link ORGANIZATION",))
group.lists("payouts", ListPayouts, "id", "amount", "state", "failure", "arrives_at", "created_at")
