"""`guildhall mail`: mails on their way, sent and failed."""

from application.notifications import ListMails, MailView, ResendMail
from entrypoints.cli.commands import Group

group = Group("Mail: what was sent, what waits and what failed.")
app = group.app

group.lists(
    "list",
    ListMails,
    "id",
    "template",
    "to",
    "state",
    "attempts",
    "sent_at",
    "last_error",
    helps={"state": "Only those that stand like this."},
    examples=("guildhall mail list --state failed",),
)
group.does("resend", ResendMail, MailView)
