"""Who may see which rows, declared once. PostgreSQL compiles it to row-level security, memory to predicates."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Everyone:
    """Anybody, signed in or not."""


@dataclass(frozen=True, slots=True)
class PublicWhen:
    """Anybody, while the column holds that value."""

    column: str
    value: str


@dataclass(frozen=True, slots=True)
class Own:
    """The user whose id the column holds."""

    column: str


@dataclass(frozen=True, slots=True)
class Addressed:
    """The user whose confirmed mail address the column holds."""

    column: str


@dataclass(frozen=True, slots=True)
class MemberOf:
    """Every member of the organization whose id the column holds."""

    column: str


@dataclass(frozen=True, slots=True)
class ManagerOf:
    """The owners and managers of the organization whose id the column holds."""

    column: str


@dataclass(frozen=True, slots=True)
class Participant:
    """Every participant of the conversation whose id the column holds."""

    column: str


@dataclass(frozen=True, slots=True)
class Admin:
    """Admins of the marketplace."""


Term = Everyone | PublicWhen | Own | Addressed | MemberOf | ManagerOf | Participant | Admin

NOBODY: tuple[Term, ...] = ()
"""Only the house itself."""

VISIBILITY: dict[str, tuple[Term, ...]] = {
    "users": (Own("id"), Admin()),
    "credentials": NOBODY,
    "external_identities": (Own("user_id"), Admin()),
    "sessions": (Own("user_id"), Admin()),
    "refresh_tokens": NOBODY,
    "one_time_tokens": NOBODY,
    "oauth_flows": NOBODY,
    "profiles": (Everyone(),),
    "organizations": (Everyone(),),
    "memberships": (Own("user_id"), MemberOf("organization_id"), Admin()),
    "external_organizations": NOBODY,
    "invitations": (ManagerOf("organization_id"), Admin()),
    "onboardings": (ManagerOf("id"), Admin()),
    "products": (Everyone(),),
    "prices": (Everyone(),),
    "customers": (Own("user_id"), Admin()),
    "subscriptions": (ManagerOf("organization_id"), Admin()),
    "purchases": (Own("user_id"), Admin()),
    "jobs": (PublicWhen("state", "published"), MemberOf("organization_id"), Admin()),
    "ratings": (Everyone(),),
    "availabilities": (Everyone(),),
    "bookings": (Own("customer_id"), Own("provider_id"), ManagerOf("organization_id"), Admin()),
    "letterheads": (ManagerOf("id"), Admin()),
    "quotes": (Own("reader_id"), Addressed("reader_email"), ManagerOf("organization_id"), Admin()),
    "invoices": (Own("reader_id"), Addressed("reader_email"), ManagerOf("organization_id"), Admin()),
    "papers": (Own("reader_id"), Addressed("reader_email"), ManagerOf("organization_id"), Admin()),
    "settlements": (ManagerOf("organization_id"), Admin()),
    "payments": (Own("customer_id"), ManagerOf("organization_id"), Admin()),
    "refunds": (Own("customer_id"), ManagerOf("organization_id"), Admin()),
    "payees": (ManagerOf("organization_id"), Admin()),
    "payouts": (ManagerOf("organization_id"), Admin()),
    "ledger": (ManagerOf("organization_id"), Admin()),
    "balances": (ManagerOf("organization_id"), Admin()),
    "disputes": (Own("provider_id"), ManagerOf("organization_id"), Admin()),
    "fraud_warnings": (ManagerOf("organization_id"), Admin()),
    "payment_methods": (Own("user_id"), Admin()),
    "webhooks": (Admin(),),
    "reconciliations": (Admin(),),
    "discrepancies": (Admin(),),
    "reviews": (PublicWhen("state", "published"), Own("customer_id"), Own("provider_id"), Admin()),
    "conversations": (Participant("id"),),
    "participants": (Participant("conversation_id"),),
    "messages": (Participant("conversation_id"),),
    "files": (PublicWhen("audience", "everybody"), Own("owner_id"), Participant("belongs_to")),
    "notifications": (Own("user_id"),),
    "mails": (Admin(),),
    "outbox": (Admin(),),
    "receipts": NOBODY,
    "tallies": NOBODY,
    "audit": (ManagerOf("organization_id"), Admin()),
    "security_events": (Admin(),),
    "moves": NOBODY,
    "move_changes": NOBODY,
}
"""Any one of a table's terms lets a row be seen. A table without an entry fails the tests."""
