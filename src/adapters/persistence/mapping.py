"""Which table keeps which aggregate."""

from dataclasses import dataclass
from typing import Any

from adapters.persistence.mapper import Mapper
from adapters.persistence.schema import TABLES
from adapters.persistence.schema.tables import Table
from domain.billing import Customer, Price, Product, Purchase, Subscription
from domain.bookings import Booking
from domain.files import StoredFile
from domain.identity import Credential, ExternalIdentity, OAuthFlow, OneTimeToken, RefreshToken, Session, User
from domain.invoicing import Invoice, Letterhead, Paper, Quote, Settlement
from domain.jobs import Job, Rating
from domain.messaging import Conversation, Message, Participant
from domain.notifications import Mail, Notification
from domain.organizations import ExternalOrganization, Invitation, Membership, Onboarding, Organization
from domain.payments import (
    Discrepancy,
    Dispute,
    FraudWarning,
    LedgerEntry,
    Payee,
    Payment,
    PaymentMethod,
    Payout,
    Reconciliation,
    Refund,
    Webhook,
)
from domain.profiles import Profile
from domain.reviews import Review
from domain.scheduling import Availability


@dataclass(frozen=True, slots=True)
class Kept:
    """One kind of aggregate: the word for it, its table, and the way between the two."""

    word: str
    table: Table
    mapper: Mapper[Any]


def _kept(cls: type, table: str, word: str = "") -> tuple[type, Kept]:
    declared = TABLES[table]
    derived = tuple(column.name for column in declared.columns if column.derived)
    return cls, Kept(word or cls.__name__.lower(), declared, Mapper(cls, derived=derived))


KEPT: dict[type, Kept] = dict(
    (
        _kept(User, "users"),
        _kept(Credential, "credentials"),
        _kept(ExternalIdentity, "external_identities", "external identity"),
        _kept(Session, "sessions"),
        _kept(RefreshToken, "refresh_tokens", "refresh token"),
        _kept(OneTimeToken, "one_time_tokens", "one-time token"),
        _kept(OAuthFlow, "oauth_flows", "sign-in"),
        _kept(Profile, "profiles"),
        _kept(Organization, "organizations"),
        _kept(Membership, "memberships"),
        _kept(ExternalOrganization, "external_organizations", "external organization"),
        _kept(Invitation, "invitations"),
        _kept(Onboarding, "onboardings"),
        _kept(Product, "products"),
        _kept(Price, "prices"),
        _kept(Customer, "customers"),
        _kept(Subscription, "subscriptions"),
        _kept(Purchase, "purchases"),
        _kept(Job, "jobs"),
        _kept(Rating, "ratings"),
        _kept(Availability, "availabilities"),
        _kept(Booking, "bookings"),
        _kept(Letterhead, "letterheads"),
        _kept(Quote, "quotes"),
        _kept(Invoice, "invoices"),
        _kept(Paper, "papers"),
        _kept(Settlement, "settlements"),
        _kept(Payment, "payments"),
        _kept(Refund, "refunds"),
        _kept(Payee, "payees"),
        _kept(Payout, "payouts"),
        _kept(Dispute, "disputes"),
        _kept(FraudWarning, "fraud_warnings", "warning"),
        _kept(PaymentMethod, "payment_methods", "payment method"),
        _kept(LedgerEntry, "ledger", "ledger entry"),
        _kept(Webhook, "webhooks"),
        _kept(Reconciliation, "reconciliations"),
        _kept(Discrepancy, "discrepancies"),
        _kept(Review, "reviews"),
        _kept(Conversation, "conversations"),
        _kept(Participant, "participants"),
        _kept(Message, "messages"),
        _kept(Notification, "notifications"),
        _kept(Mail, "mails"),
        _kept(StoredFile, "files", "file"),
    )
)
"""Every aggregate class, and where it is kept."""

BY_TABLE = {kept.table.name: kept for kept in KEPT.values()}
"""The same, by table name."""
