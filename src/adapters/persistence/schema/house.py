"""The house's own tables: events on their way out, receipts, tallies, the audit trail and security events."""

from adapters.persistence.schema.tables import (
    Check,
    Column,
    Index,
    Table,
    Type,
    Unique,
    Where,
    at_least,
    boolean,
    identity,
    instant,
    integer,
    json,
    text,
    uuid,
)

_UNFINISHED = Where("finished_at is null", lambda row: row["finished_at"] is None)

OUTBOX = Table(
    "outbox",
    (
        *identity(),
        text("name"),
        text("subject_table"),
        uuid("subject_id"),
        integer("subject_version"),
        integer("position"),
        json("payload"),
        text("actor"),
        instant("created_at"),
        instant("due_at"),
        boolean("scheduled"),
        integer("attempts"),
        instant("leased_until", nullable=True),
        instant("finished_at", nullable=True),
        instant("dead_at", nullable=True),
        text("last_error", nullable=True),
    ),
    constraints=(at_least("outbox_attempts", "attempts", 0), at_least("outbox_position", "position", 0)),
    indexes=(
        Index("outbox_due", ("due_at", "id"), _UNFINISHED),
        Index("outbox_order", ("subject_id", "subject_version", "position"), _UNFINISHED),
        Index("outbox_finished", ("finished_at",)),
    ),
)
"""Version is the fence: a claim raises it, so a worker that lost its lease can no longer settle."""

RECEIPTS = Table(
    "receipts",
    (
        *identity(),
        text("key"),
        text("principal"),
        text("operation"),
        text("fingerprint"),
        text("answer_table", nullable=True),
        json("answer", nullable=True),
        instant("created_at"),
        instant("expires_at", nullable=True),
    ),
    constraints=(Unique("receipts_key", ("principal", "key", "operation")),),
    indexes=(Index("receipts_expiry", ("expires_at",)),),
)
"""A client's receipt expires; a reaction's (keyed by its event, in the name of the house) goes with its event."""

TALLIES = Table(
    "tallies",
    (Column("name", Type.TEXT), integer("value"), integer("ceiling", nullable=True)),
    constraints=(
        at_least("tallies_floor", "value", 0),
        Check(
            "tallies_ceiling",
            "ceiling is null or value <= ceiling",
            lambda row: row["ceiling"] is None or row["value"] <= row["ceiling"],
        ),
    ),
)
"""The one table keyed by `name`. Numbers here move only inside a commit."""

AUDIT = Table(
    "audit",
    (
        *identity(),
        instant("at"),
        text("actor"),
        text("action"),
        text("subject_table"),
        uuid("subject_id"),
        integer("subject_version"),
        json("details"),
        integer("position", nullable=True),
        text("hash", nullable=True),
        uuid("organization_id", nullable=True),
    ),
    constraints=(
        Unique("audit_position", ("position",)),
        at_least("audit_first", "position", 1),
        Check(
            "audit_sealed_whole",
            "(position is null) = (hash is null)",
            lambda row: (row["position"] is None) == (row["hash"] is None),
        ),
    ),
    indexes=(
        Index("audit_at", ("at", "id")),
        Index("audit_subject", ("subject_id", "at")),
        Index("audit_of_organization", ("organization_id", "at", "id")),
        Index("audit_unsealed", ("at", "id"), Where("position is null", lambda row: row["position"] is None)),
    ),
    append_only=True,
    fills=("position", "hash"),
)
"""Written in the commit it tells of; the sealer gives each row its place and hash in the chain, once.
`organization_id` says whose affair it is, where it is an organization's, so that those who manage it may read it."""

SECURITY_EVENTS = Table(
    "security_events",
    (uuid("id"), instant("at"), text("kind"), text("actor"), text("subject", nullable=True), json("details")),
    indexes=(Index("security_events_at", ("at", "id")),),
    append_only=True,
)

TABLES = (OUTBOX, RECEIPTS, TALLIES, AUDIT, SECURITY_EVENTS)
