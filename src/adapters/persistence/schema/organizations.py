"""Organizations and who belongs to them."""

from adapters.persistence.schema.tables import (
    Index,
    Join,
    References,
    Table,
    Unique,
    View,
    at_least,
    boolean,
    identity,
    instant,
    integer,
    one_of,
    text,
    uuid,
)
from domain.organizations import MemberRole

ORGANIZATIONS = Table(
    "organizations",
    (*identity(), text("name"), boolean("solo"), integer("owners"), instant("created_at")),
    constraints=(at_least("organizations_owners", "owners", 1),),
)
"""`owners` is kept in step by every change of membership: the version of this row keeps the last owner from leaving."""

MEMBERSHIPS = Table(
    "memberships",
    (*identity(), uuid("organization_id"), uuid("user_id"), text("role"), instant("created_at")),
    constraints=(
        References("memberships_organization", "organization_id", "organizations"),
        References("memberships_user", "user_id", "users"),
        Unique("memberships_pair", ("organization_id", "user_id")),
        one_of("memberships_role", "role", MemberRole),
    ),
    indexes=(Index("memberships_of_user", ("user_id", "created_at", "id")),),
)

MEMBERS = View(
    "members",
    "memberships",
    ("id", "version", "organization_id", "user_id", "role", "created_at"),
    (
        Join("profiles", "user_id", "id", {"name": "name", "avatar_url": "avatar_url"}),
        Join("organizations", "organization_id", "id", {"organization_name": "name", "solo": "solo"}),
    ),
)
"""Memberships with the names on both sides."""

TABLES = (ORGANIZATIONS, MEMBERSHIPS)
VIEWS = (MEMBERS,)
