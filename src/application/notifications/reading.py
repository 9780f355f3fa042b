"""A user's own news: listed, counted, marked as read."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from application.ports.clock import Clock
from application.ports.criteria import Order, Position
from application.ports.readers import Page, Readers
from application.ports.unit_of_work import Begin
from domain.notifications import Notification
from domain.shared.actors import Actor
from domain.shared.errors import NotFound, Refusal, Unauthenticated
from domain.shared.ids import NotificationId

COUNTED_AT_MOST = 100
READ_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationView:
    """One line of news, as its owner sees it."""

    source: ClassVar[str] = "notifications"
    id: NotificationId
    kind: str
    title: str
    body: str
    about: UUID | None
    read_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadCount:
    """How many are unread. Beyond a hundred nobody counts: `more` says that there are others."""

    count: int
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ListNotifications:
    """Your own notifications, newest first; on request only the unread ones."""

    readers: Readers
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated,)

    async def __call__(
        self, actor: Actor, *, unread: bool = False, after: Position | None = None, limit: int = 20
    ) -> Page[NotificationView]:
        where: dict[str, object] = {"user_id": actor.signed_in()} | ({"read_at": None} if unread else {})
        order = Order("created_at", descending=True)
        return await self.readers.page(actor, NotificationView, where, order=order, after=after, limit=limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class CountUnread:
    """How many of your notifications you have not read."""

    readers: Readers
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated,)

    async def __call__(self, actor: Actor) -> UnreadCount:
        where = {"user_id": actor.signed_in(), "read_at": None}
        page = await self.readers.page(
            actor, NotificationView, where, order=Order("created_at", descending=True), limit=COUNTED_AT_MOST
        )
        return UnreadCount(count=len(page.items), more=page.next is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadNotification:
    """Mark one of your notifications as read. Doing it again changes nothing."""

    begin: Begin
    clock: Clock
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, NotFound)

    async def __call__(self, actor: Actor, notification_id: NotificationId) -> Notification:
        user_id = actor.signed_in()
        async with self.begin(actor) as work:
            notification = await work.notifications.get(notification_id)
            notification.read(by=user_id, now=self.clock.now())
            return work.answer(notification)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadAllNotifications:
    """Mark all your notifications as read; of a very long list, the oldest five hundred at a time."""

    begin: Begin
    clock: Clock
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated,)

    async def __call__(self, actor: Actor) -> None:
        user_id = actor.signed_in()
        async with self.begin(actor) as work:
            for notification in await work.notifications.find(
                user_id=user_id, read_at=None, order=Order("created_at"), limit=READ_AT_ONCE
            ):
                notification.read(by=user_id, now=self.clock.now())
