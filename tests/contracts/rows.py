"""Valid rows of every table, made with the rows they refer to."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

from adapters.persistence.mapper import JSON
from adapters.persistence.schema import TABLES
from adapters.persistence.schema.tables import Excludes, References, Row, Table, Unique
from adapters.persistence.store import Insert
from domain.invoicing import Bill, Buyer, Seller
from domain.payments import Evidence
from domain.shared.time import Span
from tests.contracts.stores import NOW

LATER = NOW + timedelta(hours=1)
HOUR = Span(NOW, LATER)

Variant = dict[str, Any]
"""Columns that make another kind of valid row."""


def _users(n: int) -> Row:
    return {
        "email": f"user{n}@example.org",
        "role": "customer",
        "email_verified_at": None,
        "suspended_at": None,
        "epoch": 1,
        "created_at": NOW,
    }


def _sessions(n: int) -> Row:
    return {
        "epoch": 1,
        "method": "password",
        "ip": "192.0.2.1",
        "user_agent": "test",
        "last_used_at": NOW,
        "revoked_at": None,
        "end_reason": None,
        "created_at": NOW,
    }


def _external_identities(n: int) -> Row:
    return {
        "issuer": "https://issuer.example",
        "subject": f"user_{n}",
        "origin": "first_sight",
        "email": None,
        "email_verified": False,
        "created_at": NOW,
        "last_seen_at": NOW,
        "told_at": None,
        "ended_at": None,
    }


def _files(n: int) -> Row:
    return {
        "bucket": "attachments",
        "name": f"plan-{n}.pdf",
        "content_type": "application/pdf",
        "charged": 1000,
        "announced_sha256": None,
        "state": "stored",
        "found_type": "application/pdf",
        "size": 1000,
        "sha256": f"{n:064x}",
        "width": None,
        "height": None,
        "renderings": [],
        "belongs_to": None,
        "delivered": False,
        "created_at": NOW,
        "expires_at": LATER,
        "stored_at": NOW,
        "deleted_at": None,
        "audience": "participants",
    }


def _refresh_tokens(n: int) -> Row:
    return {"token_hash": f"r{n}", "expires_at": LATER, "rotated_at": None, "revoked_at": None, "created_at": NOW}


def _one_time_tokens(n: int) -> Row:
    return {
        "purpose": "verify_email",
        "token_hash": f"o{n}",
        "address_hash": "a",
        "epoch": 1,
        "expires_at": LATER,
        "used_at": None,
        "created_at": NOW,
        "address": None,
    }


def _oauth_flows(n: int) -> Row:
    return {
        "provider": "github",
        "return_to": "https://app.example/in",
        "challenge": "c",
        "state_hash": f"s{n}",
        "browser_hash": f"b{n}",
        "code_hash": f"c{n}",
        "stranger": {"issuer": "https://github.com", "subject": f"{n}"},
        "expires_at": LATER,
        "returned_at": NOW,
        "spent_at": None,
        "created_at": NOW,
    }


def _profiles(n: int) -> Row:
    return {
        "name": f"Person {n}",
        "headline": "",
        "bio": "",
        "avatar_url": "",
        "avatar_id": None,
        "locale": "en",
        "zone": "Europe/Lisbon",
        "phone": "",
        "created_at": NOW,
        "updated_at": NOW,
    }


def _jobs(n: int) -> Row:
    return {
        "title": f"Job {n}",
        "description": "",
        "category": "music",
        "price_minor": 4500,
        "price_currency": "EUR",
        "duration": 60,
        "buffer_before": 0,
        "buffer_after": 0,
        "capacity": 1,
        "place": "Lisboa",
        "remote": False,
        "slot_interval": 30,
        "notice": 0,
        "window_days": 60,
        "terms": "prepaid",
        "acceptance": "instant",
        "policy": {"tiers": [{"hours_before": 24, "refund_percent": 100}], "no_show_percent": 0},
        "state": "published",
        "published_at": NOW,
        "created_at": NOW,
        "updated_at": NOW,
        "title_words": f"job {n}",
        "words": f"job {n} music",
        "place_words": "lisboa",
        "pictures": [],
    }


def _bookings(n: int) -> Row:
    return {
        "reference": f"REF-{n}",
        "job_title": "Guitar lesson",
        "span": HOUR,
        "zone": "Europe/Lisbon",
        "buffer_before": 0,
        "buffer_after": 0,
        "seats": 1,
        "capacity": 1,
        "price_minor": 4500,
        "price_currency": "EUR",
        "policy": {"tiers": [], "no_show_percent": 0},
        "terms": "prepaid",
        "acceptance": "instant",
        "note": "",
        "state": "confirmed",
        "payment_id": UUID(int=n),
        "paid": True,
        "expires_at": None,
        "sequence": 0,
        "refund_floor": 0,
        "refund_ceiling": 100,
        "refund_minor": None,
        "refund_currency": None,
        "unplaced_payment_id": None,
        "cancelled_by": None,
        "cancel_reason": "",
        "created_at": NOW,
        "confirmed_at": NOW,
        "cancelled_at": None,
        "completed_at": None,
        "starts_at": HOUR.starts_at,
        "blocked": HOUR,
        "active": True,
    }


def _payments(n: int) -> Row:
    return {
        "amount_minor": 4500,
        "amount_currency": "EUR",
        "captured_minor": 0,
        "captured_currency": "EUR",
        "refunding_minor": 0,
        "refunding_currency": "EUR",
        "refunded_minor": 0,
        "refunded_currency": "EUR",
        "disputed_minor": 0,
        "disputed_currency": "EUR",
        "open_disputes": 0,
        "capture_later": False,
        "capturing_minor": None,
        "capturing_currency": None,
        "authorised_until": None,
        "state": "requested",
        "attempt": 1,
        "gateway": "simulated",
        "gateway_ref": f"pi_{n}",
        "client_secret": None,
        "failure": "",
        "created_at": NOW,
        "captured_at": None,
    }


def _refunds(n: int) -> Row:
    return {
        "amount_minor": 100,
        "amount_currency": "EUR",
        "state": "requested",
        "reason": "cancelled",
        "gateway": "simulated",
        "gateway_ref": f"re_{n}",
        "failure": "",
        "created_at": NOW,
        "settled_at": None,
    }


def _disputes(n: int) -> Row:
    sums = {"amount": 4500, "taken": 4500, "returned": 0, "fee": 1500, "fee_returned": 0}
    return {
        **{f"{name}_minor": minor for name, minor in sums.items()},
        **{f"{name}_currency": "EUR" for name in sums},
        "moves": 1,
        "state": "needs_response",
        "reason": "fraudulent",
        "gateway": "simulated",
        "gateway_ref": f"dp_{n}",
        "due_at": LATER,
        "evidence": JSON.unstructure(Evidence()),
        "evidence_file_id": None,
        "submitting": False,
        "submitted_at": None,
        "failure": "",
        "opened_at": NOW,
        "closed_at": None,
        "created_at": NOW,
    }


def _ledger(n: int) -> Row:
    return {
        "transaction_id": UUID(int=n),
        "books": "platform",
        "account": "gateway",
        "amount_minor": 100,
        "amount_currency": "EUR",
        "source_kind": "capture",
        "source_id": f"pi_{n}",
        "created_at": NOW,
    }


SELLER = JSON.unstructure(Seller(name="Firm"))
BILL = JSON.unstructure(Bill(buyer=Buyer(name="Ann"), currency="EUR"))


def _quotes(n: int) -> Row:
    return {
        "year": 2026,
        "sequence": n,
        "bill": BILL,
        "total_minor": 4500,
        "total_currency": "EUR",
        "valid_days": 14,
        "due_days": 14,
        "state": "draft",
        "sendings": 0,
        "sent_at": None,
        "expires_at": None,
        "answered_at": None,
        "answered_by": "",
        "invoice_id": None,
        "created_at": NOW,
        "reader_id": None,
        "reader_email": "ada@example.org",
    }


def _invoices(n: int) -> Row:
    return {
        "paper_id": None,
        "bill": BILL,
        "total_minor": 4500,
        "total_currency": "EUR",
        "due_days": 14,
        "state": "draft",
        "paid_minor": 0,
        "paid_currency": "EUR",
        "paid_by_hand_minor": 0,
        "paid_by_hand_currency": "EUR",
        "credited_minor": 0,
        "credited_currency": "EUR",
        "credited_shares": [],
        "issued_on": None,
        "due_on": None,
        "overdue": False,
        "sendings": 0,
        "sent_at": None,
        "created_at": NOW,
        "reader_id": None,
        "reader_email": "ada@example.org",
    }


def _papers(n: int) -> Row:
    return {
        "kind": "invoice",
        "year": 2026,
        "sequence": n,
        "seller": SELLER,
        "bill": BILL,
        "shares": [],
        "total_minor": 4500,
        "total_currency": "EUR",
        "issued_on": NOW.date(),
        "due_on": NOW.date(),
        "corrects": "",
        "reason": "",
        "created_at": NOW,
        "reader_id": None,
        "reader_email": "ada@example.org",
    }


def _settlements(n: int) -> Row:
    return {
        "kind": "by_hand",
        "source": f"hand:{n}",
        "amount_minor": 4500,
        "amount_currency": "EUR",
        "reason": "cash",
        "received_on": NOW.date(),
        "created_at": NOW,
    }


def _webhooks(n: int) -> Row:
    return {
        "sender": "simulated",
        "external_id": f"evt_{n}",
        "topic": "money",
        "kind": "payment.captured",
        "payment_ref": None,
        "refund_ref": None,
        "thing": None,
        "thing_ref": None,
        "payload": "{}",
        "occurred_at": NOW,
        "received_at": NOW,
        "processed_at": None,
        "outcome": "waiting",
        "note": "",
    }


def _reviews(n: int) -> Row:
    return {
        "side": "customer",
        "stars": 5,
        "text": "Wonderful",
        "response": None,
        "responded_at": None,
        "state": "published",
        "moderation_reason": None,
        "moderated_at": None,
        "created_at": NOW,
    }


def _outbox(n: int) -> Row:
    return {
        "name": "booking.confirmed",
        "subject_table": "bookings",
        "subject_id": UUID(int=n),
        "subject_version": 1,
        "position": 0,
        "payload": {},
        "actor": "system",
        "created_at": NOW,
        "due_at": NOW,
        "scheduled": False,
        "attempts": 0,
        "leased_until": None,
        "finished_at": None,
        "dead_at": None,
        "last_error": None,
    }


def _receipts(n: int) -> Row:
    return {
        "key": f"key-{n}",
        "principal": "user:ada",
        "operation": "book",
        "fingerprint": "f",
        "answer_table": None,
        "answer": None,
        "created_at": NOW,
        "expires_at": LATER,
    }


def _audit(n: int) -> Row:
    return {
        "at": NOW,
        "actor": "user:ada",
        "action": "booking.confirmed",
        "subject_table": "bookings",
        "subject_id": UUID(int=n),
        "subject_version": 1,
        "details": {},
        "position": None,
        "hash": None,
        "organization_id": None,
    }


def _mails(n: int) -> Row:
    return {
        "template": "welcome",
        "transition": f"t{n}",
        "to": "ada@example.org",
        "context": {},
        "state": "queued",
        "attempts": 0,
        "sent_at": None,
        "last_error": "",
        "created_at": NOW,
    }


PLAIN: dict[str, Callable[[int], Row]] = {
    "users": _users,
    "credentials": lambda n: {"password_hash": "h", "changed_at": NOW, "created_at": NOW},
    "external_identities": _external_identities,
    "sessions": _sessions,
    "files": _files,
    "refresh_tokens": _refresh_tokens,
    "one_time_tokens": _one_time_tokens,
    "oauth_flows": _oauth_flows,
    "profiles": _profiles,
    "organizations": lambda n: {"name": f"House {n}", "solo": False, "owners": 1, "profession": "", "created_at": NOW},
    "memberships": lambda n: {"role": "owner", "created_at": NOW},
    "jobs": _jobs,
    "ratings": lambda n: {"count": 2, "total": 9, "updated_at": NOW, "average_hundredths": 450},
    "availabilities": lambda n: {
        "zone": "Europe/Lisbon",
        "weekly": [],
        "overrides": [],
        "time_off": [],
        "created_at": NOW,
        "updated_at": NOW,
    },
    "bookings": _bookings,
    "external_organizations": lambda n: {
        "issuer": "https://issuer.example",
        "subject": f"org_{n}",
        "name": f"House {n}",
        "founder": None,
        "members": {"user_1": {"role": "owner", "gone": False, "told_at": NOW.isoformat(), "done": True}},
        "created_at": NOW,
        "told_at": NOW,
        "ended_at": None,
    },
    "invitations": lambda n: {
        "email": f"invited{n}@example.org",
        "role": "member",
        "invited_by": None,
        "token_hash": f"i{n}",
        "state": "pending",
        "accepted_by": None,
        "expires_at": LATER,
        "answered_at": None,
        "created_at": NOW,
    },
    "products": lambda n: {
        "gateway": "simulated",
        "gateway_ref": f"prod{n}",
        "name": "Team",
        "description": "",
        "active": True,
        "metadata": {"entitlements": "reports"},
        "features": ["reports"],
        "limits": {"members": 5},
        "created_at": NOW,
    },
    "prices": lambda n: {
        "gateway": "simulated",
        "gateway_ref": f"price{n}",
        "product_ref": "prod1",
        "active": True,
        "currency": "EUR",
        "amount_minor": 1900,
        "type": "recurring",
        "interval": "month",
        "interval_count": 1,
        "nickname": "",
        "created_at": NOW,
    },
    "customers": lambda n: {"gateway": "simulated", "gateway_ref": f"cus{n}", "created_at": NOW},
    "subscriptions": lambda n: {
        "gateway": "simulated",
        "gateway_ref": f"sub{n}",
        "customer_ref": "cus1",
        "product_ref": "prod1",
        "price_ref": "price1",
        "state": "active",
        "quantity": 1,
        "period_ends_at": LATER,
        "trial_ends_at": None,
        "ends_with_period": False,
        "trial_told_for": None,
        "created_at": NOW,
    },
    "purchases": lambda n: {
        "gateway": "simulated",
        "gateway_ref": f"cs{n}",
        "price_ref": "price1",
        "email": "buyer@example.org",
        "organization_name": "Potters",
        "profession": "",
        "subscription_ref": None,
        "url": "https://example.org/till",
        "state": "open",
        "metadata": {},
        "created_at": NOW,
        "provisioned_at": None,
    },
    "onboardings": lambda n: {
        "business": {"name": f"Business {n}", "phone": "", "website": ""},
        "profession": None,
        "place": None,
        "hours": None,
        "saved": ["business"],
        "completed_at": None,
        "created_at": NOW,
    },
    "payments": _payments,
    "refunds": _refunds,
    "payees": lambda n: {
        "gateway": "simulated",
        "gateway_ref": f"sa_{n}",
        "state": "onboarding",
        "takes_charges": False,
        "pays_out": False,
        "wanted": ["identity"],
        "created_at": NOW,
    },
    "payouts": lambda n: {
        "gateway": "simulated",
        "gateway_ref": f"so_{n}",
        "amount_minor": 100,
        "amount_currency": "EUR",
        "state": "pending",
        "failure": "",
        "arrives_at": None,
        "created_at": NOW,
        "settled_at": None,
    },
    "disputes": _disputes,
    "fraud_warnings": lambda n: {
        "reason": "made_with_stolen_card",
        "actionable": True,
        "gateway": "simulated",
        "gateway_ref": f"issfr_{n}",
        "warned_at": NOW,
        "created_at": NOW,
    },
    "payment_methods": lambda n: {
        "gateway": "simulated",
        "gateway_ref": f"pm_{n}",
        "brand": "visa",
        "last4": "4242",
        "exp_month": 12,
        "exp_year": 2040,
        "preferred_at": NOW,
        "created_at": NOW,
    },
    "ledger": _ledger,
    "balances": lambda n: {
        "books": "platform",
        "account": f"gateway:{n}",
        "amount_minor": 100,
        "amount_currency": "EUR",
        "position": n,
        "updated_at": NOW,
    },
    "letterheads": lambda n: {"seller": SELLER, "zone": "Europe/Lisbon", "updated_at": NOW},
    "quotes": _quotes,
    "invoices": _invoices,
    "papers": _papers,
    "settlements": _settlements,
    "webhooks": _webhooks,
    "reconciliations": lambda n: {
        "gateway": "simulated",
        "since": NOW - timedelta(days=n),
        "until": NOW,
        "stage": "refunds",
        "cursor": "100",
        "looked_at": 3,
        "fetched": 0,
        "repaired": 1,
        "filed": 0,
        "begun_at": NOW,
        "finished_at": None,
    },
    "discrepancies": lambda n: {
        "gateway": "simulated",
        "kind": "disagrees",
        "about": "payment",
        "gateway_ref": f"sp_{n}",
        "said": "the gateway says captured; we say open",
        "found_at": NOW,
        "closed_at": None,
        "closed_by": "",
        "reason": "",
    },
    "reviews": _reviews,
    "conversations": lambda n: {
        "kind": "direct",
        "booking_id": None,
        "pair": f"pair-{n}",
        "subject": "Guitar lesson",
        "created_at": NOW,
    },
    "participants": lambda n: {"joined_at": NOW, "read_sequence": 0},
    "messages": lambda n: {"sequence": 1, "text": "Hello", "sent_at": NOW, "edited_at": None, "attachments": []},
    "notifications": lambda n: {
        "kind": "booking.confirmed",
        "title": "Confirmed",
        "body": "",
        "about": None,
        "read_at": None,
        "created_at": NOW,
    },
    "mails": _mails,
    "outbox": _outbox,
    "receipts": _receipts,
    "tallies": lambda n: {"name": f"series:{n}", "value": 1, "ceiling": None},
    "audit": _audit,
    "security_events": lambda n: {
        "at": NOW,
        "kind": "token.forged",
        "actor": "anonymous",
        "subject": None,
        "details": {},
    },
    "moves": lambda n: {
        "role": "leaving",
        "origin": "",
        "state": "stayed",
        "progress": {},
        "lease_until": None,
        "started_at": NOW,
        "changed_at": NOW,
    },
    "move_changes": lambda n: {"source": "users", "key": f"key {n}"},
}
"""A valid row of each table, all but its ids; `n` tells rows apart."""

LEFT_EMPTY: dict[str, tuple[str, ...]] = {
    "conversations": ("booking_id",),
    "payments": ("invoice_id",),
    "refunds": ("invoice_id",),
    "disputes": ("invoice_id",),
    "fraud_warnings": ("invoice_id", "refund_id"),
    "ledger": ("invoice_id",),
    "balances": ("organization_id",),
    "invoices": ("booking_id", "quote_id"),
    "settlements": ("payment_id",),
}
"""References that a row has instead of another, or not at all."""

PARENT = object()
"""Told of such a column: let it have one after all."""

VARIANTS: dict[str, tuple[Variant, ...]] = {
    "files": ({"state": "uploading", "found_type": None, "size": None, "sha256": None, "stored_at": None},),
    "sessions": ({"revoked_at": NOW, "end_reason": "signed_out"},),
    "refresh_tokens": ({"rotated_at": NOW},),
    "external_organizations": ({"organization_id": None, "members": {}, "told_at": None},),
    "jobs": ({"state": "draft", "published_at": None}, {"terms": "free", "price_minor": 0}),
    "bookings": (
        {"state": "held", "paid": False, "expires_at": LATER, "confirmed_at": None},
        {"state": "requested", "paid": False, "expires_at": LATER, "active": False, "payment_id": None},
        {
            "state": "cancelled",
            "active": False,
            "cancelled_by": "customer",
            "cancelled_at": NOW,
            "refund_minor": 4500,
            "refund_currency": "EUR",
        },
    ),
    "invoices": (
        {"state": "issued", "issued_on": NOW.date(), "due_on": NOW.date(), "paper_id": UUID(int=9)},
        {"state": "paid", "issued_on": NOW.date(), "due_on": NOW.date(), "paper_id": UUID(int=9), "paid_minor": 4500},
        {"booking_id": PARENT, "quote_id": PARENT},
    ),
    "quotes": ({"state": "sent", "expires_at": LATER},),
    "payments": (
        {"state": "captured", "captured_minor": 4500, "refunded_minor": 100, "captured_at": NOW},
        {"booking_id": None, "invoice_id": PARENT, "customer_id": None},
        {"state": "authorised", "capture_later": True, "authorised_until": LATER},
    ),
    "disputes": (
        {"booking_id": None, "invoice_id": PARENT, "provider_id": None},
        {"state": "won", "returned_minor": 4500, "submitted_at": NOW, "closed_at": NOW},
    ),
    "fraud_warnings": ({"booking_id": None, "invoice_id": PARENT}, {"refund_id": PARENT, "actionable": False}),
    "refunds": ({"booking_id": None, "invoice_id": PARENT},),
    "ledger": ({"booking_id": None, "invoice_id": PARENT}, {"position": 1, "hash": "ab"}),
    "balances": ({"books": "organization", "organization_id": PARENT},),
    "settlements": ({"kind": "gateway", "payment_id": PARENT},),
    "reconciliations": ({"stage": "done", "cursor": None, "finished_at": NOW},),
    "discrepancies": ({"closed_at": NOW, "closed_by": "operator:ann", "reason": "refunded by hand"},),
    "reviews": ({"response": "Thanks", "responded_at": NOW},),
    "tallies": ({"ceiling": 1},),
    "audit": ({"position": 1, "hash": "ab"},),
}


class Rows:
    """Makes rows whose ids come from a seed. What `row` needs beside it waits in `parents`, in order of writing."""

    def __init__(self, seed: object = 1) -> None:
        self._random = Random(repr(seed))
        self._count = 0
        self._shared: dict[str, UUID] = {}
        self.parents: list[Insert] = []

    def id(self) -> UUID:
        """A new id."""
        return UUID(int=self._random.getrandbits(128), version=4)

    def row(self, name: str, /, **told: Any) -> Row:
        """A valid row of that table unlike every other; columns may be told."""
        self._count += 1
        table = TABLES[name]
        row: Row = dict.fromkeys(table.names)
        row |= PLAIN[name](self._count)
        if "id" in table.names:
            row["id"] = self.id()
        if "version" in table.names:
            row["version"] = 1
        for column, parent in self._references(table, told):
            row[column] = parent
        told = {column: value for column, value in told.items() if value is not PARENT}
        row |= told
        if name == "bookings":
            row["occupancy"] = row["id"]
        if name == "reviews":
            row |= {"author_id": row["customer_id"], "reviewed_id": row["provider_id"]}
        return row | told

    def inserts(self, name: str, /, **told: Any) -> list[Insert]:
        """A valid row and the rows it needs, ready to be committed."""
        row = self.row(name, **told)
        inserts, self.parents = [*self.parents, Insert(name, row)], []
        return inserts

    def _references(self, table: Table, told: dict[str, Any]) -> Iterator[tuple[str, UUID]]:
        """A parent for every reference: one of its own where a constraint tells rows apart by it, else a common one."""
        own = {"id", "provider_id", *_telling_apart(table)}
        for constraint in table.constraints:
            if not isinstance(constraint, References):
                continue
            wanted = told.get(constraint.column) is PARENT
            if not wanted and (constraint.column in told or constraint.column in LEFT_EMPTY.get(table.name, ())):
                continue
            if constraint.column in own or constraint.table not in self._shared:
                parent = self.row(constraint.table)
                self.parents.append(Insert(constraint.table, parent))
                self._shared.setdefault(constraint.table, parent["id"])
                yield constraint.column, parent["id"]
            else:
                yield constraint.column, self._shared[constraint.table]


def _telling_apart(table: Table) -> Iterator[str]:
    for constraint in table.constraints:
        if isinstance(constraint, Unique):
            yield from constraint.columns
        if isinstance(constraint, Excludes):
            yield constraint.equal
