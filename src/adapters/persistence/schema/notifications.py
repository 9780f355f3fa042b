"""Notifications and mails."""

from adapters.persistence.schema.tables import (
    Index,
    References,
    Table,
    Unique,
    Where,
    at_least,
    identity,
    instant,
    integer,
    json,
    one_of,
    text,
    uuid,
)
from domain.notifications import MailState, Template

NOTIFICATIONS = Table(
    "notifications",
    (
        *identity(),
        uuid("user_id"),
        text("kind"),
        text("title"),
        text("body"),
        uuid("about", nullable=True),
        instant("read_at", nullable=True),
        instant("created_at"),
    ),
    constraints=(References("notifications_user", "user_id", "users"),),
    indexes=(
        Index("notifications_list", ("user_id", "created_at", "id")),
        Index(
            "notifications_unread",
            ("user_id", "created_at", "id"),
            Where("read_at is null", lambda row: row["read_at"] is None),
        ),
    ),
)

MAILS = Table(
    "mails",
    (
        *identity(),
        text("template"),
        text("transition"),
        uuid("recipient_id", nullable=True),
        text("to"),
        json("context"),
        text("state"),
        integer("attempts"),
        instant("sent_at", nullable=True),
        text("last_error"),
        instant("created_at"),
    ),
    constraints=(
        References("mails_recipient", "recipient_id", "users"),
        Unique("mails_once", ("template", "transition", "to")),
        one_of("mails_template", "template", Template),
        one_of("mails_state", "state", MailState),
        at_least("mails_attempts", "attempts", 0),
    ),
    indexes=(Index("mails_by_state", ("state", "created_at", "id")), Index("mails_of_recipient", ("recipient_id",))),
)
"""One mail per template, turn of events and address: a reaction that runs twice writes once."""

TABLES = (NOTIFICATIONS, MAILS)
