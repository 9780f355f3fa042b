"""Organizations and who belongs to them."""

from adapters.persistence.schema.tables import (
    Check,
    Index,
    Join,
    References,
    Table,
    Unique,
    View,
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
from domain.organizations import InvitationState, MemberRole

ORGANIZATIONS = Table(
    "organizations",
    (*identity(), text("name"), boolean("solo"), integer("owners"), text("profession"), instant("created_at")),
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

EXTERNAL_ORGANIZATIONS = Table(
    "external_organizations",
    (
        *identity(),
        text("issuer"),
        text("subject"),
        uuid("organization_id", nullable=True),
        text("name"),
        text("founder", nullable=True),
        json("members"),
        instant("created_at"),
        instant("told_at", nullable=True),
        instant("ended_at", nullable=True),
    ),
    constraints=(
        References("external_organizations_organization", "organization_id", "organizations"),
        Unique("external_organizations_subject", ("issuer", "subject")),
        Unique("external_organizations_one_each", ("organization_id",)),
    ),
)

INVITATIONS = Table(
    "invitations",
    (
        *identity(),
        uuid("organization_id"),
        text("email"),
        text("role"),
        uuid("invited_by", nullable=True),
        text("token_hash", private=True),
        text("state"),
        uuid("accepted_by", nullable=True),
        instant("expires_at"),
        instant("answered_at", nullable=True),
        instant("created_at"),
    ),
    constraints=(
        References("invitations_organization", "organization_id", "organizations"),
        Unique("invitations_token", ("token_hash",)),
        Unique(
            "invitations_one_pending",
            ("organization_id", "email"),
            Where("state = 'pending'", lambda row: row["state"] == "pending"),
        ),
        one_of("invitations_role", "role", MemberRole),
        one_of("invitations_state", "state", InvitationState),
        Check(
            "invitations_answered_when_over",
            "(state = 'pending') = (answered_at is null)",
            lambda row: (row["state"] == "pending") == (row["answered_at"] is None),
        ),
        Check(
            "invitations_accepted_by_somebody",
            "(state = 'accepted') = (accepted_by is not null)",
            lambda row: (row["state"] == "accepted") == (row["accepted_by"] is not None),
        ),
    ),
    indexes=(Index("invitations_of_organization", ("organization_id", "created_at", "id")),),
)

ONBOARDINGS = Table(
    "onboardings",
    (
        *identity(),
        json("business", nullable=True),
        json("profession", nullable=True),
        json("place", nullable=True),
        json("hours", nullable=True),
        json("saved"),
        instant("completed_at", nullable=True),
        instant("created_at"),
    ),
    constraints=(References("onboardings_organization", "id", "organizations"),),
)
"""Under the organization's own id."""

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

TABLES = (ORGANIZATIONS, MEMBERSHIPS, EXTERNAL_ORGANIZATIONS, INVITATIONS, ONBOARDINGS)
VIEWS = (MEMBERS,)
