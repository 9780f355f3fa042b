"""What came and went: webhooks received, mails sent, and both of them once more."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query

from application.notifications import ListMails, ResendMail
from application.payments import ListWebhooks, ReplayWebhook
from domain.notifications import MailState, Template
from domain.payments import Outcome
from domain.shared.ids import MailId, UserId, WebhookId
from entrypoints.rest.asking import Somebody
from entrypoints.rest.cursors import Asked, Paged
from entrypoints.rest.once import Commanded
from entrypoints.rest.out import Out
from entrypoints.rest.routing import api_router
from entrypoints.rest.speaks import speaks
from entrypoints.use_cases import UseCases


class WebhookOut(Out):
    """A message in the inbox, and what came of it."""

    id: WebhookId
    sender: str
    external_id: str
    kind: str
    payment_ref: str | None
    refund_ref: str | None
    occurred_at: datetime
    received_at: datetime
    processed_at: datetime | None
    outcome: Outcome
    note: str


class MailOut(Out):
    """What became of one mail."""

    id: MailId
    template: Template
    transition: str
    """The turn of events it tells of; each is told once per recipient."""
    recipient_id: UserId | None
    to: str
    state: MailState
    attempts: int
    sent_at: datetime | None
    last_error: str
    created_at: datetime


def traffic(use: UseCases) -> APIRouter:
    """Routes under /v1/admin/webhooks and /v1/admin/mails."""
    router = api_router("/admin", tag="admin")
    list_webhooks, replay_webhook = use(ListWebhooks), use(ReplayWebhook)
    list_mails, resend_mail = use(ListMails), use(ResendMail)

    @router.get("/webhooks", **speaks(ListWebhooks))
    async def webhooks(
        actor: Somebody,
        page: Asked,
        sender: Annotated[str | None, Query(max_length=40, description="Only those of this sender")] = None,
        outcome: Annotated[Outcome | None, Query(description="Only those of which this came")] = None,
    ) -> Paged[WebhookOut]:
        found = await list_webhooks(actor, sender=sender, outcome=outcome, after=page.after, limit=page.limit)
        return page.project(found, WebhookOut)

    @router.post("/webhooks/{webhook_id}/replay", **speaks(ReplayWebhook))
    async def replay(actor: Somebody, webhook_id: WebhookId, once: Commanded) -> WebhookOut:
        return WebhookOut.of(await once(lambda: replay_webhook(actor, webhook_id)))

    @router.get("/mails", **speaks(ListMails))
    async def mails(
        actor: Somebody,
        page: Asked,
        state: Annotated[MailState | None, Query(description="Only those that stand like this")] = None,
    ) -> Paged[MailOut]:
        found = await list_mails(actor, state=state, after=page.after, limit=page.limit)
        return page.project(found, MailOut)

    @router.post("/mails/{mail_id}/resend", **speaks(ResendMail))
    async def resend(actor: Somebody, mail_id: MailId, once: Commanded) -> MailOut:
        return MailOut.of(await once(lambda: resend_mail(actor, mail_id)))

    return router
