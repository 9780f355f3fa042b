"""Rows of every table for tests that care about who sees them: valid, complete, and otherwise of no interest."""

from datetime import date, timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid5

from adapters.persistence.mapper import JSON
from adapters.persistence.schema import TABLES
from adapters.persistence.schema.tables import Row, Type
from adapters.persistence.store import Changes, Insert, Tally
from domain.invoicing import Bill, Buyer, Seller
from domain.payments import Evidence
from domain.shared.time import Span
from tests.support.house import MONDAY

_SPACE = UUID("d3b0c7ab-6a34-4d3c-8c6c-0d4f3d9a2f11")
_ORDINARY: dict[Type, Any] = {
    Type.TEXT: "",
    Type.BIGINT: 0,
    Type.BOOLEAN: False,
    Type.INSTANT: MONDAY,
    Type.DATE: date(2026, 3, 2),
    Type.SPAN: Span(MONDAY, MONDAY.replace(hour=10)),
}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_POLICY = {"tiers": [], "no_show_percent": 0}
_SELLER = JSON.unstructure(Seller(name="Firm"))
_BILL = JSON.unstructure(Bill(buyer=Buyer(name="Ann"), currency="EUR"))
_USUAL: dict[str, Row] = {
    "users": {"role": "customer", "epoch": 1},
    "sessions": {"method": "password", "epoch": 1},
    "external_identities": {"issuer": "https://issuer.example", "origin": "first_sight"},
    "one_time_tokens": {"purpose": "magic_link"},
    "oauth_flows": {"provider": "github"},
    "organizations": {"owners": 1},
    "external_organizations": {"issuer": "https://issuer.example", "members": {}},
    "invitations": {"role": "member", "state": "pending"},
    "onboardings": {"saved": []},
    "products": {"gateway": "simulated", "features": []},
    "prices": {"gateway": "simulated", "type": "recurring"},
    "subscriptions": {"state": "active"},
    "purchases": {"state": "open"},
    "jobs": {
        "duration": 60,
        "capacity": 1,
        "slot_interval": 30,
        "policy": _POLICY,
        "window_days": 30,
        "terms": "free",
        "acceptance": "instant",
        "published_at": MONDAY,
        "price_currency": "EUR",
        "pictures": [],
    },
    "availabilities": {"zone": "UTC", "weekly": {day: [] for day in _DAYS}, "overrides": [], "time_off": []},
    "bookings": {
        "seats": 1,
        "policy": _POLICY,
        "capacity": 1,
        "price_currency": "EUR",
        "terms": "free",
        "acceptance": "instant",
        "state": "completed",
        "refund_ceiling": 100,
        "starts_at": MONDAY,
    },
    "letterheads": {"zone": "UTC", "seller": _SELLER},
    "quotes": {"bill": _BILL, "valid_days": 1, "state": "draft", "total_currency": "EUR"},
    "invoices": {
        "bill": _BILL,
        "credited_shares": [],
        "state": "draft",
        "total_minor": 100,
        **dict.fromkeys(("total_currency", "paid_currency", "paid_by_hand_currency", "credited_currency"), "EUR"),
    },
    "papers": {
        "kind": "invoice",
        "year": 2026,
        "seller": _SELLER,
        "bill": _BILL,
        "shares": [],
        "total_minor": 100,
        "total_currency": "EUR",
    },
    "settlements": {"kind": "by_hand", "amount_minor": 100, "amount_currency": "EUR"},
    "payments": {
        "amount_minor": 100,
        "captured_minor": 100,
        "refunding_minor": 10,
        **dict.fromkeys(("amount_currency", "captured_currency", "refunding_currency", "refunded_currency"), "EUR"),
        "disputed_currency": "EUR",
        "state": "captured",
        "attempt": 1,
    },
    "disputes": {
        **dict.fromkeys(("amount_minor", "taken_minor"), 10),
        **dict.fromkeys(
            ("amount_currency", "taken_currency", "returned_currency", "fee_currency", "fee_returned_currency"), "EUR"
        ),
        "state": "needs_response",
        "evidence": JSON.unstructure(Evidence()),
    },
    "payment_methods": {"last4": "4242", "exp_month": 1},
    "refunds": {"amount_minor": 10, "amount_currency": "EUR", "state": "requested"},
    "ledger": {"books": "platform", "source_kind": "capture", "amount_minor": 100, "amount_currency": "EUR"},
    "payees": {"state": "enabled"},
    "payouts": {"state": "paid", "amount_minor": 100, "amount_currency": "EUR"},
    "balances": {"books": "organization", "amount_minor": 100, "amount_currency": "EUR", "position": 1},
    "webhooks": {"outcome": "waiting", "topic": "money"},
    "reconciliations": {"stage": "done", "since": MONDAY - timedelta(days=1), "until": MONDAY, "finished_at": MONDAY},
    "discrepancies": {"kind": "stranger", "closed_by": "", "reason": ""},
    "reviews": {"stars": 5, "state": "published"},
    "conversations": {"kind": "direct"},
    "messages": {"sequence": 1, "text": "hello", "attachments": []},
    "files": {
        "bucket": "avatars",
        "content_type": "image/png",
        "charged": 1,
        "state": "uploading",
        "audience": "participants",
        "renderings": [],
    },
    "mails": {"template": "welcome", "state": "queued"},
    "moves": {"role": "leaving", "state": "stayed"},
}
_ITS_OWN: dict[str, tuple[str, ...]] = {
    "users": ("email",),
    "external_identities": ("subject",),
    "refresh_tokens": ("token_hash",),
    "one_time_tokens": ("token_hash",),
    "oauth_flows": ("state_hash", "code_hash"),
    "external_organizations": ("subject",),
    "invitations": ("token_hash", "email"),
    "products": ("gateway_ref",),
    "prices": ("gateway_ref",),
    "customers": ("gateway_ref",),
    "subscriptions": ("gateway_ref",),
    "purchases": ("gateway_ref",),
    "bookings": ("reference",),
    "disputes": ("gateway_ref",),
    "fraud_warnings": ("gateway_ref",),
    "payment_methods": ("gateway_ref",),
    "settlements": ("source",),
    "ledger": ("source_id",),
    "payees": ("gateway_ref",),
    "payouts": ("gateway_ref",),
    "balances": ("account",),
    "webhooks": ("external_id",),
    "discrepancies": ("gateway_ref",),
    "conversations": ("pair",),
    "mails": ("transition",),
    "receipts": ("key",),
}
"""Text columns that no two rows share."""


class Rows:
    """Rows made so far, by table. Their ids follow from a seed and their number, so that two runs make the same."""

    def __init__(self, seed: int = 1) -> None:
        self._numbers = count(1)
        self._seed = seed
        self.made: list[tuple[str, Row]] = []

    def new_id(self) -> UUID:
        """The next id."""
        return uuid5(_SPACE, f"{self._seed}:{next(self._numbers)}")

    def add(self, table: str, **said: Any) -> UUID:
        """Another row of that table, with these columns as said and the others as usual; answers its id."""
        id = said.pop("id", None) or self.new_id()
        own = dict.fromkeys(_ITS_OWN.get(table, ()), f"{id.hex}@example.org")
        given = {"id": id, "version": 1, **_USUAL.get(table, {}), **own, **said}
        row = {
            column.name: given[column.name] if column.name in given else self._ordinary(column.type, column.nullable)
            for column in TABLES[table].columns
        }
        if table == "bookings":
            row["blocked"] = row["span"]
        if "sequence" in row and table in ("quotes", "papers"):
            row["sequence"] = len(self.made) + 1
        self.made.append((table, row))
        return UUID(str(id))

    @property
    def changes(self) -> Changes:
        """All of them as one change set, and a tally, which no other way makes."""
        writes = tuple(Insert(table, dict(row)) for table, row in self.made)
        return Changes(writes=writes, tallies=(Tally("seats:any", 1),))

    def of(self, table: str) -> list[Row]:
        """The rows of that table."""
        return [row for name, row in self.made if name == table]

    def _ordinary(self, type: Type, nullable: bool) -> Any:
        if nullable:
            return None
        if type is Type.UUID:
            return self.new_id()
        return {} if type is Type.JSON else _ORDINARY[type]
