"""Profiles: for everybody to read, but for the telephone and the language."""

from adapters.persistence.schema.tables import References, Table, identity, instant, text, uuid

PROFILES = Table(
    "profiles",
    (
        *identity(),
        text("name"),
        text("headline"),
        text("bio"),
        text("avatar_url"),
        uuid("avatar_id", nullable=True),
        text("locale", private=True),
        text("zone"),
        text("phone", private=True),
        instant("created_at"),
        instant("updated_at"),
    ),
    constraints=(References("profiles_user", "id", "users"),),
)

TABLES = (PROFILES,)
