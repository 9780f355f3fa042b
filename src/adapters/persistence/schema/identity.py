"""Users, passwords, sessions with their refresh tokens, and the links sent by mail."""

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
from domain.identity import EndReason, Origin, Provider, Purpose, SignInMethod
from domain.shared.actors import Role

_CURRENT = Where(
    "rotated_at is null and revoked_at is null",
    lambda row: row["rotated_at"] is None and row["revoked_at"] is None,
)

USERS = Table(
    "users",
    (
        *identity(),
        text("email", nullable=True),
        text("role"),
        instant("email_verified_at", nullable=True),
        instant("suspended_at", nullable=True),
        integer("epoch", private=True),
        instant("created_at"),
    ),
    constraints=(
        Unique("users_email", ("email",)),
        Check(
            "users_email_lower",
            "email = lower(email)",
            lambda row: row["email"] is None or row["email"] == row["email"].lower(),
        ),
        one_of("users_role", "role", Role),
        at_least("users_epoch", "epoch", 1),
    ),
    indexes=(Index("users_created", ("created_at desc", "id desc")),),
)
"""Addresses are kept in lower case, so that plain equality is equality without case. Who came by another issuer may
have none."""

CREDENTIALS = Table(
    "credentials",
    (
        *identity(),
        text("password_hash", private=True),
        instant("changed_at"),
        instant("created_at"),
    ),
    constraints=(References("credentials_user", "id", "users"),),
)

EXTERNAL_IDENTITIES = Table(
    "external_identities",
    (
        *identity(),
        uuid("user_id"),
        text("issuer"),
        text("subject"),
        text("origin"),
        text("email", nullable=True),
        boolean("email_verified"),
        instant("created_at"),
        instant("last_seen_at"),
        instant("told_at", nullable=True),
        instant("ended_at", nullable=True),
    ),
    constraints=(
        References("external_identities_user", "user_id", "users"),
        Unique("external_identities_subject", ("issuer", "subject")),
        one_of("external_identities_origin", "origin", Origin),
        Check(
            "external_identities_verified",
            "email is not null or not email_verified",
            lambda row: row["email"] is not None or not row["email_verified"],
        ),
    ),
    indexes=(Index("external_identities_of_user", ("user_id", "created_at", "id")),),
)
"""Whoever an issuer names is (issuer, subject); an address is never a key."""

SESSIONS = Table(
    "sessions",
    (
        *identity(),
        uuid("user_id"),
        integer("epoch", private=True),
        text("method"),
        text("ip"),
        text("user_agent"),
        instant("last_used_at"),
        instant("revoked_at", nullable=True),
        text("end_reason", nullable=True),
        instant("created_at"),
    ),
    constraints=(
        References("sessions_user", "user_id", "users"),
        one_of("sessions_method", "method", SignInMethod),
        one_of("sessions_end_reason", "end_reason", EndReason),
        Check(
            "sessions_ended_for_a_reason",
            "(revoked_at is null) = (end_reason is null)",
            lambda row: (row["revoked_at"] is None) == (row["end_reason"] is None),
        ),
    ),
    indexes=(Index("sessions_of_user", ("user_id", "created_at desc", "id desc")),),
)

REFRESH_TOKENS = Table(
    "refresh_tokens",
    (
        *identity(),
        uuid("session_id"),
        text("token_hash", private=True),
        instant("expires_at"),
        instant("rotated_at", nullable=True),
        instant("revoked_at", nullable=True),
        instant("created_at"),
    ),
    constraints=(
        References("refresh_tokens_session", "session_id", "sessions"),
        Unique("refresh_tokens_hash", ("token_hash",)),
        Unique("refresh_tokens_current", ("session_id",), _CURRENT),
    ),
    indexes=(
        Index("refresh_tokens_of_session", ("session_id",)),
        Index("refresh_tokens_expiry", ("expires_at", "id")),
    ),
)
"""One current token per session: neither exchanged nor ended."""

ONE_TIME_TOKENS = Table(
    "one_time_tokens",
    (
        *identity(),
        uuid("user_id", nullable=True),
        text("purpose"),
        text("token_hash", private=True),
        text("address_hash", private=True),
        integer("epoch"),
        instant("expires_at"),
        instant("used_at", nullable=True),
        instant("created_at"),
        text("address", nullable=True, private=True),
    ),
    constraints=(
        References("one_time_tokens_user", "user_id", "users"),
        Unique("one_time_tokens_hash", ("token_hash",)),
        one_of("one_time_tokens_purpose", "purpose", Purpose),
    ),
    indexes=(
        Index("one_time_tokens_of_address", ("address_hash", "created_at")),
        Index("one_time_tokens_of_user", ("user_id",)),
        Index("one_time_tokens_expiry", ("expires_at", "id")),
    ),
)

OAUTH_FLOWS = Table(
    "oauth_flows",
    (
        *identity(),
        text("provider"),
        text("return_to"),
        text("challenge"),
        text("state_hash", private=True),
        text("browser_hash", private=True),
        text("code_hash", nullable=True, private=True),
        json("stranger", nullable=True, private=True),
        instant("expires_at"),
        instant("returned_at", nullable=True),
        instant("spent_at", nullable=True),
        instant("created_at"),
    ),
    constraints=(
        Unique("oauth_flows_state", ("state_hash",)),
        Unique("oauth_flows_code", ("code_hash",)),
        one_of("oauth_flows_provider", "provider", Provider),
    ),
    indexes=(Index("oauth_flows_expiry", ("expires_at", "id")),),
)
"""Sign-ins by way of a provider that are under way; of whom the provider vouched for nothing stays once they are in."""

ACCOUNTS = View(
    "accounts",
    "sessions",
    ("id", "user_id", "epoch", "revoked_at"),
    joins=(
        Join(
            "users",
            "user_id",
            "id",
            {
                "role": "role",
                "email_verified_at": "email_verified_at",
                "suspended_at": "suspended_at",
                "present_epoch": "epoch",
            },
        ),
    ),
    for_the_house=True,
)
"""A session with the present state of its user: what every request with a token is judged by."""

FOREIGN_ACCOUNTS = View(
    "foreign_accounts",
    "external_identities",
    ("id", "user_id", "issuer", "subject", "email", "email_verified", "last_seen_at", "ended_at"),
    joins=(Join("users", "user_id", "id", {"role": "role", "suspended_at": "suspended_at"}),),
    for_the_house=True,
)
"""An identity of another issuer with the present state of its user: the same for tokens that are not ours."""

TABLES = (USERS, CREDENTIALS, EXTERNAL_IDENTITIES, SESSIONS, REFRESH_TOKENS, ONE_TIME_TOKENS, OAUTH_FLOWS)
VIEWS = (ACCOUNTS, FOREIGN_ACCOUNTS)
