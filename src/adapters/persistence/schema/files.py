"""What is known of files; their bytes lie elsewhere."""

from adapters.persistence.schema.tables import (
    Check,
    Index,
    References,
    Table,
    Where,
    at_least,
    boolean,
    identity,
    instant,
    integer,
    json,
    one_of,
    text,
    uuid,
)
from domain.files import Audience, Bucket, FileState

FILES = Table(
    "files",
    (
        *identity(),
        text("bucket"),
        uuid("owner_id"),
        text("name"),
        text("content_type"),
        integer("charged"),
        text("announced_sha256", nullable=True, private=True),
        text("state"),
        text("found_type", nullable=True),
        integer("size", nullable=True),
        text("sha256", nullable=True),
        integer("width", nullable=True),
        integer("height", nullable=True),
        json("renderings"),
        uuid("belongs_to", nullable=True),
        boolean("delivered"),
        instant("created_at"),
        instant("expires_at"),
        instant("stored_at", nullable=True),
        instant("deleted_at", nullable=True),
        text("audience", derived=True),
    ),
    constraints=(
        References("files_owner", "owner_id", "users"),
        one_of("files_bucket", "bucket", Bucket),
        one_of("files_state", "state", FileState),
        one_of("files_audience", "audience", Audience),
        at_least("files_charged", "charged", 1),
        Check(
            "files_stored_whole",
            "state <> 'stored' or (size is not null and sha256 is not null and found_type is not null "
            "and stored_at is not null)",
            lambda row: (
                row["state"] != "stored"
                or None not in (row["size"], row["sha256"], row["found_type"], row["stored_at"])
            ),
        ),
        Check(
            "files_shown_are_stored",
            "belongs_to is null or state = 'stored'",
            lambda row: row["belongs_to"] is None or row["state"] == "stored",
        ),
        Check(
            "files_public_are_stored",
            "audience <> 'everybody' or state = 'stored'",
            lambda row: row["audience"] != "everybody" or row["state"] == "stored",
        ),
    ),
    indexes=(
        Index("files_of_owner", ("owner_id", "created_at", "id")),
        Index(
            "files_awaited",
            ("expires_at",),
            where=Where("state = 'uploading'", lambda row: row["state"] == "uploading"),
        ),
        Index(
            "files_shown",
            ("belongs_to",),
            where=Where("belongs_to is not null", lambda row: row["belongs_to"] is not None),
        ),
    ),
)

TABLES = (FILES,)
