"""The audit trail as a chain: each seal covers its entry and the seal before, so that nothing can change unnoticed."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any
from uuid import UUID

from domain.shared.errors import Conflict

GENESIS = "0" * 64
"""The hash before the first entry."""

_FORMAT = b"guildhall.audit.1\n"


class AlreadySealed(Conflict):
    """Another sealer lengthened the chain first; what is left is sealed the next time."""

    code = "audit.already_sealed"

    def __init__(self) -> None:
        super().__init__("another sealer was faster")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """Who did what to which row, in the words of the commit that did it."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """The place an entry has in the chain, and the hash that ties it to all before it."""

    entry_id: UUID
    position: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The end of the chain so far; position 0 while it is empty."""

    position: int = 0
    hash: str = GENESIS


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One sealed entry, its place and its hash, all as they are stored now."""

    position: int
    hash: str
    entry: AuditEntry


class Fault(StrEnum):
    """What is wrong where a chain breaks."""

    GAP = "gap"
    """A sealed entry is gone, or out of turn."""
    ALTERED = "altered"
    """The entry, or something before it, is not what was sealed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """The first place where the chain does not hold."""

    position: int
    fault: Fault


def link(previous: str, entry: AuditEntry) -> str:
    """The hash of an entry that follows the entry of hash `previous`: SHA-256, in hexadecimal."""
    return sha256(_FORMAT + bytes.fromhex(previous) + entry.canonical()).hexdigest()


def seal(entries: Iterable[AuditEntry], *, onto: Head) -> list[Seal]:
    """The seals that lengthen the chain by these entries, in this order."""
    seals: list[Seal] = []
    for position, entry in enumerate(entries, start=onto.position + 1):
        onto = Head(position=position, hash=link(onto.hash, entry))
        seals.append(Seal(entry_id=entry.id, position=position, hash=onto.hash))
    return seals


def verify(links: Iterable[Link], *, onto: Head = Head()) -> Break | None:
    """The first break in a stretch of the chain that follows `onto`, or None when all of it holds."""
    for each in links:
        if each.position != onto.position + 1:
            return Break(position=onto.position + 1, fault=Fault.GAP)
        if each.hash != link(onto.hash, each.entry):
            return Break(position=each.position, fault=Fault.ALTERED)
        onto = Head(position=each.position, hash=each.hash)
    return None
