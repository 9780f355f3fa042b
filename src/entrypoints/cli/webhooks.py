"""`guildhall webhooks`: what senders told us, and what came of it."""

from application.payments import FetchWebhooks, ListWebhooks, ReplayWebhook, WebhookView
from entrypoints.cli.commands import Group

group = Group("Webhooks: what senders told us, and what came of it.")
app = group.app

group.lists(
    "list",
    ListWebhooks,
    "id",
    "sender",
    "kind",
    "outcome",
    "note",
    "received_at",
    "processed_at",
    helps={"sender": "Only from this sender, such as stripe.", "outcome": "Only those that came to this."},
    examples=("guildhall webhooks list --outcome attention",),
)
group.does("replay", ReplayWebhook, WebhookView)
group.does("fetch", FetchWebhooks, examples=("guildhall webhooks fetch",))
