"""Every route of the API that shows rows, and where a direct client reads the same ones instead.

Whatever a route shows to somebody, they may read there with their own token: the same rows, and in every column that
both show, the same values. A route that reads and is not named here fails the tests."""

from collections.abc import Mapping
from dataclasses import dataclass, field

ME = "me"
"""Stands for the id of who asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shows:
    """What a route shows: rows of `source` that meet `where`, a column's condition as PostgREST has it. {names} in it
    are those of the path, and {me} is who asks; `each` says which rows' column such a name runs through."""

    source: str
    where: Mapping[str, str] = field(default_factory=dict)
    each: tuple[str, str] | None = None
    asked: Mapping[str, str] = field(default_factory=dict)
    """What the API is asked besides."""
    within: str = ""
    """The field of the answer that holds the rows, when it is neither the answer itself nor its `items`."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Fields that go by another name in the database."""
    made: frozenset[str] = frozenset()
    """Fields made from others, or for who asks."""
    hidden: frozenset[str] = frozenset()
    """Fields of one's own that only the API shows."""
    by: str = "id"
    """The column that tells the rows apart."""
    admins_only: bool = False
    """Others find what is theirs of these rows by other routes."""


def words(said: str) -> frozenset[str]:
    """These."""
    return frozenset(said.split())


_OF = "eq.{%s}"

ROUTES: dict[str, Shows] = {
    "users-me": Shows(source="users", where={"id": _OF % ME}, made=words("email_verified name zone session_id")),
    "sessions-mine": Shows(
        source="sessions", where={"user_id": _OF % ME, "revoked_at": "is.null"}, made=words("current")
    ),
    "profiles-read": Shows(source="profiles", where={"id": _OF % "user_id"}, each=("profiles", "id")),
    "profiles-read-own": Shows(source="profiles", where={"id": _OF % ME}, hidden=words("locale phone")),
    "organizations-mine": Shows(source="members", where={"user_id": _OF % ME}),
    "organizations-read": Shows(
        source="organizations", where={"id": _OF % "organization_id"}, each=("organizations", "id")
    ),
    "organizations-members": Shows(
        source="members", where={"organization_id": _OF % "organization_id"}, each=("organizations", "id")
    ),
    "organizations-activity": Shows(
        source="audit", where={"organization_id": _OF % "organization_id"}, each=("organizations", "id")
    ),
    "invitations-search": Shows(
        source="invitations", where={"organization_id": _OF % "organization_id"}, each=("organizations", "id")
    ),
    "onboarding-read": Shows(
        source="onboardings", where={"id": _OF % "organization_id"}, each=("onboardings", "id"), made=words("missing")
    ),
    "billing-products": Shows(source="products", where={"gateway": "eq.simulated"}),
    "billing-prices": Shows(source="prices", where={"gateway": "eq.simulated"}),
    "billing-subscriptions": Shows(
        source="subscriptions", where={"organization_id": _OF % "organization_id"}, each=("organizations", "id")
    ),
    "jobs-search": Shows(source="job_listings", where={"state": "eq.published"}),
    "jobs-mine": Shows(source="job_listings", where={"provider_id": _OF % ME}),
    "jobs-read": Shows(source="job_listings", where={"id": _OF % "job_id"}, each=("jobs", "id")),
    "scheduling-read": Shows(source="availabilities", where={"id": _OF % "provider_id"}, each=("availabilities", "id")),
    "bookings-search": Shows(source="bookings", where={"customer_id": _OF % ME}, asked={"side": "customer"}),
    "bookings-read": Shows(source="bookings", where={"id": _OF % "booking_id"}, each=("bookings", "id")),
    "payments-search": Shows(source="payments"),
    "payments-read": Shows(source="payments", where={"id": _OF % "payment_id"}, each=("payments", "id")),
    "payments-refunds": Shows(source="refunds"),
    "payees-payouts": Shows(
        source="payouts", where={"organization_id": _OF % "organization_id"}, each=("organizations", "id")
    ),
    "payees-balances": Shows(
        source="balances", where={"organization_id": _OF % "organization_id"}, each=("organizations", "id")
    ),
    "disputes-search": Shows(source="disputes"),
    "disputes-read": Shows(source="disputes", where={"id": _OF % "dispute_id"}, each=("disputes", "id")),
    "disputes-warnings": Shows(source="fraud_warnings"),
    "payment-methods-mine": Shows(source="payment_methods", where={"user_id": _OF % ME}),
    "reviews-job": Shows(
        source="review_cards",
        where={"job_id": _OF % "job_id", "side": "eq.customer", "state": "eq.published"},
        each=("jobs", "id"),
    ),
    "reviews-provider": Shows(
        source="review_cards",
        where={"provider_id": _OF % "provider_id", "side": "eq.customer", "state": "eq.published"},
        each=("availabilities", "id"),
    ),
    "reviews-mine": Shows(source="review_cards", where={"author_id": _OF % ME}),
    "reviews-read": Shows(source="review_cards", where={"id": _OF % "review_id"}, each=("reviews", "id")),
    "messaging-inbox": Shows(
        source="inbox",
        where={"user_id": _OF % ME, "last_sequence": "not.is.null"},
        by="conversation_id",
        made=words("unread"),
    ),
    "messaging-read": Shows(
        source="conversation_people",
        where={"conversation_id": _OF % "conversation_id"},
        each=("conversations", "id"),
        within="people",
        by="user_id",
    ),
    "messaging-read-of-booking": Shows(
        source="conversations",
        where={"booking_id": _OF % "booking_id"},
        each=("bookings", "id"),
        within="conversation",
    ),
    "messaging-messages": Shows(
        source="messages", where={"conversation_id": _OF % "conversation_id"}, each=("conversations", "id")
    ),
    "identities-mine": Shows(source="external_identities", where={"user_id": _OF % ME}),
    "quotes-search": Shows(source="quotes", made=words("reference bill")),
    "quotes-read": Shows(
        source="quotes", made=words("reference bill"), where={"id": _OF % "quote_id"}, each=("quotes", "id")
    ),
    "invoices-search": Shows(source="invoice_cards", made=words("number bill left")),
    "invoices-read": Shows(
        source="invoice_cards",
        made=words("number bill left"),
        where={"id": _OF % "invoice_id"},
        each=("invoices", "id"),
    ),
    "invoices-settlements": Shows(
        source="settlements", where={"invoice_id": _OF % "invoice_id"}, each=("invoices", "id")
    ),
    "papers-search": Shows(source="papers", made=words("number bill shares")),
    "papers-read": Shows(
        source="papers", made=words("number bill shares"), where={"id": _OF % "paper_id"}, each=("papers", "id")
    ),
    "papers-letterhead": Shows(
        source="letterheads", where={"id": _OF % "organization_id"}, each=("organizations", "id")
    ),
    "files-mine": Shows(source="files", where={"owner_id": _OF % ME}),
    "files-read": Shows(source="files", where={"id": _OF % "file_id"}, each=("files", "id")),
    "notifications-mine": Shows(source="notifications", where={"user_id": _OF % ME}),
    "admin-find-users": Shows(source="users", admins_only=True),
    "admin-read-user": Shows(source="users", where={"id": _OF % "user_id"}, each=("users", "id"), admins_only=True),
    "admin-audit": Shows(source="audit", admins_only=True),
    "admin-ledger": Shows(source="ledger", admins_only=True),
    "admin-balances": Shows(source="balances", admins_only=True),
    "admin-webhooks": Shows(source="webhooks"),
    "admin-reconciliations": Shows(source="reconciliations"),
    "admin-discrepancies": Shows(source="discrepancies", where={"closed_at": "is.null"}),
    "admin-mails": Shows(source="mails"),
}
"""By the operation's id."""

NO_ROWS = {
    "onboarding-professions": "data of the house, the same for everybody",
    "billing-entitlements": "made from subscriptions and what their products say",
    "billing-purchase": "shown to whoever has its id; by themselves people read their own only",
    "scheduling-slots": "made from hours and bookings, which not everybody sees",
    "payees-read": "the row of that organization at the gateway in use, which the world has none of",
    "payments-pay-link": "an address to pay at",
    "payments-checkout": "what a gateway wants to be told, for the customer alone",
    "files-link": "an address to fetch at",
    "quotes-link": "an address to answer at",
    "quotes-pdf": "a document",
    "invoices-pay-link": "an address to pay at",
    "invoices-export": "the rows of invoices-search as a table",
    "papers-pdf": "a document",
    "sign-ins-leave": "leads to a provider",
    "files-content": "bytes",
    "notifications-unread": "a number",
    "sessions-keys": "keys",
}
"""Routes that read, and show no rows."""
