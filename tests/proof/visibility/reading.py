"""The third reading of who sees what: from the words of the expectations and the rows alone. It knows neither the terms
the policies are made from nor how they are compiled."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from adapters.persistence.schema.tables import Row
from tests.visibility.expectations import SEEN_BY
from tests.visibility.rows import Rows

COLUMNS = {
    "self": "user_id",
    "customer": "customer_id",
    "performer": "provider_id",
    "colleague": "organization_id",
    "manager": "organization_id",
    "participant": "conversation_id",
}
"""Relation to the column that tells of it."""
ELSEWHERE = {
    ("users", "self"): "id",
    ("conversations", "participant"): "id",
    ("files", "self"): "owner_id",
    ("files", "participant"): "belongs_to",
    ("letterheads", "manager"): "id",
    ("onboardings", "manager"): "id",
    ("quotes", "customer"): "reader_id",
    ("invoices", "customer"): "reader_id",
    ("papers", "customer"): "reader_id",
}
"""The same, for the tables that tell of it in a column of another name."""


ISSUER = "https://issuer.example"


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody, by a token that may name a session, or be of another issuer; nobody, without an id."""

    user_id: UUID | None = None
    session_id: UUID | None = None
    subject: str | None = None
    issuer: str = ISSUER

    @property
    def claims(self) -> dict[str, str]:
        """What the token says."""
        if self.subject is not None:
            return {"role": "authenticated", "iss": self.issuer, "sub": self.subject, "sid": "sess_2x"}
        if self.user_id is None:
            return {"role": "anon"}
        session = {"sid": str(self.session_id)} if self.session_id else {}
        return {"role": "authenticated", "iss": "guildhall", "sub": str(self.user_id), **session}


class Reading:
    """What everybody is to everybody in these rows."""

    def __init__(self, rows: Rows) -> None:
        self._users = {row["id"]: row for row in rows.of("users")}
        self._sessions = {row["id"]: row for row in rows.of("sessions")}
        self._foreign = {(row["issuer"], row["subject"]): row for row in rows.of("external_identities")}
        self._belongs: dict[str, dict[UUID, set[UUID]]] = {word: defaultdict(set) for word in COLUMNS}
        for row in rows.of("memberships"):
            self._belongs["colleague"][row["user_id"]].add(row["organization_id"])
            if row["role"] != "member":
                self._belongs["manager"][row["user_id"]].add(row["organization_id"])
        for row in rows.of("participants"):
            self._belongs["participant"][row["user_id"]].add(row["conversation_id"])

    def whom(self, asker: Asker) -> Row | None:
        """The user the house takes this one for, if for anybody."""
        id, session_id = asker.user_id, asker.session_id
        if asker.subject is not None:
            known = self._foreign.get((asker.issuer, asker.subject))
            id = known["user_id"] if known and known["ended_at"] is None else None
        user = self._users.get(id) if id else None
        if user is None or user["suspended_at"] is not None:
            return None
        if session_id is None:
            return user
        session = self._sessions.get(session_id)
        lasts = session and session["revoked_at"] is None and session["epoch"] == user["epoch"]
        return user if session and lasts and session["user_id"] == id else None

    def sees(self, user: Row | None, table: str, row: Row) -> bool:
        """Whether that user, or nobody in particular, is to see the row."""
        said = SEEN_BY.get(f"{table} {_kind(table, row)}", SEEN_BY.get(table))
        assert said is not None, f"nobody has said who sees {table} {_kind(table, row)}"
        return any(self._is(word, user, table, row) for word in said.split())

    def _is(self, word: str, user: Row | None, table: str, row: Row) -> bool:
        if word == "everybody":
            return True
        if user is None:
            return False
        if word == "admin":
            return bool(user["role"] == "admin")
        if word == "addressee":
            return user["email_verified_at"] is not None and row["reader_email"] == user["email"]
        value: Any = row[ELSEWHERE.get((table, word), COLUMNS[word])]
        if word in ("colleague", "manager", "participant"):
            return value in self._belongs[word][user["id"]]
        return bool(value == user["id"])


def _kind(table: str, row: Row) -> Any:
    """Which of a table's kinds of row this is, in the words of the expectations."""
    if table == "files":
        if row["audience"] == "everybody":
            return "public"
        return "attached" if row["belongs_to"] else "uploading"
    if table in ("quotes", "invoices") and row["state"] != "draft":
        return {"quotes": "sent", "invoices": "issued"}[table]
    return row.get("state")
