"""News for a user, in the house."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from application.notifications import CountUnread, ListNotifications, ReadAllNotifications, ReadNotification
from domain.shared.ids import NotificationId
from entrypoints.rest.asking import Somebody
from entrypoints.rest.cursors import Asked, Paged
from entrypoints.rest.once import Commanded
from entrypoints.rest.out import Out
from entrypoints.rest.routing import api_router
from entrypoints.rest.speaks import speaks
from entrypoints.use_cases import UseCases


class NotificationOut(Out):
    """One line of news."""

    id: NotificationId
    kind: str
    """What happened, such as "booking.confirmed"."""
    title: str
    body: str
    about: UUID | None
    """The booking, payment or conversation it is about."""
    read_at: datetime | None
    created_at: datetime


class UnreadOut(Out):
    """How many are unread; `more` when there are others beyond."""

    count: int
    more: bool


def notifications(use: UseCases) -> APIRouter:
    """Routes under /v1/notifications."""
    router = api_router("/notifications", tag="notifications")
    list_notifications, count_unread = use(ListNotifications), use(CountUnread)
    read_notification, read_all_notifications = use(ReadNotification), use(ReadAllNotifications)

    @router.get("", **speaks(ListNotifications))
    async def mine(
        actor: Somebody,
        page: Asked,
        unread: Annotated[bool, Query(description="Only those not read yet")] = False,
    ) -> Paged[NotificationOut]:
        found = await list_notifications(actor, unread=unread, after=page.after, limit=page.limit)
        return page.project(found, NotificationOut)

    @router.get("/unread", **speaks(CountUnread))
    async def unread(actor: Somebody) -> UnreadOut:
        return UnreadOut.of(await count_unread(actor))

    @router.post("/read", status_code=204, **speaks(ReadAllNotifications))
    async def read_all(actor: Somebody, once: Commanded) -> None:
        await once(lambda: read_all_notifications(actor))

    @router.post("/{notification_id}/read", **speaks(ReadNotification))
    async def read(actor: Somebody, notification_id: NotificationId, once: Commanded) -> NotificationOut:
        return NotificationOut.of(await once(lambda: read_notification(actor, notification_id)))

    return router
