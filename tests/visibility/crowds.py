"""People thrown together at random, to be asked about."""

import random
from typing import Any, TypeVar
from uuid import UUID

from tests.support.house import MONDAY
from tests.visibility.rows import Rows

T = TypeVar("T")
ENDED = {"revoked_at": MONDAY, "end_reason": "signed_out"}


def crowd(seed: int, *, people: int = 12, things: int = 24) -> Rows:
    """So many people thrown together at random: who belongs where, books what and talks to whom follows no story."""
    rows, chance = Rows(seed), random.Random(seed)

    def some(*options: T) -> T:
        return chance.choice(options)

    users = [
        rows.add(
            "users",
            role=some("customer", "provider", "admin"),
            suspended_at=some(None, None, MONDAY),
            email_verified_at=some(None, MONDAY),
        )
        for _ in range(people)
    ]
    organizations = [rows.add("organizations", name=some("A", "B")) for _ in range(people // 3)]
    for organization in organizations:
        rows.add("letterheads", id=organization)
    for user in users:
        rows.add("profiles", id=user, name=user.hex[:6])
        rows.add("availabilities", id=user)
        rows.add("customers", user_id=user)
        rows.add("payment_methods", user_id=user)
        rows.add("credentials", id=user)
        rows.add("external_identities", user_id=user, ended_at=some(None, None, MONDAY))
        for organization in chance.sample(organizations, chance.randrange(3)):
            role = some("owner", "manager", "member")
            rows.add("memberships", user_id=user, organization_id=organization, role=role)
    for organization in organizations:
        rows.add("onboardings", id=organization)
        rows.add("external_organizations", organization_id=organization)
        rows.add("balances", organization_id=organization)
        payee = rows.add("payees", organization_id=organization)
        rows.add("payouts", organization_id=organization, payee_id=payee)
        rows.add("audit", organization_id=organization)
    for number in range(things):
        rows.add("invitations", organization_id=some(*organizations))
        rows.add("subscriptions", organization_id=some(*organizations))
        rows.add("purchases", user_id=some(None, *users))
        rows.add("products")
        rows.add("prices")
        customer, provider, third = chance.sample(users, 3)
        belongs: dict[str, Any] = {"organization_id": some(*organizations), "provider_id": provider}
        job = rows.add("jobs", **belongs, state=some("draft", "published", "archived"), title=f"{number}")
        rows.add("ratings", id=job, provider_id=provider)
        booking = rows.add("bookings", **belongs, job_id=job, customer_id=customer)
        about: dict[str, Any] = {"booking_id": booking, "organization_id": belongs["organization_id"]}
        payment = rows.add("payments", **about, customer_id=some(customer, third))
        rows.add("refunds", **about, payment_id=payment, customer_id=some(customer, third))
        rows.add("disputes", **about, payment_id=payment, provider_id=some(provider, third))
        rows.add("fraud_warnings", **about, payment_id=payment)
        rows.add("ledger", **about, payment_id=payment)
        _reviews(rows, chance, booking=booking, job_id=job, provider_id=provider, customer_id=customer)
        _asked(rows, chance, users, belongs["organization_id"])
        _talk(rows, chance, users)
        rows.add("external_identities", user_id=third)
        session = rows.add("sessions", user_id=third, **some({}, {}, ENDED, {"epoch": 2}))
        rows.add("refresh_tokens", session_id=session)
        rows.add("one_time_tokens", user_id=third)
        rows.add("oauth_flows")
        rows.add("discrepancies", payment_id=payment)
        for table in ("outbox", "audit", "security_events", "webhooks", "reconciliations", "moves", "move_changes"):
            rows.add(table)
        rows.add("notifications", user_id=third)
        rows.add("mails", recipient_id=third)
    return rows


def _reviews(rows: Rows, chance: random.Random, *, booking: UUID, **of: UUID) -> None:
    for side in chance.sample(("customer", "provider"), chance.randrange(3)):
        author, reviewed = of[f"{side}_id"], of["provider_id" if side == "customer" else "customer_id"]
        state = chance.choice(("published", "hidden"))
        rows.add("reviews", **of, booking_id=booking, side=side, author_id=author, reviewed_id=reviewed, state=state)


def _asked(rows: Rows, chance: random.Random, users: list[UUID], organization: UUID) -> None:
    addresses = {row["id"]: row["email"] for row in rows.of("users")}
    shown = {
        "organization_id": organization,
        "reader_id": chance.choice((None, *users)),
        "reader_email": addresses[chance.choice(users)],
    }
    rows.add("quotes", **shown, state="sent", expires_at=MONDAY)
    paper, dates = rows.new_id(), {"issued_on": MONDAY.date(), "due_on": MONDAY.date()}
    invoice = rows.add("invoices", **shown, **dates, state="issued", paper_id=paper)
    rows.add("papers", **shown, id=paper, invoice_id=invoice)
    rows.add("settlements", organization_id=organization, invoice_id=invoice)


def _talk(rows: Rows, chance: random.Random, users: list[UUID]) -> None:
    conversation, sequence = rows.add("conversations", created_by=users[0]), 0
    for user in chance.sample(users, chance.randrange(4)):
        participant = rows.add("participants", conversation_id=conversation, user_id=user)
        for _ in range(chance.randrange(3)):
            sequence += 1
            said = {"participant_id": participant, "sender_id": user, "sequence": sequence}
            rows.add("messages", conversation_id=conversation, **said)
            stored = {"state": "stored", "size": 1, "sha256": "", "found_type": "", "stored_at": MONDAY}
            audience = chance.choice(("everybody", "participants"))
            belongs_to = chance.choice((None, conversation))
            rows.add("files", owner_id=user, audience=audience, belongs_to=belongs_to, **stored)
