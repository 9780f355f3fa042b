"""What a commit tells beside what it changes: events for the outbox, entries for the audit trail, and its receipt."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from adapters.persistence.mapper import JSON
from adapters.persistence.schema.tables import Row
from adapters.persistence.store import Insert
from application.commands import Command
from domain.shared.aggregate import Event


@dataclass(frozen=True, slots=True)
class About:
    """What is told of: a thing in the version it has after the commit, and who acted."""

    table: str
    id: UUID
    version: int
    actor: str
    organization_id: UUID | None

    def outgoing(self, id: UUID, event: Event, *, position: int, now: datetime, due: datetime | None = None) -> Insert:
        """An event as the outbox takes it: due now, or scheduled for later."""
        return Insert(
            "outbox",
            {
                "id": id,
                "version": 1,
                "name": event.name,
                "subject_table": self.table,
                "subject_id": self.id,
                "subject_version": self.version,
                "position": position,
                "payload": JSON.unstructure(event),
                "actor": self.actor,
                "created_at": now,
                "due_at": due or now,
                "scheduled": due is not None,
                "attempts": 0,
                "leased_until": None,
                "finished_at": None,
                "dead_at": None,
                "last_error": None,
            },
        )

    def audit(self, id: UUID, action: str, details: Any, *, now: datetime) -> Insert:
        """An entry of the audit trail, unsealed."""
        return Insert(
            "audit",
            {
                "id": id,
                "version": 1,
                "at": now,
                "actor": self.actor,
                "action": action,
                "subject_table": self.table,
                "subject_id": self.id,
                "subject_version": self.version,
                "details": details,
                "position": None,
                "hash": None,
                "organization_id": self.organization_id,
            },
        )


def receipt_of(command: Command, *, now: datetime) -> Row:
    """The row by which a retried command finds that it was carried out; its answer is filled in by whoever knows it."""
    return {
        "id": command.id,
        "version": 1,
        "key": command.key,
        "principal": command.principal,
        "operation": command.operation,
        "fingerprint": command.fingerprint,
        "answer_table": None,
        "answer": None,
        "created_at": now,
        "expires_at": now + command.life if command.life else None,
    }
