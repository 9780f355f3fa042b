"""The audit trail as a chain: who did what, tied together so that nothing can change unnoticed."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID

from domain.shared.chains import GENESIS, AlreadySealed, Break, Fault, Head, Link, Seal, link, seal, verify

__all__ = [
    "GENESIS",
    "AlreadySealed",
    "AuditEntry",
    "Break",
    "Fault",
    "Head",
    "Link",
    "Seal",
    "link",
    "seal",
    "verify",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """Who did what to which row, in the words of the commit that did it."""

    sealed_as: ClassVar[bytes] = b"guildhall.audit.1\n"
    id: UUID
    at: datetime
    actor: str
    action: str
    subject_table: str
    subject_id: UUID
    subject_version: int
    details: dict[str, Any]

    def canonical(self) -> bytes:
        """The entry as bytes that are the same on every store: compact JSON, keys sorted, instants in UTC to the
        microsecond."""
        return json.dumps(
            {
                "id": str(self.id),
                "at": self.at.astimezone(UTC).isoformat(timespec="microseconds"),
                "actor": self.actor,
                "action": self.action,
                "subject_table": self.subject_table,
                "subject_id": str(self.subject_id),
                "subject_version": self.subject_version,
                "details": self.details,
            },
            sort_keys=True,
            separators=(",", ":"),
            ensure_ascii=False,
            allow_nan=False,
        ).encode()
